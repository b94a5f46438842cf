"""What becomes of a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .file_survey import FileSurvey


class Stamp(NamedTuple):
    """What a file system says of one version of a file.

    Attributes:
        size: its bytes.
        mtime_ns: the time of its last change; in 64 bits, so the years beyond 2262 begin anew.
    """

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp in the result of a stat call."""
        return cls(status.st_size, (status.st_mtime_ns + (1 << 63)) % (1 << 64) - (1 << 63))


class Finished(NamedTuple):
    """One version of an input, and what became of it, for a ledger.

    Attributes:
        source: the input as it was when it was opened.
        output_path: the path of the output; "" for an input that was skipped.
        output: the output, which is on the disk; None for an input that was skipped.
    """

    source: Stamp
    output_path: str = ""
    output: Stamp | None = None


class Earlier(NamedTuple):
    """An output that an earlier run wrote, as its ledger has it.

    Attributes:
        path: its path.
        stamp: what was written; a file that has another stamp is somebody else's.
    """

    path: str
    stamp: Stamp


class OrphanFate(StrEnum):
    """What became of an output whose input is gone."""

    PRUNED = "pruned"
    LEFT = "left"


class Orphan(NamedTuple):
    """An output whose input is gone.

    Attributes:
        path: what the input was, relative to the input directory.
        output: the output, relative to the output directory; "" where it may not be shown.
        fate: what became of it.
        reason: why it is left; "" otherwise.
    """

    path: str
    output: str
    fate: OrphanFate
    reason: str = ""


class Status(StrEnum):
    """How one file ended.

    ``UNCHANGED`` counts outputs that were there already with the same content, ``CURRENT``
    inputs that a ledger knows to be done, so that they were not opened, ``NOT_SELECTED`` those for which
    the condition of the run does not hold, ``HELD`` outputs that are held until a person has seen them.
    """

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    CURRENT = "current"
    SKIPPED = "skipped"
    NOT_SELECTED = "notSelected"
    HELD = "held"
    FAILED = "failed"


class Stage(StrEnum):
    """Where one file failed."""

    READ = "read"
    NAME = "name"
    PIXELS = "pixels"
    SUBSTITUTE = "substitute"
    WRITE = "write"
    VERIFY = "verify"


class Action(StrEnum):
    """What was done to one element.

    ``SUBSTITUTED`` counts a new value that was written whole; ``CUT`` one that was
    shortened to what its VR holds; ``INVALID`` one that its VR does not allow, so that
    the element was left empty; ``EMPTIED`` an element emptied on purpose.
    """

    SUBSTITUTED = "substituted"
    REMOVED = "removed"
    EMPTIED = "emptied"
    INSERTED = "inserted"
    CUT = "cut"
    INVALID = "invalid"


ElementCounts = tuple[tuple[int, Action, int], ...]
"""(tag, action, how often) of one file; tag 0 stands for all private elements removed
by ``--removePrivateTags``."""


class PixelRectangle(NamedTuple):
    """A rectangle that was blackened.

    Attributes:
        x: its first column.
        y: its first row.
        width: how many columns it has.
        height: how many rows.
        frame: the index of the frame that it is on; -1 for all of them.
    """

    x: int
    y: int
    width: int
    height: int
    frame: int = -1


@dataclass(frozen=True, slots=True)
class CleanedPixels:
    """What was done to the pixels of one file.

    Attributes:
        methods: how the places were found.
        rectangles: what is black now; they overlap nowhere on one frame.
        frames: on how many frames something is.
        bits: how many bits of native pixels are of these rectangles; 0 of compressed ones.
        blocks: how many blocks of JPEG coefficients were replaced; 0 of others.
    """

    methods: tuple[str, ...]
    rectangles: tuple[PixelRectangle, ...]
    frames: int
    bits: int
    blocks: int

    def to_plain(self) -> list[object]:
        """The same in lists, numbers and texts."""
        return [list(self.methods), list(map(list, self.rectangles)), self.frames, self.bits, self.blocks]

    @classmethod
    def of_plain(cls, plain: list[Any]) -> CleanedPixels:
        """What ``to_plain`` made.

        Raises:
            TypeError, ValueError: it is something else.
        """
        methods, rectangles, *counts = plain
        frames, bits, blocks = map(int, counts)
        found = tuple(PixelRectangle(*map(int, one)) for one in rectangles)
        return cls(tuple(map(str, methods)), found, frames, bits, blocks)


class OutcomeTally(NamedTuple):
    """How many files ended alike, where nothing else is to be said of them.

    Attributes:
        status: how they ended.
        elements: what was done to the elements of each.
        path_holds_value: as of their outcomes.
        files: how many they are.
        survey: the sums of what the passes over some files told, not only over these; None for none.
    """

    status: Status
    elements: ElementCounts
    path_holds_value: bool
    files: int
    survey: FileSurvey | None = None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        relative: the input relative to the input directory.
        status: how it ended.
        stage: where it failed; None unless it failed.
        reason: why it failed or was skipped; "" otherwise. Never quotes a value.
        elements: what was done to its elements.
        review: why a person should look at its pixels; "" if nothing suggests that.
        path_holds_value: whether the path of its output holds a value that was replaced in it.
        residuals: the elements of the output that still hold a value that was replaced in
            the file, by keyword or tag, as verification found them.
        seconds: how long it took, from opening the file to the end.
        finished: what a ledger has to know of it; None without one, and of files that failed.
        unknown_terms: what of its Specific Character Set is no term of the standard, though all its text
            is ASCII; "" for nothing.
        pixels: what was done to its pixels; None if nothing was.
        output: the path of its output, relative to the output directory, also where none was written; ""
            where it got none, or where the path is made of what may be replaced.
        is_held: whether the output is among those that are held, and its path is relative to their directory.
        missing: (table, value) of what lookup tables lack; () where nobody asked.
        pairs: for a crosswalk, what it is called, the original and the new value; () where nobody asked.
        survey: what the pass over it told; of several files that were done together the
            first has the sums. None where nobody asked.
    """

    relative: str
    status: Status
    stage: Stage | None = None
    reason: str = ""
    elements: ElementCounts = ()
    review: str = ""
    path_holds_value: bool = False
    residuals: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    finished: Finished | None = None
    survey: FileSurvey | None = None
    unknown_terms: str = ""
    pixels: CleanedPixels | None = None
    output: str = field(default="", compare=False)
    pairs: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    is_held: bool = False
    missing: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_telling(self) -> bool:
        """``path_holds_value`` by its name in 4.1, which scripts may use."""
        return self.path_holds_value
