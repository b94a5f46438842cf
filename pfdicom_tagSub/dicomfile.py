"""One DICOM file: recognizing it, its file meta and the encoding of its data set (PS3.10 7)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import uid

from . import dictionary
from .elements import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LONG_VRS,
    SHORT_VRS,
    Element,
    Encoding,
    Stretch,
)
from .filemeta import META_GROUP, check_beginning, layout_of
from .inflating import DEFAULT_LIMIT, InflateLimit, inflate
from .models import FileError, NotDicomError
from .scanner import found_encoding, scan_group
from .sources import Source

PREAMBLE = 128
PREFIX = b"DICM"
BARE_GROUPS = frozenset({0x0002, 0x0004, 0x0008})
"""Groups that a data set without preamble may begin with to be taken for DICOM."""

# pydicom knows the first; in the others only the data set is deflated too (PS3.5 A.6, A.9).
DEFLATED = frozenset(
    {uid.DeflatedExplicitVRLittleEndian, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)


@dataclass(frozen=True)
class DicomFile:
    """A file whose parts are known.

    Attributes:
        source: its bytes.
        meta: every element of the file meta; [] where it has none.
        meta_start: where the file meta begins.
        meta_stop: where it ends and what follows begins.
        data: the data set; in a deflated file its inflated bytes.
        deflated: whether the data set is stored deflated.
        meta_encoding: how the file meta is encoded.
    """

    source: Source
    meta: list[Element]
    meta_start: int
    meta_stop: int
    data: Stretch
    deflated: bool = False
    meta_encoding: Encoding = EXPLICIT_LITTLE


def parse(source: Source, limit: InflateLimit = DEFAULT_LIMIT) -> DicomFile:
    """Find the parts of a file.

    Args:
        source: its bytes.
        limit: how large its data set may become if it is deflated.

    Raises:
        NotDicomError: it is not DICOM.
        FileError: it is, but damaged.
    """
    head = source.window(0, PREAMBLE + 8)[0][: PREAMBLE + 8]
    start = PREAMBLE + len(PREFIX) if head[PREAMBLE : PREAMBLE + 4] == PREFIX else 0
    if start == 0 and not _looks_bare(head, source.size):
        raise NotDicomError("not DICOM" if source.size else "empty file")
    meta, data_start = scan_group(source, start, source.size, META_GROUP)
    if data_start == source.size:
        raise FileError("there is no data set")
    layout = layout_of(source, meta, data_start)
    syntax = ""
    if layout.syntax >= 0:
        own = meta[layout.syntax]
        syntax = source.read(own.value, own.stop).decode("ascii", "replace").strip("\0 ")
    if syntax in DEFLATED:
        inflated = inflate(source, data_start, limit)
        stretch = Stretch(inflated, 0, inflated.size, EXPLICIT_LITTLE)
        return DicomFile(source, meta, start, data_start, stretch, True, layout.encoding)
    check_beginning(source, data_start)
    encoding = _encoding(source, data_start, syntax)
    stretch = Stretch(source, data_start, source.size, encoding)
    return DicomFile(source, meta, start, data_start, stretch, False, layout.encoding)


def _looks_bare(head: bytes, size: int) -> bool:
    """Whether a file without preamble begins with an element that DICOM files begin with."""
    if size < 8:
        return False
    for order in ("little", "big"):
        group = int.from_bytes(head[0:2], order)
        tag = group << 16 | int.from_bytes(head[2:4], order)
        if group not in BARE_GROUPS or not dictionary.vr_of(tag):
            continue
        if head[4:6] in SHORT_VRS or head[4:6] in LONG_VRS:
            return True
        length = int.from_bytes(head[4:8], order)
        if order == "little" and length <= size - 8:
            return True
    return False


def _encoding(source: Source, position: int, syntax: str) -> Encoding:
    """The encoding that a transfer syntax names, corrected by what the data set shows."""
    if syntax == uid.ExplicitVRBigEndian:
        return EXPLICIT_BIG
    if syntax:
        assumed = IMPLICIT_LITTLE if syntax == uid.ImplicitVRLittleEndian else EXPLICIT_LITTLE
        return found_encoding(source, position, source.size, assumed)
    buffer, base = source.window(position, 8)
    place = position - base
    if buffer[place + 4 : place + 6] in SHORT_VRS | LONG_VRS:
        # Group numbers of big-endian data look large when read as little endian.
        big = int.from_bytes(buffer[place : place + 2], "little") >= 0x0400
        return EXPLICIT_BIG if big else EXPLICIT_LITTLE
    return IMPLICIT_LITTLE


def deflate(parts: Iterator[bytes]) -> Iterator[bytes]:
    """Deflate a data set as PS3.5 A.5 asks: no zlib header, an even number of bytes."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = 0
    for part in parts:
        packed = deflater.compress(part)
        size += len(packed)
        if packed:
            yield packed
    tail = deflater.flush()
    yield tail + b"\0" * ((size + len(tail)) % 2)
