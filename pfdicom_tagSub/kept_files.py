"""What a run keeps besides its outputs, whoever starts it: sums, ledger, log, crosswalk, reports.

The modules that keep them are imported only where somebody asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from .core.errors import ExitCode, Interrupted, PlanError
from .core.options import Options, ReportFormat, ReviewPolicy
from .core.outcome import FileOutcome, Orphan, OrphanFate
from .core.plan import Plan
from .report.record import RunReport, to_json
from .report.totals import Totals
from .run.deferred_signals import DeferredSignals
from .run.tree_checks import check_apart, check_outside
from .spec.output_names import may_quote_replaced
from .spec.rules import RuleSet

if TYPE_CHECKING:
    from .engine.survey_basis import SurveyOptions
    from .report.crosswalk import Crosswalk
    from .report.file_log import FileLog
    from .report.missing_values import MissingValues
    from .report.review_sheet import ReviewSheet
    from .report.targets import Target
    from .run.held_files import HeldFiles
    from .run.ledger import Ledger


@dataclass(frozen=True)
class Caller:
    """Who starts a run, the command or a Python program.

    Attributes:
        name_of: what it calls an option, given its field in :class:`Options`.
        warn: takes a warning.
        deferred: holds back its signals while a file is finished.
        flags: its options as the report shows them, without secrets.
        identity: what outputs depend on besides the rules, the key and the settings of pixels.
        owns_signals: whether SIGHUP may have the log opened anew.
    """

    name_of: Callable[[str], str]
    warn: Callable[[str], None]
    deferred: DeferredSignals
    flags: tuple[tuple[str, str], ...]
    identity: tuple[str, ...]
    owns_signals: bool


class KeptFiles:
    """What one run keeps; a context manager around the work.

    Attributes:
        totals: the sums.
        survey_options: what passes tell of themselves; None for nothing.
        ledger: the ledger, within the context; None without one.
        held: what becomes of files whose pixels a person has to see; None where they are listed alone.
    """

    def __init__(
        self,
        plan: Plan,
        rules: RuleSet,
        options: Options,
        totals: Totals,
        caller: Caller,
    ) -> None:
        """Check where the reports shall go.

        Args:
            plan: the files.
            rules: the compiled spec, which says how pixels are cleaned, too.
            options: what to keep, and where.
            totals: the sums, still empty.
            caller: who starts the run.

        Raises:
            PlanError: a report lies where it must not, or cannot be written.
        """
        self.totals = totals
        self.survey_options: SurveyOptions | None = None
        self.ledger: Ledger | None = None
        self.held: HeldFiles | None = None
        self._plan, self._rules, self._options = plan, rules, options
        self._caller = caller
        self._started = datetime.now(UTC)
        self._log: FileLog | None = None
        self._crosswalk: Crosswalk | None = None
        self._missing: MissingValues | None = None
        self._sheet: ReviewSheet | None = None
        self._targets: tuple[Target, ...] = ()
        self._trouble = ""
        self._stack = ExitStack()
        self._prepare_reports()
        self._prepare_sheet()

    def __enter__(self) -> KeptFiles:
        """Open what the options name.

        Raises:
            PlanError: something lies in one of the trees.
            TagSubError: something cannot be used.
        """
        with ExitStack() as stack:  # what is open is closed where the next cannot be opened
            if self._options.pixel_review is not ReviewPolicy.LIST:
                self.held = self._hold()
            self._open_ledger(stack)
            self._open_log(stack)
            self._open_crosswalk(stack)
            self._open_missing(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is written at the end, also of a run that did not come to it."""
        with self._caller.deferred, self._stack:  # one signal more is no reason to lose what was done
            if self._crosswalk is not None:
                self._end_crosswalk(self._crosswalk)
            if self._missing is not None:
                self._missing.commit()

    @property
    def wants_each(self) -> bool:
        """Whether each file is written down, also one like many others."""
        return self._log is not None

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong with what is kept, though not with the outputs."""
        own = (self.ledger, self._log, self._crosswalk, self._missing)
        found = [kept.problem for kept in own if kept is not None]
        return tuple(problem for problem in (*found, self._trouble) if problem)

    @property
    def exit_code(self) -> ExitCode:
        """That of a run that came to its end."""
        is_left = self._options.prune and self.totals.orphans_left
        return ExitCode.FILES_FAILED if self.totals.failed or self.problems or is_left else ExitCode.OK

    def take(self, outcome: FileOutcome) -> None:
        """Count one file, and write down what is to be kept of it."""
        if self._crosswalk is not None and outcome.pairs:
            self._crosswalk.add(outcome.pairs)
            outcome = replace(outcome, pairs=())
        if self._missing is not None and outcome.missing:
            self._missing.add(outcome.missing)
            outcome = replace(outcome, missing=())
        self.totals.add(outcome)
        if self._log is not None:
            self._log.write(outcome)

    def prune(self, on_orphan: Callable[[Orphan], None] = lambda _: None) -> None:
        """Remove outputs whose inputs are gone, or count them, when all else is done."""
        if self.ledger is None or self.ledger.problem:
            return
        from .run.orphans import prune  # noqa: PLC0415  (for runs with a ledger alone)

        def take(orphan: Orphan) -> None:
            self.totals.add_orphan(orphan)
            if self._log is not None and orphan.fate is OrphanFate.PRUNED:
                self._log.write_pruned(orphan)
            on_orphan(orphan)

        options = self._options
        self._trouble = prune(
            self.ledger,
            self._plan,
            removes=options.prune,
            is_dry=options.dry_run,
            follow_links=self._follows_links,
            names_outputs=not may_quote_replaced(self._rules),
            deferred=self._caller.deferred,
            on_orphan=take,
            hold_root=os.path.realpath(options.hold_dir) if options.hold_dir else "",
        )

    def write_reports(self, report: RunReport) -> tuple[RunReport, tuple[str, ...]]:
        """Write the review sheet and the reports; a signal that is held back gives up the sheet.

        Args:
            report: the record of the run.

        Returns:
            The record, which says what could not be written; and that alone.
        """
        problems: tuple[str, ...] = ()
        if self._sheet is not None:
            report, problems = self._write_sheet(report, self._sheet)
            report = _with_problems(report, problems)
        if not self._targets:
            return report, problems
        failed: list[str] = []
        for target in self._targets:
            try:
                target.write(self._text_of(target, report))
            except OSError as error:
                name = self._caller.name_of("reports")
                failed.append(f"{name} {target.shown} could not be written: {error.strerror}")
        return _with_problems(report, failed), (*problems, *failed)

    def _text_of(self, target: Target, report: RunReport) -> str:
        """The text of a report: a page, or the record where its name ends in ``.json``."""
        if not target.path.endswith(ReportFormat.HTML):
            return to_json(report) + "\n"
        from .report.html import page  # noqa: PLC0415  (where there is a page alone)
        from .report.page_facts import RunFacts  # noqa: PLC0415

        ran = RunFacts(self._caller.flags, self._started, report.warnings, self._options.tree.threads)
        return page(report, ran)

    @property
    def _follows_links(self) -> bool:
        return self._options.tree.followLinks or bool(self._plan.single)

    def _prepare_reports(self) -> None:
        options = self._options
        if not options.dry_run and not options.reports:
            return
        from .engine.survey_basis import SurveyOptions  # noqa: PLC0415  (only where somebody asks)
        from .report.survey import Survey  # noqa: PLC0415
        from .report.targets import find_targets  # noqa: PLC0415

        for path in options.reports:
            if not path.endswith(tuple(ReportFormat)):
                raise PlanError(f"report {path}: give a name that ends in {' or '.join(ReportFormat)}")
        self._targets, warned = find_targets(options, self._plan)
        for text in warned:
            self._caller.warn(text)
        self.survey_options = SurveyOptions(show_values=options.show_values)
        self.totals.survey = Survey(self._rules, shows_values=options.show_values)

    def _prepare_sheet(self) -> None:
        path = self._options.review_sheet
        if not path:
            return
        from .report.review_sheet import ReviewSheet  # noqa: PLC0415  (only where somebody asks)

        name = self._caller.name_of("review_sheet")
        check_outside(self._plan, name, path)
        self._sheet = ReviewSheet.at(path)
        if not self._rules.claims_identity_removed and self._rules.pixels is None:
            self._caller.warn(
                f"{name} stays empty: nothing is for review without {self._caller.name_of('profile')} or "
                f"{self._caller.name_of('clean_pixels')}"
            )

    def _write_sheet(self, report: RunReport, sheet: ReviewSheet) -> tuple[RunReport, tuple[str, ...]]:
        """The record, and why the review sheet could not be written; nothing where it was.

        It is whole for what the run saw. It decodes pictures and may take long, so a signal gives it up.
        """
        name = f"{self._caller.name_of('review_sheet')} {sheet.shown}"
        is_ended = report.exit_code in {ExitCode.OK, ExitCode.FILES_FAILED}
        if not is_ended and not sum(report.counts.values()):
            return report, (f"{name} was not written, as no file was seen",)
        check = self._caller.deferred.check
        try:
            sheet.write(report, self._plan.input_root, follow_links=self._follows_links, check=check)
        except Interrupted as stop:
            code = stop.exit_code if is_ended else report.exit_code
            return replace(report, exit_code=code), (f"{name} was not written, as a signal came",)
        except OSError as error:
            return report, (f"{name} could not be written: {error.strerror}",)
        return report, ()

    def _hold(self) -> HeldFiles:
        from .run.held_files import HeldFiles  # noqa: PLC0415  (only where somebody asks)

        options = self._options
        root = ""
        if options.hold_dir:
            root = check_apart(self._plan, self._caller.name_of("hold_dir"), options.hold_dir)
        return HeldFiles(options.pixel_review, self._plan.output_root, root)

    def _open_ledger(self, stack: ExitStack) -> None:
        """Open the ledger; in a dry run it is for ``prune`` alone."""
        options = self._options
        if not options.ledger:
            return
        from .run.ledger import Ledger  # noqa: PLC0415  (for runs with a ledger alone)
        from .run.ledger_file import Identity  # noqa: PLC0415

        name = self._caller.name_of("ledger")
        check_outside(self._plan, name, options.ledger)
        if options.dry_run and (not options.prune or not os.path.lexists(options.ledger)):
            dry = self._caller.name_of("dry_run")
            self._caller.warn(f"{dry} neither reads nor writes the {name}: every file counts as new")
            return
        pixels = self._rules.pixels
        settings = pixels.settings if pixels is not None else None
        identity = Identity.of(self._rules, settings, self._caller.identity)
        plan = self._plan
        self.ledger = stack.enter_context(
            Ledger(options.ledger, plan.input_root, plan.output_root, identity, reads_only=options.dry_run)
        )
        for text in self.ledger.warnings:
            self._caller.warn(text)

    def _open_log(self, stack: ExitStack) -> None:
        options = self._options
        if not options.log:
            return
        from .report.file_log import FileLog  # noqa: PLC0415  (for runs with a log alone)

        name = self._caller.name_of("log")
        check_outside(self._plan, name, options.log)
        if options.dry_run:
            dry = self._caller.name_of("dry_run")
            self._caller.warn(
                f"{dry} does not write the {name}, whose lines are about files that are written"
            )
            return
        self._log = FileLog(options.log)
        if self._caller.owns_signals:
            stack.enter_context(self._log)
        else:
            stack.callback(self._log.close)

    def _open_crosswalk(self, stack: ExitStack) -> None:
        """Open the crosswalk; what the ledger takes down counts as done when the crosswalk has it, too."""
        options = self._options
        if not options.crosswalk:
            return
        from .report.crosswalk import Crosswalk  # noqa: PLC0415  (only where somebody asks)

        check_outside(self._plan, self._caller.name_of("crosswalk"), options.crosswalk)
        self._crosswalk = Crosswalk(options.crosswalk)
        stack.callback(self._crosswalk.close)
        if self.ledger is not None and not options.dry_run:
            self.ledger.begin_provisionally(believes=not self._crosswalk.is_new)

    def _end_crosswalk(self, crosswalk: Crosswalk) -> None:
        """Write the crosswalk; then what this run did counts as done. Warn of originals that became one."""
        if crosswalk.commit() and self.ledger is not None and not self._options.dry_run:
            self.ledger.confirm()
        name = self._caller.name_of("crosswalk")
        for attribute, count in crosswalk.collisions().items():
            values = "1 new value stands" if count == 1 else f"{count} new values stand"
            self._caller.warn(f"{name}: {attribute}: {values} for more than one original")

    def _open_missing(self, stack: ExitStack) -> None:
        options = self._options
        if not options.lookup_missing:
            return
        from .report.missing_values import MissingValues  # noqa: PLC0415  (only where somebody asks)

        check_outside(self._plan, self._caller.name_of("lookup_missing"), options.lookup_missing)
        self._missing = MissingValues(options.lookup_missing)
        stack.callback(self._missing.close)


def _with_problems(report: RunReport, problems: Iterable[str]) -> RunReport:
    """A record that names problems and counts them as failures."""
    texts = "; ".join(filter(None, (report.error, *problems)))
    if texts == report.error:
        return report
    return replace(report, exit_code=report.exit_code or ExitCode.FILES_FAILED, error=texts)
