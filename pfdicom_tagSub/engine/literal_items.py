"""The literal items of a sequence to bytes, by pydicom's writer: all of them, or those that it lacks."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence

from ..dicom.elements import IMPLICIT_LITTLE, Element, Encoding
from ..dicom.scope import Scope
from ..dicom.values import typed
from ..spec.rules import Literal
from .rule_matching import items_in

CODE_MEANING = 0x00080104


def encode_items(tag: int, items: Iterable[tuple[Literal, ...]], encoding: Encoding) -> bytes:
    """A whole sequence, header included.

    Args:
        tag: its tag.
        items: what its items hold; all texts are ASCII.
        encoding: how the data set around it is encoded.
    """
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = encoding.implicit
    buffer.is_little_endian = encoding.little
    write_data_element(buffer, DataElement(tag, "SQ", _sequence(items)), ["iso8859"])
    return buffer.getvalue()


def _sequence(items: Iterable[tuple[Literal, ...]]) -> Sequence:
    made = []
    for item in items:
        data_set = Dataset()
        for literal in item:
            value = _sequence(literal.items) if literal.vr == "SQ" else typed(literal.vr, literal.texts)
            data_set.add(DataElement(literal.tag, literal.vr, value, validation_mode=config.IGNORE))
        made.append(data_set)
    return Sequence(made)


def encode_missing(items: Iterable[tuple[Literal, ...]], sequence: Element, scope: Scope) -> bytes:
    """Those of literal items that a sequence does not hold, to be added at its end; b"" for none.

    Args:
        items: what they hold.
        sequence: the sequence.
        scope: the data set around it.
    """
    present = items_in(sequence, scope)
    known = [
        {own.tag: scope.source.read(own.value, own.stop).strip(b"\0 ") for own in item.elements}
        for item in present
    ]
    missing = [item for item in items if not any(_says(one, item) for one in known)]
    if not missing:
        return b""
    encoding = present[0].encoding if present else _items_encoding(sequence, scope)
    return encode_items(sequence.tag, missing, encoding)[8 if encoding.implicit else 12 :]


def _says(known: dict[int, bytes], item: tuple[Literal, ...]) -> bool:
    """Whether an item holds all that a literal one says; what a code means may be said otherwise."""
    said = [literal for literal in item if literal.tag != CODE_MEANING]
    return all(known.get(literal.tag) == "\\".join(literal.texts).encode() for literal in said)


def _items_encoding(sequence: Element, scope: Scope) -> Encoding:
    """How the items of a sequence are encoded that has none yet."""
    vr = scope.source.read(sequence.start + 4, sequence.start + 6)
    # UN holds implicit VR little endian, whatever is around it (PS3.5 6.2.2).
    return IMPLICIT_LITTLE if vr == b"UN" and not scope.encoding.implicit else scope.encoding
