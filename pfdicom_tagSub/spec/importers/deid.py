"""Recipes of pydicom/deid to a spec: the header, and filters that keep files out."""

from __future__ import annotations

import re

from ...dicom import dictionary
from .translation import EMPTY, KEEP, NoEquivalentError, Translation, key_of, literal, where_present

_SHOWN = 60
_GROUPS = {"contains": "(?i).*{}", "startswith": "{}", "endswith": ".*{}$", "except": "(?!{}$)"}
_TESTS = {
    "contains": "{0} matches {1}",
    "notcontains": "not {0} matches {1}",
    "equals": "{0} = {2}",
    "notequals": "not {0} = {2}",
    "missing": "{0} absent",
    "present": "{0} present",
    "empty": "{0} empty",
}
_OR = "||"


def translate(text: str) -> Translation:
    """Translate a recipe."""
    made = Translation()
    section, name, label = "", "", ""
    tests: list[tuple[int, str]] = []
    begun = 0

    def close() -> None:
        nonlocal tests, label
        if label:
            _add_label(made, (begun, label, name), tests)
        tests, label = [], ""

    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#") or content.upper().startswith("FORMAT"):
            continue
        if content.startswith("%"):
            close()
            section, _, name = content[1:].split("#")[0].strip().partition(" ")
        elif section == "header":
            try:
                made.add(number, content[:_SHOWN], _of_action(content))
            except NoEquivalentError as error:
                made.add(number, content[:_SHOWN], None, str(error))
        elif section == "filter" and content.upper().startswith("LABEL"):
            close()
            label, begun = content[5:].split("#")[0].strip(), number
        elif section == "filter":
            tests.append((number, content))
        else:
            made.add(number, content[:_SHOWN], None, f"it is for the section {section or 'of no name'}")
    close()
    return made


def _of_action(line: str) -> dict[str, object]:
    action, field, *rest = [*line.split(" #", maxsplit=1)[0].split(None, 2), ""][:3]
    action, value = action.upper(), "".join(rest).strip()
    if value.startswith(("func:", "var:", "deid_func:")):
        raise NoEquivalentError("a value that Python code gives; write a function with --functions")
    if field.upper() == "ALL":
        return _of_all(action, value)
    key, inserting = _keys(field)
    match action:
        case "KEEP":
            return {inserting: KEEP}
        case "REMOVE" if not value:
            return {inserting: None}
        case "BLANK":
            return {inserting: EMPTY}
        case "ADD" if value:
            return {inserting: literal(value)}
        case "REPLACE" if value:
            return {key: literal(value)}
        case "JITTER" if re.fullmatch(r"[+-]?[0-9]+", value):
            return {inserting: f"%_shift|{int(value)}_#tag"}
    raise NoEquivalentError(f"the action {action} with this value")


def _of_all(action: str, value: str) -> dict[str, object]:
    if action == "REMOVE" and not value:
        return {"rest": None}
    raise NoEquivalentError(f"{action} of all elements")


def _keys(field: str) -> tuple[str, str]:
    """The key that hits a field where a file has it, and that which may insert it."""
    group, colon, rest = field.partition(":")
    if colon and group in _GROUPS:
        pattern = "re:" + _GROUPS[group].format(rest)
        return pattern, pattern
    if match := re.fullmatch(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?", field):
        tag = int(match[1] + match[2], 16)
    elif dictionary.is_keyword(field):
        tag = dictionary.tags_of(field)[0]
    else:
        raise NoEquivalentError(f"the field {field} is no keyword, tag or pattern of keywords")
    return where_present(tag), key_of(tag)


def _add_label(made: Translation, label: tuple[int, str, str], tests: list[tuple[int, str]]) -> None:
    """A label of a filter: files of a blacklist fail."""
    line, text, name = label
    try:
        if name != "blacklist":
            raise NoEquivalentError(
                f"a {name} says which pixels to clean or to trust; see --cleanPixels and --pixelMasks"
            )
        condition = _condition([content for _, content in tests])
        reason = re.sub(r"[_|]", " ", text)
        made.add(line, text[:_SHOWN], {f"when {condition}": f"%_fail|{reason}_"})
    except NoEquivalentError as error:
        made.add(line, text[:_SHOWN], None, str(error))


def _condition(lines: list[str]) -> str:
    made = ""
    for line in lines:
        if line.lower().startswith(
            ("coordinates", "ctpcoordinates", "keepcoordinates", "ctpkeepcoordinates")
        ):
            raise NoEquivalentError("coordinates of pixels; see --pixelMasks")
        join = "or" if line.startswith(_OR) else "and"
        rest = re.sub(r"^(\|\||\+)\s*", "", line)
        parts = [f"({_test(part.strip())})" for part in rest.split(_OR)]
        own = f"({' or '.join(parts)})"
        made = f"({made} {join} {own})" if made else own
    if not made:
        raise NoEquivalentError("a label without conditions")
    return made


def _test(text: str) -> str:
    name, field, *value = text.split(None, 2)
    if name.lower() not in _TESTS or not dictionary.is_keyword(field):
        raise NoEquivalentError(f"the condition {text[:_SHOWN]}")
    words = value[0] if value else ""
    pattern = "'" + ("(?i)" + words).replace("'", "''") + "'"
    return _TESTS[name.lower()].format(field, pattern, "'" + words.replace("'", "''") + "'")
