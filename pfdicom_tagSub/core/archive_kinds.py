"""Archives among the inputs: what is in them is not processed, so they are told of.

They are known by how they begin, whatever they are called; damaged ones by their names.
"""

from __future__ import annotations

import os
import re

LONGEST_MARK = 512
"""The bytes of a file by which an archive is known at most."""

_REASON = "not DICOM but an archive ("
_CURE = "), which is not unpacked; unpack it and run again"

_MARKS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x9d", "Z"),
    (b"\x1f\xa0", "Z"),
    (b"LZIP", "lz"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"!<arch>\n", "ar"),
    (b"070701", "cpio"),
    (b"070702", "cpio"),
    (b"070707", "cpio"),
)
NOT_DICOM = "not DICOM"

_NAME = re.compile(
    r"\.(zip|tar|tgz|tbz2?|txz|gz|7z|bz2|xz|zst|rar|z|lz|lzma|cab|lz4|iso|nrg|cpio)", re.IGNORECASE
)
_TAR_MARK = 257
_CHECKSUM = slice(148, 156)


def kind_of(head: bytes) -> str:
    """The kind of archive that a file is.

    Args:
        head: its first bytes, ``LONGEST_MARK`` of them if it has so many.

    Returns:
        Such as "zip"; "" for no archive.
    """
    for mark, kind in _MARKS:
        if head.startswith(mark):
            return kind
    return "tar" if head[_TAR_MARK : _TAR_MARK + 5] == b"ustar" or _is_old_tar(head) else ""


def _is_old_tar(head: bytes) -> bool:
    """Whether the checksum of a tar header of before POSIX is right (IEEE 1003.1, ustar)."""
    if len(head) < LONGEST_MARK or not head[0]:
        return False
    written = head[_CHECKSUM].strip(b"\0 ")
    if not written or not all(byte in b"01234567" for byte in written):
        return False
    return int(written, 8) == sum(head[:148]) + 8 * 0x20 + sum(head[156:LONGEST_MARK])


def reason_of(kind: str) -> str:
    """Why an archive is skipped; ``kind_in`` reads it."""
    return f"{_REASON}{kind}{_CURE}"


def kind_in(reason: str) -> str:
    """The kind of archive that a file was skipped for; "" if for another reason."""
    if reason.startswith(_REASON) and reason.endswith(_CURE):
        return reason[len(_REASON) : -len(_CURE)]
    return ""


def kind_named(path: str, reason: str) -> str:
    """The kind of archive that the name of a skipped file tells of; "" for none.

    Args:
        path: the file.
        reason: why it was skipped; an empty file is no archive.
    """
    found = _NAME.fullmatch(os.path.splitext(path)[1])
    return found[1].lower() if found and reason == NOT_DICOM else ""
