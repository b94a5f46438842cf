"""The data set of an output held against that of its input, element by element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.dictionary import (
    DIRECTORY_RECORD_SEQUENCE,
    INTEGER_PIXEL_DATA,
    SPECIFIC_CHARACTER_SET,
    TYPE_1,
    TYPE_2,
)
from ..dicom.free_text import is_free_text
from ..spec.content_items import CONCEPT_NAME, CONTENT_SEQUENCE, VALUES
from ..spec.rules import Rule
from ..spec.text_functions import NOTHING_LEFT
from .compared_files import FRAME_TABLES, BeforeAndAfter, ComparedFiles, shown_name, tags_in
from .element_texts import name_of, texts_of, vr_of
from .entries import REST, DataSet, Entry, SequenceItem
from .expected_rules import Effect, Place
from .overlay_check import POSITIONS, check_cleared, kept_of
from .piece_data_sets import PieceDataSet
from .same_value import Surroundings, is_constant, may_stay
from .sequence_reading import is_sequence, items_of, raw_value, readings_of


class CheckedElement(NamedTuple):
    """An element of the input, what the spec does to it, and what its pixels are to be joined with."""

    entry: Entry
    effect: Effect
    rule: Rule | None
    kept: bytes | None


class DataSetComparison(ComparedFiles):
    """The comparison of data sets, those of items included."""

    def compare_data_sets(self, before: DataSet, after: DataSet, place: Place, around: Surroundings) -> None:
        """Compare two data sets.

        Args:
            before: the input's.
            after: the output's.
            place: where they are.
            around: where look-ups from ``before`` go.
        """
        self.codecs.update(before.encodings, after.encodings)
        untouched: list[BeforeAndAfter] = []
        stamps = self.possible_stamps(before, place)
        kept = self.kept_bits(before) if before is self.before.data else None
        rest = iter(after.entries)
        own = next(rest, None)
        for entry in before.entries:
            effect, rule = self.expected.of(entry, before, place)
            while own is not None and own.tag != entry.tag and own.tag in stamps:
                self.take_stamp(own, after, stamps)
                own = next(rest, None)
            planned = CheckedElement(entry, effect, rule, kept)
            if self.is_taken(planned, own, after, place, around, untouched):
                own = next(rest, None)
        while own is not None:
            self.take_stamp(own, after, stamps)
            own = next(rest, None)
        for pairs in _runs(untouched):
            self.compare_untouched(pairs, before, after, place, around)

    def is_taken(
        self,
        element: CheckedElement,
        own: Entry | None,
        after: DataSet,
        place: Place,
        around: Surroundings,
        untouched: list[BeforeAndAfter],
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
                raise FileError(f"{shown_name(entry, place)} should have been removed")
            if entry.tag != CONTENT_SEQUENCE or rule is not None:
                self.collect(entry, before, rule, self.originals)
            return False
        if own is None or own.tag != entry.tag:
            if entry.tag in FRAME_TABLES and place.is_root and self.became_native:
                return False  # native pixels have none
            self.complain(entry, own, before, place)
        assert own is not None
        pair = BeforeAndAfter(entry, own)
        if effect is Effect.CHANGED:
            assert rule is not None
            self._changed(pair, after, rule, place, around)
        elif effect is Effect.ADDED:
            assert rule is not None
            self._added(pair, after, rule, place, around)
        elif self.has_cleaned_pixels and place.is_root and self.may_differ(entry.tag):
            pass  # held against the input pixel by pixel (pixel_check)
        elif kept is not None and entry.tag == INTEGER_PIXEL_DATA and not entry.is_open:
            check_cleared((entry, before), (own, after), kept)
        else:
            if entry.tag in self.expected.kept and not is_sequence(entry, before):
                self.collect(own, after, None, self.spared, is_named=True)
            untouched.append(pair)
        return True

    def kept_bits(self, before: DataSet) -> bytes | None:
        """What each cell of the pixels is joined with, where overlays in them are cleared."""
        if isinstance(before, PieceDataSet) and before.own.known.isdisjoint(POSITIONS):
            return None
        return kept_of(before, self.rules)

    def possible_stamps(self, before: DataSet, place: Place) -> set[int]:
        """What may be inserted in a data set."""
        if not place.is_root:
            return set()
        stamps = {SPECIFIC_CHARACTER_SET}
        if not self.is_directory:
            stamps |= self.expected.insertions
        if self.syntax:
            stamps.add(dictionary.LOSSY_IMAGE_COMPRESSION)
        return stamps - tags_in(before)

    def take_stamp(self, own: Entry, after: DataSet, stamps: set[int]) -> None:
        """Take an element that was inserted; each is inserted once.

        Raises:
            FileError: it is none of those.
        """
        if own.tag not in stamps:
            raise FileError(f"{name_of(own.tag)} is in the output and not in the input, nor is it a stamp")
        stamps.discard(own.tag)
        if own.tag == SPECIFIC_CHARACTER_SET:
            self.check_character_set(own, after, "")
        else:
            self.collect(own, after, None, self.results, is_named=True)

    def _changed(
        self, pair: BeforeAndAfter, after: DataSet, rule: Rule, place: Place, around: Surroundings
    ) -> None:
        """An element that a rule hits: what stood there must not be left, here or elsewhere."""
        before = around.data
        template = rule.template
        if template is not None and template.empties and not (place.is_record and pair.before.tag in TYPE_1):
            is_left = pair.after.value_end > pair.after.value and not pair.after.is_parsed
            if is_left or (pair.after.is_parsed and pair.after.stored.value):
                raise FileError(f"{shown_name(pair.after, place)} should have been emptied")
        if not self.holds_the_same(pair, before, after):
            is_of_record = place.is_record and pair.before.tag in TYPE_1 | TYPE_2
            if not is_of_record and not is_constant(rule, pair.after, around, after, pair.before):
                raise FileError(f"{shown_name(pair.after, place)} is not what the key {rule.key} gives")
            self.collect(pair.before, before, rule, self.originals)
        else:
            self._check_stays(pair.before, rule, place, around)
        self.collect(pair.after, after, rule, self.results)

    def _check_stays(self, entry: Entry, rule: Rule, place: Place, around: Surroundings) -> None:
        """An element that a rule hits is as it was.

        Raises:
            FileError: the template does not give the same.
        """
        template = rule.template
        if template is None or (place.is_record and entry.tag in TYPE_1 | TYPE_2):
            return  # what a record has to hold gets a dummy, or is empty
        if not may_stay(rule, entry, around, self.rules):
            raise FileError(f"{shown_name(entry, place)} is as it was though the key {rule.key} hits it")

    def _added(
        self, pair: BeforeAndAfter, after: DataSet, rule: Rule, place: Place, around: Surroundings
    ) -> None:
        """An element that a rule adds to: what stood there has to be there still."""
        if rule.items:
            self._enter(pair, after, place, around, added=len(rule.items))
        else:
            old, new = (
                [text.strip(" ") for text in _as_bytes(entry, data).rstrip("\0 ").split("\\") if text]
                for entry, data in ((pair.before, around.data), (pair.after, after))
            )
            template = rule.template
            literal = template.literal if template is not None and template.literal else ""
            wanted = [text.encode().decode("latin-1") for text in literal.split("\\") if text]
            if not self._is_added(old, new, wanted):
                raise FileError(f"{shown_name(pair.after, place)} is not what it was, with what a rule adds")
        self.collect(pair.after, after, rule, self.results)

    def _is_added(self, old: Sequence[str], new: Sequence[str], wanted: Sequence[str]) -> bool:
        """Whether values are those of before, cleaned if all texts are, and then what is wanted."""
        for count in range(min(len(wanted), len(new)) + 1):
            kept, added = new[: len(new) - count], new[len(new) - count :]
            if list(added) != [text for text in wanted if text not in kept]:
                continue
            if kept == old or (self.rules.texts is not None and _is_cut("".join(old), kept)):
                return True
        return False

    def compare_untouched(
        self,
        pairs: Sequence[BeforeAndAfter],
        before: DataSet,
        after: DataSet,
        place: Place,
        around: Surroundings,
    ) -> None:
        """Elements that follow each other in both data sets and that no rule hits."""
        first, last = pairs[0], pairs[-1]
        same = self.are_equal(
            before.source,
            first.before.start,
            last.before.end,
            after.source,
            first.after.start,
            last.after.end,
        )
        for pair in pairs:
            if self.is_checked_length(pair, before, after, place):
                continue
            if same or self.is_same(pair.before, pair.after, before, after):
                if self._may_hide(pair.before, before):
                    self._enter(pair, after, place, around)
            elif is_sequence(pair.before, before) and is_sequence(pair.after, after):
                self._enter(pair, after, place, around)
            else:
                self._differs(pair, before, after, place)

    def _may_hide(self, entry: Entry, data: DataSet) -> bool:
        """Whether a sequence that is the same in the output may hold what should have changed."""
        if not is_sequence(entry, data):
            return False
        return self.expected.may_occur_in(data.source.read(entry.value, entry.end))

    def _enter(
        self, pair: BeforeAndAfter, after: DataSet, place: Place, around: Surroundings, *, added: int = 0
    ) -> None:
        """Compare the items of two sequences; at the end of the second as many as are added may be new."""
        before = around.data
        name = shown_name(pair.before, place)
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
        rules = self.expected.inner_of(pair.before, before, place)
        for old, new in zip(olds, news, strict=True):
            if added:
                new = new[: max(len(old), len(new) - added)]  # noqa: PLW2901
            kept = [(one, None) for one in old] if is_records else self._kept_items(old)
            if [one.is_defined for one, _ in kept] != [one.is_defined for one in new]:
                raise FileError(f"{name} has other items than the input's")
            if is_records:
                self.match_records(old, new)
            for index, ((one, content), other) in enumerate(zip(kept, new, strict=True)):
                has_concept = any(entry.tag == CONCEPT_NAME for entry in one.data.entries)
                numbers = content if has_concept else place.content
                inner = Place(f"{name}[{index}].", False, is_records, content, numbers, rules)
                self.compare_data_sets(one.data, other.data, inner, Surroundings(one.data, around))

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
        self, pair: BeforeAndAfter, before: DataSet, after: DataSet, name: str, problem: FileError
    ) -> None:
        """A sequence of the input that cannot be read.

        Raises:
            FileError: it is one for certain, it differs, or it may hold what should have changed.
        """
        if pair.before.vr == "SQ":
            raise problem
        # What no dictionary knows may only look like a sequence.
        if not self.is_same(pair.before, pair.after, before, after):
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
                self.collect(entry, data, None, self.originals, is_named=True)
            elif entry.tag != REST and is_sequence(entry, data):
                for item in items_of(entry, data):
                    self._collect_values(item.data)

    def _differs(self, pair: BeforeAndAfter, before: DataSet, after: DataSet, place: Place) -> None:
        """An element that no rule hits and that differs: a few have to follow others.

        Raises:
            FileError: it is none of them.
        """
        name = shown_name(pair.before, place)
        tag = pair.before.tag
        if tag != REST:
            if tag == SPECIFIC_CHARACTER_SET:
                self.check_character_set(pair.after, after, place.above)
                return
            if tag == dictionary.REFERENCED_FILE_ID and place.is_record and self.renames:
                return
            is_loss = tag == dictionary.LOSSY_IMAGE_COMPRESSION and place.is_root and self.syntax
            if is_loss and raw_value(pair.after, after) == b"01":
                return
            if self.rules.texts is not None and _is_cleaned(pair, before, after):
                return
        raise FileError(f"{name} differs from the input's though no rule hits it")


def _is_cleaned(pair: BeforeAndAfter, before: DataSet, after: DataSet) -> bool:
    """Whether an element is a text of which something was cut out, and nothing is new in it."""
    if not is_free_text(vr_of(pair.before, before), raw_value(pair.before, before)):
        return False
    old, new = (
        [element_text.text for element_text in texts_of(entry, data, is_named=True)]
        for entry, data in ((pair.before, before), (pair.after, after))
    )
    return _is_cut("".join(old), new)


def _as_bytes(entry: Entry, data: DataSet) -> str:
    """A value with a character for each of its bytes."""
    return raw_value(entry, data).decode("latin-1")


def _is_cut(old: str, new: Iterable[str]) -> bool:
    """Whether texts are what something was cut out of, and nothing is new in them."""
    rest = iter(old)
    for text in new:
        if text != NOTHING_LEFT and not all(one in rest for one in text if not one.isspace()):
            return False
    return True


def _runs(pairs: Sequence[BeforeAndAfter]) -> Iterator[list[BeforeAndAfter]]:
    """Elements that follow each other without a gap in both files."""
    run: list[BeforeAndAfter] = []
    for pair in pairs:
        if run and (run[-1].before.end != pair.before.start or run[-1].after.end != pair.after.start):
            yield run
            run = []
        run.append(pair)
    if run:
        yield run
