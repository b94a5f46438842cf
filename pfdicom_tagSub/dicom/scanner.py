"""Where every element, sequence and item of a data set lies in the bytes (PS3.5 7).

The scan decodes no value. It keeps the elements that it was asked for, steps over all
others, and does not enter a sequence whose bytes hold none of the tags asked for.
Everything that it cannot place with certainty is an error: a file that is not fully
understood must not be written.

Where the bytes leave the standard, and others read on all the same:

* A VR that the standard does not know has a length of 16 bits for some readers, of 32 for
  others, or is taken for a part of an implicit VR header. The one form after which
  elements follow is taken; where none is, or more than one, the file fails.
* Eight zero bytes are no element: zeros to the end of the file are padding, any others an
  error.
* UN, OB and its like, and what the dictionary does not know may hold a sequence, if they
  begin with an item (PS3.5 6.2.2), in either byte order, with VRs or without. What begins
  so, may hold a wanted tag and does not read to its end as items is an error, unless the
  element is removed as a whole. So is a value where the dictionary has a sequence, if it
  does not begin with an item and may hold a wanted tag; else it is a plain value.
* An item of a data set with VRs may leave them out (its first VR tells).
* A delimiter too many at the end of a sequence or item of defined length, zeros there where
  it is no SQ of the dictionary, item delimiters between items, an item of undefined length
  that ends with its sequence, and complete fragments without a delimiter at the end of the
  file are read by everybody.

Wherever it was in doubt, ``readings`` goes over the data set as other readers would: what
they see of a wanted element has to be what was found here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..core.errors import FileError
from .element_scanner import ALL, ElementScanner
from .elements import EXPLICIT_LITTLE, Element, Encoding, Item, Stretch
from .scan_filter import EVERYTHING, NOTHING, OUTLINE, ScanFilter
from .sources import Source

_GROUP_LENGTH = b"%s\0\0UL\4\0"
"""How a group length begins, explicit VR little endian."""


class ScanResult(list[Element]):
    """What a scan found.

    Attributes:
        is_certain: whether each element is read as its own bytes say, whatever is around it.
    """

    __slots__ = ("is_certain",)

    is_certain: bool


def scan(data_set: Stretch, scan_filter: ScanFilter) -> ScanResult:
    """Find elements in a data set and, where needed, in its sequences.

    Args:
        data_set: the bytes.
        scan_filter: what to keep.

    Returns:
        The elements to keep, the group lengths beside them, and the sequences that hold
        any to keep, in the order of the file.

    Raises:
        FileError: the bytes do not make a data set.
    """
    start, stop = data_set.start, data_set.stop
    scanner = ElementScanner(data_set.source, scan_filter, start)
    found = ScanResult()
    scanner.data_set(start, stop, data_set.encoding, delimited=False, depth=0, kept=found)
    found.is_certain = not scanner.is_in_doubt and not data_set.other
    if data_set.other or (scanner.is_in_doubt and not scan_filter.everything):
        from .readings import check  # noqa: PLC0415  (for few files)

        check(data_set, scan_filter, found)
    return found


def enter(source: Source, sequence: Element, encoding: Encoding) -> list[Item]:
    """The items of a sequence that was not entered as its bytes came before.

    Args:
        source: the bytes of the file.
        sequence: the sequence; it is known.
        encoding: how the data set around it is encoded.
    """
    assert sequence.known is not None
    scanner = ElementScanner(source, sequence.known.filter)
    scanner.entered = ALL
    element, _ = scanner.element(sequence.start, sequence.end, encoding, 0)
    return (element.items if element else None) or []


def scan_group(source: Source, start: int, stop: int, group: int) -> tuple[list[Element], int]:
    """Every element of the group that the bytes begin with, explicit VR little endian.

    Args:
        source: the bytes.
        start: where the group begins.
        stop: where the bytes end.
        group: the group, e.g. 0x0002 for the file meta (PS3.10 7.1).

    Returns:
        Its elements and where it ends: where its stored length says, if elements end there.
    """
    scanner = ElementScanner(source, EVERYTHING)
    elements: list[Element] = []
    position = start
    buffer, base = source.window(start, 12)
    head = buffer[start - base : start - base + 12]
    if head[:8] == _GROUP_LENGTH % group.to_bytes(2, "little"):  # the common beginning
        after = start + 12 + int.from_bytes(head[8:], "little")
        if len(head) == 12 and (whole := scanner.whole_group(start, after, stop, group)):
            return whole, after
    while position + 8 <= stop:
        buffer, base = source.window(position, 12)
        if int.from_bytes(buffer[position - base : position - base + 2], "little") != group:
            break
        element, position = scanner.element(position, stop, EXPLICIT_LITTLE, 0)
        if element is not None:
            elements.append(element)
        if len(elements) == 1 and element is not None and element.tag & 0xFFFF == 0:
            length = int.from_bytes(source.read(element.value, element.stop), "little")
            if rest := scanner.whole_group(position, position + length, stop, group):
                return elements + rest, position + length
    return elements, position


def settled_encoding(data_set: Stretch, other: Encoding) -> Stretch:
    """The encoding of a data set that may have another one than was declared.

    Args:
        data_set: the bytes, with the encoding that was declared.
        other: what its first element suggests.

    Returns:
        The data set in the one encoding in which it reads to its end, in the declared one
        if it does in neither.

    Raises:
        FileError: it reads to its end in both, and not as the same.
    """
    outlines = []
    stretches = (replace(data_set, other=other), replace(data_set, encoding=other, other=data_set.encoding))
    for stretch in stretches:
        try:
            found = scan(replace(stretch, other=None), OUTLINE)
            outlines.append([(element.tag, element.start, element.stop) for element in found])
        except FileError:
            outlines.append([])
    declared, suggested = outlines
    if declared and suggested:
        if declared != suggested:
            raise FileError(
                "the data set reads to its end both in implicit and in explicit VR, and not as the same: "
                "write it anew with a program that knows which is meant"
            )
        return stretches[1]
    return stretches[1] if suggested else stretches[0]


def place_for(data_set: Stretch, tag: int, known: Iterable[Element]) -> int:
    """Where a new element belongs in a data set: before the first one with a greater tag.

    Args:
        data_set: the bytes.
        tag: the new element's tag.
        known: elements of the data set in their order; they spare the search the way to
            the last of them that belongs before the new one.
    """
    position = data_set.start
    for element in known:
        if element.tag > tag:
            break
        position = element.end
    scanner = ElementScanner(data_set.source, NOTHING, data_set.start)
    stop, encoding = data_set.stop, data_set.encoding
    while (
        not scanner.ends_at(position, stop) and scanner.tag_at(position, stop, little=encoding.little) < tag
    ):
        _, position = scanner.element(position, stop, encoding, 0)
    return position


def group_end(data_set: Stretch, position: int, group: int) -> int:
    """Where the elements of a group end that follow each other.

    Args:
        data_set: the bytes.
        position: where the first of them begins.
        group: their group.
    """
    scanner = ElementScanner(data_set.source, NOTHING)
    stop, encoding = data_set.stop, data_set.encoding
    while stop - position >= 8 and scanner.tag_at(position, stop, little=encoding.little) >> 16 == group:
        _, position = scanner.element(position, stop, encoding, 0)
    return position
