"""A data set that is switched to UTF-8 because a new text does not fit its character set."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping

from ..dicom.character_sets import DEFAULT_CHARACTER_SET
from ..dicom.dictionary import SPECIFIC_CHARACTER_SET
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.scan_filter import EVERYTHING
from ..dicom.scanner import scan
from ..dicom.scope import META_KEY, Reading, Scope
from ..dicom.values import CHARSET_VRS

_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that no text may hold (PS3.5 6.1.3)."""


class CannotHold(Exception):  # noqa: N818  (a signal, not an error)
    """Texts do not fit the character sets of their data sets.

    Attributes:
        tags: the key of each data set that declares such a character set (``Scope.owner``) to the
            first element whose text does not fit.
    """

    def __init__(self, tags: Mapping[int, int]) -> None:
        super().__init__()
        self.tags = tags


def bound_to_character_set(file: DicomFile) -> set[int]:
    """The keys of the data sets that may not declare UTF-8, as text that they govern is not ASCII.

    A byte of 0x80 and above, or an escape sequence, would be read as something else. A value of
    which nobody knows the VR (UN, and private elements in implicit VR) is text unless it holds what
    no text may.
    """
    bound = {META_KEY}  # the file meta cannot declare a character set
    data = file.data
    elements = scan(data, EVERYTHING)
    reading = Reading(DEFAULT_CHARACTER_SET)  # whatever it is that the file declares
    root = Scope(data.source, elements, data.encoding, data.start, reading=reading)
    with warnings.catch_warnings(action="ignore"):  # pydicom's, of private creators that it cannot read
        _collect(elements, root, data.start, bound)
    return bound


def _collect(elements: Iterable[Element], scope: Scope, owner: int, bound: set[int]) -> None:
    for element in elements:
        if element.items is not None:
            for item in element.items:
                inner = Scope(scope.source, item.elements, item.encoding, item.value, scope)
                own = item.value if SPECIFIC_CHARACTER_SET in inner.elements else owner
                _collect(item.elements, inner, own, bound)
        elif owner not in bound and _is_foreign_text(element, scope):
            bound.add(owner)


def _is_foreign_text(element: Element, scope: Scope) -> bool:
    """Whether a value is text, or may be, and not ASCII."""
    vr = scope.vr(element)
    if vr not in CHARSET_VRS and vr != "UN":
        return False
    raw = scope.raw(element)
    if raw.isascii() and b"\x1b" not in raw:
        return False
    return vr != "UN" or raw.startswith(_ITEMS) or not _NO_TEXT.search(raw.rstrip(b"\0 "))
