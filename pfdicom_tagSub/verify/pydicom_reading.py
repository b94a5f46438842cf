"""A file as pydicom's own reader sees it, and where in the file each element lies.

Nothing here uses the scanner, so that a fault of it is found. pydicom decodes no value: what is compared
are stretches of bytes, the borders of which it tells.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

import pydicom
from pydicom import uid
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import data_element_generator, read_dataset, read_partial

from ..core.errors import FileError
from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit, inflate
from ..dicom.sources import BytesSource, FileSource, Source, is_zeros
from .entries import Entry, PydicomReading, completed, data_set_of, entry_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WHOLE = 4 << 20
"""Files up to this many bytes are read into memory."""

DEFERRED = 1 << 12
"""Values longer than this are not read by pydicom but compared where they lie."""

HEAD = 132  # preamble and prefix (PS3.10 7.1)


DEFLATED = (
    str(uid.DeflatedExplicitVRLittleEndian),
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.205",
)
"""Transfer syntaxes whose data set is deflated (PS3.5 A.5, A.6, A.9)."""

MOST_META = 1 << 14
"""Among so many bytes a file meta names its transfer syntax."""


class _Raw(io.RawIOBase):
    """An open file from its beginning, whoever else reads it."""

    name = ""  # pydicom asks for it, and need not know

    def __init__(self, descriptor: int, size: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.size = size
        self.place = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.size}[whence]
        self.place = max(0, origin + offset)
        return self.place

    def tell(self) -> int:
        """The place."""
        return self.place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read where the place is."""
        view = memoryview(buffer).cast("B")
        count = os.preadv(self.descriptor, [view], self.place)
        self.place += count
        return count


def in_memory(source: Source) -> Source:
    """A file in memory, if it is no large one."""
    if isinstance(source, FileSource) and source.size <= WHOLE:
        return BytesSource(source.read(0, source.size))
    return source


def read_again(source: Source, limit: InflateLimit = DEFAULT_LIMIT) -> PydicomReading:
    """Read a file with pydicom.

    Args:
        source: its bytes.
        limit: how large its data set may become if it is deflated.

    Raises:
        FileError: pydicom cannot read it, or its lengths do not add up. The text quotes no value.
    """
    source = in_memory(source)
    try:
        with warnings.catch_warnings(action="ignore"):  # they may quote values
            return _read(source, limit)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the system's; pydicom raises its own without a number
        raise FileError(f"pydicom cannot read it: {type(error).__name__}") from None


def _read(source: Source, limit: InflateLimit) -> PydicomReading:
    inflated = _inflated(source, limit)
    if inflated is not None:
        return inflated
    # Zeros after the last element would be millions of elements to pydicom.
    stop_when = _is_padding if is_zeros(source, max(0, source.size - 8), source.size) else None
    content = read_partial(_open(source), stop_when, defer_size=DEFERRED, force=True)
    preamble = content.preamble or b""
    meta_start = HEAD if preamble else 0
    meta = [entry_of(stored, source) for stored in content.file_meta.values()]
    if not content and meta:
        content = _up_to_its_end(
            source, content, max(_defined_end(entry, source) for entry in meta), stop_when
        )
    found = [entry_of(stored, source) for stored in content.values()]
    found.sort(key=lambda entry: entry.start)
    # Not where the first element that pydicom kept begins: of those with one tag it keeps the last.
    meta_stop = max((_defined_end(entry, source) for entry in meta), default=0)
    if not meta:
        meta_stop = found[0].start if found else source.size
    return _reading(source, preamble, content, meta, found, (meta_start, meta_stop), source)


def _up_to_its_end(
    source: Source,
    content: pydicom.FileDataset,
    start: int,
    stop_when: Callable[[int, str | None, int], bool] | None,
) -> pydicom.FileDataset:
    """The elements of a data set whose last value has no end: pydicom drops all of them."""
    implicit, little = content.original_encoding
    if implicit is None or little is None:
        return content
    fp = _open(source)
    fp.seek(start)
    raws = {}
    try:
        for raw in data_element_generator(fp, implicit, little, stop_when, defer_size=DEFERRED):
            raws[raw.tag] = raw
    except EOFError:
        pass
    found = pydicom.FileDataset(
        "",
        Dataset(raws),
        preamble=content.preamble,
        file_meta=content.file_meta,
        is_implicit_VR=implicit,
        is_little_endian=little,
    )
    return _with_encoding(found, implicit=implicit, little=little)


def _with_encoding(content: pydicom.FileDataset, *, implicit: bool, little: bool) -> pydicom.FileDataset:
    """A data set that was made of its elements, with the character set that they are read in."""
    stored = content.get("SpecificCharacterSet")
    encodings = convert_encodings(stored) if stored else default_encoding
    content.set_original_encoding(implicit, little, encodings)
    return content


def _inflated(source: Source, limit: InflateLimit) -> PydicomReading | None:
    """A file whose data set is stored deflated; None for all others.

    pydicom would inflate it in memory, whatever its size, and knows only one of these syntaxes.
    """
    head = source.read(0, min(source.size, MOST_META))
    if not any(syntax.encode() in head for syntax in DEFLATED):
        return None
    meta_start = HEAD if head[HEAD - 4 : HEAD] == b"DICM" else 0
    fp = _open(source)
    fp.seek(meta_start)
    file_meta = read_dataset(fp, False, True, stop_when=_is_after_meta)
    syntax = str(file_meta.get("TransferSyntaxUID", ""))
    if syntax not in DEFLATED:
        return None
    meta = [entry_of(stored, source) for stored in file_meta.values()]
    meta_stop = max((_defined_end(entry, source) for entry in meta), default=meta_start)
    plain = inflate(source, meta_stop, limit)
    raws = {raw.tag: raw for raw in data_element_generator(_open(plain), False, True, defer_size=DEFERRED)}
    content = pydicom.FileDataset(
        "", Dataset(raws), file_meta=FileMetaDataset(file_meta), is_implicit_VR=False, is_little_endian=True
    )
    content = _with_encoding(content, implicit=False, little=True)
    found = [entry_of(stored, plain) for stored in content.values()]
    found.sort(key=lambda entry: entry.start)
    preamble = head[: HEAD - 4] if meta_start else b""
    return _reading(source, preamble, content, meta, found, (meta_start, meta_stop), plain)


def _reading(
    source: Source,
    preamble: bytes,
    content: pydicom.FileDataset,
    meta: list[Entry],
    found: list[Entry],
    around_meta: tuple[int, int],
    data_source: Source,
) -> PydicomReading:
    is_deflated = data_source is not source
    data = data_set_of(content, data_source, 0, 0 if is_deflated else around_meta[1], data_source.size)
    data.entries = completed(found, data)
    metas = data_set_of(content.file_meta, source, 0, *around_meta)
    metas.entries = completed(sorted(meta, key=lambda entry: entry.start), metas)
    return PydicomReading(source, preamble, metas, data, is_deflated)


def _is_after_meta(tag: int, vr: str | None, length: int) -> bool:  # noqa: ARG001  (as pydicom calls it)
    return tag >> 16 != 0x0002


def _is_padding(tag: int, vr: str | None, length: int) -> bool:  # noqa: ARG001  (as pydicom calls it)
    return tag == 0 and length == 0


def _open(source: Source) -> BinaryIO:
    if isinstance(source, BytesSource):
        return io.BytesIO(source.data)
    assert isinstance(source, FileSource)
    return cast(BinaryIO, io.BufferedReader(_Raw(source.descriptor, source.size), 1 << 16))


def _defined_end(entry: Entry, source: Source) -> int:
    """The end of an element of the file meta, which pydicom may have decoded."""
    if isinstance(entry.stored, RawDataElement):
        return entry.value + entry.stored.length
    size = 4 if entry.value - entry.start == 12 else 2
    return entry.value + int.from_bytes(source.read(entry.value - size, entry.value), "little")
