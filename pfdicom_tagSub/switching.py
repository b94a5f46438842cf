"""A data set that is switched to UTF-8 because a new text does not fit its character set."""

from __future__ import annotations

from collections.abc import Sequence

from .dicomfile import DicomFile
from .dictionary import SPECIFIC_CHARACTER_SET
from .elements import Element, Stretch
from .scanner import scan
from .scope import META_KEY, Scope
from .values import CHARSET_VRS
from .wanted import EVERYTHING


class CannotHold(Exception):  # noqa: N818  (a signal, not an error)
    """A text does not fit the character set that ``scope`` owns."""

    def __init__(self, scope: Scope, tag: int) -> None:
        super().__init__()
        self.scope = scope
        self.tag = tag


def is_switchable(file: DicomFile, owner: Scope) -> bool:
    """Whether a data set may declare UTF-8: all text that its character set governs is ASCII.

    A byte of 0x80 and above, or an escape sequence, would be read as something else.
    """
    if owner.key == META_KEY:
        return False  # the file meta cannot declare a character set
    return _is_ascii(scan(file.data, EVERYTHING), file.data, owner.key, file.data.start)


def _is_ascii(elements: Sequence[Element], data: Stretch, wanted: int, owner: int) -> bool:
    for element in elements:
        if element.vr in CHARSET_VRS and owner == wanted:
            raw = data.source.read(element.value, element.stop)
            if not raw.isascii() or b"\x1b" in raw:
                return False
        for item in element.items or ():
            own = any(inner.tag == SPECIFIC_CHARACTER_SET for inner in item.elements)
            if not _is_ascii(item.elements, data, wanted, item.value if own else owner):
                return False
    return True
