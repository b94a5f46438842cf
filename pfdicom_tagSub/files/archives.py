"""Members of archives, read where they are: zip, tar (also gz, bz2, xz) and single files in gzip.

Nothing is unpacked to disk. An archive may be made to do harm: how many members it has, how large they become
and what they are called is bounded here.
"""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Literal, cast

from ..core.errors import FileError
from ..text.safe_names import safe_member

MEMBERS_MOST = 1_000_000
"""An archive has no more members than that."""

MEMBER_MOST = 1 << 30
"""The bytes of a member at most, unless a run allows more: it is in memory while it is processed."""

RATIO_MOST = 200
HARMLESS = 1 << 28
"""All members together are at most so many times what is stored, beyond so many bytes."""

_SUFFIXES = {
    ".zip": "zip",
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.bz2": "tar.bz2",
    ".tbz2": "tar.bz2",
    ".tbz": "tar.bz2",
    ".tar.xz": "tar.xz",
    ".txz": "tar.xz",
    ".dcm.gz": "gz",
}
_CURE = "if this is not an attack, raise the limit (--maxInflated), or unpack it yourself"
_ERRORS = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, OSError, LookupError, OverflowError),
)
_UNSUPPORTED = (NotImplementedError, RuntimeError)
"""What zipfile raises for compressions that it lacks, and for encryption."""

_PIECE = 1 << 20
_LINK = "not a regular file but a link or a device"
_TAR_MODES: dict[str, Literal["r|", "r|gz", "r|bz2", "r|xz"]] = {
    "tar": "r|",
    "tar.gz": "r|gz",
    "tar.bz2": "r|bz2",
    "tar.xz": "r|xz",
}


def kind_by_name(name: str) -> str:
    """The kind of archive that a file is by its name; "" for none that can be read."""
    lower = name.lower()
    return next((kind for suffix, kind in _SUFFIXES.items() if lower.endswith(suffix)), "")


@dataclass(frozen=True, slots=True)
class Limits:
    """How large members may become.

    Attributes:
        size: the bytes of one at most; 0 for ``MEMBER_MOST``, and then the ratio counts, too.
    """

    size: int = 0

    def check(self, size: int, total: int, stored: int) -> None:
        """Check a member.

        Args:
            size: its bytes, or those up to now.
            total: those of all members up to it.
            stored: those of the archive.

        Raises:
            FileError: it is too large.
        """
        most = self.size or MEMBER_MOST
        if size > most:
            raise FileError(f"a member of the archive has more than {most:,} bytes: {_CURE}")
        if not self.size and total > max(HARMLESS, RATIO_MOST * stored):
            raise FileError(f"the archive unpacks to more than {RATIO_MOST} times its size: {_CURE}")


@dataclass(slots=True)
class Member:
    """One member.

    Attributes:
        name: its path in the archive, made safe.
        problem: why it cannot be read; "" if nothing is known.
        size: how many bytes it should have.
        open: opens it, as long as it is the last one that was given.
    """

    name: str
    problem: str
    size: int
    open: Callable[[], IO[bytes] | None]


class _Archive:
    """An archive that is open, from its first member on."""

    def __init__(self, path: str, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self.stored = os.stat(path).st_size
        self.total = 0
        self._stack = ExitStack()

    def close(self) -> None:
        """Close it."""
        with suppress(*_ERRORS):
            self._stack.close()

    def members(self) -> Iterator[Member]:
        """The members in their order; each can be read until the next one is asked for.

        Raises:
            FileError: it is damaged, or has too many.
        """
        kind = kind_by_name(self.path)
        found = {"zip": self._of_zip, "gz": self._of_gzip}.get(kind, self._of_tar)
        seen: set[str] = set()
        try:
            for number, member in enumerate(found(), start=1):
                if number > MEMBERS_MOST:
                    raise FileError(f"the archive has more than {MEMBERS_MOST:,} members")
                if member.name in seen and not member.problem:
                    member.problem = "another member of the archive has the same name"
                seen.add(member.name)
                yield member
        except (*_ERRORS, *_UNSUPPORTED) as error:
            raise FileError(f"the archive is damaged ({type(error).__name__})") from None

    def _of_zip(self) -> Iterator[Member]:
        archive = self._stack.enter_context(zipfile.ZipFile(self.path))
        infos = archive.infolist()
        self.limits.check(0, sum(info.file_size for info in infos), self.stored)
        for info in infos:
            if info.is_dir():
                continue
            kind = stat.S_IFMT(info.external_attr >> 16)
            problem = "" if kind in {0, stat.S_IFREG} else _LINK
            if info.flag_bits & 1:
                problem = "it is encrypted; unpack it yourself"
            yield Member(safe_member(info.filename), problem, info.file_size, partial(archive.open, info))

    def _of_tar(self) -> Iterator[Member]:
        # As a stream: what was read is not kept, and compressed archives go forward only.
        raw = self._stack.enter_context(open(self.path, "rb"))  # noqa: SIM115  (the stack closes it)
        mode = _TAR_MODES[kind_by_name(self.path)]
        opened = tarfile.open(fileobj=raw, mode=mode, errors="surrogateescape")  # noqa: SIM115
        archive = self._stack.enter_context(opened)
        while (info := archive.next()) is not None:
            vars(archive)["members"] = []  # tarfile would keep them all
            self.total += info.size
            if info.isdir():
                continue
            problem = "" if info.isreg() else _LINK
            if not problem:
                self.limits.check(0, self.total, self.stored)
            yield Member(safe_member(info.name), problem, info.size, partial(archive.extractfile, info))

    def _of_gzip(self) -> Iterator[Member]:
        stream = self._stack.enter_context(gzip.open(self.path))  # noqa: SIM115
        name = safe_member(os.path.splitext(os.path.basename(self.path))[0])
        yield Member(name, "", 0, lambda: cast(IO[bytes], stream))

    def content(self, member: Member) -> bytes:
        """The bytes of a member.

        Raises:
            FileError: it is damaged, or too large.
        """
        self.limits.check(member.size, 0, self.stored)
        pieces: list[bytes] = []
        size = 0
        try:
            stream = member.open()
            while piece := stream.read(_PIECE) if stream is not None else b"":
                size += len(piece)
                self.limits.check(size, max(size, self.total), self.stored)
                pieces.append(piece)
        except _UNSUPPORTED:
            raise FileError("it is compressed in a way that is not supported; unpack it yourself") from None
        except _ERRORS as error:
            raise FileError(f"it is damaged in the archive ({type(error).__name__})") from None
        return b"".join(pieces)


def listed(path: str, limits: Limits) -> list[tuple[str, str]]:
    """(name, problem) of the files in an archive, in its order.

    Raises:
        FileError: it is damaged, or may do harm.
        OSError: it cannot be read.
    """
    archive = _Archive(path, limits)
    try:
        return [(member.name, member.problem) for member in archive.members()]
    finally:
        archive.close()


class ArchiveReader:
    """Gives members by their names, one archive at a time; make one in each process or thread.

    Asked for in the order of the archive, each is unpacked once.
    """

    def __init__(self, limits: Limits) -> None:
        """Args:
        limits: how large members may become.
        """
        self._limits = limits
        self._archive: _Archive | None = None
        self._members: Iterator[Member] = iter(())
        self._index: dict[str, Member] = {}
        self._identity: tuple[object, ...] = ()

    def read(self, path: str, name: str) -> bytes:
        """The content of a member.

        Args:
            path: the archive.
            name: the member, as ``listed`` calls it.

        Raises:
            FileError: it cannot be read, or is not there.
            OSError: the archive cannot be read.
        """
        found = os.stat(path)
        identity = (path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        is_open = identity == self._identity
        for _ in range(1 + is_open):
            if not is_open:
                self.close()
                self._archive = _Archive(path, self._limits)
                self._members, self._identity = self._archive.members(), identity
            archive = self._archive
            assert archive is not None
            try:
                if kind_by_name(path) == "zip" and not self._index:
                    self._index = {one.name: one for one in self._members if not one.problem}
                if name in self._index:
                    return archive.content(self._index[name])
                for member in self._members:
                    if member.name == name and not member.problem:
                        return archive.content(member)
            except BaseException:
                self.close()
                raise
            is_open = False
        self.close()
        raise FileError("the archive changed while it was read: run again")

    def close(self) -> None:
        """Close the archive that is open."""
        if self._archive is not None:
            self._archive.close()
        self._archive, self._members, self._identity = None, iter(()), ()
        self._index = {}
