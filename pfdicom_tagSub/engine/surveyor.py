"""What a pass did to one file and what it left, where a dry run or a report asks for it.

Nothing here runs otherwise. It is derived from the list of changes of a pass, when the pass
is done. Values leave it only where those of outputs give nothing of an original away, and
originals only where ``--showValues`` asks for them. Else there are digests under a key that
is made anew for each run, which say which values are equal and nothing more.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import NamedTuple, TypeVar

from .._version import COMMAND
from ..core.errors import FileError
from ..core.file_survey import (
    PREAMBLE_TAG,
    PRIVATE,
    TEXTLESS,
    FileSurvey,
    Remaining,
    SurveyedChanges,
    merged,
)
from ..core.outcome import FileOutcome
from ..dicom import dictionary
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID, SPECIFIC_CHARACTER_SET
from ..dicom.edits import COPY_CHUNK
from ..dicom.elements import EXPLICIT_LITTLE, Element
from ..dicom.file import PREAMBLE, DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scope import Scope
from ..dicom.sources import BytesSource
from ..dicom.values import BINARY_VRS
from ..spec.content_items import CONCEPT_NAME, VALUE_TYPE, VALUES
from ..spec.keys import EveryPrivateKey, EveryUnknownKey, KeywordKey, MaskKey, PatternKey, PrivateKey, VRKey
from ..spec.parsing import parse_json
from ..spec.profile import BASIC
from ..spec.rules import Rule, RuleSet
from ..spec.templates import HIDING
from .census import FORMS_MOST, Census, CensusResult
from .chain_counts import BLANKS, CERTAIN, Verdict
from .changes import Change
from .element_making import VAST
from .file_kinds import kind_of, text_in
from .memory import Memory
from .rule_index import Lookups
from .rule_matching import RuleMatcher
from .substitution import Substitution
from .survey_building import SurveyBuilder, short

R = TypeVar("R")


REMEMBERED = 1 << 13


_CONTENT = frozenset({*VALUES, CONCEPT_NAME, VALUE_TYPE})

_NO_IDENTITY = frozenset(
    {
        "(60xx,xxxx)",  # the table names the data and the comments of overlays only
        "ImplementationVersionName",
        "LongitudinalTemporalInformationModified",
        "PatientIdentityRemoved",
    }
)
"""Keys of the profile that name no attribute of Table E.1-1."""

_NO_PREAMBLE = bytes(PREAMBLE)

_NO_SCOPE = Scope(BytesSource(b""), (), EXPLICIT_LITTLE, 0)
"""For what is asked of a tag alone."""


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """What surveys are to hold; its presence asks for them.

    Attributes:
        key: keys the digests, so that they mean nothing outside of one run.
        show_values: originals, too.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    show_values: bool = False


def surveys_of(results: Iterable[object]) -> list[FileSurvey]:
    """The surveys of some results."""
    return [one.survey for one in results if isinstance(one, FileOutcome) and one.survey is not None]


def packed(results: list[R]) -> list[R]:
    """The same results, with all surveys summed up in the first that has any."""
    seen = surveys_of(results)
    if len(seen) < 2:
        return results
    sums: FileSurvey | None = merged(seen)
    made: list[R] = []
    for one in results:
        if isinstance(one, FileOutcome) and one.survey is not None:
            made.append(replace(one, survey=sums))
            sums = None
        else:
            made.append(one)
    return made


class _MetaPlan(NamedTuple):
    """What to look at in a file meta with certain elements.

    Attributes:
        kinds: which of its elements are the SOP class and the transfer syntax; -1 for none.
        counted: which may be attributes that stay.
        counted_tags: the tags of these.
    """

    kinds: tuple[int, ...]
    counted: tuple[int, ...]
    counted_tags: tuple[int, ...]


def _is_filled(element: Element, read: Callable[[int, int], bytes]) -> bool:
    """Whether there is something in a value."""
    return element.stop - element.value > CERTAIN or bool(read(element.value, element.stop).strip(BLANKS))


class _EverySequence(ScanFilter):
    """Finds identifying attributes wherever they are, in sequences that are kept, too."""

    def is_whole(self, tag: int) -> bool:  # noqa: ARG002
        """Every sequence is entered."""
        return False


class Surveyor:
    """Surveys files; it keeps what it found out for files to come.

    Not safe to share between threads or to send between processes.
    """

    def __init__(self, rules: RuleSet, survey_options: SurveyOptions) -> None:
        """Args:
        rules: the compiled spec.
        survey_options: what surveys are to hold.
        """
        self.rules = rules
        self.survey_options = survey_options
        text = (resources.files(COMMAND) / "profiles" / f"{BASIC}.json").read_text("utf-8")
        keys = [pair.key for pair in parse_json(text, BASIC).pairs if pair.text not in _NO_IDENTITY]
        named = [key for key in keys if isinstance(key, KeywordKey | MaskKey)]
        self.identifying = frozenset(tag for key in named for tag in key.tags)
        self.groups = frozenset(group for key in named if isinstance(key, MaskKey) for group in key.groups)
        kept_groups: list[int] = []
        self.kept_tags: dict[int, list[int]] = {}
        self.kept_groups: dict[int, list[int]] = {}
        self.kept_private: dict[tuple[int, str, int], list[int]] = {}
        self.kept_every: list[int] = []
        self.kept_unknown: list[int] = []
        for index, key in rules.keepers:
            match key:
                case PrivateKey(group, creator, element):
                    self.kept_private.setdefault((group, creator, element), []).append(index)
                case EveryPrivateKey():
                    self.kept_every.append(index)
                case EveryUnknownKey():
                    self.kept_unknown.append(index)
                case KeywordKey() | PatternKey() | MaskKey() | VRKey():
                    for tag in key.tags:
                        self.kept_tags.setdefault(tag, []).append(index)
                    for group in key.groups if isinstance(key, MaskKey) else ():
                        self.kept_groups.setdefault(group, []).append(index)
                        kept_groups.append(group)
        self._sought = (
            {*self.identifying, *self.kept_tags, *_CONTENT, SPECIFIC_CHARACTER_SET, MODALITY, SOP_CLASS_UID},
            {*self.groups, *kept_groups},
        )
        self.filter = self._census_filter()
        self._needed: ScanFilter | None = None
        lookups = Lookups(rules)
        self.matcher = RuleMatcher(lookups, Memory())
        self.census: Census | None = None
        if not (lookups.content or lookups.blocks or rules.asks_for_more or self.kept_private):
            self.census = Census(self._census_filter(), self._verdict)
        self.changes = SurveyedChanges({}, frozenset())
        """What the last pass did that was surveyed."""
        self._originals: dict[tuple[object, ...], tuple[int, int, str]] = {}
        self._digests: dict[str, int] = {}
        self._quoting: dict[int, bool] = {}
        self._meta_plans: dict[tuple[int, ...], _MetaPlan] = {}
        self._surveys: dict[tuple[object, ...], tuple[object, object, FileSurvey]] = {}

    def _census_filter(self, needed: ScanFilter | None = None) -> _EverySequence:
        """What may be found, and what is needed besides."""
        tags, groups = self._sought
        more = needed.named | needed.sought if needed is not None else frozenset()
        more_groups = needed.groups if needed is not None else frozenset()
        made = _EverySequence({*tags, *more}, private=True, unknown=True, groups={*groups, *more_groups})
        made.forms_most = FORMS_MOST
        return made

    def find(self, needed: ScanFilter) -> bool:
        """Let a census find what another scan would, so that a data set is gone through once.

        Args:
            needed: what that scan keeps; by tags alone.

        Returns:
            Whether a census is made.
        """
        if self.census is None:
            return False
        self._needed = needed
        self.census = Census(self._census_filter(needed), self._verdict)
        return True

    def survey(self, substitution: Substitution) -> FileSurvey:
        """What a pass did, and what it leaves.

        Args:
            substitution: the pass, which has been done.
        """
        survey = SurveyBuilder(self, substitution)
        survey.add_changes()
        self.changes = SurveyedChanges(dict(survey.changes), frozenset(survey.rules))
        partly = survey.add_remaining()
        kinds = {survey.kind(): 1}
        return FileSurvey(
            dict(survey.changes),
            frozenset(survey.rules).union(self.rules.held),
            dict(survey.remaining),
            kinds,
            partly,
        )

    def changes_of(self, substitution: Substitution, changes: Iterable[Change]) -> SurveyedChanges:
        """What a survey tells of some changes of a pass."""
        survey = SurveyBuilder(self, substitution)
        survey.add(changes)
        return SurveyedChanges(dict(survey.changes), frozenset(survey.rules))

    def part_of(self, substitution: Substitution, changes: Iterable[Change]) -> FileSurvey:
        """A part of a survey: what some changes of a pass come to."""
        told = self.changes_of(substitution, changes)
        return FileSurvey(told.hits, told.rules, {}, {})

    def replaced(self, part: FileSurvey, rule: Rule, original: str, text: str) -> FileSurvey | None:
        """As a part of an element in which one text is replaced by another, with other texts.

        Args:
            part: the part.
            rule: the rule that asked for it.
            original: the text that is replaced.
            text: what becomes of it.

        Returns:
            None where the part is of more than one element.
        """
        if len(part.hits) != 1:
            return None
        (change,) = part.hits
        show_values = self.survey_options.show_values
        own, result = self.digest(original), self.digest(text)
        quotes = self.quotes(rule) or own == result or (len(original) > 3 and original in text)
        made = change._replace(
            original=own,
            result=result,
            length=len(original),
            example="" if quotes and not show_values else short(text),
            shown=short(original) if show_values else "",
        )
        return FileSurvey({made: 1}, part.rules, {}, {})

    def again(
        self, changes: SurveyedChanges, file: DicomFile, found: CensusResult | None
    ) -> FileSurvey | None:
        """That of a file in which the same was done as in another, and nothing to its file meta.

        Args:
            changes: what was done.
            file: the file.
            found: what a census found in it; None where nobody asked.

        Returns:
            What it would be of a pass over the file, the same object for files of which it is equal; None
            where it takes that pass.
        """
        census = self.census
        found = census.count(file.data) if census is not None and found is None else found
        if census is None or found is None:
            return None
        counted, kinds, _ = found
        read, verdict, meta = file.source.read, census.verdict, file.meta
        plan = self._meta_plan(meta)
        own = (
            kinds.get(MODALITY, b""),
            kinds.get(SOP_CLASS_UID, b""),
            *[b"" if one < 0 else read(meta[one].value, meta[one].stop) for one in plan.kinds],
        )
        filled = tuple([_is_filled(meta[index], read) for index in plan.counted])
        has_preamble = file.meta_start > PREAMBLE and read(0, PREAMBLE) != _NO_PREAMBLE
        key = (id(changes), id(counted), plan.counted_tags, filled, has_preamble, own)
        known = self._surveys.get(key)
        if known is None:
            remaining = Counter(counted.remaining)
            rules = {*changes.rules, *counted.rules, *self.rules.held}
            for tag, is_filled in zip(plan.counted_tags, filled, strict=True):
                rules.update(verdict(tag).keepers)
                if is_filled and self.identifies(tag):
                    remaining[Remaining(tag, 0, bool(verdict(tag).keepers))] += 1
            remaining.update([Remaining(PREAMBLE_TAG, 0, is_kept=False)] * has_preamble)
            kind = kind_of(*map(text_in, own))
            survey = FileSurvey(changes.hits, frozenset(rules), dict(remaining), {kind: 1})
            # What the key has the numbers of is kept as well: these must not be used again.
            known = changes, counted, survey
            if len(self._surveys) >= REMEMBERED:
                self._surveys.clear()
            self._surveys[key] = known
        return known[2]

    def _meta_plan(self, meta: list[Element]) -> _MetaPlan:
        """What to look at in a file meta with these elements."""
        tags = tuple([element.tag for element in meta])
        known = self._meta_plans.get(tags)
        if known is None:
            kinds = (dictionary.MEDIA_STORAGE_SOP_CLASS_UID, dictionary.TRANSFER_SYNTAX_UID)
            counted = tuple(index for index, tag in enumerate(tags) if not self._verdict(tag).is_idle)
            known = _MetaPlan(
                tuple(tags.index(tag) if tag in tags else -1 for tag in kinds),
                counted,
                tuple(tags[index] for index in counted),
            )
            if len(self._meta_plans) >= REMEMBERED:
                self._meta_plans.clear()
            self._meta_plans[tags] = known
        return known

    def keepers_of(self, tag: int) -> list[int]:
        """The rules that say that an element stays whose creator says nothing."""
        return self.keepers(tag, _NO_SCOPE)

    def _verdict(self, tag: int) -> Verdict:
        """What the rules say of an element, where that depends on its tag alone."""
        element = Element(tag, "", 0, 0, 0, 0)
        rule = self.matcher.rule_for(element, _NO_SCOPE)
        is_hit = (rule is not None and not rule.keeps) or self.matcher.is_removed(element, rule)
        counts = bool(tag & 0xFFFF) and self.identifies(tag)
        label = PRIVATE if tag >> 16 & 1 else tag
        needed = self._needed
        is_kept = needed is not None and (not tag & 0xFFFF or needed.is_named(tag))
        return Verdict(is_hit, label if counts else None, tuple(self.keepers_of(tag)), is_kept)

    def digest(self, text: str) -> int:
        """The digest of a text; 0 of an empty one."""
        known = self._digests.get(text)
        if known is None:
            if len(self._digests) >= REMEMBERED:
                self._digests.clear()
            known = self._digests[text] = self._digest([text.encode("utf-8", "surrogatepass")]) if text else 0
        return known

    def _digest(self, parts: Iterable[bytes]) -> int:
        hashed = hashlib.blake2b(key=self.survey_options.key, digest_size=8)
        for part in parts:
            hashed.update(part)
        return int.from_bytes(hashed.digest(), "little") or 1

    def original(self, element: Element, scope: Scope) -> tuple[int, int, str]:
        """The digest, the length and the text of a value; no text where it is binary or a sequence."""
        vr = "SQ" if element.vr == "SQ" else scope.vr(element)
        size = element.stop - element.value
        is_text = vr != "SQ" and vr not in BINARY_VRS
        if size > VAST or not is_text:
            if not size:
                return 0, 0, ""
            places = range(element.value, element.stop, COPY_CHUNK)
            read = scope.source.read
            return self._digest(read(at, min(at + COPY_CHUNK, element.stop)) for at in places), TEXTLESS, ""
        raw = scope.raw(element)
        try:
            key = (vr, raw, scope.characters.encodings, scope.encoding.little)
        except FileError:  # no character set of the standard, which a removal need not know
            return self._digest([raw]), TEXTLESS, ""
        known = self._originals.get(key)
        if known is None:
            text = "\\".join(scope.value(element).texts)
            known = self.digest(text), len(text), text
            if len(self._originals) >= REMEMBERED:
                self._originals.clear()
            self._originals[key] = known
        return known

    def quotes(self, rule: Rule) -> bool:
        """Whether results of a rule may hold parts of a value of the file."""
        known = self._quoting.get(rule.index)
        if known is None:
            directives = rule.template.directives if rule.template else ()
            known = any(directive.function not in HIDING for directive in directives)
            self._quoting[rule.index] = known
        return known

    def identifies(self, tag: int) -> bool:
        """Whether Table E.1-1 names an element, or nobody can say what it is."""
        group = tag >> 16
        if group & 1:
            return bool(tag & 0xFF00) or tag in self.identifying or group in self.groups
        return tag in self.identifying or group in self.groups or dictionary.is_unknown(tag)

    def keepers(self, tag: int, scope: Scope) -> list[int]:
        """The rules that say that an element stays."""
        found = [*self.kept_tags.get(tag, ()), *self.kept_groups.get(tag >> 16, ())]
        if self.kept_unknown and dictionary.is_unknown(tag):
            found += self.kept_unknown
        if tag >> 16 & 1 and tag & 0xFF00:
            found += self.kept_every
            if self.kept_private:
                found += self.kept_private.get((tag >> 16, scope.creator(tag), tag & 0xFF), ())
        return found
