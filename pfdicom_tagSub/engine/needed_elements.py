"""What the rules of a spec need to see of a data set: which elements, and in which sequences."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from ..dicom import dictionary
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID, SPECIFIC_CHARACTER_SET
from ..dicom.file_meta import META_TAGS
from ..dicom.free_text import FREE_TEXT_VRS
from ..dicom.known_sequences import KnownSequences
from ..dicom.scan_filter import NOTHING_ASKED, Asked, ScanFilter
from ..dicom.scope import CREATORS
from ..dicom.values import ASCII_VRS, CHARSET_VRS
from ..spec.content_items import CONCEPT_NAME, VALUE_TYPE, VALUES
from .file_meta_substitution import FOLLOWING
from .pixel_review import REVIEWED
from .rule_index import Lookups

TEXT_VRS = ASCII_VRS | CHARSET_VRS | {"UN", ""}
"""VRs under which texts stand, and identifiers that texts are cleaned of."""

CLEANED_VRS = FREE_TEXT_VRS | {"CS", "UN", ""}
"""Of these, where no rule says that what stands there goes, the ones that are cleaned."""

TELLING_PRIVATE_VRS = frozenset({"PN", "DA", "DT", "UN", ""})
"""VRs of private elements that may say what texts are cleaned of."""


class _ScannedTags(NamedTuple):
    """The tags that a scan goes by.

    Attributes:
        kept: of elements to keep, wherever they are.
        entered: of elements for which sequences are entered.
        walked: of sequences that are entered though a rule hits them.
    """

    kept: set[int]
    entered: set[int]
    walked: list[int]


class NeededElements:
    """What one spec needs to see."""

    def __init__(
        self, lookups: Lookups, *, renames: bool, is_surveyed: bool, paired: Collection[int] = ()
    ) -> None:
        """Args:
        lookups: the spec.
        renames: whether outputs get other paths than inputs, so that a DICOMDIR has to follow.
        is_surveyed: whether passes tell of themselves.
        paired: the tags of elements of which passes tell the original and the new values.
        """
        self._lookups = lookups
        self._rules = lookups.rules
        self._renames = renames
        self._is_surveyed = is_surveyed
        self._paired = paired
        self._hit = self._hit_tags()
        self._followed = self._followed_tags()

    def _hit_tags(self) -> set[int]:
        """The tags that rules may hit, but for those of whole groups."""
        hit = set(self._rules.table)
        for group, element in self._lookups.blocks:
            hit.update(group << 16 | block << 8 | element for block in CREATORS)
        if self._rules.content:
            hit.update(VALUES, {CONCEPT_NAME})
        return hit

    def _followed_tags(self) -> set[int]:
        """Those of the data set that the file meta repeats, where one or the other changes."""
        rules = self._rules
        return {
            tag
            for tag, follower in FOLLOWING.items()
            if tag in self._hit or tag >> 16 in rules.groups or follower in rules.meta
        }

    @property
    def are_all(self) -> bool:
        """Whether the changes depend on the elements alone that a scan keeps, and concern these alone."""
        rules, lookups = self._rules, self._lookups
        reads_meta = any(tag >> 16 == 0x0002 for tag in rules.sources)
        changes_meta = rules.meta or lookups.meta_insertions or rules.zero_preamble
        # what nobody knows goes from the file meta
        changes_meta = changes_meta or rules.claims_identity_removed or rules.remove_unknown
        if reads_meta or changes_meta or self._followed:
            return False
        odd = any(group & 1 for group in rules.groups)
        return not (rules.private or rules.remove_private or odd or rules.cleans or rules.asks_for_more)

    def scan_filter(self, asked: Asked = NOTHING_ASKED) -> ScanFilter:
        """What finds them.

        Args:
            asked: what is asked of a data set besides.
        """
        rules = self._rules
        tags = _ScannedTags(self._kept(asked), self._entered(asked), self._walked(asked))
        found = self._filter_of(tags, TEXT_VRS, None)
        is_narrow = rules.texts is not None and not rules.asks_for_more
        return self._filter_of(tags, CLEANED_VRS, found) if is_narrow else found

    def _filter_of(self, tags: _ScannedTags, vrs: Collection[str], within: ScanFilter | None) -> ScanFilter:
        """As ``scan_filter``.

        Args:
            tags: what is to be kept and entered.
            vrs: those of elements that matter where texts are cleaned.
            within: finds what matters in sequences that go; None where it is the same.
        """
        rules = self._rules
        merges = self._lookups.drops_private and not self._is_surveyed and not rules.asks_for_more
        return ScanFilter(
            tags.kept,
            tags.entered,
            private=rules.remove_private,
            groups=rules.groups,
            walked=tags.walked,
            walked_groups=[group for group, rule in rules.groups.items() if rule.walks],
            walked_private=self._lookups.blocks,
            unknown=rules.remove_unknown,
            # Any text may be one to be cleaned, or say what to clean others of.
            everything=rules.texts is not None or rules.asks_for_more,
            vrs=vrs if rules.texts and not rules.asks_for_more else (),
            merges=merges and not any(tag >> 16 & 1 for tag in rules.sources),
            apart=TELLING_PRIVATE_VRS if rules.texts else (),
            within=within,
            # What is done to items whose bytes came before is not told for each depth.
            sequences=KnownSequences() if within is not None and not self._is_surveyed else None,
        )

    def _kept(self, asked: Asked) -> set[int]:
        """As of ``_ScannedTags``."""
        rules, blocks = self._rules, self._lookups.blocks
        kept = {SPECIFIC_CHARACTER_SET, dictionary.FIRST_RECORD_OFFSET, dictionary.LENGTH_TO_END}
        kept |= self._hit | rules.sources | asked.tags | self._followed | self._lookups.overlay_tags
        kept |= META_TAGS  # they fail a file in whose data set they stand
        kept |= {group << 16 | creator for group, _ in blocks for creator in CREATORS}
        kept |= {group << 16 | creator for group in rules.groups if group & 1 for creator in CREATORS}
        kept.update(self._paired)
        kept |= REVIEWED if rules.claims_identity_removed else set()
        kept |= {CONCEPT_NAME, VALUE_TYPE} if rules.content else set()
        kept |= {MODALITY, SOP_CLASS_UID} if self._is_surveyed else set()
        kept |= self._of_records()
        if rules.groups or any("SS" in dictionary.vr_of(tag) for tag in kept if not tag >> 16 & 1):
            kept.add(dictionary.PIXEL_REPRESENTATION)
        return kept

    def _entered(self, asked: Asked) -> set[int]:
        """As of ``_ScannedTags``."""
        followers = {FOLLOWING[tag] for tag in self._followed}
        return self._hit | self._rules.meta.keys() | followers | asked.entered | self._of_records()

    def _of_records(self) -> set[int]:
        """The tags of elements that matter in the records of a DICOMDIR."""
        found: set[int] = set()
        if self._rules.sources:  # a record is a place where they are looked for
            found |= {dictionary.NEXT_RECORD_OFFSET, dictionary.LOWER_RECORD_OFFSET}
        if self._renames:
            found.add(dictionary.REFERENCED_FILE_ID)
        return found

    def _walked(self, asked: Asked) -> list[int]:
        """As of ``_ScannedTags``."""
        rules = self._rules
        walked = [CONCEPT_NAME] if rules.content and CONCEPT_NAME not in rules.table else []
        walked += [tag for tag, rule in rules.table.items() if rule.walks or rule.adds]
        return [*walked, *asked.walked]
