"""What a run is told: what to do, and whom to tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.options import Cluster
from ..core.outcome import FileOutcome, OutcomeTally
from ..spec.rules import RuleSet
from .deferred_signals import DeferredSignals

if TYPE_CHECKING:
    from ..engine.survey_basis import SurveyOptions
    from ..spec.conditions import Condition
    from .held_files import HeldFiles
    from .ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What to do with the files of a plan; the command and the API make it.

    Attributes:
        rules: the compiled spec, which says how pixels are cleaned, too.
        where: the condition that chooses files; None takes all.
        workers: how many files at once; 0 works in line.
        overwrite: replace outputs that exist and differ.
        follow_links: read what symbolic links point to.
        cluster: whose workers to use, instead of any here.
        verify: read each output again and hold it against its input.
        fail_residuals: an output that still holds a value that was replaced fails its file.
        is_dry: write nothing, make no directory; tell what writing would come to.
        survey_options: what passes tell of themselves; None for nothing.
        max_inflated: the most bytes that a deflated data set may become; 0 for the default.
        held: what becomes of files whose pixels a person has to see; None where they are listed alone.
        pairs: tell original and new identifiers of each file.
    """

    rules: RuleSet
    where: Condition | None = None
    workers: int = 0
    overwrite: bool = False
    follow_links: bool = False
    cluster: Cluster | None = None
    verify: bool = False
    fail_residuals: bool = False
    is_dry: bool = False
    survey_options: SurveyOptions | None = None
    max_inflated: int = 0
    held: HeldFiles | None = None
    pairs: bool = False


@dataclass(frozen=True, kw_only=True)
class RunListeners:
    """Who is told of a run while it lasts.

    Attributes:
        on_outcome: told how each file ended, in any order.
        on_tally: told of files that ended alike, instead of ``on_outcome``; None where each is to be told.
        deferred: what signal handlers of this thread tell their signals to.
        on_warning: told what the user should know of the workers.
        ledger: what earlier runs finished, which is not done again; told of what this one does.
            The caller commits what it holds at the end.
    """

    on_outcome: Callable[[FileOutcome], None]
    deferred: DeferredSignals
    on_tally: Callable[[OutcomeTally], None] | None = None
    on_warning: Callable[[str], None] = lambda _: None
    ledger: Ledger | None = None
