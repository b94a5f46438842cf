"""The review sheet: one page with the pictures of every file that a person has to look at.

It shows patients' pictures and says so. It needs nothing but itself, and is written file by file, so that
memory does not grow with their number: each file is a block of JSON that the page reads when it is shown.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import IO

from jinja2 import Environment, StrictUndefined

from .._version import __version__
from ..core.errors import ExitCode, FileError, NotDicomError, PlanError
from ..core.outcome import CleanedPixels, PixelRectangle
from ..core.system_reasons import why_unwritten
from ..dicom.dictionary import (
    COLUMNS,
    MANUFACTURER,
    MANUFACTURER_MODEL_NAME,
    MODALITY,
    ROWS,
    SOP_INSTANCE_UID,
    label_of,
)
from ..dicom.file import parse
from ..dicom.scope import Scope
from ..dicom.sources import FileSource
from ..files.replacing import replaced
from ..files.temporary import remove_stale
from ..pixels.finding import Finder
from ..pixels.lookup_tables import TABLES
from ..pixels.settings import PixelSettings
from ..pixels.showing import MAXIMUM, pictures
from ..pixels.windows import GROUPS
from .record import RunReport

FILES_AT_ONCE = 200
"""The files on one page of the sheet."""

RECTANGLES_MOST = 500
"""The rectangles that are drawn on a picture."""

_DEVICE = (MODALITY, MANUFACTURER, MANUFACTURER_MODEL_NAME)
_MARK = "@FILES@"


@dataclass(frozen=True)
class FileToReview:
    """A file to be looked at.

    Attributes:
        path: relative to the input directory.
        reason: why; "" for one that was cleaned and needs no more.
        cleaned: what was blackened; None for nothing.
    """

    path: str
    reason: str
    cleaned: CleanedPixels | None


@dataclass(frozen=True)
class ReviewSheet:
    """A sheet to be written.

    Attributes:
        path: where, absolute.
        shown: the path as it was given.
    """

    path: str
    shown: str

    @classmethod
    def at(cls, shown: str) -> ReviewSheet:
        """Check where it shall go, before the first file is read.

        Raises:
            PlanError: it cannot be written there.
        """
        if "\0" in shown:
            raise PlanError("--reviewSheet: a path holds no null byte")
        path = os.path.join(os.path.realpath(os.path.dirname(shown) or "."), os.path.basename(shown))
        try:
            with suppress(FileNotFoundError):
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    raise PlanError(f"--reviewSheet {shown}: what is there is no regular file")
            remove_stale(os.path.dirname(path))  # it may have patients' pictures
            with tempfile.TemporaryFile(dir=os.path.dirname(path)):
                pass
        except OSError as error:
            raise PlanError(f"--reviewSheet {shown}: {why_unwritten(error)}") from None
        return cls(path, shown)

    def write(
        self,
        report: RunReport,
        input_root: str,
        *,
        follow_links: bool,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Write it whole or not at all; others cannot read it.

        Args:
            report: the record of the run, which may have been interrupted.
            input_root: the input directory.
            follow_links: read what symbolic links point to.
            check: called between files; what it raises ends the writing.

        Raises:
            OSError: it cannot be written; nothing is left of it.
        """
        files = looked_at(report)
        before, _, after = _page(len(files), report).partition(_MARK)
        with replaced(self.path) as temporary, open(temporary, "w", encoding="utf-8") as stream:
            stream.write(before)
            finder = Finder(PixelSettings(()), (SOP_INSTANCE_UID, *_DEVICE, *GROUPS, *TABLES))
            for file in files:
                check()
                _write_file(stream, finder, file, input_root, follow_links=follow_links)
            stream.write(after)


def looked_at(report: RunReport) -> list[FileToReview]:
    """The files of a run that were cleaned, or that a person has to look at, in order of their paths."""
    reasons = dict(report.pixel_review)
    cleaned = dict(report.pixels_cleaned)
    return [
        FileToReview(path, reasons.get(path, ""), cleaned.get(path))
        for path in sorted(reasons.keys() | cleaned.keys(), key=lambda path: path.split("/"))
    ]


def _page(count: int, report: RunReport) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = (resources.files(__package__) / "templates" / "review_sheet.html").read_text("utf-8")
    return environment.from_string(text).render(
        version=__version__,
        count=count,
        is_dry=report.is_dry,
        is_whole=report.exit_code in {ExitCode.OK, ExitCode.FILES_FAILED},
        files=_MARK,
        at_once=FILES_AT_ONCE,
    )


def _write_file(
    stream: IO[str], finder: Finder, file: FileToReview, input_root: str, *, follow_links: bool
) -> None:
    """One file as a block of JSON, which no browser decodes before it is shown."""
    entry = {
        "path": file.path,
        "reason": file.reason,
        "methods": list(file.cleaned.methods) if file.cleaned is not None else [],
        "rows": 0,
        "columns": 0,
        "frames": 0,
        "file": {},
        "device": {},
        "problem": "",
        "pictures": [],
    }
    try:
        with warnings.catch_warnings(action="ignore"):
            _read(entry, finder, file, os.path.join(input_root, file.path), follow_links=follow_links)
    except (FileError, NotDicomError) as error:
        entry["problem"] = str(error)
    except NotADirectoryError:
        entry["problem"] = "it is in an archive, whose pictures are not shown here: unpack that to see it"
    except OSError as error:
        entry["problem"] = f"it cannot be read: {error.strerror}"
    except MemoryError:
        entry["problem"] = "out of memory"
    except Exception as error:  # of a decoder, whose texts may quote the file
        entry["problem"] = f"it cannot be shown: {type(error).__name__}"
    # What a path holds must not end the block.
    text = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    stream.write(f'<script type="application/json" class="file">{text}</script>\n')


def _read(
    entry: dict[str, object], finder: Finder, file: FileToReview, path: str, *, follow_links: bool
) -> None:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        parsed = parse(FileSource(descriptor, os.fstat(descriptor).st_size))
        root = finder.root_of(parsed)
        image = finder.image(root)
        if image is None:
            raise FileError("it has no pixels")
        entry |= {"rows": image.rows, "columns": image.columns, "frames": image.frames}
        entry |= {"file": _of_file(root), "device": _of_device(root, image.rows, image.columns)}
        rectangles = file.cleaned.rectangles if file.cleaned is not None else ()
        shown = []
        for picture in pictures(parsed, root, image, rectangles):
            shown.append(
                {
                    "name": _name_of(picture.frame, image.frames),
                    "before": base64.b64encode(picture.before).decode("ascii"),
                    "after": base64.b64encode(picture.after).decode("ascii"),
                    "rectangles": list(_drawn(rectangles, picture.frame)),
                }
            )
        entry["pictures"] = shown
    finally:
        os.close(descriptor)


def _name_of(frame: int, frames: int) -> str:
    if frame == MAXIMUM:
        return f"maximum of {frames} frames"
    return f"frame {frame + 1} of {frames}" if frames > 1 else ""


def _drawn(rectangles: tuple[PixelRectangle, ...], frame: int) -> Iterator[tuple[int, int, int, int]]:
    """The rectangles on a picture; those of all frames on the maximum."""
    found = dict.fromkeys(
        (one.x, one.y, one.width, one.height)
        for one in rectangles
        if frame == MAXIMUM or one.frame in {-1, frame}
    )
    yield from list(found)[:RECTANGLES_MOST]


def _of_file(root: Scope) -> dict[str, object]:
    """The conditions that this file alone fulfils, as ``--pixelMasks`` has them."""
    uid = _text(root, SOP_INSTANCE_UID)
    return {label_of(SOP_INSTANCE_UID): uid} if uid else {}


def _of_device(root: Scope, rows: int, columns: int) -> dict[str, object]:
    """The conditions that files of the same device and size fulfil."""
    found: dict[str, object] = {}
    for tag in _DEVICE:
        text = _text(root, tag)
        found[label_of(tag)] = text or {"missing": True}
    return found | {label_of(ROWS): rows, label_of(COLUMNS): columns}


def _text(root: Scope, tag: int) -> str:
    element = root.elements.get(tag)
    return "\\".join(root.value(element).texts).strip() if element is not None else ""
