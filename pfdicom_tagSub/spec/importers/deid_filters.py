"""Labels of deid's filters: files that fail, masks of pixels, and files that a person has to look at."""

from __future__ import annotations

import re
from itertools import product

from ...dicom import dictionary
from .translation import Mask, NoEquivalentError

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
_ALTERNATIVES_MOST = 64
_WHOLE = (0, 0, 65535, 65535)
_KEPT = ("keepcoordinates", "ctpkeepcoordinates")

Test = tuple[str, str, str]
"""Its name, the keyword, and what the value is held against."""


class Label:
    """A label and its lines."""

    def __init__(self, line: int, text: str, name: str) -> None:
        """Args:
        line: where it begins.
        text: what it is called.
        name: the list that it is on.
        """
        self.line = line
        self.text = text
        self.name = name
        self.lines: list[str] = []

    def translated(self) -> tuple[dict[str, object], list[Mask]]:
        """What it comes to in a spec, and the masks.

        Raises:
            NoEquivalentError: nothing.
        """
        tests, rectangles = self._read()
        if rectangles:
            return {}, [_mask(alternative, rectangles) for alternative in _alternatives(tests)]
        if self.name == "blacklist":
            reason = re.sub(r"[_|]", " ", self.text)
            return {f"when {_condition(tests)}": f"%_fail|{reason}_"}, []
        if self.name == "graylist":
            return {}, [_mask(alternative, []) for alternative in _alternatives(tests)]
        if self.name == "whitelist":
            return {}, []  # it blackens nothing, and here no pixels are trusted for what a header says
        raise NoEquivalentError(f"a list of the name {self.name}")

    def _read(self) -> tuple[list[tuple[bool, list[Test]]], list[list[int]]]:
        """The lines of tests, each whether it is an alternative to those before, and the rectangles."""
        tests: list[tuple[bool, list[Test]]] = []
        rectangles: list[list[int]] = []
        for line in self.lines:
            word = line.split()[0].lower()
            if word in {"coordinates", "ctpcoordinates"}:
                rectangles.append(_rectangle(line[len(word) :].strip(), is_ctp=word.startswith("ctp")))
            elif word in _KEPT:
                raise NoEquivalentError("pixels outside of a place; see --cleanPixels regions")
            else:
                rest = re.sub(r"^(\|\||\+)\s*", "", line)
                tests.append((line.startswith(_OR), [_test(part.strip()) for part in rest.split(_OR)]))
        return tests, rectangles


def _rectangle(text: str, *, is_ctp: bool) -> list[int]:
    """A rectangle: x, y, width and height; deid's own are two corners."""
    if text.lower() == "all":
        return list(_WHOLE)
    numbers = [int(one) for one in re.split(r"\s*,\s*", text) if one.isdigit()]
    if len(numbers) != 4:
        raise NoEquivalentError("a place that is not four numbers; see --cleanPixels regions")
    x, y, *others = numbers
    return [x, y, *others] if is_ctp else [x, y, others[0] - x, others[1] - y]


def _test(text: str) -> Test:
    name, field, *value = [*text.split(None, 2), ""][:3]
    if name.lower() not in _TESTS or not dictionary.is_keyword(field):
        raise NoEquivalentError(f"the condition {text[:60]}")
    return name.lower(), field, "".join(value)


def _condition(tests: list[tuple[bool, list[Test]]]) -> str:
    made = ""
    for is_alternative, either in tests:
        own = " or ".join(f"({_written(one)})" for one in either)
        made = f"({made} {'or' if is_alternative else 'and'} ({own}))" if made else f"({own})"
    if not made:
        raise NoEquivalentError("a label without conditions")
    return made


def _written(test: Test) -> str:
    name, field, words = test
    pattern, value = ("'" + one.replace("'", "''") + "'" for one in ("(?i)" + words, words))
    return _TESTS[name].format(field, pattern, value)


def _alternatives(tests: list[tuple[bool, list[Test]]]) -> list[list[Test]]:
    """What holds together, each of which suffices."""
    found: list[list[Test]] = []
    for is_alternative, either in tests:
        own = [[one] for one in either]
        if not found:
            found = own
        elif is_alternative:
            found = [*found, *own]
        else:
            found = [[*one, *other] for one, other in product(found, own)]
        if len(found) > _ALTERNATIVES_MOST:
            raise NoEquivalentError("too many alternatives")
    return found or [[]]


def _mask(tests: list[Test], rectangles: list[list[int]]) -> Mask:
    when: dict[str, dict[str, object]] = {}
    for test in tests:
        _, field, _ = test
        for operator, value in _operators(test).items():
            known = when.setdefault(field, {})
            if operator in known and operator != "matches":
                raise NoEquivalentError(f"two tests of {field} with one operator")
            known[operator] = f"{value}{known[operator]}" if operator in known else value
    conditions: dict[str, object] = dict(when) or {"Rows": {"present": True}}
    kind: dict[str, object] = {"rectangles": rectangles} if rectangles else {"kind": "review"}
    return {"when": conditions, **kind, "source": "deid"}


def _operators(test: Test) -> dict[str, object]:
    name, _, words = test
    match name:
        case "contains":
            return {"matches": f"^(?=.*(?:{words}))"}
        case "notcontains":
            return {"not": {"matches": words}}
        case "equals":
            return {"is": words}
        case "notequals":
            return {"not": {"is": words}}
        case "present":
            return {"present": True}
    return {"missing": True}
