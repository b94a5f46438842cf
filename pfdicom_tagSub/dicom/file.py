"""One DICOM file: recognizing it, its file meta and the encoding of its data set (PS3.10 7)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydicom import uid

from ..core.archive_kinds import LONGEST_MARK, NOT_DICOM, kind_of, reason_of
from ..core.errors import FileError, NotDicomError
from ..dicom import dictionary
from .elements import (
    CUT_OFF,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LONG_VRS,
    SHORT_VRS,
    Element,
    Encoding,
    Stretch,
)
from .file_meta import META_GROUP, check_beginning, layout_of
from .inflating import DEFAULT_LIMIT, InflateLimit, inflate
from .known_meta import KEY, known_meta, remember
from .scanner import scan_group, settled_encoding
from .sources import Source

PREAMBLE = 128
PREFIX = b"DICM"
_HEAD = PREAMBLE + len(PREFIX) + KEY
BARE_GROUPS = frozenset({0x0002, 0x0004, 0x0008})
"""Groups that a data set without preamble may begin with to be taken for DICOM."""

# pydicom knows the first; in the others only the data set is deflated too (PS3.5 A.6, A.9).
DEFLATED = frozenset(
    {uid.DeflatedExplicitVRLittleEndian, "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"}
)

_DECLARED = {
    syntax: EXPLICIT_BIG
    if syntax == uid.ExplicitVRBigEndian
    else IMPLICIT_LITTLE
    if syntax == uid.ImplicitVRLittleEndian
    else EXPLICIT_LITTLE
    for syntax in uid.AllTransferSyntaxes
    if syntax not in DEFLATED
}
_COMMON = {(syntax + "\0" * (len(syntax) % 2)).encode(): encoding for syntax, encoding in _DECLARED.items()}
"""What the transfer syntaxes of the standard, as they are stored, say of the data set."""


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


def _why_not(source: Source) -> str:
    """What a file that is not DICOM is."""
    if not source.size:
        return "empty file"
    kind = kind_of(source.read(0, min(source.size, LONGEST_MARK)))
    return reason_of(kind) if kind else NOT_DICOM


def parse(source: Source, limit: InflateLimit = DEFAULT_LIMIT) -> DicomFile:
    """Find the parts of a file.

    Args:
        source: its bytes.
        limit: how large its data set may become if it is deflated.

    Raises:
        NotDicomError: it is not DICOM.
        FileError: it is, but damaged.
    """
    head = source.window(0, _HEAD)[0][:_HEAD]
    start = PREAMBLE + len(PREFIX) if head[PREAMBLE : PREAMBLE + 4] == PREFIX else 0
    if start == 0 and not _looks_bare(head, source.size):
        raise NotDicomError(_why_not(source))
    key = head[start : start + KEY]
    known = known_meta(source, start, key)
    if known is not None:
        meta, data_start, layout = [*known.elements], known.stop, known.layout
    else:
        meta, data_start = scan_group(source, start, source.size, META_GROUP)
        if data_start == source.size:
            raise FileError(f"there is no data set: {CUT_OFF}")
        layout = layout_of(source, meta, data_start)
        remember(source, meta, data_start, layout, key)
    syntax = b""
    if layout.syntax >= 0:
        own = meta[layout.syntax]
        syntax = source.read(own.value, own.stop)
    declared = _COMMON.get(syntax)
    if declared is not None and declared.little:
        buffer, base = source.window(data_start, 8)
        head = buffer[data_start - base : data_start - base + 8]
        vr = head[4:6]
        shows_vr = vr.isalpha() and vr.isupper()
        is_plain = len(head) == 8 and head[:2] != b"\0\0" and not _looks_swapped(head, declared)
        if is_plain and shows_vr is not declared.implicit:
            stretch = Stretch(source, data_start, source.size, declared)
            return DicomFile(source, meta, start, data_start, stretch, False, layout.encoding)
    return _parsed(source, meta, start, data_start, syntax, layout.encoding, limit)


def _parsed(
    source: Source,
    meta: list[Element],
    start: int,
    data_start: int,
    stored: bytes,
    meta_encoding: Encoding,
    limit: InflateLimit,
) -> DicomFile:
    """The parts of a file of which something is not as in most.

    Args:
        source: its bytes.
        meta: its file meta.
        start: where that begins.
        data_start: where the data set begins.
        stored: its transfer syntax as stored; b"" for none.
        meta_encoding: how the file meta is encoded.
        limit: as of ``parse``.
    """
    syntax = stored.decode("ascii", "replace").strip("\0 ")
    if syntax in DEFLATED:
        inflated = inflate(source, data_start, limit)
        stretch = _data_set(Stretch(inflated, 0, inflated.size, EXPLICIT_LITTLE))
        return DicomFile(source, meta, start, data_start, stretch, True, meta_encoding)
    check_beginning(source, data_start)
    encoding = _encoding(source, data_start, syntax)
    stretch = _data_set(Stretch(source, data_start, source.size, encoding))
    return DicomFile(source, meta, start, data_start, stretch, False, meta_encoding)


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
    """The encoding that a transfer syntax names; without one, what the data set shows."""
    if syntax == uid.ExplicitVRBigEndian:
        return EXPLICIT_BIG
    if syntax:
        return IMPLICIT_LITTLE if syntax == uid.ImplicitVRLittleEndian else EXPLICIT_LITTLE
    buffer, base = source.window(position, 8)
    place = position - base
    if buffer[place + 4 : place + 6] in SHORT_VRS | LONG_VRS:
        # Group numbers of big-endian data look large when read as little endian.
        big = int.from_bytes(buffer[place : place + 2], "little") >= 0x0400
        return EXPLICIT_BIG if big else EXPLICIT_LITTLE
    return IMPLICIT_LITTLE


def _data_set(declared: Stretch) -> Stretch:
    """The data set, in the other encoding where it cannot have the declared one.

    Some writers contradict their transfer syntax. pydicom believes the first element: a VR
    is two capital letters, and a length as large as they make would be absurd, but not
    impossible. So what is declared is believed while it can be read.
    """
    buffer, base = declared.source.window(declared.start, 8)
    place = declared.start - base
    header = buffer[place : place + 8]
    vr = header[4:6]
    encoding = declared.encoding
    if len(header) < 8 or not any(header):
        return declared
    if _looks_swapped(header, encoding):  # others read it in that byte order
        return replace(declared, other=EXPLICIT_BIG if encoding.little else EXPLICIT_LITTLE)
    shows_vr = vr.isalpha() and vr.isupper()
    if shows_vr is not encoding.implicit:
        return declared
    return settled_encoding(declared, replace(encoding, implicit=not encoding.implicit))


def _looks_swapped(header: bytes, encoding: Encoding) -> bool:
    """Whether the group of a first element is below 0100 in the other byte order alone."""
    return header[0] == 0 < header[1] if encoding.little else header[1] == 0 < header[0]


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
