"""The command: options to an exit code, the one place where exceptions become exit codes."""

from __future__ import annotations

import errno
import io
import os
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .._version import COMMAND
from ..cli import parser as cli
from ..core import platforms
from ..core.errors import ExitCode, Interrupted, TagSubError
from ..core.options import LookupMiss, OnResidual, Options
from ..core.outcome import FileOutcome, Status
from ..core.plan import Plan
from ..report.record import RunReport, summary_line, to_json
from ..report.totals import Totals
from ..run.deferred_signals import DeferredSignals
from ..text.printable import encodable
from .console import UNSIZED_COLUMNS, Console, progress
from .run_files import Reporting, cluster_of, ledger_of, log_of
from .signals import Signals

if TYPE_CHECKING:
    from ..engine.surveyor import SurveyOptions
    from ..pixels.settings import PixelSettings
    from ..report.file_log import FileLog
    from ..spec.building import Built
    from ..spec.conditions import Condition
    from ..spec.rules import RuleSet

_MAX_LINES = 20
"""How many failed, and how many skipped, files are named on the console."""

_NAMED_MOST = 5
"""How many files a warning names."""

_PER_FILE = 5
"""The verbosity that shows a line per file."""


class _Reporter:
    """What each outcome adds to the totals and shows on the console."""

    def __init__(self, console: Console, totals: Totals, log: FileLog | None) -> None:
        self._console = console
        self._totals = totals
        self._log = log
        self._failed = 0
        self._skipped = 0

    def take(self, outcome: FileOutcome) -> None:
        """Count one file and show it as the verbosity asks."""
        self._totals.add(outcome)
        if self._log is not None:
            self._log.write(outcome)
        every = self._console.verbosity >= _PER_FILE
        match outcome.status:
            case Status.FAILED:
                self._failed += 1
                if every or self._failed <= _MAX_LINES:
                    self._console.error(f"{outcome.relative}: {outcome.stage}: {outcome.reason}")
            case Status.SKIPPED | Status.NOT_SELECTED:
                self._skipped += 1
                if every or self._skipped <= _MAX_LINES:
                    self._console.note(2, f"skipped {outcome.relative}: {outcome.reason}")
            case _ if every:
                self._console.note(_PER_FILE, _describe(outcome, is_dry=self._totals.is_dry))

    def close(self) -> None:
        """Say how many files were not named."""
        if self._console.verbosity >= _PER_FILE:
            return
        if self._failed > _MAX_LINES:
            self._console.error(f"... and {self._failed - _MAX_LINES} more failed; --json lists all")
        if self._skipped > _MAX_LINES:
            self._console.note(2, f"... and {self._skipped - _MAX_LINES} more skipped; --json lists all")


def _describe(outcome: FileOutcome, *, is_dry: bool) -> str:
    """One line on a file that was read, substituted and written."""
    changes = sum(count for _, _, count in outcome.elements)
    if outcome.status is Status.CURRENT:
        return f"{outcome.relative}: not read, the ledger has it as done"
    end = "unchanged, the output exists already"
    if outcome.status is Status.WRITTEN:
        end = "would be written" if is_dry else "written"
    return f"{outcome.relative}: read, elements changed: {changes}, {end}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments without the program's name; None reads ``sys.argv``.

    Returns:
        The exit code, one of :class:`ExitCode`.
    """
    return _main(argv, ends_process=False)


def _main(argv: Sequence[str] | None, *, ends_process: bool) -> int:
    start = time.perf_counter()
    try:
        with Signals(ends_process=ends_process) as signals:
            return _parse_and_run(argv, signals, start)
    except Interrupted as stop:  # before there was anything to record
        return stop.exit_code


def _parse_and_run(argv: Sequence[str] | None, signals: Signals, start: float) -> int:
    if problem := platforms.find_problem():
        Console(0).error(problem)
        return _refuse(problem, argv, start)
    try:
        options = cli.parse(argv)
    except cli.UsageExit as stop:
        return _refuse(stop.message, argv, start)
    except SystemExit as stop:  # --help, --man, --synopsis, --version
        return stop.code if isinstance(stop.code, int) else ExitCode.OK
    console = Console(options.tree.verbosity, options.syslog)
    if options.print_spec:
        return _print_spec(options, console)
    if options.log:
        signals.outlast_hangups()
    report = _run(options, console, signals, start)
    if options.tree.json:
        is_printed = _print_record(report, console)
    else:
        is_printed = not options.dry_run or _print_table(report, console)
    return report.exit_code if is_printed else report.exit_code or ExitCode.FILES_FAILED


def _refuse(problem: str, argv: Sequence[str] | None, start: float) -> ExitCode:
    """End a command that did nothing and has said why, with a record where one is asked for."""
    if _asks_for_json(sys.argv[1:] if argv is None else argv):
        report = Totals().finish(ExitCode.USAGE, time.perf_counter() - start, "", problem)
        _print_record(report, Console(0))
    return ExitCode.USAGE


def _run(options: Options, console: Console, signals: Signals, start: float) -> RunReport:
    """Do the work; every exception ends here, as an exit code and a message."""
    totals = Totals(is_dry=options.dry_run)
    reporting: Reporting | None = None
    digest = profile = fingerprint = error = trouble = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's quote values
            plan, rules, profile = _prepare(options, console)
            digest = rules.digest
            fingerprint = rules.resources.secret.fingerprint if rules.resources.secret else ""
            pixels, cleaned_rules = _pixels(options)
            if options.dry_run or options.reports:
                reporting = Reporting(options, plan, rules, console)
                totals.survey = reporting.survey
            trouble = _process(
                plan,
                rules,
                options,
                console,
                totals,
                signals.deferred,
                reporting.survey_options if reporting else None,
                pixels,
                cleaned_rules,
            )
        exit_code = ExitCode.FILES_FAILED if totals.failed or trouble else ExitCode.OK
    except Interrupted as stop:
        exit_code = stop.exit_code
    except TagSubError as stop:
        exit_code, error = stop.exit_code, str(stop)
    except Exception as bug:  # the last resort; its text may quote a value
        exit_code, error = ExitCode.USAGE, _locate(bug)
    signals.disarm()
    report = totals.finish(
        exit_code,
        time.perf_counter() - start,
        digest,
        error or trouble,
        profile=profile,
        profile_edition=_edition() if profile else "",
        key_fingerprint=fingerprint,
    )
    if reporting is not None and not reporting.write(report):
        report = replace(report, exit_code=report.exit_code or ExitCode.FILES_FAILED)
    if error:
        console.error(error)
    _warn_of_inputs(totals, console, is_whole=report.exit_code in {ExitCode.OK, ExitCode.FILES_FAILED})
    _warn_of_results(totals, console)
    report = replace(report, warnings=tuple(console.warned))
    if totals.found or not error:
        console.summary(summary_line(report))
    if options.print_elapsed_time:
        console.always(f"Elapsed time = {report.run_time:f} seconds")
    return report


def _number(found: Sequence[object], noun: str) -> str:
    return f"{len(found)} {noun}{'s' * (len(found) != 1)}"


def _of(count: int, one: str, many: str) -> str:
    """What is said of one, or of many with their number for ``{}``."""
    return one if count == 1 else many.format(count)


def _some(paths: Sequence[str]) -> str:
    """The first of some paths."""
    rest = len(paths) - _NAMED_MOST
    return ", ".join(paths[:_NAMED_MOST]) + (f" and {rest} more" if rest > 0 else "")


def _warn_of_inputs(totals: Totals, console: Console, *, is_whole: bool) -> None:
    """Say what of the inputs was not processed.

    Args:
        totals: the sums of the run.
        console: where to say it.
        is_whole: whether the run came to its end.
    """
    if is_whole and (strangers := totals.strangers):
        console.warning(
            f"none of the {_number(strangers, 'file')} found is DICOM, so nothing was written: "
            f"{_some(strangers)}; is it the right --inputDir?"
        )
    if is_whole and totals.has_selected_none:
        console.warning("--where selected no file, so nothing was written")
    if archives := totals.archives:
        console.warning(
            f"what is in {_number(archives, 'archive')} was not processed: "
            f"{_some([path for path, _ in archives])}; unpack and run again; --json lists all under archives"
        )


def _edition() -> str:
    """The edition of the tables of the profile."""
    from ..spec.profile import edition  # noqa: PLC0415

    return edition().name


def _warn_of_results(totals: Totals, console: Console) -> None:
    """Say what of the outputs a person has to look after."""
    if totals.paths_with_values:
        console.warning(
            f"{_of(totals.paths_with_values, 'the path of 1 output holds', 'the paths of {} outputs hold')} "
            "a value that the run replaced; name outputs with --outputDirTemplate and --outputFileStem"
        )
    if totals.unknown:
        console.warning(
            f"{_of(totals.unknown, '1 file declares', '{} files declare')} a Specific Character Set that is "
            "none of the standard's; the text is ASCII, which every reader reads alike; --json lists them "
            "under unknownCharsets; --assumeCharacterSet TERM declares a right one"
        )
    if totals.residuals:
        console.warning(
            f"{_of(totals.residuals, '1 output still holds', '{} outputs still hold')} a value that the run "
            "replaced; --json lists paths and elements under residuals, and --onResidual fail writes no such "
            "output"
        )
    if totals.review:
        console.warning(
            f"{_of(totals.review, '1 output', '{} outputs')} may show identifying text or features in the "
            "pixels, which a person has to look at; --json lists paths under pixelReview"
        )


def _compile(options: Options, *, is_cleaned: bool = False) -> Built:
    """The rules of a command line.

    Args:
        options: of the command line.
        is_cleaned: whether they are for files whose pixels are cleaned, which are stamped.

    Raises:
        SpecError: the spec cannot mean what it says.
    """
    # Imported here: they load pydicom, which --version, --man and usage errors can spare.
    from ..spec import parsing  # noqa: PLC0415
    from ..spec.building import build_rules  # noqa: PLC0415
    from ..spec.function_types import Resources  # noqa: PLC0415
    from ..spec.hash_functions import check_uid_root  # noqa: PLC0415
    from ..spec.secret import load_secret  # noqa: PLC0415
    from ..spec.tables import load_tables  # noqa: PLC0415

    check_uid_root(options.uid_root)
    secret, warned = load_secret(options.key_file, os.environb)
    tables = load_tables(options.lookup_tables)
    built = build_rules(
        parsing.load(options),
        profile=options.profile,
        keep_private=options.keep_private,
        remove_private=options.remove_private_tags,
        output_stem=options.output_file_stem,
        output_dir=options.output_dir_template,
        resources=Resources(
            secret,
            tables,
            options.lookup_miss is LookupMiss.EMPTY,
            options.uid_root,
            options.lookup_miss is LookupMiss.KEEP,
        ),
        assumed=options.assume_character_set,
        is_cleaned=is_cleaned,
    )
    return replace(built, warnings=(*warned, *built.warnings, *built.rules.warnings))


def _print_spec(options: Options, console: Console) -> int:
    """Print the spec that the options result in; nothing is read or written."""
    from ..spec.parsing import to_json as spec_to_json  # noqa: PLC0415

    try:
        built = _compile(options)
    except TagSubError as stop:
        console.error(str(stop))
        return stop.exit_code
    for text in built.warnings:
        console.warning(text)
    return ExitCode.OK if _print("the spec", spec_to_json(built.spec), console) else ExitCode.FILES_FAILED


def _pixels(options: Options) -> tuple[PixelSettings | None, RuleSet | None]:
    """How pixels are cleaned, and the rules for files where this is done; None where pixels are left alone.

    Raises:
        SpecError: the masks are none.
    """
    methods = cli.pixel_methods(options.clean_pixels, options.profile)
    if not methods:
        return None, None
    from ..pixels.settings import PixelSettings  # noqa: PLC0415  (only where it was asked for)

    settings = PixelSettings.of(
        methods, options.pixel_masks, options.clean_pixels_of, all_frames=options.mask_all_frames
    )
    return settings, _compile(options, is_cleaned=True).rules


def _prepare(options: Options, console: Console) -> tuple[Plan, RuleSet, str]:
    """Spec, rules and plan, each finished before the next begins; nothing is written.

    Raises:
        TagSubError: the spec or the trees cannot be worked on.
    """
    from ..run import walk as planning  # noqa: PLC0415

    built = _compile(options)
    plan = planning.build(options)
    for text in (*built.warnings, *plan.warnings):
        console.warning(text)
    _show_plan(plan, options, console)
    return plan, built.rules, built.profile


def _process(
    plan: Plan,
    rules: RuleSet,
    options: Options,
    console: Console,
    totals: Totals,
    deferred: DeferredSignals,
    survey_options: SurveyOptions | None,
    pixels: PixelSettings | None,
    cleaned_rules: RuleSet | None,
) -> str:
    """Work through the plan.

    Returns:
        What went wrong with the ledger or the log, though not with the outputs; "" if nothing
        did. It has been shown.

    Raises:
        LedgerError: the ledger cannot be used; nothing was done.
        LogError: the log cannot be opened; likewise.
        Interrupted: after the workers have stopped.
    """
    from ..run import runner  # noqa: PLC0415
    from ..run.run_settings import RunListeners, RunSettings  # noqa: PLC0415

    settings = RunSettings(
        where=_condition_of(options),
        rules=rules,
        workers=options.tree.threads,
        overwrite=options.tree.overwrite,
        follow_links=options.tree.followLinks or bool(plan.single),
        cluster=cluster_of(options),
        verify=options.verify,
        fail_residuals=options.on_residual is OnResidual.FAIL,
        is_dry=options.dry_run,
        survey_options=survey_options,
        max_inflated=options.max_inflated,
        pixels=pixels,
        cleaned_rules=cleaned_rules,
    )
    with ExitStack() as stack:
        ledger = ledger_of(plan, rules, options, console, pixels)
        if ledger is not None:
            stack.enter_context(ledger)
        log = log_of(plan, options, console)
        if log is not None:
            stack.enter_context(log)
        reporter = _Reporter(console, totals, log)
        try:
            with progress(plan.file_count, console) as bar:

                def on_outcome(outcome: FileOutcome) -> None:
                    reporter.take(outcome)
                    bar.advance(outcome.status is Status.FAILED)

                for outcome in plan.unreadable:
                    reporter.take(outcome)
                runner.run(
                    plan,
                    settings,
                    RunListeners(
                        on_outcome=on_outcome, deferred=deferred, on_warning=console.warning, ledger=ledger
                    ),
                )
        finally:
            if ledger is not None:
                with deferred:  # one signal more or less is no reason to lose what was done
                    ledger.close()
            reporter.close()
            problems = [kept.problem for kept in (ledger, log) if kept is not None and kept.problem]
            for problem in problems:
                console.error(problem)
        return "; ".join(problems)


def _show_plan(plan: Plan, options: Options, console: Console) -> None:
    tree = options.tree
    if not plan.file_count:
        filters = {
            "--inputFile": tree.inputFile,
            "--fileFilter": tree.fileFilter,
            "--dirFilter": tree.dirFilter,
            "--maxDepth": "" if tree.maxDepth < 0 else str(tree.maxDepth),
        }
        given = ", ".join(f"{flag} {value}" for flag, value in filters.items() if value)
        console.warning(f"no file found in {plan.input_root}" + (f" with {given}" if given else ""))
    workers = f"those of {options.dask}" if options.dask else tree.threads or "none"
    console.note(
        2,
        f"plan: {plan.input_root} to {plan.output_root}, directories: {len(plan.directories)}, "
        f"files: {plan.file_count}, workers: {workers}",
    )
    if console.verbosity >= 3:
        for directory in plan.directories:
            console.note(
                3, f"plan: {directory.relative} to {directory.output_dir}, files: {len(directory.names)}"
            )


def _condition_of(options: Options) -> Condition | None:
    """The condition that chooses files; None without one.

    Raises:
        SpecError: it is none.
    """
    if not options.where:
        return None
    from ..spec.conditions import parse_condition  # noqa: PLC0415  (for runs with a condition alone)

    return parse_condition(options.where, "--where")


def _asks_for_json(argv: Sequence[str]) -> bool:
    """Whether a command line that could not be parsed holds ``--json``, perhaps abbreviated."""
    return any(len(word) > 2 and "--json".startswith(word) for word in argv)


def _print_record(report: RunReport, console: Console) -> bool:
    """Print the record; False where standard output does not take it."""
    return _print("the record", to_json(report), console)


def _print_table(report: RunReport, console: Console) -> bool:
    """Print what a dry run found; False where standard output does not take it."""
    if report.survey is None:  # it ended before its time
        return True
    from ..report.survey_table import lines  # noqa: PLC0415

    width = shutil.get_terminal_size((UNSIZED_COLUMNS, 24)).columns
    text = "\n".join(lines(report.survey, width))
    return _print("the table", text if sys.stdout is None else encodable(text, sys.stdout), console)


def _print(what: str, text: str, console: Console) -> bool:
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        console.error(f"{what} could not be written to standard output: {reason}")
        return False
    return True


SYSTEM_LIMITS = {
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "raise the system's limit on open files",
    errno.EAGAIN: "raise the limit on processes (docker --pids-limit, ulimit -u)",
    errno.ENOMEM: "raise the limit on memory (ulimit -v, docker --memory)",
}
"""What to do where the system itself has no more to give."""


def _locate(error: BaseException) -> str:
    """Where in this package an unexpected exception was raised, without its text."""
    package = COMMAND
    if isinstance(error, OSError) and error.errno in SYSTEM_LIMITS:
        return f"{os.strerror(error.errno)}: {SYSTEM_LIMITS[error.errno]} and run again"
    if isinstance(error, MemoryError):
        return "out of memory: raise the limit (ulimit -v, docker --memory) and run again"
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == package or place == "an unknown place":
            place = f"{module}:{line}"
    return f"internal error: {type(error).__name__} at {place}; please report it"


def run() -> None:
    """The console script: :func:`main` with the process around it made safe."""
    _occupy_standard_descriptors()
    code: int
    try:
        code = _main(None, ends_process=True)
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except OSError as error:  # of standard output, such as --man | head
        code = _code_of(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError) as error:
            if stream is sys.stdout:
                code = code or _code_of(error)
            # The interpreter flushes once more as it ends, and would complain.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(int(code))


def _code_of(error: Exception) -> ExitCode:
    """What a page that could not be printed means: a reader may stop reading."""
    return ExitCode.OK if isinstance(error, BrokenPipeError) else ExitCode.USAGE


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output that the caller closed."""

    def write(self, _text: str, /) -> int:
        """Take nothing.

        Raises:
            OSError: always.
        """
        raise OSError(errno.EBADF, "it is closed")


def _occupy_standard_descriptors() -> None:
    """Open what the caller closed of 0, 1 and 2, lest an output file take its number.

    What is printed to a standard output that was closed is an error: a record that nobody gets is lost.
    """
    # The files stay open for as long as the process lasts.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
