"""What a run keeps besides its outputs, as the options ask: a ledger, a log, reports.

The modules that keep them are imported only where somebody asks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .._version import __version__
from ..core.errors import ExitCode
from ..core.options import Cluster, Options
from ..core.plan import Plan
from ..report.record import RunReport
from .console import Console
from .given_flags import flags_of
from .option_table import OPTIONS

if TYPE_CHECKING:
    from ..pixels.settings import PixelSettings
    from ..report.file_log import FileLog
    from ..report.review_sheet import ReviewSheet
    from ..run.ledger import Ledger
    from ..spec.rules import RuleSet


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
        self._ran = htmlreport.Ran(
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


def ledger_of(
    plan: Plan, rules: RuleSet, options: Options, console: Console, pixels: PixelSettings | None = None
) -> Ledger | None:
    """The ledger, open; None where none is asked for.

    Raises:
        PlanError: it lies in one of the trees.
        LedgerError: it cannot be used.
    """
    if not options.ledger:
        return None
    from ..core.versions import version_of  # noqa: PLC0415
    from ..run.ledger import Identity, Ledger  # noqa: PLC0415
    from ..run.walk import check_outside  # noqa: PLC0415

    check_outside(plan, "--ledger", options.ledger)
    if options.dry_run:
        console.warning("--dryRun neither reads nor writes the --ledger: every file counts as new")
        return None
    secret = rules.resources.secret
    identity = Identity(
        __version__,
        rules.digest,
        secret.fingerprint if secret else "",
        [
            *map(version_of, ("pydicom", "Faker")),
            *([f"pixels {pixels.digest}"] if pixels is not None else []),
            *(f"{option.flag} {option.of(options)}" for option in OPTIONS if option.identifies_outputs),
        ],
        rules.resources.tables,
        secret,
    )
    ledger = Ledger(options.ledger, plan.input_root, plan.output_root, identity)
    for text in ledger.warnings:
        console.warning(text)
    return ledger


def log_of(plan: Plan, options: Options, console: Console) -> FileLog | None:
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
        console.warning("--dryRun does not write the --log: its lines would tell of files that nobody wrote")
        return None
    return FileLog(options.log)


class Sheet:
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

    def write(self, report: RunReport) -> bool:
        """Write it; False where that was not possible."""
        if report.exit_code not in {ExitCode.OK, ExitCode.FILES_FAILED}:
            self._console.error(f"--reviewSheet {self._sheet.shown} was not written, as the run did not end")
            return False
        try:
            self._sheet.write(report, self._input_root, follow_links=self._follow_links)
        except OSError as error:
            self._console.error(f"--reviewSheet {self._sheet.shown} could not be written: {error.strerror}")
            return False
        return True


def cluster_of(options: Options) -> Cluster | None:
    if not options.dask:
        return None
    return Cluster(options.dask, options.key_file, options.lookup_tables, options.dask_send_key)
