"""The frozen types that pass between modules, the exit codes and the errors."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

from pftree import TreeOptions

if TYPE_CHECKING:
    from .observing import Observed
    from .survey import SurveyReport

COMMAND = "pfdicom_tagSub"


class ExitCode(IntEnum):
    """What the command returns to the shell."""

    OK = 0
    FILES_FAILED = 1
    USAGE = 2
    INTERRUPTED = 130
    TERMINATED = 143


class TagSubError(Exception):
    """An error that ends the run before the first file is opened.

    Attributes:
        exit_code: what the command returns for it.
    """

    exit_code = ExitCode.USAGE


class SpecError(TagSubError):
    """A spec that cannot mean what it says."""


class PlanError(TagSubError):
    """An input or output tree that cannot be worked on."""


class LedgerError(TagSubError):
    """A ledger that cannot be worked with, or is in use by another run."""


class WorkforceError(TagSubError):
    """Workers that this system has no room for."""


class LogError(TagSubError):
    """A log that cannot be opened."""


class FileError(Exception):
    """One file that cannot be processed; its neighbours can.

    Its text goes to logs and records, so it never quotes a value of the file.
    """


class NotDicomError(Exception):
    """One file that is not DICOM, or not a regular file, and is skipped.

    Its text is the reason that the record gives.
    """


class Interrupted(BaseException):
    """SIGINT or SIGTERM, raised in the main thread.

    Attributes:
        exit_code: 130 or 143.
    """

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__(exit_code.name)
        self.exit_code = exit_code


class ClusterError(TagSubError):
    """A cluster that cannot be worked with, or no longer.

    Before the first batch nothing is written. Later on every output is whole all the same.
    """


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster to work on.

    Attributes:
        address: of its scheduler.
        key_file: the path of the secret key, which every worker reads itself.
        lookup_tables: the tables of ``%_lookup``, each ``name=FILE``, likewise.
        sends_key: send the key and the tables with the rules instead.
    """

    address: str
    key_file: str = ""
    lookup_tables: tuple[str, ...] = ()
    sends_key: bool = False


@dataclass(frozen=True)
class Options:
    """One command line, parsed.

    Attributes:
        tree: what pftree reads: directories, filters, depth, links, overwrite,
            threads, verbosity, json.
        tag_struct: the spec as JSON text; None when the flag was not given.
        tag_file: the path of a JSON file with the spec, ``-`` for standard input.
        tag_info: the spec as delimited text.
        split_token: what separates the pairs of ``tag_info``.
        split_key_value: what separates the key of a pair from its value.
        output_file_stem: the template that names the outputs; "" keeps the names.
        remove_private_tags: remove every private element, at every depth.
        profile: the profile and its options, ``basic[,option...]``; "" for none.
        keep_private: keys of private elements that the removal of private elements
            spares, each ``(gggg,"CREATOR",ee)`` or ``@FILE`` with one in each line.
        print_spec: print the spec that results and do nothing else.
        key_file: a file whose bytes are the secret key; "" for none.
        lookup_tables: the tables of ``%_lookup``, each ``name=FILE.csv``.
        lookup_miss: what becomes of a value that its table lacks: ``fail`` its file, or
            ``empty`` the element.
        assume_character_set: the Specific Character Set of files that declare none, or one that
            nobody knows; "" for none.
        output_dir_template: the template that names the directories of the outputs; ""
            keeps those of the inputs.
        dry_run: do everything but the writing, and print what would be done.
        show_values: show original values in the table of a dry run and in reports.
        reports: the files to write a report to, ``.html`` or ``.json``.
        verify: read each output again and hold it against its input.
        on_residual: what becomes of a file whose output still holds a value that was
            replaced in it: ``report`` it, or ``fail`` the file.
        max_inflated: the most bytes that a deflated data set may become; 0 for the default, by
            which its ratio counts, too.
        ledger: the path of a ledger of finished outputs; "" for none.
        log: the path of a log with a line for each file; "" for none.
        dask: the address of a Dask scheduler; "" for none.
        dask_send_key: send the secret key to Dask workers with the work.
        syslog: begin each message as syslog does.
        print_elapsed_time: print how long the run took.
    """

    tree: TreeOptions
    tag_struct: str | None = None
    tag_file: str | None = None
    tag_info: str | None = None
    split_token: str = "++"  # noqa: S105
    split_key_value: str = ":"
    output_file_stem: str = ""
    remove_private_tags: bool = False
    profile: str = ""
    keep_private: tuple[str, ...] = ()
    print_spec: bool = False
    key_file: str = ""
    lookup_tables: tuple[str, ...] = ()
    lookup_miss: str = "fail"
    assume_character_set: str = ""
    output_dir_template: str = ""
    dry_run: bool = False
    show_values: bool = False
    reports: tuple[str, ...] = ()
    verify: bool = False
    on_residual: str = "report"
    max_inflated: int = 0
    ledger: str = ""
    log: str = ""
    dask: str = ""
    dask_send_key: bool = False
    syslog: bool = False
    print_elapsed_time: bool = False


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


@dataclass(frozen=True, slots=True)
class FileJob:
    """One file to process.

    Attributes:
        input_path: where to read.
        output_path: where to write; its directory exists when the job runs.
        relative: the input relative to the input directory, for the record.
        file_ids: where the files went that a DICOMDIR may name, see ``file_ids.py``; None
            for all other files.
        earlier: the output of an earlier version of the input, which may be replaced; None
            where no ledger knows one.
    """

    input_path: str
    output_path: str
    relative: str
    file_ids: Mapping[str, str] | None = None
    earlier: Earlier | None = None


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
    """

    input_dir: str
    output_dir: str
    relative: str
    names: Sequence[str]
    outputs: tuple[str, ...] = ()
    file_ids: Mapping[str, str] | None = None
    earlier: tuple[Earlier | None, ...] = ()

    def jobs(self) -> Iterator[FileJob]:
        """One job per file, in the order of the names."""
        prefix = "" if self.relative == "." else self.relative + "/"
        earlier = self.earlier or (None,) * len(self.names)
        for name, output, own in zip(self.names, self.outputs or self.names, earlier, strict=True):
            yield FileJob(
                f"{self.input_dir}/{name}", f"{self.output_dir}/{output}", prefix + name, self.file_ids, own
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


class Status(StrEnum):
    """How one file ended.

    ``UNCHANGED`` counts outputs that were there already with the same content, ``CURRENT``
    inputs that a ledger knows to be done, so that they were not opened.
    """

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    CURRENT = "current"
    SKIPPED = "skipped"
    FAILED = "failed"


class Stage(StrEnum):
    """Where one file failed."""

    READ = "read"
    NAME = "name"
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


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        relative: the input relative to the input directory.
        status: how it ended.
        stage: where it failed; None unless it failed.
        reason: why it failed or was skipped; "" otherwise. Never quotes a value.
        elements: what was done to its elements.
        review: why a person should look at its pixels; "" where nothing suggests that.
        is_telling: whether the path of its output holds a value that was replaced in it.
        residuals: the elements of the output that still hold a value that was replaced in
            the file, by keyword or tag, as verification found them.
        seconds: how long it took, from opening the file to the end.
        finished: what a ledger has to know of it; None without one, and of files that failed.
        unknown_terms: what of its Specific Character Set is no term of the standard, though all its text
            is ASCII; "" for nothing.
        observed: what the pass over it told; of several files that were done together the
            first has the sums. None where nobody asked.
    """

    relative: str
    status: Status
    stage: Stage | None = None
    reason: str = ""
    elements: ElementCounts = ()
    review: str = ""
    is_telling: bool = False
    residuals: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    finished: Finished | None = None
    observed: Observed | None = None
    unknown_terms: str = ""


@dataclass(frozen=True)
class RunReport:
    """The record of one run; ``report.py`` makes it and renders it.

    Attributes:
        exit_code: what the command returns.
        counts: how many files ended in each status.
        elements: keyword (or tag, where it has none) to action to how often.
        failures: the outcomes that failed, in order of the plan.
        skipped: the outcomes that were skipped, in order of the plan.
        run_time: seconds from the start of the command to the end of the run.
        spec_digest: SHA-256 of the spec in its canonical form, hex.
        error: what ended the run before its time, or what went wrong with its ledger or log
            while its outputs did not suffer; "" otherwise.
        pixel_review: (path, reason) of the files whose pixels a person should look at, in
            order of the plan.
        telling_paths: how many outputs have a path that holds a value replaced in them.
        profile: the profile and its options; "" for none.
        profile_edition: of which edition of the standard its tables are; "" for none.
        key_fingerprint: tells one secret key from another; "" without one.
        residuals: (path, elements) of the outputs in which verification found values that
            were replaced, in order of the plan.
        archives: (path, kind) of the skipped files that are archives, in order of the plan.
        warnings: what the user was warned of.
        unknown_character_sets: (path, terms) of the files with text in ASCII alone whose Specific Character
            Set is none of the standard's, in order of the plan.
        is_dry: whether nothing was written.
        survey: what was found and done, element by element; None where nobody asked.
    """

    exit_code: ExitCode
    counts: dict[Status, int]
    elements: dict[str, dict[Action, int]]
    failures: tuple[FileOutcome, ...] = field(default=())
    skipped: tuple[FileOutcome, ...] = field(default=())
    run_time: float = 0.0
    spec_digest: str = ""
    error: str = ""
    pixel_review: tuple[tuple[str, str], ...] = field(default=())
    telling_paths: int = 0
    profile: str = ""
    profile_edition: str = ""
    key_fingerprint: str = ""
    residuals: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    unknown_character_sets: tuple[tuple[str, str], ...] = field(default=())
    archives: tuple[tuple[str, str], ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    is_dry: bool = False
    survey: SurveyReport | None = None
