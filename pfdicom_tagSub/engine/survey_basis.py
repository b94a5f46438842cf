"""What surveys ask of values and of attributes: what may be told of them, what identifies, what is kept.

Values leave it only where those of outputs give nothing of an original away, and originals only where
``--showValues`` asks for them. Else there are digests under a key that is made anew for each run, which say
which values are equal and nothing more.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import resources

from .._version import COMMAND
from ..core.errors import FileError
from ..core.file_survey import (
    PRIVATE,
    TEXTLESS,
)
from ..dicom import dictionary
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID, SPECIFIC_CHARACTER_SET
from ..dicom.edits import COPY_CHUNK
from ..dicom.elements import EXPLICIT_LITTLE, Element, Stretch
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
from .alike_census import AlikeCensus
from .census import FORMS_MOST, Census, CensusResult
from .chain_counts import Verdict
from .element_making import VAST
from .memory import Memory
from .rule_index import Lookups
from .rule_matching import RuleMatcher

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


class _EverySequence(ScanFilter):
    """Finds identifying attributes wherever they are, in sequences that are kept, too."""

    def is_whole(self, tag: int) -> bool:  # noqa: ARG002
        """Every sequence is entered."""
        return False


class SurveyBasis:
    """What the surveys of one spec have in common; it keeps what it found out for files to come.

    Attributes:
        rules: the compiled spec.
        survey_options: what surveys are to hold.
        filter: finds what may identify.
        matcher: says what the rules remove or replace.
        census: counts what stays; None where more than tags decides on that.
        alike: the same for files like others before, where a pass needs no other scan; else None.
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
        self.alike: AlikeCensus | None = None
        if not (lookups.content or lookups.blocks or rules.asks_for_more or self.kept_private):
            self.census = Census(self._census_filter(), self._verdict)
        self._originals: dict[tuple[object, ...], tuple[int, int, str]] = {}
        self._digests: dict[str, int] = {}
        self._quoting: dict[int, bool] = {}

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
        self.alike = AlikeCensus(self.census, needed)
        return True

    def count(self, data: Stretch) -> CensusResult | None:
        """What stays in a data set, and what the rules need in it, where ``find`` was asked to find that.

        Returns:
            As of a census; None where there is none.
        """
        return self.alike.count(data) if self.alike is not None else None

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
