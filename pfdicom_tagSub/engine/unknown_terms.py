"""Files that declare a Specific Character Set which is no term of the standard (PS3.3 C.12.1.1.2).

With text beyond ASCII they fail; else every reader reads them alike. The term is told to the user, so it must
be none that somebody put there by mistake and that tells of the patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from ..core.errors import FileError
from ..dicom.character_sets import character_set
from ..dicom.dictionary import SPECIFIC_CHARACTER_SET
from ..dicom.elements import Element, Stretch
from ..dicom.file import DicomFile
from ..dicom.scan_filter import EVERYTHING
from ..dicom.scanner import scan
from ..dicom.scope import Reading, UnknownCharacterSet
from ..dicom.values import ASCII_VRS, CHARSET_VRS
from .utf8_switch import bound_to_character_set

_WORD = re.compile(rb"[a-z0-9]{3,}|[\x80-\xff]+")
_HARMLESS = re.compile(
    rb"[0-9]{1,3}|(iso|utf|gbk|gb|windows|win|cp|ibm|koi|euc|jis|shift|latin|big|tis|ks|ansi|ascii|unicode)[0-9a-z]{0,8}"
    rb"|not|supplied|none|null|unknown|undefined|default|x+"
)
"""What terms are made of, in lower case. It stands in many texts and tells nothing."""


class UnknownTerms:
    """The character sets that nobody knows and that the data sets of one file declare.

    What the file holds is looked up once, however many of them there are.
    """

    def __init__(self, file: DicomFile) -> None:
        """Args:
        file: the file.
        """
        self._file = file

    @cached_property
    def _elements(self) -> Sequence[Element]:
        return scan(self._file.data, EVERYTHING)

    @cached_property
    def _bound(self) -> set[int]:
        return bound_to_character_set(self._file)

    @cached_property
    def _declaring(self) -> Mapping[tuple[str, ...], set[int]]:
        """The keys of the data sets that declare unknown terms, by these."""
        found: dict[tuple[str, ...], set[int]] = {}
        data = self._file.data
        for terms, key in _declarations(self._elements, data, data.start):
            found.setdefault(terms, set()).add(key)
        return found

    def with_plain(self, signal: UnknownCharacterSet, reading: Reading) -> Reading:
        """How to read the file, of which one more data set declares a character set that nobody knows.

        Args:
            signal: says which.
            reading: how it was read.

        Raises:
            FileError: that data set has text beyond ASCII, or holds text of another element as its term.
        """
        if self._repeats_text(signal.terms):
            raise FileError(
                "the Specific Character Set is none of the standard's but text of another element; say "
                "what it is with --assumeCharacterSet TERM"
            )
        bound = self._bound
        if signal.scope.key in reading.plain or signal.scope.key in bound:
            raise signal from None
        # All that declare the same, as each signal costs a pass over the file.
        alike = self._declaring.get(signal.terms, set())
        return Reading(reading.assumed, reading.plain | {signal.scope.key} | (alike - bound))

    def _repeats_text(self, terms: Iterable[str]) -> bool:
        """Whether a word of terms stands in another element of the file."""
        words = {
            word
            for term in terms
            for word in _WORD.findall(term.lower().encode("iso8859"))
            if not _HARMLESS.fullmatch(word)
        }
        return bool(words) and _holds_one(self._elements, self._file.data, words)


def _declarations(
    elements: Sequence[Element], data: Stretch, owner: int
) -> Iterator[tuple[tuple[str, ...], int]]:
    """The unknown terms that data sets declare, each with the key of its data set."""
    for element in elements:
        if element.tag == SPECIFIC_CHARACTER_SET:
            terms = character_set(data.source.read(element.value, element.stop)).unknown
            if terms:
                yield terms, owner
        for item in element.items or ():
            yield from _declarations(item.elements, data, item.value)


def _holds_one(elements: Sequence[Element], data: Stretch, words: set[bytes]) -> bool:
    for element in elements:
        if element.items:
            if any(_holds_one(item.elements, data, words) for item in element.items):
                return True
        elif element.tag != SPECIFIC_CHARACTER_SET and _may_hold_text(element):
            raw = data.source.read(element.value, element.stop).lower()
            if any(word in raw for word in words):
                return True
    return False


def _may_hold_text(element: Element) -> bool:
    vr = element.vr
    return (
        vr in CHARSET_VRS
        or vr in ASCII_VRS
        or (vr in ("", "UN") and element.stop - element.value <= _LONGEST)
    )


_LONGEST = 1 << 16
"""Longer values without a VR are no text that names anybody."""
