"""What a run keeps besides its outputs, as the options ask: a ledger, a log, reports.

The modules that keep them are imported only where somebody asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..core.errors import ExitCode, Interrupted, SpecError
from ..core.options import Cluster, Options, ReviewPolicy
from ..core.plan import Plan
from ..report.record import RunReport
from .console import Console
from .given_flags import flags_of
from .option_table import OPTIONS

if TYPE_CHECKING:
    from ..core.outcome import Orphan
    from ..pixels.settings import PixelSettings
    from ..report.crosswalk import Crosswalk
    from ..report.file_log import FileLog
    from ..report.missing_values import MissingValues
    from ..report.review_sheet import ReviewSheet
    from ..run.deferred_signals import DeferredSignals
    from ..run.held_files import HeldFiles
    from ..run.ledger import Ledger
    from ..spec.rules import RuleSet
    from .signals import Signals


class Reporting:
    """What a dry run and the reports of a run need besides the record."""

    def __init__(self, options: Options, plan: Plan, rules: RuleSet, console: Console) -> None:
        """Check where the reports shall go.

        Raises:
            PlanError: one cannot be written.
        """
        from ..engine.surveyor import SurveyOptions  # noqa: PLC0415
        from ..report import html as htmlreport  # noqa: PLC0415  (only where somebody asks)
        from ..report.survey import Survey  # noqa: PLC0415
        from ..report.targets import find_targets  # noqa: PLC0415

        self._targets, warned = find_targets(options, plan)
        for text in warned:
            console.warning(text)
        self._console = console
        self._ran = htmlreport.RunFacts(
            flags_of(options),
            datetime.now(UTC),
            (*rules.warnings, *plan.warnings),
            options.tree.threads,
        )
        self.survey_options = SurveyOptions(show_values=options.show_values)
        self.survey = Survey(rules, shows_values=options.show_values)

    def write(self, report: RunReport) -> bool:
        """Write the reports; False where one could not be written."""
        from ..report.html import render  # noqa: PLC0415

        is_whole = True
        for target in self._targets:
            try:
                target.write(render(target, report, self._ran))
            except OSError as error:
                is_whole = False
                self._console.error(f"--report {target.shown} could not be written: {error.strerror}")
        return is_whole


def open_ledger(
    plan: Plan, rules: RuleSet, options: Options, console: Console, pixels: PixelSettings | None = None
) -> Ledger | None:
    """The ledger, open; None where none is asked for. In a dry run it is for ``prune`` alone.

    Raises:
        PlanError: it lies in one of the trees.
        LedgerError: it cannot be used.
    """
    if not options.ledger:
        return None
    from ..run.ledger import Ledger  # noqa: PLC0415
    from ..run.ledger_file import Identity  # noqa: PLC0415
    from ..run.walk import check_outside  # noqa: PLC0415

    check_outside(plan, "--ledger", options.ledger)
    if options.dry_run and (not options.prune or not os.path.lexists(options.ledger)):
        console.warning("--dryRun neither reads nor writes the --ledger: every file counts as new")
        return None
    others = [f"{option.flag} {option.of(options)}" for option in OPTIONS if option.identifies_outputs]
    identity = Identity.of(rules, pixels, others)
    ledger = Ledger(options.ledger, plan.input_root, plan.output_root, identity, reads_only=options.dry_run)
    for text in ledger.warnings:
        console.warning(text)
    return ledger


def prune_outputs(
    plan: Plan,
    rules: RuleSet,
    options: Options,
    ledger: Ledger,
    deferred: DeferredSignals,
    on_orphan: Callable[[Orphan], None],
) -> str:
    """Remove outputs whose inputs are gone, or count them; why nothing was removed, "" for no reason."""
    from .. import kept_files  # noqa: PLC0415

    return kept_files.prune_outputs(plan, rules, options, ledger, deferred, on_orphan)


def open_crosswalk(plan: Plan, options: Options, ledger: Ledger | None) -> Crosswalk | None:
    """The crosswalk, with what is in it; None where none is asked for.

    Raises:
        PlanError: it lies in one of the trees.
        OwnFileError: it cannot be used.
    """
    if not options.crosswalk:
        return None
    from .. import kept_files  # noqa: PLC0415

    return kept_files.open_crosswalk(plan, options, ledger, "--crosswalk")


def find_held_files(plan: Plan, rules: RuleSet, options: Options) -> HeldFiles | None:
    """What becomes of files whose pixels a person has to see; None where they are listed alone.

    Raises:
        PlanError: the directory for them is not apart from the trees.
        SpecError: no pixels would be looked at.
    """
    if options.pixel_review is ReviewPolicy.LIST:
        return None
    from ..kept_files import held_files_of  # noqa: PLC0415

    if not rules.claims_identity_removed and not options.clean_pixels:
        raise SpecError(
            f"--pixelReview {options.pixel_review}: no file is for review without --profile or --cleanPixels"
        )
    return held_files_of(plan, options, "--holdDir")


def open_missing_values(plan: Plan, options: Options) -> MissingValues | None:
    """The list of what lookup tables lack, which is written at the end; None where none is asked for.

    Raises:
        PlanError: it lies in one of the trees.
        OwnFileError: it cannot be written.
    """
    if not options.lookup_missing:
        return None
    from .. import kept_files  # noqa: PLC0415

    return kept_files.open_missing_values(plan, options, "--lookupMissing")


def end_crosswalk(crosswalk: Crosswalk, ledger: Ledger | None, console: Console, *, is_dry: bool) -> None:
    """Write the crosswalk, and warn of originals that became one."""
    from ..kept_files import write_crosswalk  # noqa: PLC0415

    write_crosswalk(crosswalk, ledger, is_dry=is_dry)
    for attribute, count in crosswalk.collisions().items():
        values = "1 new value stands" if count == 1 else f"{count} new values stand"
        console.warning(f"--crosswalk: {attribute}: {values} for more than one original")
    crosswalk.close()


def open_log(plan: Plan, options: Options, console: Console) -> FileLog | None:
    """The log, open; None where none is asked for.

    Raises:
        PlanError: it lies in one of the trees.
        LogError: it cannot be opened.
    """
    if not options.log:
        return None
    from ..report.file_log import FileLog  # noqa: PLC0415
    from ..run.walk import check_outside  # noqa: PLC0415

    check_outside(plan, "--log", options.log)
    if options.dry_run:
        console.warning("--dryRun does not write the --log, whose lines are about files that are written")
        return None
    return FileLog(options.log)


class ReviewSheetWriter:
    """The review sheet of a run."""

    def __init__(self, options: Options, plan: Plan, rules: RuleSet, console: Console) -> None:
        """Check where it shall go.

        Raises:
            PlanError: it lies in one of the trees, or cannot be written.
        """
        from ..report.review_sheet import ReviewSheet  # noqa: PLC0415  (only where somebody asks)
        from ..run.walk import check_outside  # noqa: PLC0415

        check_outside(plan, "--reviewSheet", options.review_sheet)
        self._sheet: ReviewSheet = ReviewSheet.at(options.review_sheet)
        self._input_root = plan.input_root
        self._follow_links = options.tree.followLinks or bool(plan.single)
        self._console = console
        if not rules.claims_identity_removed and not options.clean_pixels:
            console.warning(
                "--reviewSheet stays empty: nothing is for review without --profile or --cleanPixels"
            )

    def write(self, report: RunReport, signals: Signals) -> ExitCode:
        """Write it, whole for what the run saw or not at all; what the run then comes to.

        It decodes pictures and may take long, so one more signal is taken while it is written, which gives
        it up.
        """
        ended = report.exit_code in {ExitCode.OK, ExitCode.FILES_FAILED}
        if not ended and not sum(report.counts.values()):
            self._console.error(f"--reviewSheet {self._sheet.shown} was not written, as no file was seen")
            return report.exit_code
        try:
            with signals.deferred:
                signals.rearm()
                check = signals.deferred.check
                self._sheet.write(report, self._input_root, follow_links=self._follow_links, check=check)
                signals.disarm()
        except Interrupted as stop:
            self._console.error(f"--reviewSheet {self._sheet.shown} was not written, as a signal came")
            return report.exit_code if report.exit_code > ExitCode.USAGE else stop.exit_code
        except OSError as error:
            signals.disarm()
            self._console.error(f"--reviewSheet {self._sheet.shown} could not be written: {error.strerror}")
            return report.exit_code or ExitCode.FILES_FAILED
        return report.exit_code


def cluster_of(options: Options) -> Cluster | None:
    """The Dask cluster that the options name; None where this machine does the work."""
    if not options.dask:
        return None
    return Cluster(options.dask, options.key_file, options.lookup_tables, options.dask_send_key)
