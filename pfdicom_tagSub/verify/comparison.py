"""Each output read again and held against its input (``--verify``).

Input and output are read by pydicom (``rereading.py``), the compiled spec is asked anew which elements it
hits (``hits.py``), and everything else has to be the same bytes in the same order. Then the output is
searched for the values that were replaced (``residuals.py``).
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Literal, NamedTuple

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.character_sets import UTF8_CHARSET
from ..dicom.dictionary import (
    DIRECTORY_RECORD_SEQUENCE,
    INTEGER_PIXEL_DATA,
    SPECIFIC_CHARACTER_SET,
    TYPE_1,
    TYPE_2,
)
from ..dicom.embedded_overlays import GROUPS
from ..dicom.free_text import is_free_text
from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit
from ..dicom.sources import BytesSource, FileSource, Source
from ..spec.content_items import CONCEPT_NAME, CONTENT_SEQUENCE, VALUES
from ..spec.rules import Rule, RuleSet
from ..spec.text_functions import NOTHING_LEFT
from .element_texts import ElementText, name_of, texts_of, vr_of
from .entries import REST, DataSet, Entry, PydicomReading, SequenceItem
from .expected_rules import FOLLOWED, Effect, ExpectedRules, Place
from .overlay_check import check_cleared, kept_of
from .pieces import INPUT, OUTPUT, Piece, PieceDataSet, PieceEntries, SeriesReader
from .proofs import NOTHING, STAMPED, Proof, Proofs
from .pydicom_reading import in_memory, read_again
from .residuals import find_residuals
from .same_value import Surroundings, is_constant, may_stay
from .sequence_reading import is_sequence, items_of, raw_value, readings_of
from .series_search import Noted, SeriesSearch
from .text_search import TextSearches

CHUNK = 1 << 20
CLEANED = frozenset({0x7FE00001, 0x7FE00002, INTEGER_PIXEL_DATA})
"""The pixels, and the places and lengths of their frames."""

ElementTextSet = set[ElementText]


class Verifier:
    """Verifies outputs of one compiled spec; make one in each process or thread."""

    def __init__(self, rules: RuleSet, *, renames: bool = False, limit: InflateLimit = DEFAULT_LIMIT) -> None:
        """Args:
        rules: the compiled spec.
        limit: how large the data set of an output may become if it is deflated.
        renames: whether outputs get other paths than inputs, so that a DICOMDIR follows.
        """
        self.rules = rules
        self.renames = renames
        self.expected = ExpectedRules(rules)
        self.limit = limit
        self.series = SeriesReader()
        self.proofs = Proofs(rules, self.expected)
        self.texts = TextSearches()
        self.searches = SeriesSearch(self.expected.kept)

    def for_rules(self, rules: RuleSet) -> Verifier:
        """A verifier of other rules, which shares nothing with this one."""
        return Verifier(rules, renames=self.renames, limit=self.limit)

    def residuals(
        self,
        source: Source,
        written: Source,
        shown_path: str,
        pause: Callable[[], None] = lambda: None,
        *,
        has_cleaned_pixels: bool = False,
        syntax: str = "",
    ) -> tuple[str, ...]:
        """Verify one output.

        Args:
            source: the input.
            written: the output.
            shown_path: the path that the output is to have, relative to the output directory.
            pause: called between pieces of a large file; it may raise to stop.
            has_cleaned_pixels: whether the pixels were cleaned, which is checked elsewhere.
            syntax: the transfer syntax that they got by that; "" where it stays.

        Returns:
            The names of the elements that still hold a value that was replaced.

        Raises:
            FileError: something is not as it was though no rule hits it, or the other way about.
                The text names the element and quotes no value.
            OSError: the output cannot be read.
        """
        try:
            before, after = self._readings(source, written, is_whole=has_cleaned_pixels)
            comparison = _Comparison(
                self.rules, self.expected, before, after, renames=self.renames, pause=pause
            )
            comparison.has_cleaned_pixels = has_cleaned_pixels
            comparison.syntax = syntax
            comparison.run(self.proofs)
            return self._residuals(comparison, after, shown_path, pause)
        finally:
            self.series.forget()

    def _readings(
        self, source: Source, written: Source, *, is_whole: bool
    ) -> tuple[PydicomReading, PydicomReading]:
        """The input and the output as pydicom reads them."""
        source, written = in_memory(source), in_memory(written)
        if isinstance(source, BytesSource) and isinstance(written, BytesSource) and not is_whole:
            before = self.series.read(source, INPUT)
            after = self.series.read(written, OUTPUT) if before is not None else None
            if before is not None and after is not None:
                return before, after
        try:
            before = read_again(source, self.limit)
        except FileError as error:
            raise FileError(f"the input cannot be verified: {error}") from None
        return before, read_again(written, self.limit)

    def _residuals(
        self, comparison: _Comparison, after: PydicomReading, shown_path: str, pause: Callable[[], None]
    ) -> tuple[str, ...]:
        """The elements that hold what was replaced."""
        noted = Noted(comparison.originals, comparison.results, comparison.spared, comparison.codecs)
        texts = self.texts.search(
            noted.originals,
            noted.results | noted.spared,
            claims=self.expected.claims,
            surroundings=comparison.surroundings,
        )
        if comparison.surroundings is not None:
            return self.searches.find(after, shown_path, noted, comparison.surroundings, pause, texts)
        return find_residuals(
            after,
            shown_path,
            noted.originals,
            noted.results,
            noted.codecs,
            pause,
            self.expected.kept,
            noted.spared,
            texts,
        )


class _BeforeAndAfter(NamedTuple):
    """An element of the input and what has become of it."""

    before: Entry
    after: Entry


class _CheckedElement(NamedTuple):
    """An element of the input, what the spec does to it, and what its pixels are to be joined with."""

    entry: Entry
    effect: Effect
    rule: Rule | None
    kept: bytes | None


class _Comparison:
    """One output held against its input."""

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
        self._records: dict[int, int] = {}

    def run(self, proofs: Proofs) -> None:
        """Compare.

        Args:
            proofs: what was proved before.

        Raises:
            FileError: they differ where they should not.
        """
        before, after = self.before, self.after
        if before.is_deflated != after.is_deflated:
            raise FileError("the output has another transfer syntax than the input")
        if before.preamble != after.preamble and not (
            self.rules.zero_preamble and after.preamble == bytes(len(before.preamble))
        ):
            raise FileError("the preamble differs from the input's")
        if self.rules.zero_preamble and any(after.preamble):
            raise FileError("the preamble is not zeros")
        self._meta()
        old, new, meta = before.data, after.data, before.meta
        if isinstance(old, PieceDataSet) and isinstance(new, PieceDataSet) and isinstance(meta, PieceDataSet):
            self._pieces(old, new, meta, proofs)
        else:
            self._data_set(old, new, Place(), Surroundings(old, beyond=meta))

    # --- the data set

    def _data_set(self, before: DataSet, after: DataSet, place: Place, around: Surroundings) -> None:
        """Compare two data sets.

        Args:
            before: the input's.
            after: the output's.
            place: where they are.
            around: where look-ups from ``before`` go.
        """
        self.codecs.update(before.encodings, after.encodings)
        untouched: list[_BeforeAndAfter] = []
        stamps = self._stamps(before, place)
        kept = self._kept_bits(before) if before is self.before.data else None
        rest = iter(after.entries)
        own = next(rest, None)
        for entry in before.entries:
            effect, rule = self.expected.of(entry, before, place)
            while own is not None and own.tag != entry.tag and own.tag in stamps:
                self._stamp(own, after, stamps)
                own = next(rest, None)
            planned = _CheckedElement(entry, effect, rule, kept)
            if self._is_taken(planned, own, after, place, around, untouched):
                own = next(rest, None)
        while own is not None:
            self._stamp(own, after, stamps)
            own = next(rest, None)
        for pairs in _runs(untouched):
            self._same(pairs, before, after, place, around)

    def _pieces(self, before: PieceDataSet, after: PieceDataSet, meta: PieceDataSet, proofs: Proofs) -> None:
        """Compare two data sets that were read in pieces, as ``_data_set`` does."""
        self.codecs.update(before.encodings, after.encodings)
        place, around = Place(), Surroundings(before, beyond=meta)
        stamps = self._stamps(before, place)
        kept = self._kept_bits(before)
        surroundings = self.surroundings = proofs.surroundings(before, meta, after)
        olds, news = before.own, after.own
        index = 0
        last = len(news)
        pieces: Sequence[Piece | None] = [*news.pieces, None]
        for number, (piece, planned) in enumerate(zip(olds.pieces, proofs.plan(before), strict=True)):
            own = pieces[index]
            if own is piece and planned.is_idle:
                index += 1
                continue
            if planned.is_silent and (own is None or own.tag != piece.tag):
                continue
            if (
                planned.is_length
                and own is not None
                and own.tag == piece.tag
                and _is_true(news, index, after)
            ):
                index += 1
                continue
            while own is not None and own.tag != piece.tag and own.tag in stamps:
                self._piece_stamp(own, news, index, after, stamps, (surroundings, proofs))
                index += 1
                own = pieces[index]
            key = surroundings, piece, own if own is not None and own.tag == piece.tag else None, planned
            proof = proofs.get(key)
            if proof is None:
                element = _CheckedElement(olds.at(number), planned.effect, planned.rule, kept)
                found = news.at(index) if index < last else None
                proof = self._proof(element, found, after, place, around)
                if planned.is_lasting and piece.data and (key[2] is None or key[2].data):
                    proofs.put(key, proof)
            self._note(proof)
            index += proof.is_taken
        for rest in range(index, last):
            self._piece_stamp(news.pieces[rest], news, rest, after, stamps, (surroundings, proofs))

    def _note(self, proof: Proof) -> None:
        """Note what came of a proof."""
        if proof.originals:
            self.originals.update(proof.originals)
        if proof.results:
            self.results.update(proof.results)
        if proof.spared:
            self.spared.update(proof.spared)
        if proof.codecs:
            self.codecs.update(proof.codecs)

    def _piece_stamp(
        self,
        own: Piece,
        news: PieceEntries,
        index: int,
        after: DataSet,
        stamps: set[int],
        known: tuple[object, Proofs],
    ) -> None:
        """Take an element that was inserted, as ``_stamp`` does."""
        surroundings, proofs = known
        key = surroundings, own, own, STAMPED
        proof = proofs.get(key) if own.tag in stamps else None
        if proof is None:
            noted = self.results
            self.results = set()
            try:
                self._stamp(news.at(index), after, stamps)
                proof = Proof(True, NOTHING, frozenset(self.results), NOTHING, frozenset())
            finally:
                self.results = noted
            if own.data:
                proofs.put(key, proof)
        stamps.discard(own.tag)
        self._note(proof)

    def _proof(
        self, element: _CheckedElement, own: Entry | None, after: DataSet, place: Place, around: Surroundings
    ) -> Proof:
        """Compare an element of the input with what has become of it, and tell what came of it."""
        noted = self.originals, self.results, self.spared, self.codecs
        self.originals, self.results, self.spared, self.codecs = set(), set(), set(), set()
        try:
            untouched: list[_BeforeAndAfter] = []
            is_taken = self._is_taken(element, own, after, place, around, untouched)
            if untouched:
                self._same(untouched, around.data, after, place, around)
            return Proof(
                is_taken,
                frozenset(self.originals),
                frozenset(self.results),
                frozenset(self.spared),
                frozenset(self.codecs),
            )
        finally:
            self.originals, self.results, self.spared, self.codecs = noted

    def _is_taken(
        self,
        element: _CheckedElement,
        own: Entry | None,
        after: DataSet,
        place: Place,
        around: Surroundings,
        untouched: list[_BeforeAndAfter],
    ) -> bool:
        """Hold an element of the input against the next one of the output.

        Args:
            element: that of the input.
            own: that of the output; None where there is no more.
            after: the data set of the output.
            place: where they are.
            around: the data set of the input.
            untouched: gets what has to be the same.

        Returns:
            Whether the one of the output is what has become of it; else it is gone.
        """
        entry, effect, rule, kept = element
        before = around.data
        if effect is Effect.REMOVED and place.is_record and entry.tag in TYPE_1 | TYPE_2:
            effect = Effect.CHANGED
        if self._is_emptied(entry, before, place):
            effect = Effect.REMOVED
            rule = None
        if effect is Effect.REMOVED:
            if own is not None and own.tag == entry.tag:
                raise FileError(f"{_name(entry, place)} should have been removed")
            if entry.tag != CONTENT_SEQUENCE or rule is not None:
                self._collect(entry, before, rule, self.originals)
            return False
        if own is None or own.tag != entry.tag:
            self._complain(entry, own, before, place)
        assert own is not None
        pair = _BeforeAndAfter(entry, own)
        if effect is Effect.CHANGED:
            assert rule is not None
            self._changed(pair, after, rule, place, around)
        elif effect is Effect.ADDED:
            assert rule is not None
            self._added(pair, after, rule, place, around)
        elif self.has_cleaned_pixels and place.is_root and entry.tag in CLEANED:
            pass  # held against the input pixel by pixel (pixel_check)
        elif kept is not None and entry.tag == INTEGER_PIXEL_DATA and not entry.is_open:
            check_cleared((entry, before), (own, after), kept)
        else:
            if entry.tag in self.expected.kept and not is_sequence(entry, before):
                self._collect(own, after, None, self.spared, is_named=True)
            untouched.append(pair)
        return True

    def _kept_bits(self, before: DataSet) -> bytes | None:
        """What each cell of the pixels is joined with, where overlays in them are cleared."""
        tags = before.own.tags if isinstance(before, PieceDataSet) else None
        if tags is not None and not any(tag >> 16 in GROUPS for tag in tags):
            return None
        return kept_of(before, self.rules)

    def _stamps(self, before: DataSet, place: Place) -> set[int]:
        """What may be inserted in a data set."""
        if not place.is_root:
            return set()
        stamps = {SPECIFIC_CHARACTER_SET}
        if not self.is_directory:
            stamps |= self.expected.insertions
        if self.syntax:
            stamps.add(dictionary.LOSSY_IMAGE_COMPRESSION)
        return stamps - _tags_of(before)

    def _stamp(self, own: Entry, after: DataSet, stamps: set[int]) -> None:
        """Take an element that was inserted; each is inserted once.

        Raises:
            FileError: it is none of those.
        """
        if own.tag not in stamps:
            raise FileError(f"{name_of(own.tag)} is in the output and not in the input, nor is it a stamp")
        stamps.discard(own.tag)
        if own.tag == SPECIFIC_CHARACTER_SET:
            self._switched(own, after, "")
        else:
            self._collect(own, after, None, self.results, is_named=True)

    def _complain(self, entry: Entry, own: Entry | None, before: DataSet, place: Place) -> None:
        known = {one.tag for one in before.entries}
        if own is not None and own.tag not in known:
            raise FileError(f"{_name(own, place)} is in the output and not in the input, nor is it a stamp")
        raise FileError(
            f"{_name(entry, place)} is missing, or is not where it was, though no rule removes it"
        )

    def _changed(
        self, pair: _BeforeAndAfter, after: DataSet, rule: Rule, place: Place, around: Surroundings
    ) -> None:
        """An element that a rule hits: what stood there must not be left, here or elsewhere."""
        before = around.data
        template = rule.template
        if template is not None and template.empties and not (place.is_record and pair.before.tag in TYPE_1):
            is_left = pair.after.value_end > pair.after.value and not pair.after.is_parsed
            if is_left or (pair.after.is_parsed and pair.after.stored.value):
                raise FileError(f"{_name(pair.after, place)} should have been emptied")
        if not self._holds_the_same(pair, before, after):
            is_of_record = place.is_record and pair.before.tag in TYPE_1 | TYPE_2
            if not is_of_record and not is_constant(rule, pair.after, around, after, pair.before):
                raise FileError(f"{_name(pair.after, place)} is not what the key {rule.key} gives")
            self._collect(pair.before, before, rule, self.originals)
        else:
            self._check_stays(pair.before, rule, place, around)
        self._collect(pair.after, after, rule, self.results)

    def _holds_the_same(self, pair: _BeforeAndAfter, before: DataSet, after: DataSet) -> bool:
        """Whether the value of an element is the same, whatever its header is."""
        one, other = pair
        return self._equal(
            before.source, one.value, one.value_end, after.source, other.value, other.value_end
        )

    def _check_stays(self, entry: Entry, rule: Rule, place: Place, around: Surroundings) -> None:
        """An element that a rule hits is as it was.

        Raises:
            FileError: the template does not give the same.
        """
        template = rule.template
        if template is None or (place.is_record and entry.tag in TYPE_1 | TYPE_2):
            return  # what a record has to hold gets a dummy, or is empty
        if not may_stay(rule, entry, around, self.rules):
            raise FileError(f"{_name(entry, place)} is as it was though the key {rule.key} hits it")

    def _added(
        self, pair: _BeforeAndAfter, after: DataSet, rule: Rule, place: Place, around: Surroundings
    ) -> None:
        """An element that a rule adds to: what stood there has to be there still."""
        if rule.items:
            self._enter(pair, after, place, around, added=len(rule.items))
        else:
            old, new = (
                [value.strip(b" ") for value in raw_value(entry, data).rstrip(b"\0 ").split(b"\\") if value]
                for entry, data in ((pair.before, around.data), (pair.after, after))
            )
            template = rule.template
            wanted = template.literal.split("\\") if template is not None and template.literal else []
            if new != old + [text.encode() for text in wanted if text.encode() not in old]:
                raise FileError(f"{_name(pair.after, place)} is not what it was, with what a rule adds")
        self._collect(pair.after, after, rule, self.results)

    def _same(
        self,
        pairs: Sequence[_BeforeAndAfter],
        before: DataSet,
        after: DataSet,
        place: Place,
        around: Surroundings,
    ) -> None:
        """Elements that follow each other in both data sets and that no rule hits."""
        first, last = pairs[0], pairs[-1]
        same = self._equal(
            before.source,
            first.before.start,
            last.before.end,
            after.source,
            first.after.start,
            last.after.end,
        )
        for pair in pairs:
            if self._follows(pair, before, after, place):
                continue
            if same or self._is_same(pair.before, pair.after, before, after):
                if self._may_hide(pair.before, before):
                    self._enter(pair, after, place, around)
            elif is_sequence(pair.before, before) and is_sequence(pair.after, after):
                self._enter(pair, after, place, around)
            else:
                self._differs(pair, before, after, place)

    def _follows(self, pair: _BeforeAndAfter, before: DataSet, after: DataSet, place: Place) -> bool:
        """Whether an element is a length or an offset, which has to follow what changed; it is checked."""
        tag = pair.before.tag
        is_length = tag != REST and (tag & 0xFFFF == 0 or (tag == dictionary.LENGTH_TO_END and place.is_root))
        offsets = dictionary.FIRST_RECORD_OFFSETS if place.is_root else dictionary.RECORD_OFFSETS
        if not is_length and not (self.is_directory and tag in offsets):
            return False
        old, new = raw_value(pair.before, before), raw_value(pair.after, after)
        if not len(old) == len(new) == 4:
            return False
        name = _name(pair.before, place)
        if is_length:
            self._check_length(pair, old, new, before, after, name)
        else:
            self._check_offset(old, new, before, name)
        return True

    def _may_hide(self, entry: Entry, data: DataSet) -> bool:
        """Whether a sequence that is the same in the output may hold what should have changed."""
        if not is_sequence(entry, data):
            return False
        return self.expected.may_occur_in(data.source.read(entry.value, entry.end))

    def _enter(
        self, pair: _BeforeAndAfter, after: DataSet, place: Place, around: Surroundings, *, added: int = 0
    ) -> None:
        """Compare the items of two sequences; at the end of the second as many as are added may be new."""
        before = around.data
        name = _name(pair.before, place)
        olds, news = readings_of(pair.before, before), readings_of(pair.after, after)
        if isinstance(olds, FileError):
            self._pass_over(pair, before, after, name, olds)
            return
        if isinstance(news, FileError):
            raise news
        if len(olds) != len(news):
            raise FileError(f"{name} can be read in other ways than the input's")
        if pair.before.vr != pair.after.vr or pair.before.is_parsed != pair.after.is_parsed:
            raise FileError(f"{name} is encoded otherwise than the input's")
        is_records = place.is_root and pair.before.tag == DIRECTORY_RECORD_SEQUENCE
        for old, new in zip(olds, news, strict=True):
            if added:
                new = new[: max(len(old), len(new) - added)]  # noqa: PLW2901
            kept = [(one, None) for one in old] if is_records else self._kept_items(old)
            if [one.is_defined for one, _ in kept] != [one.is_defined for one in new]:
                raise FileError(f"{name} has other items than the input's")
            if is_records:
                self._match_records(old, new)
            for index, ((one, content), other) in enumerate(zip(kept, new, strict=True)):
                has_concept = any(entry.tag == CONCEPT_NAME for entry in one.data.entries)
                numbers = content if has_concept else place.content
                inner = Place(f"{name}[{index}].", False, is_records, content, numbers)
                self._data_set(one.data, other.data, inner, Surroundings(one.data, around))

    def _kept_items(self, items: Sequence[SequenceItem]) -> list[tuple[SequenceItem, Rule | None]]:
        """The items that no rule removes, each with the rule for it; notes what the others said."""
        kept: list[tuple[SequenceItem, Rule | None]] = []
        for item in items:
            rule = self.expected.content_rule(item.data)
            if rule is not None and rule.template is None:
                self._collect_values(item.data)
            else:
                kept.append((item, rule))
        return kept

    def _pass_over(
        self, pair: _BeforeAndAfter, before: DataSet, after: DataSet, name: str, problem: FileError
    ) -> None:
        """A sequence of the input that cannot be read.

        Raises:
            FileError: it is one for certain, it differs, or it may hold what should have changed.
        """
        if pair.before.vr == "SQ":
            raise problem
        # What no dictionary knows may only look like a sequence.
        if not self._is_same(pair.before, pair.after, before, after):
            raise FileError(f"{name} differs from the input's though no rule hits it")
        if self.expected.names_in(before.source.read(pair.before.value, pair.before.end)):
            raise FileError(
                f"{name} begins like a sequence that cannot be read and may hold what a rule names: "
                "remove it as a whole, with null as the value of its key"
            )

    def _is_emptied(self, entry: Entry, data: DataSet, place: Place) -> bool:
        """Whether a content sequence goes, as every item of it does; notes what these said."""
        if entry.tag != CONTENT_SEQUENCE or not self.expected.content or not is_sequence(entry, data):
            return False
        if self.expected.of(entry, data, place)[0] is not Effect.NONE:
            return False
        items = items_of(entry, data)
        rules = [self.expected.content_rule(item.data) for item in items]
        if not items or not all(rule is not None and rule.template is None for rule in rules):
            return False
        for item in items:
            self._collect_values(item.data)
        return True

    def _collect_values(self, data: DataSet) -> None:
        """Note what a content item that was removed said, and those in it."""
        for entry in data.entries:
            if entry.tag in VALUES:
                self._collect(entry, data, None, self.originals, is_named=True)
            elif entry.tag != REST and is_sequence(entry, data):
                for item in items_of(entry, data):
                    self._collect_values(item.data)

    def _match_records(self, old: Sequence[SequenceItem], new: Sequence[SequenceItem]) -> None:
        """Note where each record of a DICOMDIR was and is, in the bytes of the files."""
        for one, other in zip(old, new, strict=True):
            self._records[one.data.base + one.start] = other.data.base + other.start

    def _differs(self, pair: _BeforeAndAfter, before: DataSet, after: DataSet, place: Place) -> None:
        """An element that no rule hits and that differs: a few have to follow others.

        Raises:
            FileError: it is none of them.
        """
        name = _name(pair.before, place)
        tag = pair.before.tag
        if tag != REST:
            if tag == SPECIFIC_CHARACTER_SET:
                self._switched(pair.after, after, place.above)
                return
            if tag == dictionary.REFERENCED_FILE_ID and place.is_record and self.renames:
                return
            if self.rules.texts is not None and _is_cleaned(pair, before, after):
                return
        raise FileError(f"{name} differs from the input's though no rule hits it")

    def _check_length(
        self, pair: _BeforeAndAfter, old: bytes, new: bytes, before: DataSet, after: DataSet, name: str
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
        same = self._equal(before.source, *found[0][:2], after.source, *found[1][:2])
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
                self._match_records(old, new)
        return bool(self._records)

    def _switched(self, own: Entry, after: DataSet, above: str) -> None:
        """A character set that changed may only have become UTF-8, or the one that was assumed."""
        allowed = {UTF8_CHARSET.encode()}
        if self.rules.assumed is not None:
            allowed.add("\\".join(self.rules.assumed.terms).encode())
        if raw_value(own, after).strip(b" \0") not in allowed:
            raise FileError(f"{above}SpecificCharacterSet differs from the input's though no rule hits it")

    # --- the file meta

    def _meta(self) -> None:
        """Compare the file meta."""
        before, after = self.before.meta, self.after.meta
        stamps = set(self.expected.meta_insertions - _tags_of(before))
        follows = self.expected.followers
        rest = iter(after.entries)
        own = next(rest, None)
        for entry in before.entries:
            while own is not None and own.tag != entry.tag and own.tag in stamps:
                stamps.discard(own.tag)
                own = next(rest, None)
            rule = self.rules.meta.get(entry.tag)
            # Of what is not in the standard nobody can say whom it names (PS3.15 E.1.1).
            drops_unknown = self.expected.claims or self.rules.remove_unknown
            is_unknown = drops_unknown and not dictionary.vr_of(entry.tag)
            if rule.template is None if rule is not None else is_unknown:
                if own is not None and own.tag == entry.tag:
                    raise FileError(f"{name_of(entry.tag)} should have been removed")
                self._collect(entry, before, rule, self.originals)
                continue
            if own is None or own.tag != entry.tag:
                self._complain(entry, own, before, Place())
            assert own is not None
            is_length = entry.tag == dictionary.FILE_META_GROUP_LENGTH
            if is_length and before.end - before.start != after.end - after.start:
                self._check_meta_length(own)
            elif self.syntax and entry.tag == dictionary.TRANSFER_SYNTAX_UID:
                pass  # held against the pixels (compressed_check)
            elif self._is_same(entry, own, before, after):
                self._check_meta_stays(entry, rule, before)
            else:
                if rule is None and entry.tag not in follows:
                    raise FileError(f"{name_of(entry.tag)} differs from the input's though no rule hits it")
                self._collect(entry, before, rule, self.originals, is_named=True)
            if rule is not None or entry.tag in follows:
                self._collect(own, after, rule, self.results, is_named=True)
            own = next(rest, None)
        while own is not None:
            if own.tag not in stamps:
                raise FileError(
                    f"{name_of(own.tag)} is in the output and not in the input, nor is it a stamp"
                )
            stamps.discard(own.tag)
            own = next(rest, None)

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

    # --- bytes and values

    def _is_same(self, before: Entry, after: Entry, old: DataSet, new: DataSet) -> bool:
        return self._equal(old.source, before.start, before.end, new.source, after.start, after.end)

    def _equal(self, one: Source, start: int, stop: int, other: Source, begin: int, end: int) -> bool:
        """Whether two stretches hold the same bytes."""
        if stop - start != end - begin:
            return False
        for offset in range(0, stop - start, CHUNK):
            size = min(CHUNK, stop - start - offset)
            place = begin + offset
            if _bytes(one, start + offset, size) != _bytes(other, place, size):
                return False
            if stop - start > CHUNK:
                self.pause()
        return True

    def _collect(
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


def _is_cleaned(pair: _BeforeAndAfter, before: DataSet, after: DataSet) -> bool:
    """Whether an element is a text of which something was cut out, and nothing is new in it."""
    if not is_free_text(vr_of(pair.before, before), raw_value(pair.before, before)):
        return False
    old = "".join(element_text.text for element_text in texts_of(pair.before, before, is_named=True))
    rest = iter(old)
    for element_text in texts_of(pair.after, after, is_named=True):
        if element_text.text != NOTHING_LEFT and not all(
            one in rest for one in element_text.text if not one.isspace()
        ):
            return False
    return True


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


def _is_true(own: PieceEntries, index: int, data: DataSet) -> bool:
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


def _tags_of(data: DataSet) -> frozenset[int]:
    """The tags of a data set."""
    if isinstance(data, PieceDataSet):
        return data.own.known
    return frozenset([entry.tag for entry in data.entries])


def _name(entry: Entry, place: Place) -> str:
    return place.above + name_of(entry.tag)


def _runs(pairs: Sequence[_BeforeAndAfter]) -> Iterator[list[_BeforeAndAfter]]:
    """Elements that follow each other without a gap in both files."""
    run: list[_BeforeAndAfter] = []
    for pair in pairs:
        if run and (run[-1].before.end != pair.before.start or run[-1].after.end != pair.after.start):
            yield run
            run = []
        run.append(pair)
    if run:
        yield run
