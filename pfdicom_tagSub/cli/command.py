"""The command: options to an exit code, the one place where exceptions become exit codes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ..cli import parser as cli
from ..core import platforms
from ..core.errors import ExitCode, Interrupted, TagSubError
from ..core.options import OnResidual, Options
from ..core.outcome import FileOutcome, OutcomeTally, Status
from ..core.plan import Plan
from ..core.spec_parts import SpecPart
from ..report.record import RunReport, summary_line
from ..report.totals import Totals
from ..run.deferred_signals import DeferredSignals
from .caller import caller_of
from .closing_warnings import warn_of_inputs, warn_of_results
from .console import Console, libraries_silenced, progress
from .file_messages import FileMessages
from .printing import print_record, print_table, print_text, show_plan
from .rules_from_options import (
    check_review,
    cluster_of,
    compile_options,
    condition_of,
    fifos_of,
    pixels_of,
)
from .signals import Signals
from .standard_streams import occupy_descriptors
from .unexpected_errors import locate

if TYPE_CHECKING:
    from ..kept_files import KeptFiles
    from ..spec.rules import RuleSet

_OWN_FUNCTIONS = "pfdicom_tagSub.spec.own_functions"
"""Loaded where a spec names a function of the user."""


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
    for flag, path in fifos_of(options):
        console.note(1, f"{flag} {path} is a FIFO: waiting until something is written to it")
    if options.import_rules:
        from .importing import print_imported  # noqa: PLC0415  (for this alone)

        return print_imported(options.import_rules, console, options.import_masks)
    if options.print_spec:
        return _print_spec(options, console)
    if options.log:
        signals.outlast_hangups()
    report = _run(options, console, signals, start)
    if options.tree.json:
        is_printed = print_record(report, console)
    else:
        is_printed = not options.dry_run or print_table(report, console)
    return report.exit_code if is_printed else report.exit_code or ExitCode.FILES_FAILED


def _refuse(problem: str, argv: Sequence[str] | None, start: float) -> ExitCode:
    """End a command that did nothing and has said why, with a record where one is asked for."""
    if _asks_for_json(sys.argv[1:] if argv is None else argv):
        report = Totals().finish(ExitCode.USAGE, time.perf_counter() - start, "", problem)
        print_record(report, Console(0))
    return ExitCode.USAGE


def _run(options: Options, console: Console, signals: Signals, start: float) -> RunReport:
    """Do the work; every exception ends here, as an exit code and a message."""
    totals = Totals(is_dry=options.dry_run)
    kept: KeptFiles | None = None
    digest = profile = fingerprint = error = ""
    parts: tuple[SpecPart, ...] = ()
    try:
        with libraries_silenced(), ExitStack() as streams:
            if options.functions:
                _keep_apart(options, streams)
            plan, rules, profile = _prepare(options, console)
            if not options.functions and _OWN_FUNCTIONS in sys.modules:  # those of a package
                _keep_apart(options, streams)
            digest, parts = rules.digest, rules.parts
            fingerprint = rules.resources.secret.fingerprint if rules.resources.secret else ""
            rules = replace(rules, pixels=pixels_of(options))
            kept = _kept(plan, rules, options, totals, console, signals.deferred)
            _process(plan, rules, options, console, kept, signals.deferred)
        exit_code = kept.exit_code
    except Interrupted as stop:
        exit_code = stop.exit_code
    except TagSubError as stop:
        exit_code, error = stop.exit_code, str(stop)
    except Exception as bug:  # the last resort; its text may quote a value
        exit_code, error = ExitCode.USAGE, locate(bug)
    signals.disarm()
    is_whole = exit_code in {ExitCode.OK, ExitCode.FILES_FAILED}
    report = totals.finish(
        exit_code,
        time.perf_counter() - start,
        digest,
        error or ("; ".join(kept.problems) if kept is not None and is_whole else ""),
        profile=profile,
        profile_edition=_edition() if profile else "",
        key_fingerprint=fingerprint,
        spec_parts=parts,
    )
    if error:
        console.error(error)
    warn_of_inputs(totals, console, is_whole=is_whole, reads_archives=options.archives)
    warn_of_results(totals, console, prunes=options.prune)
    report = replace(report, warnings=tuple(console.warned))
    if kept is not None:
        with signals.deferred:
            signals.rearm()
            report, problems = kept.write_reports(report)
            signals.disarm()
        for problem in problems:
            console.error(problem)
    if totals.found or not error:
        console.summary(summary_line(report))
    if options.print_elapsed_time:
        console.always(f"Elapsed time = {report.run_time:f} seconds")
    return report


def _keep_apart(options: Options, streams: ExitStack) -> None:
    """Keep what functions of the user write to standard output and error out of them."""
    from ..files.own_files import is_descriptor  # noqa: PLC0415  (for these runs alone)
    from .own_descriptors import descriptors_apart  # noqa: PLC0415

    if not (options.log and is_descriptor(options.log)):
        streams.enter_context(descriptors_apart())


def _kept(
    plan: Plan,
    rules: RuleSet,
    options: Options,
    totals: Totals,
    console: Console,
    deferred: DeferredSignals,
) -> KeptFiles:
    """What the run keeps besides its outputs.

    Raises:
        PlanError: a report cannot be written where the options say.
    """
    from ..kept_files import KeptFiles  # noqa: PLC0415  (after the plan is made: it loads what works on files)

    return KeptFiles(plan, rules, options, totals, caller_of(options, console, deferred))


def _edition() -> str:
    """The edition of the tables of the profile."""
    from ..spec.profile import edition  # noqa: PLC0415

    return edition().name


def _print_spec(options: Options, console: Console) -> int:
    """Print the spec that the options result in; nothing is read or written."""
    from ..spec.parsing import to_json as spec_to_json  # noqa: PLC0415

    try:
        built = compile_options(options)
    except TagSubError as stop:
        console.error(str(stop))
        return stop.exit_code
    for text in built.warnings:
        console.warning(text)
    return ExitCode.OK if print_text("the spec", spec_to_json(built.spec), console) else ExitCode.FILES_FAILED


def _prepare(options: Options, console: Console) -> tuple[Plan, RuleSet, str]:
    """Spec, rules and plan, each finished before the next begins; nothing is written.

    Raises:
        TagSubError: the spec or the trees cannot be worked on.
    """
    from ..run import walk as planning  # noqa: PLC0415

    built = compile_options(options)
    plan = planning.build(options)
    for text in (*built.warnings, *plan.warnings):
        console.warning(text)
    show_plan(plan, options, console)
    return plan, built.rules, built.profile


def _process(
    plan: Plan,
    rules: RuleSet,
    options: Options,
    console: Console,
    kept: KeptFiles,
    deferred: DeferredSignals,
) -> None:
    """Work through the plan. What goes wrong with what is kept is shown, and does not end it.

    Raises:
        TagSubError: the ledger, the log or another file of the run cannot be used; nothing was done.
        Interrupted: after the workers have stopped.
    """
    from ..run import runner  # noqa: PLC0415
    from ..run.run_settings import RunListeners, RunSettings  # noqa: PLC0415

    messages = FileMessages(console, is_dry=options.dry_run)
    condition = condition_of(options)
    check_review(rules, options)
    try:
        with kept:
            settings = RunSettings(
                where=condition,
                rules=rules,
                workers=options.tree.threads,
                overwrite=options.tree.overwrite,
                follow_links=options.tree.followLinks or bool(plan.single),
                cluster=cluster_of(options),
                verify=options.verify,
                fail_residuals=options.on_residual is OnResidual.FAIL,
                is_dry=options.dry_run,
                survey_options=kept.survey_options,
                max_inflated=options.max_inflated,
                pairs=bool(options.crosswalk),
                held=kept.held,
            )
            with progress(plan.file_count, console) as bar:

                def on_outcome(outcome: FileOutcome) -> None:
                    kept.take(outcome)
                    messages.show(outcome)
                    bar.advance(failed=outcome.status is Status.FAILED)

                def on_tally(tally: OutcomeTally) -> None:
                    kept.totals.add_tally(tally)
                    bar.advance(failed=False, count=tally.files)

                for outcome in plan.unreadable:
                    kept.take(outcome)
                    messages.show(outcome)
                runner.run(
                    plan,
                    settings,
                    RunListeners(
                        on_outcome=on_outcome,
                        on_tally=None if kept.wants_each or messages.wants_each else on_tally,
                        deferred=deferred,
                        on_warning=console.warning,
                        ledger=None if options.dry_run else kept.ledger,
                    ),
                )
            kept.prune(messages.show_orphan)
    finally:
        messages.close()
        for problem in kept.problems:
            console.error(problem)


def _asks_for_json(argv: Sequence[str]) -> bool:
    """Whether a command line that could not be parsed holds ``--json``, perhaps abbreviated."""
    return any(len(word) > 2 and "--json".startswith(word) for word in argv)


def run(on_end: Callable[[int], None] = lambda _: None) -> None:
    """The console script: :func:`main` with the process around it made safe.

    Args:
        on_end: told the exit code when nothing is left to do.
    """
    occupy_descriptors()
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
    on_end(int(code))
    sys.exit(int(code))


def _code_of(error: Exception) -> ExitCode:
    """What a page that could not be printed means: a reader may stop reading."""
    return ExitCode.OK if isinstance(error, BrokenPipeError) else ExitCode.USAGE
