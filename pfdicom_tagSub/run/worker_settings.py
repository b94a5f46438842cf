"""What a worker has to know of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit
from ..spec.function_types import Resources
from ..spec.rules import RuleSet

if TYPE_CHECKING:
    from ..engine.survey_basis import SurveyOptions
    from ..spec.conditions import Condition
    from .held_files import HeldFiles


@dataclass(frozen=True)
class Settings:
    """What a worker has to know; it is picklable.

    Attributes:
        rules: the compiled spec, which says how pixels are cleaned, too.
        overwrite: replace outputs that exist and differ.
        follow_links: read what symbolic links point to.
        renames: whether outputs get other paths than inputs, so that a DICOMDIR has to follow.
        output_root: the output directory, which outputs are told relative to; below it no symbolic
            link is followed. "" for none: then outputs are told by their names.
        run: hex digits that tell a run on many hosts from all others; "" for others.
        durable: outputs have to be on the disk, and outcomes say what a ledger has to know.
        verify: read each output again and hold it against its input.
        fail_residuals: an output that still holds a value that was replaced fails its file.
        is_dry: write nothing; tell what writing would come to.
        survey_options: what passes tell of themselves; None for nothing.
        inflate_limit: how large a deflated data set may become.
        where: the condition that chooses files; None takes all.
        names_outputs: whether outcomes name the paths of outputs.
        pairs: whether they have original and new identifiers.
        member_size: the most bytes of a member of an archive; 0 for the default.
        held: what becomes of files whose pixels a person has to see; None where they are listed alone.
        tallies: whether files of which there is nothing to say but how many they are are counted there.
    """

    rules: RuleSet
    overwrite: bool = False
    follow_links: bool = False
    renames: bool = False
    output_root: str = ""
    run: str = ""
    durable: bool = False
    verify: bool = False
    fail_residuals: bool = False
    is_dry: bool = False
    survey_options: SurveyOptions | None = None
    inflate_limit: InflateLimit = DEFAULT_LIMIT
    where: Condition | None = None
    names_outputs: bool = True
    pairs: bool = False
    member_size: int = 0
    held: HeldFiles | None = None
    tallies: bool = False

    def with_resources(self, resources: Resources) -> Settings:
        """The same with another secret and other tables."""
        return replace(self, rules=self.rules.with_resources(resources))
