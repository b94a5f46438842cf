"""Recipes of pydicom/deid to a spec: the header, and filters that keep files out or blacken pixels.

Lines that begin with ``||`` are alternatives, as its documentation says. Names of elements are matched at
every depth. A value ``var:NAME``, which a script gives to deid for each file, comes from the table NAME.
"""

from __future__ import annotations

import re

from ...dicom import dictionary
from .deid_filters import Label
from .translation import EMPTY, KEEP, NoEquivalentError, Translation, argument, key_of, literal, where_present

_SHOWN = 60
_GROUPS = {
    "contains": "(?i).*(?:{})",
    "startswith": "(?i)(?:{})",
    "endswith": "(?i).*(?:{})$",
    "except": "(?i)(?!.*(?:{}))",
}
_UIDS = frozenset({"basic_uuid", "dicom_uuid", "pydicom_uuid", "suffix_uuid"})


def translate(text: str) -> Translation:
    """Translate a recipe."""
    made = Translation()
    recipe = _Recipe(made)
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if content and not content.startswith("#") and not content.upper().startswith("FORMAT"):
            recipe.take(number, content)
    recipe.close()
    made.pairs = _in_order_of_deid(made.pairs, recipe.actions)
    return made


class _Recipe:
    """A recipe, read line by line."""

    def __init__(self, made: Translation) -> None:
        self.made = made
        self.section = ""
        self.name = ""
        self.label: Label | None = None
        self.fields: dict[str, list[str]] = {}
        self.actions: dict[str, str] = {}

    def take(self, number: int, line: str) -> None:
        """Take a line that says something."""
        if line.startswith("%"):
            self.close()
            self.section, _, self.name = line[1:].split("#", maxsplit=1)[0].strip().partition(" ")
        elif self.section == "header":
            self._add(number, line)
        elif self.section == "filter" and line.upper().startswith("LABEL"):
            self.close()
            self.label = Label(number, line[5:].split("#", maxsplit=1)[0].strip(), self.name)
        elif self.section == "filter" and self.label is not None:
            self.label.lines.append(line)
        elif self.section == "fields" and line.upper().startswith("FIELD "):
            self.fields.setdefault(self.name, []).append(line.split(None, 1)[1])
            self.made.add(number, line[:_SHOWN], {})
        else:
            reason = f"it is for the section {self.section or 'of no name'}"
            self.made.add(number, line[:_SHOWN], None, reason)

    def close(self) -> None:
        """End a label."""
        label, self.label = self.label, None
        if label is None:
            return
        shown = label.text[:_SHOWN]
        try:
            pairs, masks = label.translated()
        except NoEquivalentError as error:
            self.made.add(label.line, shown, None, str(error))
        else:
            self.made.add(label.line, shown, pairs, masks=masks)

    def _add(self, number: int, line: str) -> None:
        """Add what a line of the header comes to."""
        action, field, *rest = [*re.split(r"\s#", line, maxsplit=1)[0].split(None, 2), "", ""][:3]
        value = "".join(rest).strip()
        try:
            group, _, name = field.partition(":")
            if group == "fields":
                if name not in self.fields:
                    raise NoEquivalentError(f"there are no fields {name}")
                named = self.fields[name]
            else:
                named = [field]
            pairs = {key: one for each in named for key, one in _pairs(action.upper(), each, value).items()}
            if action.upper() == "BLANK":  # what comes before would win, as a pattern
                earlier = [where for key in pairs if (where := f"re:{key}$") in self.made.pairs]
                pairs |= dict.fromkeys(earlier, EMPTY)
        except NoEquivalentError as error:
            self.made.add(number, line[:_SHOWN], None, str(error))
        else:
            self.made.add(number, line[:_SHOWN], pairs)
            self.actions.update(dict.fromkeys(pairs, action.upper()))


def _in_order_of_deid(pairs: dict[str, object], actions: dict[str, str]) -> dict[str, object]:
    """Pairs in an order in which those win that win in deid.

    deid does nothing to what KEEP names, and removes nothing that REPLACE or JITTER names. In a spec a
    pattern would win over a keyword, and a later pattern over an earlier one.
    """
    kept = [key for key, action in actions.items() if action == "KEEP" and dictionary.is_keyword(key)]
    if any(key.startswith("re:") and action != "KEEP" for key, action in actions.items()):
        for key in kept:
            where = where_present(dictionary.tags_of(key)[0])
            if where not in pairs:
                pairs[where] = pairs.pop(key)
    changed = next(
        (n for n, key in enumerate(pairs) if actions.get(key) in {"REPLACE", "JITTER"}), len(pairs)
    )
    places = {
        key: changed - 0.5 if n > changed and key.startswith("re:") and actions.get(key) == "REMOVE" else n
        for n, key in enumerate(pairs)
    }
    return {key: pairs[key] for key in sorted(pairs, key=places.__getitem__)}


def _pairs(action: str, field: str, value: str) -> dict[str, object]:
    if field.upper() == "ALL":
        return _of_all(action, value)
    key, inserting = _keys(field)
    if value.startswith("deid_func:") and action in {"ADD", "JITTER", "REPLACE"}:
        return {inserting: _of_function(value.removeprefix("deid_func:"))}
    if value.startswith("var:") and action in {"ADD", "REPLACE"}:
        return {inserting: f"%_lookup|{argument(value.removeprefix('var:'))}_#tag"}
    if value.startswith(("func:", "var:", "deid_func:")):
        raise NoEquivalentError("a value that Python code gives; write a function with --functions")
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
            return {key: f"%_shift|{int(value)}_#tag"}
    raise NoEquivalentError(f"the action {action} with this value")


def _of_function(text: str) -> str:
    """What a function that deid has comes to."""
    name, *options = text.split()
    given = dict(one.partition("=")[::2] for one in options)
    if name == "jitter" and all(re.fullmatch(r"[+-]?[0-9]+", one) for one in given.values()):
        days = int(given.get("days", "1")) + 365 * int(given.get("years", "0"))
        return f"%_shift|{days}_#tag"
    if name in _UIDS:
        return "%_uid_#tag"
    raise NoEquivalentError(f"the function {name}")


def _of_all(action: str, value: str) -> dict[str, object]:
    if action == "REMOVE" and not value:
        return {"rest": None}
    if action == "BLANK":
        return {"rest": EMPTY}
    raise NoEquivalentError(f"{action} of all elements")


def _keys(field: str) -> tuple[str, str]:
    """The key that hits a field where a file has it, and that which may insert it."""
    group, colon, rest = field.partition(":")
    if colon and group.lower() in _GROUPS:
        pattern = "re:" + _GROUPS[group.lower()].format(rest)
        return pattern, pattern
    if colon and group.lower() == "select":
        return (_selected(rest),) * 2
    if match := re.fullmatch(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?", field):
        tag = int(match[1] + match[2], 16)
    elif match := re.fullmatch(r"\(?([0-9A-Fa-f]{4},\"[^\"]+\",[0-9A-Fa-f]{2})\)?", field):
        return (f"({match[1].lower()[:4]}{match[1][4:]})",) * 2
    elif dictionary.is_keyword(field):
        tag = dictionary.tags_of(field)[0]
    else:
        raise NoEquivalentError(f"the field {field} is no keyword, tag or pattern of keywords")
    return where_present(tag), key_of(tag)


def _selected(text: str) -> str:
    """The key for elements of a kind."""
    kind, _, value = text.partition(":")
    if kind.upper() == "VR" and re.fullmatch(r"[A-Za-z]{2}", value):
        return f"VR:{value.upper()}"
    if kind.upper() == "GROUP" and re.fullmatch(r"(?:0x)?[0-9A-Fa-f]{4}", value):
        return f"({value[-4:].lower()},xxxx)"
    raise NoEquivalentError(f"elements selected by {kind}")
