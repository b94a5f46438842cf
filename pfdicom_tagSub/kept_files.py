"""What a run keeps besides its outputs; for one that a Python program starts, also what it comes to."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from .core.errors import ExitCode, PlanError
from .core.options import OnResidual, Options, ReportFormat, ReviewPolicy
from .core.outcome import FileOutcome, Orphan
from .core.plan import Plan
from .report.record import RunReport
from .report.totals import Totals
from .run.deferred_signals import DeferredSignals
from .run.walk import check_apart, check_outside
from .spec.output_names import may_quote_replaced
from .spec.rules import RuleSet

if TYPE_CHECKING:
    from .engine.surveyor import SurveyOptions
    from .report.crosswalk import Crosswalk
    from .report.file_log import FileLog
    from .report.missing_values import MissingValues
    from .report.review_sheet import ReviewSheet
    from .report.targets import Target
    from .run.held_files import HeldFiles
    from .run.ledger import Ledger


def check_arguments(options: Options, rules: RuleSet) -> None:
    """Find arguments of ``run_tree`` that do not go together.

    Raises:
        ValueError: there are some; the text says which and the cure.
    """
    has_secrets = rules.resources.secret is not None or bool(rules.resources.tables)
    looks_at_pixels = rules.claims_identity_removed or rules.pixels is not None
    is_held = options.pixel_review is ReviewPolicy.HOLD
    for is_wrong, reason in (
        (options.prune and not options.ledger, "prune needs a ledger, which says whose outputs they are"),
        (
            options.dry_run and options.verify,
            "dry_run and verify exclude each other: nothing is written that could be verified",
        ),
        (options.on_residual is OnResidual.FAIL and not options.verify, "on_residual needs verify"),
        (options.null and not options.files_from, "null says how files_from is written; give that, too"),
        (is_held is not bool(options.hold_dir), "pixel_review='hold' and hold_dir go together; give both"),
        (
            options.pixel_review is not ReviewPolicy.LIST and not looks_at_pixels,
            "pixel_review: no file is for review without a profile or clean_pixels",
        ),
        (options.dask_send_key and not options.dask, "dask_send_key is for the workers of dask"),
        (
            bool(options.dask) and has_secrets and not options.dask_send_key,
            "the rules hold a key or tables, which the workers need: give dask_send_key=True to send them",
        ),
        (bool(options.dask) and options.tree.threads > 0, "threads and dask exclude each other"),
    ):
        if is_wrong:
            raise ValueError(reason)


def noting_misses(rules: RuleSet) -> RuleSet:
    """Rules that note what lookup tables lack."""
    pixels = rules.pixels
    if pixels is not None:
        pixels = replace(pixels, rules=noting_misses(pixels.rules))
    return replace(rules, resources=replace(rules.resources, notes_misses=True), pixels=pixels)


def open_crosswalk(plan: Plan, options: Options, ledger: Ledger | None, name: str) -> Crosswalk:
    """The crosswalk that the options name, with what is in it.

    What the ledger takes down counts as done when the crosswalk has it, too.

    Args:
        plan: the files.
        options: the options.
        ledger: the ledger of the run; None without one.
        name: what messages call the option.

    Raises:
        PlanError: it lies in one of the trees.
        OwnFileError: it cannot be used.
    """
    from .report.crosswalk import Crosswalk  # noqa: PLC0415  (only where somebody asks)

    check_outside(plan, name, options.crosswalk)
    crosswalk = Crosswalk(options.crosswalk)
    if ledger is not None and not options.dry_run:
        ledger.begin_provisionally(believes=not crosswalk.is_new)
    return crosswalk


def write_crosswalk(crosswalk: Crosswalk, ledger: Ledger | None, *, is_dry: bool) -> None:
    """Write the crosswalk; then what this run did counts as done."""
    if crosswalk.commit() and ledger is not None and not is_dry:
        ledger.confirm()


def open_missing_values(plan: Plan, options: Options, name: str) -> MissingValues:
    """The list of what lookup tables lack, which is written at the end.

    Args:
        plan: the files.
        options: the options, which name it.
        name: what messages call the option.

    Raises:
        PlanError: it lies in one of the trees.
        OwnFileError: it cannot be written.
    """
    from .report.missing_values import MissingValues  # noqa: PLC0415  (only where somebody asks)

    check_outside(plan, name, options.lookup_missing)
    return MissingValues(options.lookup_missing)


def held_files_of(plan: Plan, options: Options, name: str) -> HeldFiles:
    """What becomes of files whose pixels a person has to see, and that are not just listed.

    Args:
        plan: the files.
        options: the options.
        name: what messages call the option of the directory.

    Raises:
        PlanError: the directory for them is not apart from the trees.
    """
    from .run.held_files import HeldFiles  # noqa: PLC0415  (only where somebody asks)

    root = check_apart(plan, name, options.hold_dir) if options.hold_dir else ""
    return HeldFiles(options.pixel_review, plan.output_root, root)


def prune_outputs(
    plan: Plan,
    rules: RuleSet,
    options: Options,
    ledger: Ledger,
    deferred: DeferredSignals,
    on_orphan: Callable[[Orphan], None],
) -> str:
    """Remove outputs whose inputs are gone, or count them; why nothing was removed, "" for no reason."""
    from .run.orphans import prune  # noqa: PLC0415  (for runs with a ledger alone)

    return prune(
        ledger,
        plan,
        removes=options.prune,
        is_dry=options.dry_run,
        follow_links=options.tree.followLinks or bool(plan.single),
        names_outputs=not may_quote_replaced(rules),
        deferred=deferred,
        on_orphan=on_orphan,
        hold_root=os.path.realpath(options.hold_dir) if options.hold_dir else "",
    )


class KeptFiles:
    """The ledger, the log, the crosswalk, the reports and the sums of one run; a context manager.

    Attributes:
        totals: the sums.
        ledger: the ledger; None without one.
        warnings: what the user should know.
        survey_options: what passes tell of themselves; None for nothing.
        held: what becomes of files whose pixels a person has to see; None where they are listed alone.
    """

    def __init__(self, plan: Plan, rules: RuleSet, options: Options) -> None:
        """Open what the options name.

        Raises:
            PlanError: something lies where it must not, or cannot be written.
            TagSubError: something cannot be used.
        """
        self.totals = Totals(is_dry=options.dry_run)
        self.ledger: Ledger | None = None
        self.warnings: list[str] = [*rules.warnings, *plan.warnings]
        self.survey_options: SurveyOptions | None = None
        self._plan, self._rules, self._options = plan, rules, options
        self._started = datetime.now(UTC)
        self._log: FileLog | None = None
        self._crosswalk: Crosswalk | None = None
        self._missing: MissingValues | None = None
        self._sheet: ReviewSheet | None = None
        self.held: HeldFiles | None = None
        self._targets: tuple[Target, ...] = ()
        self._problems: list[str] = []
        self._stack = ExitStack()
        with self._stack:  # what is open is closed where the next cannot be opened
            self._survey()
            self._look_at_pixels()
            self._open_ledger()
            self._open_log()
            self._open_crosswalk()
            self._open_missing()
            self._stack = self._stack.pop_all()

    def __enter__(self) -> KeptFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is written at the end, also of a run that did not come to it."""
        with self._stack:
            if self._crosswalk is not None:
                self._end_crosswalk(self._crosswalk)
            if self._missing is not None:
                self._missing.commit()
            if self.ledger is not None:
                self.ledger.close()
        self._problems += [
            kept.problem
            for kept in (self.ledger, self._log, self._crosswalk, self._missing)
            if kept is not None and kept.problem
        ]

    def take(self, outcome: FileOutcome) -> None:
        """Count one file."""
        if self._crosswalk is not None and outcome.pairs:
            self._crosswalk.add(outcome.pairs)
            outcome = replace(outcome, pairs=())
        if self._missing is not None and outcome.missing:
            self._missing.add(outcome.missing)
            outcome = replace(outcome, missing=())
        self.totals.add(outcome)
        if self._log is not None:
            self._log.write(outcome)

    def prune(self, deferred: DeferredSignals) -> None:
        """Remove outputs whose inputs are gone, or count them, when all else is done."""
        if self.ledger is None or self.ledger.problem:
            return
        problem = prune_outputs(
            self._plan, self._rules, self._options, self.ledger, deferred, self.totals.add_orphan
        )
        self._problems += [problem] if problem else []

    def finish(self, seconds: float) -> RunReport:
        """The record of the run, which is in the reports, too."""
        is_left = self._options.prune and self.totals.orphans_left
        is_whole = not (self.totals.failed or self._problems or is_left)
        secret = self._rules.resources.secret
        report = self.totals.finish(
            ExitCode.OK if is_whole else ExitCode.FILES_FAILED,
            seconds,
            self._rules.digest,
            "; ".join(self._problems),
            key_fingerprint=secret.fingerprint if secret else "",
            spec_parts=self._rules.parts,
        )
        report = replace(report, warnings=tuple(dict.fromkeys(self.warnings)))
        return self._reported(report)

    def _reported(self, report: RunReport) -> RunReport:
        """The record, when the reports are written."""
        report = self._with_sheet(report)
        if not self._targets:
            return report
        from .report.html import RunFacts, render  # noqa: PLC0415  (where there is a report alone)

        ran = RunFacts((), self._started, report.warnings, self._options.tree.threads)
        for target in self._targets:
            try:
                target.write(render(target, report, ran))
            except OSError as error:
                problem = f"report {target.shown} could not be written: {error.strerror}"
                error_text = "; ".join(filter(None, (report.error, problem)))
                report = replace(report, exit_code=ExitCode.FILES_FAILED, error=error_text)
        return report

    def _with_sheet(self, report: RunReport) -> RunReport:
        """The record, when the review sheet is written."""
        if self._sheet is None:
            return report
        follow_links = self._options.tree.followLinks or bool(self._plan.single)
        try:
            self._sheet.write(report, self._plan.input_root, follow_links=follow_links)
        except OSError as error:
            problem = f"review sheet {self._sheet.shown} could not be written: {error.strerror}"
            error_text = "; ".join(filter(None, (report.error, problem)))
            return replace(report, exit_code=ExitCode.FILES_FAILED, error=error_text)
        return report

    def _look_at_pixels(self) -> None:
        """What becomes of files whose pixels a person has to see, and the sheet that shows them."""
        options = self._options
        if options.review_sheet:
            from .report.review_sheet import ReviewSheet  # noqa: PLC0415  (only where somebody asks)

            check_outside(self._plan, "review_sheet", options.review_sheet)
            self._sheet = ReviewSheet.at(options.review_sheet)
        if options.pixel_review is not ReviewPolicy.LIST:
            self.held = held_files_of(self._plan, options, "hold_dir")

    def _open_missing(self) -> None:
        if self._options.lookup_missing:
            self._missing = open_missing_values(self._plan, self._options, "lookup_missing")
            self._stack.callback(self._missing.close)

    def _survey(self) -> None:
        options = self._options
        if not options.dry_run and not options.reports:
            return
        from .engine.surveyor import SurveyOptions  # noqa: PLC0415  (only where somebody asks)
        from .report.survey import Survey  # noqa: PLC0415
        from .report.targets import find_targets  # noqa: PLC0415

        for path in options.reports:
            if not path.endswith(tuple(ReportFormat)):
                raise PlanError(f"report {path}: give a name that ends in {' or '.join(ReportFormat)}")
        self._targets, warned = find_targets(options, self._plan)
        self.warnings += warned
        self.survey_options = SurveyOptions(show_values=options.show_values)
        self.totals.survey = Survey(self._rules, shows_values=options.show_values)

    def _open_ledger(self) -> None:
        options = self._options
        if not options.ledger:
            return
        from .run.ledger import Ledger  # noqa: PLC0415  (for runs with a ledger alone)
        from .run.ledger_file import Identity  # noqa: PLC0415

        check_outside(self._plan, "ledger", options.ledger)
        if options.dry_run and (not options.prune or not os.path.lexists(options.ledger)):
            self.warnings.append("a dry run neither reads nor writes the ledger: every file counts as new")
            return
        rules = self._rules
        names = (*rules.directories, *((rules.stem,) if rules.stem else ()))
        others = [
            *(f"name {template.text}" for template in names),
            f"where {options.where}",
            f"verify {options.verify} {options.on_residual}",
            f"review {options.pixel_review} {options.hold_dir}",
            f"links {options.tree.followLinks} inflated {options.max_inflated}",
            f"crosswalk {options.crosswalk}",
            f"misses {rules.resources.lookup_miss}",
            f"root {rules.resources.uid_root}",
            f"assumed {rules.assumed.terms if rules.assumed is not None else ()}",
        ]
        identity = Identity.of(rules, rules.pixels.settings if rules.pixels is not None else None, others)
        plan = self._plan
        ledger = Ledger(
            options.ledger, plan.input_root, plan.output_root, identity, reads_only=options.dry_run
        )
        self.ledger = self._stack.enter_context(ledger)
        self.warnings += ledger.warnings

    def _open_log(self) -> None:
        if not self._options.log:
            return
        from .report.file_log import FileLog  # noqa: PLC0415  (for runs with a log alone)

        check_outside(self._plan, "log", self._options.log)
        if self._options.dry_run:
            self.warnings.append("a dry run does not write the log: nobody wrote the files of its lines")
            return
        self._log = FileLog(self._options.log)
        self._stack.callback(self._log.close)  # signals are the program's own business

    def _open_crosswalk(self) -> None:
        if self._options.crosswalk:
            self._crosswalk = open_crosswalk(self._plan, self._options, self.ledger, "crosswalk")
            self._stack.callback(self._crosswalk.close)

    def _end_crosswalk(self, crosswalk: Crosswalk) -> None:
        write_crosswalk(crosswalk, self.ledger, is_dry=self._options.dry_run)
        self.warnings += [
            f"crosswalk: {attribute}: new values that stand for more than one original: {count}"
            for attribute, count in crosswalk.collisions().items()
        ]
