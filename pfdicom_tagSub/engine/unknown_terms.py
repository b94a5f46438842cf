"""Files that declare a Specific Character Set which is no term of the standard (PS3.3 C.12.1.1.2).

With text beyond ASCII they fail; else every reader reads them alike. The term is told to the user, so it must
be none that somebody put there by mistake and that tells of the patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

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


def with_plain(signal: UnknownCharacterSet, file: DicomFile, reading: Reading) -> Reading:
    """How to read a file of which one more data set declares a character set that nobody knows.

    Args:
        signal: says which.
        file: the file.
        reading: how it was read.

    Raises:
        FileError: that data set has text beyond ASCII, or holds text of another element as its term.
    """
    if _repeats_text(file, signal.terms):
        raise FileError(
            "the Specific Character Set is none of the standard's but text of another element; say "
            "what it is with --assumeCharacterSet TERM"
        )
    bound = bound_to_character_set(file)
    if signal.scope.key in reading.plain or signal.scope.key in bound:
        raise signal from None
    # All that declare the same, as each signal costs a pass over the file.
    alike = set(_declaring(scan(file.data, EVERYTHING), file.data, file.data.start, signal.terms))
    return Reading(reading.assumed, reading.plain | {signal.scope.key} | (alike - bound))


def _declaring(
    elements: Sequence[Element], data: Stretch, owner: int, terms: tuple[str, ...]
) -> Iterator[int]:
    """The keys of the data sets that declare the same unknown terms."""
    for element in elements:
        is_own = element.tag == SPECIFIC_CHARACTER_SET
        if is_own and character_set(data.source.read(element.value, element.stop)).unknown == terms:
            yield owner
        for item in element.items or ():
            yield from _declaring(item.elements, data, item.value, terms)


def _repeats_text(file: DicomFile, terms: Iterable[str]) -> bool:
    """Whether a word of terms stands in another element of the file."""
    words = {
        word
        for term in terms
        for word in _WORD.findall(term.lower().encode("iso8859"))
        if not _HARMLESS.fullmatch(word)
    }
    return bool(words) and _holds_one(scan(file.data, EVERYTHING), file.data, words)


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
