"""One command line, parsed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pftree import TreeOptions


class LookupMiss(StrEnum):
    """What becomes of a value that its table lacks."""

    FAIL = "fail"
    """Its file fails."""
    EMPTY = "empty"
    """The element is left empty."""
    KEEP = "keep"
    """The value stays."""


class OnResidual(StrEnum):
    """What becomes of a file whose output still holds a value that was replaced in it."""

    REPORT = "report"
    """It is reported."""
    FAIL = "fail"
    """The file fails."""


class PixelMethod(StrEnum):
    """How the places of burned-in text are known."""

    REGIONS = "regions"
    """Outside of the Ultrasound Regions of the file (PS3.3 C.8.5.5)."""
    DEVICES = "devices"
    """By the device, from a list of masks."""
    TEXT = "text"
    """A detector finds it."""


class PixelSelection(StrEnum):
    """Which files have their pixels cleaned."""

    REVIEW = "review"
    """Those that a person would have to look at."""
    ALL = "all"


class ReviewPolicy(StrEnum):
    """What becomes of a file whose pixels a person has to see."""

    LIST = "list"
    """It is listed."""
    HOLD = "hold"
    """It is listed, and goes to a directory of its own."""
    FAIL = "fail"
    """It fails."""


class ReportFormat(StrEnum):
    """How a report is written, by the end of its name."""

    HTML = ".html"
    JSON = ".json"


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
        tag_files: the paths of files with the spec, ``-`` for standard input; later ones win key by key.
        tag_info: the spec as delimited text.
        split_token: what separates the pairs of ``tag_info``.
        split_key_value: what separates the key of a pair from its value.
        files_from: a file that lists those to process, ``-`` for standard input; "" for a walk.
        null: whether a NUL ends each path of that list.
        archives: read archives as folders.
        where: the condition that chooses files; "" takes all.
        output_file_stem: the template that names the outputs; "" keeps the names.
        remove_private_tags: remove every private element, at every depth.
        profile: the profile and its options, ``basic[,option...]``; "" for none.
        keep_private: keys of private elements that the removal of private elements
            spares, each ``(gggg,"CREATOR",ee)`` or ``@FILE`` with one in each line.
        print_spec: print the spec that results and do nothing else.
        key_file: a file whose bytes are the secret key; "" for none.
        lookup_tables: the tables of ``%_lookup``, each ``name=FILE.csv``.
        functions: files with functions of the user's own.
        import_rules: a file with rules of another tool, to be printed as a spec; "" for none.
        import_masks: a file for the masks of pixels among these rules; "" for none.
        lookup_miss: what becomes of a value that its table lacks.
        lookup_missing: the path of a list of the values that tables lack; "" for none.
        uid_root: what new UIDs begin with; "" for pydicom's root.
        assume_character_set: the Specific Character Set of files that declare none, or one that
            nobody knows; "" for none.
        output_dir_template: the template that names the directories of the outputs; ""
            keeps those of the inputs.
        dry_run: do everything but the writing, and print what would be done.
        show_values: show original values in the table of a dry run and in reports.
        reports: the files to write a report to, ``.html`` or ``.json``.
        verify: read each output again and hold it against its input.
        on_residual: what becomes of a file whose output still holds a value that was
            replaced in it.
        max_inflated: the most bytes that a deflated data set may become; 0 for the default, by
            which its ratio counts, too.
        ledger: the path of a ledger of finished outputs; "" for none.
        prune: remove outputs of the ledger whose inputs are gone.
        crosswalk: the path of a table of original and new identifiers; "" for none.
        log: the path of a log with a line for each file; "" for none.
        clean_pixels: how to find burned-in text that is blackened: ``regions``, ``devices``, ``text``,
            joined with commas; "" to leave all pixels alone.
        pixel_masks: the path of more masks of devices; "" for none.
        clean_pixels_of: which files have their pixels cleaned.
        mask_all_frames: whether text that is found on one frame is blackened on all.
        review_sheet: the path of a page with the pictures that need a look; "" for none.
        pixel_review: what becomes of files whose pixels a person has to see.
        hold_dir: the directory of those that are held; "" for none.
        dask: the address of a Dask scheduler; "" for none.
        dask_send_key: send the secret key to Dask workers with the work.
        quiet: show errors only, whatever the verbosity.
        syslog: begin each message as syslog does.
        print_elapsed_time: print how long the run took.
    """

    tree: TreeOptions
    tag_struct: str | None = None
    tag_files: tuple[str, ...] = ()
    tag_info: str | None = None
    split_token: str = "++"  # noqa: S105
    split_key_value: str = ":"
    files_from: str = ""
    null: bool = False
    archives: bool = False
    where: str = ""
    output_file_stem: str = ""
    remove_private_tags: bool = False
    profile: str = ""
    keep_private: tuple[str, ...] = ()
    print_spec: bool = False
    key_file: str = ""
    import_rules: str = ""
    import_masks: str = ""
    functions: tuple[str, ...] = ()
    lookup_tables: tuple[str, ...] = ()
    lookup_miss: LookupMiss = LookupMiss.FAIL
    lookup_missing: str = ""
    uid_root: str = ""
    assume_character_set: str = ""
    output_dir_template: str = ""
    dry_run: bool = False
    show_values: bool = False
    reports: tuple[str, ...] = ()
    verify: bool = False
    on_residual: OnResidual = OnResidual.REPORT
    max_inflated: int = 0
    ledger: str = ""
    prune: bool = False
    crosswalk: str = ""
    log: str = ""
    clean_pixels: str = ""
    pixel_masks: str = ""
    clean_pixels_of: PixelSelection = PixelSelection.REVIEW
    mask_all_frames: bool = False
    review_sheet: str = ""
    pixel_review: ReviewPolicy = ReviewPolicy.LIST
    hold_dir: str = ""
    dask: str = ""
    dask_send_key: bool = False
    quiet: bool = False
    syslog: bool = False
    print_elapsed_time: bool = False
