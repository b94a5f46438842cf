"""JSON dictionaries of KitwareMedical's dicom-anonymizer to a spec.

Its actions give constants by VR, dates that are removed too; of a sequence all that is in the items becomes
constants. It works on the data set, a spec at every depth. Bytes that it writes a word into are emptied.
"""

from __future__ import annotations

import ast
import json
import re

from ...core.errors import SpecError
from ...dicom import dictionary
from .translation import EMPTY, KEEP, NoEquivalentError, Translation, key_of, literal, where_present

_CONSTANTS = {
    "DA": "00010101",
    "TM": "000000.00",
    "DT": "00010101010101.000000+0000",
    **dict.fromkeys(("DS", "FD", "FL", "IS", "SL", "SS", "UL", "US"), "0"),
}
_REPLACED = {
    **_CONSTANTS,
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), "ANONYMIZED"),
    "AS": "000Y",
    "UR": "http://anonymized.invalid",
    "OB": "",
    "UN": "",
}
_EMPTIED = {
    **_CONSTANTS,
    **dict.fromkeys(("AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"), ""),
    **dict.fromkeys(("OB", "UN"), ""),
}
"""What becomes of a value by its VR, as of version 2.1.0; "" empties it."""

_AS_REPLACED = ("replace", "empty_or_replace", "delete_or_replace", "delete_or_empty_or_replace")
_AS_EMPTIED = ("empty", "delete_or_empty")
_WHOLE = (0xFFFF, 0x0000)
_BARS = {"|": r"\174", r"\|": r"\\\174"}
"""How a replacement has the sign that stands between the arguments of a function."""


def translate(text: str) -> Translation:
    """Translate a dictionary.

    Raises:
        SpecError: it is no JSON object.
    """
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise SpecError("--importRules: no JSON") from None
    if not isinstance(content, dict):
        raise SpecError("--importRules: no JSON object of tags and actions")
    made = Translation()
    for written, action in content.items():
        place = text.find(json.dumps(written))
        line = text.count("\n", 0, max(place, 0)) + 1
        try:
            pairs = _of(written, action)
        except NoEquivalentError as error:
            made.add(line, f"{written}: {action}"[:60], None, str(error))
            continue
        made.add(line, f"{written}: {action}"[:60], pairs)
    return made


def _of(written: str, action: object) -> dict[str, object]:
    numbers = _numbers(written)
    name = action.get("action") if isinstance(action, dict) else action
    if len(numbers) == 4:
        return _of_mask(numbers, name)
    tag = numbers[0] << 16 | numbers[1]
    vr = dictionary.vr_of(tag).split(" or ")[0]
    if isinstance(action, dict):
        return _with_options(tag, action)
    match name:
        case "keep":
            return {key_of(tag): KEEP}
        case "delete":
            return {where_present(tag): _CONSTANTS["DA"]} if vr == "DA" else {key_of(tag): None}
        case "replace_UID":
            return {key_of(tag): "%_uid_#tag"}
    if vr == "UI" and name in (*_AS_REPLACED, "delete_or_empty_or_replace_UID"):
        return {key_of(tag): "%_uid_#tag"}
    if name in _AS_REPLACED:
        return _constant(tag, vr, _REPLACED)
    if name in _AS_EMPTIED or name == "delete_or_empty_or_replace_UID":
        return _constant(tag, vr, _EMPTIED)
    raise NoEquivalentError("an action of its user's own; write a function with --functions")


def _with_options(tag: int, action: dict[str, object]) -> dict[str, object]:
    """An action that takes options."""
    if action.get("action") == "replace_with_value":
        return {where_present(tag): literal(str(action.get("value", "")))}
    if action.get("action") != "regexp":
        raise NoEquivalentError("an action of its user's own; write a function with --functions")
    find, replace = str(action.get("find", "")), str(action.get("replace", ""))
    replace = re.sub(r"\\.|\|", lambda found: _BARS.get(found[0], found[0]), replace)
    return {key_of(tag): f"%_regex|{find.replace('_', '__')}|{replace.replace('_', '__')}_#tag"}


def _of_mask(numbers: tuple[int, ...], name: object) -> dict[str, object]:
    """An action for many tags: a tag, and which of its bits count."""
    group, element, group_mask, element_mask = numbers
    if name not in {"delete", "keep"} or group_mask != 0xFF00 or element_mask not in _WHOLE:
        raise NoEquivalentError("a mask of tags with this action; write it as (60xx,3000)")
    last = f"{element:04x}" if element_mask else "xxxx"
    return {f"({group >> 8:02x}xx,{last})": None if name == "delete" else KEEP}


def _constant(tag: int, vr: str, constants: dict[str, str]) -> dict[str, object]:
    if vr == "SQ":
        fixed = {"VR:UI": "%_uid_#tag", "VR:SQ": KEEP}  # sequences within are gone through, too
        made = {f"VR:{one}": text or EMPTY for one, text in constants.items()}
        return {key_of(tag): {"each": fixed | made}}
    if vr not in constants:
        raise NoEquivalentError(f"files with it fail there (VR {vr or 'unknown'})")
    value = constants[vr]
    return {where_present(tag): value} if value else {key_of(tag): EMPTY}


def _numbers(written: str) -> tuple[int, ...]:
    """The numbers of a tag, or of a tag and a mask."""
    try:
        numbers = tuple(ast.literal_eval(written))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise NoEquivalentError("no pair of numbers") from None
    is_numbers = all(type(one) is int and 0 <= one <= 0xFFFF for one in numbers)
    if len(numbers) not in {2, 4} or not is_numbers:
        raise NoEquivalentError("no pair of numbers")
    return numbers
