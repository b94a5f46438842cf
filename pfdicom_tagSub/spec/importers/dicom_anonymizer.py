"""JSON dictionaries of KitwareMedical's dicom-anonymizer to a spec.

Its actions give constants by VR, dates that are removed too; a spec works at every depth, it on the data set.
"""

from __future__ import annotations

import ast
import json

from ...core.errors import SpecError
from ...dicom import dictionary
from .translation import EMPTY, KEEP, NoEquivalentError, Translation, key_of, where_present

_DATE, _TIME, _DATE_TIME = "00010101", "000000.00", "00010101010101.000000+0000"
_REPLACED = {
    "DA": _DATE,
    "TM": _TIME,
    "DT": _DATE_TIME,
    **dict.fromkeys(("LO", "SH", "PN", "CS"), "Anonymized"),
    **dict.fromkeys(("IS", "FD", "FL", "SS", "US"), "0"),
    "ST": "",
    "LT": "",
    "UT": "",
}
_EMPTIED = {"DA": _DATE, "TM": _TIME, "DT": _DATE_TIME, "UL": "0", "FL": "0"}
_AS_REPLACED = ("replace", "empty_or_replace", "delete_or_replace", "delete_or_empty_or_replace")
_AS_EMPTIED = ("empty", "delete_or_empty")


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
    tag = _tag_of(written)
    vr = dictionary.vr_of(tag).split(" or ")[0]
    name = action.get("action") if isinstance(action, dict) else action
    if name == "keep":
        return {key_of(tag): KEEP}
    if name == "regexp" and isinstance(action, dict):
        find, replace = str(action.get("find", "")), str(action.get("replace", ""))
        if "|" in find + replace:
            raise NoEquivalentError("a pattern with a vertical bar; write it as %_regex|...")
        return {key_of(tag): f"%_regex|{find.replace('_', '__')}|{replace.replace('_', '__')}_#tag"}
    if name == "replace_UID" or (name == "delete_or_empty_or_replace_UID" and vr == "UI"):
        return {key_of(tag): "%_uid_#tag"}
    if name == "delete":
        return {where_present(tag): _DATE} if vr == "DA" else {key_of(tag): None}
    if name in _AS_REPLACED:
        if vr == "UI":
            return {key_of(tag): "%_uid_#tag"}
        return _constant(tag, vr, _REPLACED)
    if name in _AS_EMPTIED or name == "delete_or_empty_or_replace_UID":
        return _constant(tag, vr, {"SQ": "", **_EMPTIED})
    raise NoEquivalentError("an action of its user's own; write a function with --functions")


def _constant(tag: int, vr: str, constants: dict[str, str]) -> dict[str, object]:
    value = constants.get(vr, "")
    if vr in {"SQ", "OB", "OW", "UN", ""}:
        raise NoEquivalentError(f"it goes through the items of a sequence, or fails (VR {vr or 'unknown'})")
    return {where_present(tag): value} if value else {key_of(tag): EMPTY}


def _tag_of(written: str) -> int:
    try:
        numbers = ast.literal_eval(written)
        group, element = numbers
    except (ValueError, SyntaxError, TypeError):
        raise NoEquivalentError("no pair of numbers; a mask is written (60xx,3000)") from None
    if not (isinstance(group, int) and isinstance(element, int)):
        raise NoEquivalentError("no pair of numbers")
    return group << 16 | element
