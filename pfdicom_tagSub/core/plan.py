"""The files of a run, and where their outputs go."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .outcome import Earlier, FileOutcome


@dataclass(frozen=True, slots=True)
class FileJob:
    """One file to process.

    Attributes:
        input_path: where to read.
        output_path: where to write; the worker makes its directory where there is none.
        relative: the input relative to the input directory, for the record.
        file_ids: where the files went that a DICOMDIR may name, see ``file_ids.py``; None
            for all other files.
        earlier: the output of an earlier version of the input, which may be replaced; None
            where no ledger knows one.
        archive: the archive that the input is a member of; "" for a file.
    """

    input_path: str
    output_path: str
    relative: str
    file_ids: Mapping[str, str] | None = None
    earlier: Earlier | None = None
    archive: str = ""

    @property
    def file_path(self) -> str:
        """The file whose times are those of the input."""
        return self.archive or self.input_path

    @property
    def member(self) -> str:
        """The path in the archive."""
        return self.input_path[len(self.archive) + 1 :]


@dataclass(frozen=True)
class DirectoryPlan:
    """The files of one input directory and where their outputs go.

    Attributes:
        input_dir: the directory to read.
        output_dir: the directory to write.
        relative: the input directory relative to the input root, "." for the root.
        names: the file names, sorted.
        outputs: the names of their outputs; () where they keep their names.
        file_ids: as of the jobs.
        earlier: as of the jobs, one for each name; () where no ledger knows any.
        archive: as of the jobs.
    """

    input_dir: str
    output_dir: str
    relative: str
    names: Sequence[str]
    outputs: tuple[str, ...] = ()
    file_ids: Mapping[str, str] | None = None
    earlier: tuple[Earlier | None, ...] = ()
    archive: str = ""

    def jobs(self) -> Iterator[FileJob]:
        """One job per file, in the order of the names."""
        prefix = "" if self.relative == "." else self.relative + "/"
        earlier = self.earlier or (None,) * len(self.names)
        for name, output, own in zip(self.names, self.outputs or self.names, earlier, strict=True):
            yield FileJob(
                f"{self.input_dir}/{name}",
                f"{self.output_dir}/{output}",
                prefix + name,
                self.file_ids,
                own,
                self.archive,
            )

    def part(self, first: int, last: int) -> DirectoryPlan:
        """The plan of the files from first up to last."""
        part = slice(first, last)
        return replace(self, names=self.names[part], outputs=self.outputs[part], earlier=self.earlier[part])

    def selected(self, keeps: Iterable[bool]) -> DirectoryPlan:
        """The plan of some of the files.

        Args:
            keeps: for each name, whether it is one of them.
        """
        chosen = tuple(keeps)
        return replace(
            self,
            names=tuple(itertools.compress(self.names, chosen)),
            outputs=tuple(itertools.compress(self.outputs, chosen)),
            earlier=tuple(itertools.compress(self.earlier, chosen)),
        )


@dataclass(frozen=True)
class Plan:
    """Every file that a run will open.

    Attributes:
        input_root: the input directory, absolute.
        output_root: the output directory, absolute.
        directories: the directories that hold files, in order of their paths.
        warnings: what the user should know of the walk, one text each.
        unreadable: what the walk could not read and might have had to process, as
            outcomes that failed; its paths are mostly directories.
        single: the path of the one file that was named instead of an input directory, which
            then is the directory that holds it; "" where a directory was.
    """

    input_root: str
    output_root: str
    directories: tuple[DirectoryPlan, ...]
    warnings: tuple[str, ...] = ()
    unreadable: tuple[FileOutcome, ...] = ()
    single: str = ""

    @property
    def file_count(self) -> int:
        """How many files the plan names."""
        return sum(len(directory.names) for directory in self.directories)

    @property
    def moves_directories(self) -> bool:
        """Whether an output directory has another path than its input directory."""
        root = self.output_root
        prefix = root.rstrip("/") + "/"
        return any(
            directory.output_dir != (root if directory.relative == "." else prefix + directory.relative)
            for directory in self.directories
        )

    def jobs(self) -> Iterator[FileJob]:
        """One job per file, made as it is asked for."""
        for directory in self.directories:
            yield from directory.jobs()
