"""How a condition over the values of one file is written, as ``--where`` takes it.

    condition  := conjunction ( "or" conjunction )*
    conjunction := negation ( "and" negation )*
    negation   := "not" negation | "(" condition ")" | test
    test       := subject ( operator literal | "in" "(" literal ( "," literal )* ")" | state )
    operator   := "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "startsWith" | "endsWith" | "matches"
    state      := "present" | "absent" | "empty"
    subject    := "path" | ( sequence "[" ( number | "*" ) "]" "." )* element
    element    := keyword | "(gggg,eeee)" | "ggggeeee" | '(gggg,"CREATOR",ee)'
    literal    := number | "'" text "'" | '"' text '"'

A quotation mark inside of a text is written twice.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from ..core.errors import SpecError
from ..dicom import dictionary
from ..text.patterns import find_problem
from ..text.quoting import quoted
from .conditions import (
    AGE,
    COMPARISONS,
    DATE_VRS,
    EVERY_ITEM,
    NUMBER_VRS,
    VRS_WITHOUT_TEXT,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Step,
    Subject,
    ValueTest,
    date_digits,
    number_of,
)
from .keys import KeywordKey, PrivateKey, resolve

NESTED_MOST = 100

STATES = ("present", "absent", "empty")
OPERATORS = ("=", "!=", "in", *COMPARISONS)
_AFTER = " ".join((*OPERATORS, *STATES))
_ORDERS = frozenset({"<", "<=", ">", ">="})
_TEXTUAL = frozenset({"contains", "startsWith", "endsWith", "matches"})

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<private>\(\s*[0-9A-Fa-f]{4}\s*,\s*"[^"]+"\s*,\s*[0-9A-Fa-f]{1,2}\s*\))
    |(?P<tag>\(\s*[0-9A-Fa-f]{4}\s*,\s*[0-9A-Fa-f]{4}\s*\)|(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?![0-9A-Za-z.]))
    |(?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?(?![0-9A-Za-z]))
    |(?P<item>\[\s*(?:[0-9]{1,6}|\*)\s*\]\s*\.)
    |(?P<word>[A-Za-z]\w*)
    |(?P<sign>!=|<=|>=|[=<>(),])
    )""",
    re.VERBOSE,
)


_PAIR = re.compile(r"\(\s*([0-9]{4})\s*,\s*([0-9]{4})\s*\)")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse_condition(text: str, origin: str) -> Condition:
    """Parse a condition.

    Args:
        text: the condition.
        origin: where it comes from, for messages.

    Raises:
        SpecError: it is none; the message has the column.

    >>> parse_condition("Modality in ('US', 'XA') and not PatientID present", "x").subjects[0].text
    'Modality'
    """
    return _ConditionParser(text, origin).whole()


class _ConditionParser:
    def __init__(self, text: str, origin: str) -> None:
        self.text = text
        self.origin = origin
        self.tokens = list(self._tokens())
        self.place = 0
        self.depth = 0

    def fail(self, column: int, problem: str) -> SpecError:
        return SpecError(f"{self.origin}: column {column + 1}: {problem}")

    def _tokens(self) -> list[_Token]:
        found: list[_Token] = []
        place = 0
        while self.text[place:].strip():
            match = _TOKEN.match(self.text, place)
            if match is None or match.lastgroup is None:
                column = place + len(self.text[place:]) - len(self.text[place:].lstrip())
                sign = self.text[column]
                hint = "; a text ends with the mark that it begins with" if sign in "'\"" else ""
                raise self.fail(column, f"{quoted(sign)} is not understood here{hint}")
            found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            place = match.end()
        return found

    @property
    def next(self) -> _Token:
        if self.place < len(self.tokens):
            return self.tokens[self.place]
        return _Token("end", "", len(self.text))

    def take(self) -> _Token:
        token = self.next
        self.place += 1
        return token

    def takes(self, text: str) -> bool:
        if self.next.text == text and self.next.kind in {"word", "sign"}:
            self.place += 1
            return True
        return False

    def whole(self) -> Condition:
        if self.next.kind == "end":
            raise self.fail(0, "the condition is empty")
        made = self.condition()
        if self.next.kind != "end":
            hint = _hint(self.next.text, ("and", "or"))
            raise self.fail(
                self.next.column, f"and, or, or the end is expected, not {quoted(self.next.text)}{hint}"
            )
        return made

    def condition(self) -> Condition:
        parts = [self.conjunction()]
        while self.takes("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def conjunction(self) -> Condition:
        parts = [self.negation()]
        while self.takes("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def negation(self) -> Condition:
        self.depth += 1
        if self.depth > NESTED_MOST:
            raise self.fail(self.next.column, "brackets and nots are nested too deep")
        try:
            if self.takes("not"):
                return Not(self.negation())
            start = self.next.column
            if self.takes("("):
                inner = self.condition()
                if not self.takes(")"):
                    raise self.fail(self.next.column, f"the bracket of column {start + 1} is not closed")
                return inner
            return self.test()
        finally:
            self.depth -= 1

    def test(self) -> ValueTest:
        subject = self.subject()
        token = self.take()
        if token.text in STATES:
            if subject.is_path:
                raise self.fail(token.column, "every file has a path")
            return ValueTest(subject, token.text)
        if token.text not in OPERATORS or token.kind == "text":
            hint = _hint(token.text, (*STATES, *OPERATORS))
            shown = quoted(token.text) if token.text else "the end"
            raise self.fail(
                token.column,
                f"after {subject.text} one of {_AFTER} is expected, not {shown}{hint}",
            )
        if subject.vr in VRS_WITHOUT_TEXT:
            raise self.fail(
                token.column,
                f"{subject.text} has no text to compare (VR {subject.vr}); ask for {' or '.join(STATES)}",
            )
        if token.text == "in":
            return ValueTest(subject, "in", self.literals(subject, token))
        return ValueTest(subject, token.text, (self.literal(subject, token),))

    def literals(self, subject: Subject, operator: _Token) -> tuple[str, ...]:
        pair = _PAIR.fullmatch(self.next.text) if self.next.kind == "tag" else None
        if pair is not None:  # two numbers in brackets look like a tag
            self.place += 1
            return pair[1], pair[2]
        if not self.takes("("):
            raise self.fail(self.next.column, "after in a list in brackets is expected: in ('US', 'XA')")
        found = [self.literal(subject, operator)]
        while self.takes(","):
            found.append(self.literal(subject, operator))
        if not self.takes(")"):
            raise self.fail(self.next.column, "a comma or the end of the list, ), is expected")
        return tuple(found)

    def literal(self, subject: Subject, operator: _Token) -> str:
        token = self.take()
        if token.kind == "text":
            mark = token.text[0]
            value = token.text[1:-1].replace(mark * 2, mark)
        elif token.kind == "number" or (token.kind == "tag" and token.text.isdigit()):
            value = token.text
        else:
            hint = f"; write {quoted(token.text)} with quotation marks" if token.kind == "word" else ""
            raise self.fail(token.column, f"a text in quotation marks or a number is expected{hint}")
        if operator.text == "matches":
            if problem := find_problem(value, ""):
                raise self.fail(token.column, problem)
        elif operator.text not in _TEXTUAL and subject.vr in NUMBER_VRS and number_of(value) is None:
            raise self.fail(
                token.column, f"{subject.text} is a number (VR {subject.vr}), and {quoted(value)} is none"
            )
        elif operator.text not in _TEXTUAL and subject.vr in DATE_VRS and not date_digits(value):
            raise self.fail(
                token.column,
                f"{subject.text} is a date or time (VR {subject.vr}), and {quoted(value)} is none",
            )
        elif operator.text in _ORDERS and subject.vr == "AS" and not AGE.fullmatch(value):
            raise self.fail(
                token.column, f"{subject.text} is an age, such as '045Y', and {quoted(value)} is none"
            )
        return value

    def subject(self) -> Subject:
        start = self.next.column
        steps: list[Step] = []
        while True:
            token = self.take()
            if token.kind == "word" and token.text == "path" and not steps:
                return Subject("path")
            key = self.element(token)
            if self.next.kind != "item":
                break
            number = self.take().text.strip("[]. \t\n")
            sequence = key.tags[0] if isinstance(key, KeywordKey) else 0
            if dictionary.vr_of(sequence) != "SQ":
                raise self.fail(token.column, f"{token.text} is no sequence, so it has no items")
            steps.append(Step(sequence, EVERY_ITEM if number == "*" else int(number)))
        last = self.tokens[self.place - 1]
        text = self.text[start : last.column + len(last.text)]
        if isinstance(key, PrivateKey):
            return Subject(text, (), tuple(steps), key)
        vr = dictionary.vr_of(key.tags[0]).split(" or ")[0]
        return Subject(text, key.tags, tuple(steps), None, vr)

    def element(self, token: _Token) -> KeywordKey | PrivateKey:
        if token.kind not in {"word", "tag", "private"}:
            shown = quoted(token.text) if token.text else "the end"
            raise self.fail(token.column, f"an element or path is expected, not {shown}")
        if token.kind == "word":
            tags = dictionary.tags_of(token.text)
            if not tags:
                near = dictionary.nearest_keyword(token.text)
                hint = f", did you mean {near}?" if near else ""
                raise self.fail(token.column, f"unknown keyword {quoted(token.text)}{hint}")
            return KeywordKey(tags)
        if token.kind == "tag":
            return KeywordKey((int(re.sub(r"[^0-9A-Fa-f]", "", token.text), 16),))
        key = resolve(token.text, self.origin)
        assert isinstance(key, PrivateKey)
        return key


def _hint(word: str, known: tuple[str, ...]) -> str:
    """The known word that is spelt most like another; "" if none is near."""
    lowered = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower().replace("_", ""), lowered, n=1, cutoff=0.75)
    return f"; did you mean {lowered[near[0]]}?" if near else ""
