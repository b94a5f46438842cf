"""Scripts of the DicomAnonymizer of RSNA's CTP to a spec.

CTP works on the data set alone unless a script says ``@process()``; a spec works at every depth. Where it
removes what no script names, it keeps the SOP class and instance, the Study Instance UID, the description of
the image and the pixels. The date and the time of a run, ``@date()`` and ``@time()``, become those of the
translation, so that each run makes the same of a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import strftime
from xml.parsers import expat

from ...core.errors import SpecError
from ...dicom import dictionary
from ..profile import BASIC_CODE, OPTIONS
from .translation import (
    EMPTY,
    KEEP,
    NoEquivalentError,
    Translation,
    argument,
    key_of,
    literal,
    where_present,
)

_CODES = dict([BASIC_CODE, *OPTIONS.values()])
_METHOD_CODES = 0x00120064
_SHOWN = 60
_CONSTANTS = frozenset({"date", "param", "time"})
_KEPT = {"(0028,xxxx)": KEEP, "StudyInstanceUID": KEEP}
_GLOBAL: dict[str, dict[str, object]] = {
    "privategroups": {"private": None},
    "curves": {"(50xx,xxxx)": None},
    "overlays": {"(60xx,xxxx)": None},
    "unspecifiedelements": {"rest": None, **_KEPT},
}


@dataclass
class _ScriptElement:
    kind: str
    line: int
    tag: str
    is_on: bool
    text: str = ""


@dataclass(frozen=True)
class _ScriptCall:
    """A call of a function: its name, its arguments, and what stands in braces after it."""

    name: str
    arguments: tuple[str, ...]
    blocks: tuple[str, ...]


def translate(text: str) -> Translation:
    """Translate a script.

    Raises:
        SpecError: it is no XML.
    """
    entries = _entries(text)
    parameters = {one.tag: one.text.strip() for one in entries if one.kind == "p"}
    last = {one.tag.lower(): one for one in entries if one.kind == "e" and one.is_on}
    made = Translation()
    for one in entries:
        if one.kind == "p" or not one.is_on:
            continue
        rule = f"{one.tag} {one.text.strip()}".strip()[:_SHOWN]
        if one.kind == "e" and last[one.tag.lower()] is not one:
            made.add(one.line, rule, None, "a later rule for the element takes its place")
            continue
        try:
            pairs = _ScriptRule(parameters).pairs(one)
        except NoEquivalentError as error:
            made.add(one.line, rule, None, str(error))
            continue
        made.add(one.line, rule, pairs)
    return made


def _entries(text: str) -> list[_ScriptElement]:
    """The elements of the XML, in their order."""
    found: list[_ScriptElement] = []
    parser = expat.ParserCreate("utf-8")  # whatever it declares: it was read as this

    def start(name: str, attributes: dict[str, str]) -> None:
        is_on = attributes.get("en", "T") == "T"
        if name in {"p", "e", "k", "r"}:
            found.append(_ScriptElement(name, parser.CurrentLineNumber, attributes.get("t", ""), is_on))

    def data(content: str) -> None:
        if found:
            found[-1].text += content

    def doctype(*_: object) -> None:
        raise SpecError("--importRules: the script has a DOCTYPE, which none needs")

    parser.StartElementHandler = start
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise SpecError(f"--importRules: no XML at line {error.lineno}") from None
    return found


class _ScriptRule:
    """Translates one element of a script."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.parameters = parameters

    def pairs(self, entry: _ScriptElement) -> dict[str, object]:
        """What an element comes to.

        Raises:
            NoEquivalentError: nothing.
        """
        if entry.kind == "k":
            if not re.fullmatch(r"[0-9A-Fa-f]{4}", entry.tag):
                raise NoEquivalentError(
                    "give --profile basic,retainSafePrivate, or --keepPrivate with each key"
                )
            return {f"({entry.tag.lower()},xxxx)": KEEP}
        if entry.kind == "r":
            if entry.tag not in _GLOBAL:
                raise NoEquivalentError("unknown")
            return dict(_GLOBAL[entry.tag])
        if not re.fullmatch(r"[0-9A-Fa-f]{8}", entry.tag):
            raise NoEquivalentError("no tag of eight digits")
        return self._of_script(int(entry.tag, 16), entry.text.strip())

    def _of_script(self, tag: int, script: str) -> dict[str, object]:
        always = script.startswith("@always()")
        script = script.removeprefix("@always()").strip()
        if tag == _METHOD_CODES and re.fullmatch(r"[0-9]{6}(/[0-9]{6})*", script):
            return {key_of(tag): {"add": [self._code(code) for code in script.split("/")]}}
        pieces = _pieces(script)
        if len(pieces) == 1 and isinstance(pieces[0], _ScriptCall):
            whole = self._of_call(tag, pieces[0], always=always)
            if whole is not None:
                return whole
        if not script:
            return {key_of(tag): EMPTY}
        text = "".join(map(self._of_piece, pieces))
        if always and tag >> 16 & 1:
            raise NoEquivalentError("a private element that a file lacks cannot be inserted")
        is_inserted_by_none = "#tag" in text  # it is made of the element itself
        return {key_of(tag) if always or is_inserted_by_none else where_present(tag): text}

    def _code(self, code: str) -> dict[str, str]:
        if code not in _CODES:
            raise NoEquivalentError(f"the code {code} is not one of CID 7050")
        return {"CodeValue": code, "CodingSchemeDesignator": "DCM", "CodeMeaning": _CODES[code]}

    def _of_call(self, tag: int, call: _ScriptCall, *, always: bool) -> dict[str, object] | None:
        """What a call that stands alone comes to; None where it is only a text."""
        key = key_of(tag)
        match call.name:
            case "keep" | "process":
                return {key: KEEP} if dictionary.is_replaceable(tag) else {}  # which stays anyhow
            case "remove":
                return {key: None}
            case "empty" | "blank":
                return {key: EMPTY}
            case "require" if not call.arguments and not tag >> 16 & 1:
                return {key: KEEP, f"when {key} absent": {key: ""}}
            case "require":
                raise NoEquivalentError("one of another's value, or a private one, cannot be inserted")
            case "append" if call.blocks:
                added: dict[str, object] = {key: {"add": self._constant(call.blocks[0].strip())}}
                return added if always else {f"when {key} present": added}
            case "skip" | "quarantine":
                raise NoEquivalentError("it ends every file; write it under a condition")
            case "if" if call.blocks:
                return self._of_condition(tag, call)
            case "select" if call.blocks:
                raise NoEquivalentError('write its rule for items as {"each": {...}} of their sequences')
        return None

    def _of_condition(self, tag: int, call: _ScriptCall) -> dict[str, object]:
        condition = self._condition(tag, call.arguments)
        branches = (*call.blocks, "")[:2]
        made: dict[str, object] = {}
        for text, branch in zip((condition, f"not ({condition})"), branches, strict=True):
            script = branch.strip()
            if script in {"@skip()", "@quarantine()"}:
                made[f"when {text}"] = "%_skip_" if script == "@skip()" else "%_fail_"
            else:
                made[f"when {text}"] = self._of_script(tag, script)
        return made

    def _condition(self, tag: int, arguments: tuple[str, ...]) -> str:
        name, test, *others = arguments
        element = key_of(tag) if name == "this" else self._element(name)
        other = self._value(others[0]) if others else ""
        match test:
            case "exists":
                return f"{element} present"
            case "isblank":
                return f"({element} absent or {element} empty)"
            case "contains" | "equals" if others:
                pattern = re.escape(other) if test == "contains" else f"^{re.escape(other)}$"
                return f"{element} matches {_quoted(f'(?i){pattern}')}"
            case "matches" if others:
                return f"{element} matches {_quoted(f'^(?:{other})$')}"
        raise NoEquivalentError(f"the condition {test}")

    def _constant(self, script: str) -> str:
        """A text that is the same for every file."""
        pieces = _pieces(script)
        if any(isinstance(one, _ScriptCall) and one.name not in _CONSTANTS for one in pieces):
            raise NoEquivalentError("what is added is made of the file")
        return "".join(map(self._of_piece, pieces))

    def _of_piece(self, piece: str | _ScriptCall) -> str:
        if isinstance(piece, str):
            return literal(piece)
        return self._template(piece)

    def _template(self, call: _ScriptCall) -> str:  # noqa: C901  (a case for each function)
        arguments = call.arguments

        def source(place: int) -> str:
            if len(arguments) <= place:
                raise NoEquivalentError(f"@{call.name} without its element")
            return "#tag" if arguments[place] == "this" else self._element(arguments[place])

        def made(name: str, place: int, *given: str) -> str:
            return f"%_{name}{''.join(f'|{argument(one)}' for one in given)}_{source(place)}"

        def values(start: int) -> list[str]:
            return [self._value(one) for one in arguments[start:]]

        match call.name:
            case "param":
                return literal(self._value(arguments[0]))
            case "date" | "time" if len(arguments) < 2:
                sign = literal("".join(values(0)))
                parts = ("%Y", "%m", "%d") if call.name == "date" else ("%H", "%M", "%S")
                return sign.join(strftime(part) for part in parts)
            case "hashuid" if len(arguments) == 2:
                return made("ctpHashuid", 1, self._value(arguments[0]))
            case "hash":
                return made("ctpHash", 0, *values(1))
            case "hashname":
                return made("ctpHashname", 0, *values(1))
            case "hashptid":
                return made("ctpHashptid", 1, self._value(arguments[0]), *values(2))
            case "incrementdate":
                return made("ctpIncrementdate", 0, *values(1))
            case "modifydate":
                return made("ctpModifydate", 0, *values(1))
            case "round":
                return made("ctpRound", 0, *values(1))
            case "initials" if len(arguments) == 1:
                return made("ctpInitials", 0)
            case "lookup" if len(arguments) == 2 and "|" not in arguments[0]:
                return made("lookup", 0, arguments[1])
            case "contents" | "value" if len(arguments) == 1:
                return f"%{source(0)}"
            case "truncate" if len(arguments) == 2 and arguments[1].isdigit():
                return made("strmsk", 0, "*" * int(arguments[1]))
        raise NoEquivalentError(f"@{call.name} has none")

    def _element(self, name: str) -> str:
        """The keyword of an element that a script names by keyword or tag."""
        digits = re.sub(r"[^0-9A-Fa-f]", "", name)
        if len(digits) == 8 and re.fullmatch(r"[\[(]?[0-9A-Fa-f]{4},?[0-9A-Fa-f]{4}[\])]?", name):
            name = dictionary.keyword_of(int(digits, 16))
        if not dictionary.is_keyword(name):
            raise NoEquivalentError(f"the element {name or digits} has no keyword")
        return name

    def _value(self, given: str) -> str:
        """An argument without its marks, or the value of a parameter."""
        if given.startswith("@"):
            if given[1:] not in self.parameters:
                raise NoEquivalentError(f"the parameter {given} is not given")
            return self.parameters[given[1:]]
        return given[1:-1] if len(given) > 1 and given[0] == given[-1] == '"' else given


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _pieces(script: str) -> list[str | _ScriptCall]:
    """The texts and calls of a script, in order.

    Raises:
        NoEquivalentError: a call that does not end.
    """
    found: list[str | _ScriptCall] = []
    place = 0
    while place < len(script):
        match = re.compile(r"@\s*([A-Za-z]+)\s*\(").match(script, place)
        if match is None:
            if script[place] == "\\" and place + 1 < len(script):
                place += 1
            if found and isinstance(found[-1], str):
                found[-1] += script[place]
            else:
                found.append(script[place])
            place += 1
            continue
        stop = _closing(script, match.end(), "(", ")")
        arguments = tuple(one.strip() for one in _split(script[match.end() : stop]))
        place = stop + 1
        blocks: list[str] = []
        most = {"if": 2, "select": 2, "append": 1}.get(match[1], 0)
        while len(blocks) < most and script[place:].lstrip().startswith("{"):
            start = script.index("{", place) + 1
            end = _closing(script, start, "{", "}")
            blocks.append(script[start:end])
            place = end + 1
        found.append(_ScriptCall(match[1], arguments if arguments != ("",) else (), tuple(blocks)))
    return found


def _closing(script: str, place: int, opening: str, closing: str) -> int:
    depth, is_quoted = 1, False
    while place < len(script):
        sign = script[place]
        if sign == "\\":
            place += 1
        elif sign == '"':
            is_quoted = not is_quoted
        elif not is_quoted and sign == opening:
            depth += 1
        elif not is_quoted and sign == closing:
            depth -= 1
            if not depth:
                return place
        place += 1
    raise NoEquivalentError("a bracket that is not closed")


def _split(arguments: str) -> list[str]:
    """The arguments between commas, those in quotation marks whole."""
    return re.findall(r'(?:"(?:\\.|[^"])*"|\\.|\[[^\]]*\]|[^,])+', arguments) or [""]
