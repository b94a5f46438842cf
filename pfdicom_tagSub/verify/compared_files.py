"""Two files that are compared: their bytes, their file meta, lengths and offsets, and the texts in them."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from pydicom.uid import ExplicitVRLittleEndian

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.character_sets import UTF8_CHARSET
from ..dicom.dictionary import (
    DIRECTORY_RECORD_SEQUENCE,
)
from ..dicom.sources import BytesSource, FileSource, Source
from ..spec.rules import Rule, RuleSet
from .element_texts import ElementText, name_of, texts_of
from .entries import REST, DataSet, Entry, PydicomReading, SequenceItem
from .expected_rules import FOLLOWED, Effect, ExpectedRules, Place
from .piece_data_sets import PieceDataSet, PieceEntries
from .same_value import Surroundings, may_stay
from .sequence_reading import items_of, raw_value

CHUNK = 1 << 20

FRAME_TABLES = frozenset({0x7FE00001, 0x7FE00002})
"""The places and lengths of compressed frames."""

ElementTextSet = set[ElementText]


class BeforeAndAfter(NamedTuple):
    """An element of the input and what has become of it."""

    before: Entry
    after: Entry


class ComparedFiles:
    """An input and its output, and what a comparison of them notes.

    Attributes:
        originals: the values that were replaced, removed or emptied.
        results: what stands in their place.
        spared: the values of elements that are kept on purpose.
        codecs: the Python encodings of text in both.
        surroundings: what the proofs of this comparison depend on besides the pieces; None without pieces.
    """

    def __init__(
        self,
        rules: RuleSet,
        expected: ExpectedRules,
        before: PydicomReading,
        after: PydicomReading,
        *,
        renames: bool,
        pause: Callable[[], None],
    ) -> None:
        self.rules = rules
        self.expected = expected
        self.before = before
        self.after = after
        self.renames = renames
        self.pause = pause
        self.originals: ElementTextSet = set()
        self.results: ElementTextSet = set()
        self.spared: ElementTextSet = set()
        self.codecs: set[str] = set()
        self.is_directory = bool(before.data.with_tag(dictionary.FIRST_RECORD_OFFSET))
        self.has_cleaned_pixels = False
        self.syntax = ""
        self.surroundings: object = None
        self.meta_places: list[int | None] = []
        """For each element of the input's file meta, the index of what has become of it."""
        self._records: dict[int, int] = {}

    @property
    def became_native(self) -> bool:
        """Whether compressed pixels became native ones as they were cleaned."""
        return self.syntax == ExplicitVRLittleEndian

    def may_differ(self, tag: int) -> bool:
        """Whether an element is held against the input together with the pixels, and not here."""
        is_name = tag == dictionary.PHOTOMETRIC_INTERPRETATION
        return (is_name and self.became_native) or tag in FRAME_TABLES or tag == dictionary.INTEGER_PIXEL_DATA

    def compare_meta(self) -> None:
        """Compare the file meta."""
        before, after = self.before.meta, self.after.meta
        stamps = set(self.expected.meta_insertions - tags_in(before))
        news = after.entries
        index, last = 0, len(news)
        for entry in before.entries:
            while index < last and news[index].tag != entry.tag and news[index].tag in stamps:
                stamps.discard(news[index].tag)
                index += 1
            is_taken = self.is_meta_taken(entry, news[index] if index < last else None)
            self.meta_places.append(index if is_taken else None)
            index += is_taken
        for own in news[index:]:
            if own.tag not in stamps:
                raise FileError(
                    f"{name_of(own.tag)} is in the output and not in the input, nor is it a stamp"
                )
            stamps.discard(own.tag)

    def is_meta_taken(self, entry: Entry, own: Entry | None) -> bool:
        """Hold an element of the file meta of the input against the next one of the output.

        Returns:
            Whether that is what has become of it; else it is gone.
        """
        before, after = self.before.meta, self.after.meta
        follows = self.expected.followers
        rule = self.rules.meta.get(entry.tag)
        # Of what is not in the standard nobody can say whom it names (PS3.15 E.1.1).
        drops_unknown = self.expected.claims or self.rules.remove_unknown
        is_unknown = drops_unknown and not dictionary.vr_of(entry.tag)
        if rule.template is None if rule is not None else is_unknown:
            if own is not None and own.tag == entry.tag:
                raise FileError(f"{name_of(entry.tag)} should have been removed")
            self.collect(entry, before, rule, self.originals)
            return False
        if own is None or own.tag != entry.tag:
            self.complain(entry, own, before, Place())
        assert own is not None
        is_length = entry.tag == dictionary.FILE_META_GROUP_LENGTH
        if is_length and before.end - before.start != after.end - after.start:
            self._check_meta_length(own)
        elif self.syntax and entry.tag == dictionary.TRANSFER_SYNTAX_UID:
            pass  # held against the pixels (compressed_check)
        elif self.is_same(entry, own, before, after):
            self._check_meta_stays(entry, rule, before)
        else:
            if rule is None and entry.tag not in follows:
                raise FileError(f"{name_of(entry.tag)} differs from the input's though no rule hits it")
            self.collect(entry, before, rule, self.originals, is_named=True)
        if rule is not None or entry.tag in follows:
            self.collect(own, after, rule, self.results, is_named=True)
        return True

    def _check_meta_stays(self, entry: Entry, rule: Rule | None, before: DataSet) -> None:
        """An element of the file meta is as it was, though a rule may hit it."""
        if rule is None or entry.tag in FOLLOWED:
            return
        if not may_stay(rule, entry, Surroundings(before, beyond=self.before.data), self.rules):
            raise FileError(f"{name_of(entry.tag)} is as it was though the key {rule.key} hits it")

    def _check_meta_length(self, own: Entry) -> None:
        meta = self.after.meta
        stored = meta.source.read(own.value, own.value + 4)
        if int.from_bytes(stored, "little") != meta.end - own.end:
            raise FileError("FileMetaInformationGroupLength is not the length of the file meta")

    def complain(self, entry: Entry, own: Entry | None, before: DataSet, place: Place) -> None:
        known = {one.tag for one in before.entries}
        if own is not None and own.tag not in known:
            raise FileError(
                f"{shown_name(own, place)} is in the output and not in the input, nor is it a stamp"
            )
        raise FileError(
            f"{shown_name(entry, place)} is missing, or is not where it was, though no rule removes it"
        )

    def holds_the_same(self, pair: BeforeAndAfter, before: DataSet, after: DataSet) -> bool:
        """Whether the value of an element is the same, whatever its header is."""
        one, other = pair
        return self.are_equal(
            before.source, one.value, one.value_end, after.source, other.value, other.value_end
        )

    def is_checked_length(self, pair: BeforeAndAfter, before: DataSet, after: DataSet, place: Place) -> bool:
        """Whether an element is a length or an offset, which has to follow what changed; it is checked."""
        tag = pair.before.tag
        is_length = tag != REST and (tag & 0xFFFF == 0 or (tag == dictionary.LENGTH_TO_END and place.is_root))
        offsets = dictionary.FIRST_RECORD_OFFSETS if place.is_root else dictionary.RECORD_OFFSETS
        if not is_length and not (self.is_directory and tag in offsets):
            return False
        old, new = raw_value(pair.before, before), raw_value(pair.after, after)
        if not len(old) == len(new) == 4:
            return False
        name = shown_name(pair.before, place)
        if is_length:
            self._check_length(pair, old, new, before, after, name)
        else:
            self._check_offset(old, new, before, name)
        return True

    def match_records(self, old: Sequence[SequenceItem], new: Sequence[SequenceItem]) -> None:
        """Note where each record of a DICOMDIR was and is, in the bytes of the files."""
        for one, other in zip(old, new, strict=True):
            self._records[one.data.base + one.start] = other.data.base + other.start

    def _check_length(
        self, pair: BeforeAndAfter, old: bytes, new: bytes, before: DataSet, after: DataSet, name: str
    ) -> None:
        """A length is true, or it is as it was and so is all that it measures."""
        order: Literal["big", "little"] = "little" if before.little else "big"
        is_to_end = pair.before.tag == dictionary.LENGTH_TO_END
        found = []
        for entry, data in ((pair.before, before), (pair.after, after)):
            end = data.end if is_to_end else _group_end(entry, data)
            found.append((entry.end, end, end - entry.end))
        if int.from_bytes(new, order) == found[1][2]:
            return
        same = self.are_equal(before.source, *found[0][:2], after.source, *found[1][:2])
        if old != new or not same:
            raise FileError(f"{name} is not the length of {'what follows' if is_to_end else 'its group'}")

    def _check_offset(self, old: bytes, new: bytes, before: DataSet, name: str) -> None:
        """An offset of a DICOMDIR names the same record as before."""
        order = "little" if before.little else "big"
        numbers = [int.from_bytes(one, order) for one in (old, new)]  # type: ignore[arg-type]
        if not self._records and not self._find_records() and old == new:
            return
        if (self._records.get(numbers[0]) if numbers[0] else 0) != numbers[1]:
            raise FileError(f"{name} does not name the record that it named")

    def _find_records(self) -> bool:
        """Find the records for the offsets of the root, which stand before them; whether there are any.

        Records that pydicom cannot read are none; as no rule was applied to them, they are the same.
        """
        found = [
            entry
            for data in (self.before.data, self.after.data)
            for entry in data.entries
            if entry.tag == DIRECTORY_RECORD_SEQUENCE
        ]
        if len(found) == 2:
            try:
                old, new = items_of(found[0], self.before.data), items_of(found[1], self.after.data)
            except FileError:
                return False
            if len(old) == len(new):
                self.match_records(old, new)
        return bool(self._records)

    def check_character_set(self, own: Entry, after: DataSet, above: str) -> None:
        """A character set that changed may only have become UTF-8, or the one that was assumed."""
        allowed = {UTF8_CHARSET.encode()}
        if self.rules.assumed is not None:
            allowed.add("\\".join(self.rules.assumed.terms).encode())
        if raw_value(own, after).strip(b" \0") not in allowed:
            raise FileError(f"{above}SpecificCharacterSet differs from the input's though no rule hits it")

    def is_same(self, before: Entry, after: Entry, old: DataSet, new: DataSet) -> bool:
        return self.are_equal(old.source, before.start, before.end, new.source, after.start, after.end)

    def are_equal(self, one: Source, start: int, stop: int, other: Source, begin: int, end: int) -> bool:
        """Whether two stretches hold the same bytes."""
        if stop - start != end - begin:
            return False
        if isinstance(one, BytesSource) and isinstance(other, BytesSource):
            return other.data.startswith(memoryview(one.data)[start:stop], begin)
        for offset in range(0, stop - start, CHUNK):
            size = min(CHUNK, stop - start - offset)
            place = begin + offset
            if _bytes(one, start + offset, size) != _bytes(other, place, size):
                return False
            if stop - start > CHUNK:
                self.pause()
        return True

    def collect(
        self,
        entry: Entry,
        data: DataSet,
        rule: Rule | None,
        values: ElementTextSet,
        *,
        is_named: bool = False,
    ) -> None:
        """Note the texts of an element, at every depth.

        Args:
            entry: the element.
            data: the data set that it is in.
            rule: the rule that hits it; None where private elements go as they are private.
            values: where to note them.
            is_named: whether all of its texts count though there is no rule.
        """
        is_named = is_named or rule is not None
        values.update(texts_of(entry, data, is_named=is_named, is_meant=self._is_meant))

    def _is_meant(self, tag: int) -> bool:
        """Whether what an element holds counts that goes with the sequence around it.

        A profile says of each attribute whether it identifies.
        """
        if not self.expected.claims or tag >> 16 & 1:
            return True
        hit, rule = self.expected.of_public(tag)
        return hit is not Effect.NONE and not (rule is not None and rule.walks)


def _bytes(source: Source, start: int, size: int) -> bytes:
    if isinstance(source, BytesSource):
        return source.data[start : start + size]
    assert isinstance(source, FileSource)
    data = os.pread(source.descriptor, size, start)  # not through its window, which is for small reads
    return data if len(data) == size else source.read(start, start + size)


def _group_end(length: Entry, data: DataSet) -> int:
    """Where the elements end that follow a group length and are of its group."""
    end = length.end
    if isinstance(data, PieceDataSet):
        return _end_of_group(data.own, bisect_left(data.own.starts, length.start))
    index = bisect_left(data.entries, length.start, key=lambda entry: entry.start) + 1
    for entry in islice(data.entries, index, None):
        if entry.tag == REST or entry.tag >> 16 != length.tag >> 16:
            break
        end = entry.end
    return end


def is_true_length(own: PieceEntries, index: int, data: DataSet) -> bool:
    """Whether a piece is the length of its group, and holds a number."""
    piece, start = own.pieces[index], own.starts[index]
    if piece.size - piece.value != 4:
        return False
    stored = int.from_bytes(piece.data[piece.value :], "little" if data.little else "big")
    return start + piece.size + stored == _end_of_group(own, index)


def _end_of_group(own: PieceEntries, index: int) -> int:
    """Where the pieces end that follow one and are of its group."""
    group = own.tags[index] >> 16
    last = len(own)
    index += 1
    while index < last and own.tags[index] >> 16 == group:
        index += 1
    return own.starts[index - 1] + own.pieces[index - 1].size


def tags_in(data: DataSet) -> frozenset[int]:
    """The tags of a data set."""
    if isinstance(data, PieceDataSet):
        return data.own.known
    return frozenset([entry.tag for entry in data.entries])


def shown_name(entry: Entry, place: Place) -> str:
    """What a message calls an element: its name, after the sequences and items that it is in."""
    return place.above + name_of(entry.tag)
