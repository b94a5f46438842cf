"""What a pass over one file tells of itself, where a dry run or a report asks for it.

Nothing here runs otherwise: the plain pass is a class of its own. Values do not leave the
pass but for those of outputs that give nothing of an original away, and for originals
where ``--showValues`` asks for them. Else they are told as digests under a key that is
made anew for each run, which say which values are equal and nothing more.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import TypeVar

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
from ..dicom.dictionary import SPECIFIC_CHARACTER_SET, name_of_uid
from ..dicom.edits import COPY_CHUNK
from ..dicom.elements import Element, Item
from ..dicom.file import PREAMBLE, DicomFile
from ..dicom.file_ids import FileIds
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import Reading, Scope
from ..dicom.values import BINARY_VRS
from ..spec.content_items import CONCEPT_NAME, VALUE_TYPE, VALUES
from ..spec.keys import EveryPrivateKey, EveryUnknownKey, KeywordKey, MaskKey, PatternKey, PrivateKey
from ..spec.parsing import parse_json
from ..spec.profile import BASIC
from ..spec.rules import Rule, RuleSet
from .memory import Memory, Note
from .patched import Patched
from .pixel_review import MODALITY, SOP_CLASS_UID
from .rule_index import Lookups
from .substitution import FOLLOWERS, VAST, Substitution

R = TypeVar("R")


SHOWN_MOST = 64
"""So many characters of a text are told."""

REMEMBERED = 1 << 13

HIDING = frozenset({"dummy", "empty", "hmac", "lookup", "md5", "name", "sha256", "uid"})
"""Functions whose results hold no part of an original."""


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
# anything there, so that no other text is told.
_MODALITIES = frozenset(
    """
    ANN AR ASMT AU BDUS BI BMD CD CF CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG
    EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP OPM
    OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN
    RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG US VA VF VL XA
    XAPROTOCOL XC
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class SurveyOptions:
    """What passes are asked to tell; its presence asks them.

    Attributes:
        key: keys the digests, so that they mean nothing outside of one run.
        show_values: tell originals, too.
    """

    key: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    show_values: bool = False


def packed(results: list[R]) -> list[R]:
    """The same results, with all that was observed summed up in the first that has any."""
    seen = [one.survey for one in results if isinstance(one, FileOutcome) and one.survey is not None]
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


class _Census(ScanFilter):
    """Finds identifying attributes wherever they are, in sequences that are kept, too."""

    def is_whole(self, tag: int) -> bool:  # noqa: ARG002
        """Every sequence is entered."""
        return False


class Surveyor:
    """Makes passes that tell; it keeps what it found out for files to come.

    Not safe to share between threads or to send between processes.
    """

    def __init__(self, rules: RuleSet, survey_options: SurveyOptions) -> None:
        """Args:
        rules: the compiled spec.
        survey_options: what to tell.
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
                case KeywordKey() | PatternKey() | MaskKey():
                    for tag in key.tags:
                        self.kept_tags.setdefault(tag, []).append(index)
                    for group in key.groups if isinstance(key, MaskKey) else ():
                        self.kept_groups.setdefault(group, []).append(index)
                        kept_groups.append(group)
        self.filter = _Census(
            {*self.identifying, *self.kept_tags, *_CONTENT, SPECIFIC_CHARACTER_SET, MODALITY, SOP_CLASS_UID},
            private=True,
            unknown=True,
            groups={*self.groups, *kept_groups},
        )
        self._originals: dict[tuple[object, ...], tuple[int, int, str]] = {}
        self._digests: dict[str, int] = {}
        self._quoting: dict[int, bool] = {}

    def substitution(
        self,
        lookups: Lookups,
        memory: Memory,
        file: DicomFile,
        elements: list[Element],
        switched: frozenset[int],
        file_ids: FileIds | None,
        reading: Reading,
    ) -> Substitution:
        """A pass over one file that tells of itself; see ``Substitution``."""
        return _Telling(self, lookups, memory, file, elements, switched, file_ids, reading)

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


class _Telling(Substitution):
    """A pass that notes what it does, and what it leaves."""

    def __init__(
        self,
        surveyor: Surveyor,
        lookups: Lookups,
        memory: Memory,
        file: DicomFile,
        elements: list[Element],
        switched: frozenset[int],
        file_ids: FileIds | None,
        reading: Reading,
    ) -> None:
        super().__init__(lookups, memory, file, elements, switched, file_ids, reading)
        self.surveyor = surveyor
        self.hits: Counter[ElementChange] = Counter()
        self.left: Counter[Remaining] = Counter()
        self.hit_rules: set[int] = set()
        self._depth = 0
        self._last: tuple[Note, tuple[str, ...]] = (0, Action.REMOVED), ()

    def patched(self) -> Patched:
        """Apply the rules, then look at what they leave."""
        patched = super().patched()
        partly = 0
        root = self.root
        try:
            data = self.file.data
            elements = scan(data, self.surveyor.filter)
            root = Scope(data.source, elements, data.encoding, data.start, reading=self.root.reading)
            root.beyond = self.meta
            self._survey(elements, root, 0)
        except FileError:  # over what the rules need not look into: the file itself is fine
            partly = 1
        self._survey_meta()
        kinds = {self._kind(root): 1}
        seen = FileSurvey(dict(self.hits), frozenset(self.hit_rules), dict(self.left), kinds, partly)
        return replace(patched, survey=seen)

    # --- what is done

    def _data_set(self, elements: Sequence[Element], scope: Scope) -> int:
        around, self._depth = self._depth, _depth_of(scope)
        growth = super()._data_set(elements, scope)
        self._depth = around
        return growth

    def _note(self, note: Note, texts: tuple[str, ...], scope: Scope) -> None:
        super()._note(note, texts, scope)
        self._last = note, texts

    def _apply(self, rule: Rule, element: Element, scope: Scope) -> int:
        edits = len(self.edits)
        growth = super()._apply(rule, element, scope)
        note, texts = self._last
        text = "\\".join(texts)
        if rule.items and note[1] is Action.SUBSTITUTED:
            text = "(1 item)" if len(rule.items) == 1 else f"({len(rule.items)} items)"
        self._tell(rule, note, element, scope, text, is_same=len(self.edits) == edits)
        return growth

    def _tell(
        self, rule: Rule, note: Note, element: Element | None, scope: Scope, text: str, *, is_same: bool
    ) -> None:
        surveyor = self.surveyor
        self.hit_rules.add(rule.index)
        original, length, shown = surveyor.original(element, scope) if element is not None else (0, 0, "")
        result = surveyor.digest(text)
        self._hit(note, scope, original, result, length, text, shown, is_same, surveyor.quotes(rule))

    def _hit(
        self,
        note: Note,
        scope: Scope,
        original: int,
        result: int,
        length: int,
        text: str,
        shown: str,
        is_same: bool,
        quotes: bool,
    ) -> None:
        show_values = self.surveyor.survey_options.show_values
        tells = quotes or (bool(result) and original == result) or (len(shown) > 3 and shown in text)
        self.hits[
            ElementChange(
                note[0],
                _depth_of(scope),
                note[1].value,
                original,
                result,
                length,
                "" if tells and not show_values else _short(text),
                _short(shown) if show_values else "",
                is_same and bool(original),
            )
        ] += 1

    def _remove_private(self, element: Element) -> int:
        # Values of all kinds together: how many different ones there are means nothing.
        self.hits[ElementChange(PRIVATE, self._depth, Action.REMOVED.value)] += 1
        self.hit_rules.update(self.rules.private_removers)
        return super()._remove_private(element)

    def _remove_unknown(self, element: Element) -> int:
        self.hits[ElementChange(element.tag, self._depth, Action.REMOVED.value)] += 1
        self.hit_rules.update(self.rules.unknown_removers)
        return super()._remove_unknown(element)

    def _remove_item(self, item: Item, scope: Scope, sequence: Element) -> int:
        rule = self.content_rule(scope)
        if rule is not None:
            self.hit_rules.add(rule.index)
        self.hits[ElementChange(sequence.tag, self._depth, Action.REMOVED.value)] += 1
        return super()._remove_item(item, scope, sequence)

    def _file_id(self, element: Element, scope: Scope, file_ids: FileIds) -> int:
        notes = len(self.notes)
        growth = super()._file_id(element, scope, file_ids)
        if len(self.notes) > notes:
            original, length, shown = self.surveyor.original(element, scope)
            text = "\\".join(file_ids.renamed(scope.raw(element)) or ())
            result = self.surveyor.digest(text)
            self._hit(self.notes[-1], scope, original, result, length, text, shown, False, True)
        return growth

    def _inserted(self, rule: Rule, tag: int, scope: Scope) -> bytes:
        notes = len(self.notes)
        data = super()._inserted(rule, tag, scope)
        if len(self.notes) > notes:
            note, texts = self._last
            text = "\\".join(texts)
            if rule.items:
                text = "(1 item)" if len(rule.items) == 1 else f"({len(rule.items)} items)"
            self._tell(rule, note, None, scope, text, is_same=False)
        return data

    def _declared(self, scope: Scope, terms: tuple[str, ...], action: Action) -> bytes:
        data = super()._declared(scope, terms, action)
        element = scope.elements.get(SPECIFIC_CHARACTER_SET)
        original, length, shown = self.surveyor.original(element, scope) if element else (0, 0, "")
        text = "\\".join(terms)
        result = self.surveyor.digest(text)
        note = SPECIFIC_CHARACTER_SET, action
        self._hit(note, scope, original, result, length, text, shown, False, False)
        return data

    def _preamble(self) -> None:
        edits = len(self.edits)
        super()._preamble()
        if len(self.edits) > edits:
            self.hit_rules.update(self.rules.preamble_zeroers)

    def _meta(self) -> None:
        notes = len(self.notes)
        super()._meta()
        elements = {element.tag: element for element in self.file.meta}
        for note in self.notes[notes:]:
            rule = self.rules.meta.get(note[0])
            followed = self._followed(note[0], rule) if note[0] in FOLLOWERS else None
            if followed is not None and note[0] in elements:
                if rule is not None:
                    self.hit_rules.add(rule.index)
                original, length, shown = self.surveyor.original(elements[note[0]], self.meta)
                # It follows an element that tells of itself.
                text = "\\".join(followed)
                result = self.surveyor.digest(text)
                self._hit(note, self.meta, original, result, length, text, shown, False, True)

    # --- what is left

    def _survey(self, elements: Iterable[Element], scope: Scope, depth: int) -> None:
        surveyor = self.surveyor
        for element in elements:
            tag = element.tag
            rule = self.rule_for(element, scope)
            keepers = surveyor.keepers(tag, scope)
            self.hit_rules.update(keepers)
            if (rule is not None and not rule.keeps) or self.is_removed(element, rule):
                continue
            if tag & 0xFFFF and surveyor.identifies(tag) and _holds_something(element, scope):
                label = PRIVATE if tag >> 16 & 1 else tag
                self.left[Remaining(label, depth, bool(keepers))] += 1
            for item in element.items or ():
                inner = Scope(scope.source, item.elements, item.encoding, item.value, scope)
                concept = self.content_rule(inner) if self.lookups.content else None
                if concept is not None and concept.template is None:
                    continue
                if concept is not None:
                    self.hit_rules.add(concept.index)
                self._survey(item.elements, inner, depth + 1)

    def _survey_meta(self) -> None:
        surveyor = self.surveyor
        for element in self.file.meta:
            tag = element.tag
            keepers = surveyor.keepers(tag, self.meta)
            self.hit_rules.update(keepers)
            follows = tag in FOLLOWERS and self._followed(tag, None) is not None
            is_hit = tag in self.rules.meta or follows
            is_hit = is_hit or (self.rules.remove_unknown and dictionary.is_unknown(tag))
            if surveyor.identifies(tag) and not is_hit and _holds_something(element, self.meta):
                self.left[Remaining(tag, 0, bool(keepers))] += 1
        has_preamble = self.file.meta_start > PREAMBLE and not self.rules.zero_preamble
        if has_preamble and any(self.file.source.read(0, PREAMBLE)):
            self.left[Remaining(PREAMBLE_TAG, 0, is_kept=False)] += 1

    def _kind(self, root: Scope) -> FileKind:
        modality = _first_text(root, MODALITY)
        sop_class = _first_text(root, SOP_CLASS_UID)
        if not sop_class:
            sop_class = _first_text(self.meta, dictionary.MEDIA_STORAGE_SOP_CLASS_UID)
        return FileKind(
            modality if modality in _MODALITIES else OTHER if modality else NONE_GIVEN,
            _uid_name(sop_class),
            _uid_name(_first_text(self.meta, dictionary.TRANSFER_SYNTAX_UID)),
        )


def _depth_of(scope: Scope) -> int:
    depth = 0
    while scope.parent is not None:
        depth, scope = depth + 1, scope.parent
    return depth


def _holds_something(element: Element, scope: Scope) -> bool:
    size = element.stop - element.value
    return size > SHOWN_MOST or bool(scope.raw(element).strip(b"\0 "))


def _first_text(scope: Scope, tag: int) -> str:
    element = scope.elements.get(tag)
    raw = scope.raw(element) if element is not None else b""
    return raw.decode("ascii", "replace").partition("\\")[0].strip("\0 ")


def _uid_name(text: str) -> str:
    """What the standard calls a UID; any other UID could be that of a patient's study."""
    if not text:
        return NONE_GIVEN
    name = name_of_uid(text)
    return UNKNOWN_UID if name is None else name


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_MOST else text[: SHOWN_MOST - 1] + "…"
