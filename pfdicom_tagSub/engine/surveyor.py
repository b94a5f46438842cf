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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import NamedTuple, TypeVar

from .._version import COMMAND
from ..core.errors import FileError
from ..core.file_survey import (
    PREAMBLE_TAG,
    PRIVATE,
    TEXTLESS,
    ElementChange,
    FileKind,
    FileSurvey,
    Remaining,
    merged,
)
from ..core.outcome import Action, FileOutcome
from ..dicom import dictionary
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID, SPECIFIC_CHARACTER_SET, name_of_uid
from ..dicom.edits import COPY_CHUNK
from ..dicom.elements import EXPLICIT_LITTLE, Element
from ..dicom.file import PREAMBLE, DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import Scope
from ..dicom.sources import BytesSource
from ..dicom.values import BINARY_VRS
from ..spec.content_items import CONCEPT_NAME, VALUE_TYPE, VALUES
from ..spec.keys import EveryPrivateKey, EveryUnknownKey, KeywordKey, MaskKey, PatternKey, PrivateKey, VRKey
from ..spec.parsing import parse_json
from ..spec.profile import BASIC
from ..spec.rules import Rule, RuleSet
from ..spec.templates import HIDING
from .census import BLANKS, CERTAIN, FORMS_MOST, Census, CensusResult, Verdict
from .changes import Change
from .element_making import VAST
from .file_meta_substitution import FOLLOWERS
from .memory import Memory
from .rule_index import Lookups
from .rule_matching import RuleMatcher
from .substitution import Substitution

R = TypeVar("R")


SHOWN_MOST = 64
"""So many characters of a text are shown."""

REMEMBERED = 1 << 13

OTHER = "(other)"
NONE_GIVEN = "(none given)"
UNKNOWN_UID = "(private or unknown)"

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

# The defined terms of Modality (PS3.3 C.7.3.1.1.1), the retired ones too. A file may have
# anything there, so that no other text is shown.
_MODALITIES = frozenset(
    """
    ANN AR ASMT AU BDUS BI BMD CD CF CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG
    EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP OPM
    OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN
    RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG US VA VF VL XA
    XAPROTOCOL XC
    """.split()  # noqa: SIM905
)


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


class SurveyedChanges(NamedTuple):
    """What a pass did, where that depends on a few elements alone.

    Attributes:
        hits: what happened to elements, and how often.
        rules: the rules whose keys hit them.
    """

    hits: Mapping[ElementChange, int]
    rules: frozenset[int]


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
        survey = _SurveyBuilder(self, substitution)
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
        read, verdict = file.source.read, census.verdict
        syntax = stored = b""
        meta = []
        for element in file.meta:
            tag = element.tag
            if tag == dictionary.TRANSFER_SYNTAX_UID:
                syntax = read(element.value, element.stop)
            elif tag == dictionary.MEDIA_STORAGE_SOP_CLASS_UID:
                stored = read(element.value, element.stop)
            if not verdict(tag).is_idle:
                size = element.stop - element.value
                meta.append((tag, size > CERTAIN or bool(read(element.value, element.stop).strip(BLANKS))))
        has_preamble = file.meta_start > PREAMBLE and bool(file.source.read(0, PREAMBLE).strip(b"\0"))
        own = kinds.get(MODALITY, b""), kinds.get(SOP_CLASS_UID, b""), stored, syntax
        key = (id(changes), id(counted), tuple(meta), has_preamble, own)
        known = self._surveys.get(key)
        if known is None:
            remaining = Counter(counted.remaining)
            rules = {*changes.rules, *counted.rules, *self.rules.held}
            for tag, holds_something in meta:
                rules.update(verdict(tag).keepers)
                if holds_something and self.identifies(tag):
                    remaining[Remaining(tag, 0, bool(verdict(tag).keepers))] += 1
            remaining.update([Remaining(PREAMBLE_TAG, 0, is_kept=False)] * has_preamble)
            kind = _kind_of(*map(_text, own))
            survey = FileSurvey(changes.hits, frozenset(rules), dict(remaining), {kind: 1})
            # What the key has the numbers of is kept as well: these must not be used again.
            known = changes, counted, survey
            if len(self._surveys) >= REMEMBERED:
                self._surveys.clear()
            self._surveys[key] = known
        return known[2]

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


class _SurveyBuilder:
    """That of one file, as it grows.

    Attributes:
        changes: what was done to elements, and how often.
        remaining: identifying attributes that stay.
        rules: the indices of the rules whose keys hit something.
        root: the data set, as far as it was read.
    """

    def __init__(self, surveyor: Surveyor, substitution: Substitution) -> None:
        self.surveyor = surveyor
        self.substitution = substitution
        self.matcher = substitution.matcher
        self.root = substitution.root
        self.changes: Counter[ElementChange] = Counter()
        self.remaining: Counter[Remaining] = Counter()
        self.rules: set[int] = set()
        self.kinds: dict[int, bytes] | None = None

    def kind(self) -> FileKind:
        """What the file is."""
        meta = self.substitution.meta
        stored = (
            _raw(meta, dictionary.MEDIA_STORAGE_SOP_CLASS_UID),
            _raw(meta, dictionary.TRANSFER_SYNTAX_UID),
        )
        if self.kinds is None:
            own = _raw(self.root, MODALITY), _raw(self.root, SOP_CLASS_UID)
        else:
            own = self.kinds.get(MODALITY, b""), self.kinds.get(SOP_CLASS_UID, b"")
        return _kind_of(*map(_text, (*own, *stored)))

    def add_changes(self) -> None:
        """Add what the pass did."""
        for change in self.substitution.changes:
            self.changes[self._element_change(change)] += change.times
            self.rules.update(self._rules_of(change))
        if self.substitution.file_meta.zeroes_preamble:
            self.rules.update(self.substitution.rules.preamble_zeroers)

    def _element_change(self, change: Change) -> ElementChange:
        surveyor = self.surveyor
        tag, action = change.note
        original, length, shown = 0, 0, ""
        if change.element is not None:
            original, length, shown = surveyor.original(change.element, change.scope)
        text = _text_of(change)
        result = surveyor.digest(text)
        quotes = change.follows or (change.rule is not None and surveyor.quotes(change.rule))
        quotes = quotes or (bool(result) and original == result) or (len(shown) > 3 and shown in text)
        show_values = surveyor.survey_options.show_values
        return ElementChange(
            tag,
            _depth_of(change.scope),
            action.value,
            original,
            result,
            length,
            "" if quotes and not show_values else _short(text),
            _short(shown) if show_values else "",
            change.is_same and bool(original),
        )

    def _rules_of(self, change: Change) -> Iterable[int]:
        """The rules whose keys asked for a change."""
        tag, action = change.note
        if change.rule is not None:
            return (change.rule.key_index,)
        if action is not Action.REMOVED:
            return ()
        rules = self.substitution.rules
        return rules.private_removers if tag == PRIVATE else rules.unknown_removers

    def add_remaining(self) -> int:
        """Add what the rules leave; returns 1 where the sequences cannot be read to the end, else 0."""
        data, meta = self.substitution.file.data, self.substitution.meta
        census = self.surveyor.census
        found = None if census is None else census.count(data)
        if found is not None:
            counted, self.kinds, _ = found
            self.remaining.update(counted.remaining)
            self.rules.update(counted.rules)
            self._add_meta(meta)
            return 0
        partly = 0
        try:
            elements = scan(data, self.surveyor.filter)
            self.root = Scope(
                data.source, elements, data.encoding, data.start, reading=self.substitution.root.reading
            )
            self.root.beyond = meta
            self._add_data_set(elements, self.root, 0)
        except FileError:  # over what the rules need not look into: the file itself is fine
            partly = 1
        self._add_meta(meta)
        return partly

    def _add_data_set(self, elements: Iterable[Element], scope: Scope, depth: int) -> None:
        surveyor, matcher = self.surveyor, self.matcher
        for element in elements:
            tag = element.tag
            rule = matcher.rule_for(element, scope)
            keepers = surveyor.keepers(tag, scope)
            self.rules.update(keepers)
            if (rule is not None and not rule.keeps) or matcher.is_removed(element, rule):
                continue
            if tag & 0xFFFF and surveyor.identifies(tag) and _holds_something(element, scope):
                label = PRIVATE if tag >> 16 & 1 else tag
                self.remaining[Remaining(label, depth, bool(keepers))] += 1
            for item in element.items or ():
                inner = Scope(scope.source, item.elements, item.encoding, item.value, scope, sequence=tag)
                concept = matcher.content_rule(inner) if matcher.lookups.content else None
                if concept is not None and concept.template is None:
                    continue
                if concept is not None:
                    self.rules.add(concept.index)
                self._add_data_set(item.elements, inner, depth + 1)

    def _add_meta(self, meta: Scope) -> None:
        surveyor, substitution = self.surveyor, self.substitution
        file, rules = substitution.file, substitution.rules
        for element in file.meta:
            tag = element.tag
            keepers = surveyor.keepers(tag, meta)
            self.rules.update(keepers)
            follows = tag in FOLLOWERS and substitution.file_meta.followed(tag, None) is not None
            is_hit = tag in rules.meta or follows
            is_hit = is_hit or (rules.remove_unknown and dictionary.is_unknown(tag))
            if surveyor.identifies(tag) and not is_hit and _holds_something(element, meta):
                self.remaining[Remaining(tag, 0, bool(keepers))] += 1
        has_preamble = file.meta_start > PREAMBLE and not rules.zero_preamble
        if has_preamble and any(file.source.read(0, PREAMBLE)):
            self.remaining[Remaining(PREAMBLE_TAG, 0, is_kept=False)] += 1


def _text_of(change: Change) -> str:
    """What stands there now, or how many items do."""
    items = change.rule.items if change.rule is not None else ()
    if items and change.note[1] in (Action.SUBSTITUTED, Action.INSERTED):
        return "(1 item)" if len(items) == 1 else f"({len(items)} items)"
    return "\\".join(change.texts)


def _kind_of(modality: str, sop_class: str, stored_sop_class: str, transfer_syntax: str) -> FileKind:
    """What a file is, by what it says and by what its file meta says."""
    return FileKind(
        modality if modality in _MODALITIES else OTHER if modality else NONE_GIVEN,
        _uid_name(sop_class or stored_sop_class),
        _uid_name(transfer_syntax),
    )


def _depth_of(scope: Scope) -> int:
    depth = 0
    while scope.parent is not None:
        depth, scope = depth + 1, scope.parent
    return depth


def _holds_something(element: Element, scope: Scope) -> bool:
    size = element.stop - element.value
    return size > SHOWN_MOST or bool(scope.raw(element).strip(b"\0 "))


def _raw(scope: Scope, tag: int) -> bytes:
    element = scope.elements.get(tag)
    return scope.raw(element) if element is not None else b""


def _text(raw: bytes) -> str:
    """The first value of a text."""
    return raw.decode("ascii", "replace").partition("\\")[0].strip("\0 ")


def _uid_name(text: str) -> str:
    """What the standard calls a UID; any other UID could be that of a patient's study."""
    if not text:
        return NONE_GIVEN
    name = name_of_uid(text)
    return UNKNOWN_UID if name is None else name


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_MOST else text[: SHOWN_MOST - 1] + "…"
