"""Which conditions of a spec hold for an input, asked of it as pydicom reads it.

The engine asks its scan (``engine/selection.py``). Where the two differ, the rules do, and the output is
held against others than those it was made by.

What pydicom read of the elements of a series is remembered (``series_reading``). Where all that conditions
depend on is the same as in a file before, the same ones hold.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import cast

from ..core.errors import FileError, SpecError
from ..dicom.character_sets import DEFAULT_CHARACTER_SET, CharacterSet, character_set
from ..dicom.dictionary import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET
from ..dicom.inflating import InflateLimit
from ..dicom.sources import BytesSource, Source
from ..dicom.values import decode
from ..spec.conditions import EVERY_ITEM, VRS_WITHOUT_TEXT, Held, Step, Subject, significant
from ..spec.keys import PrivateKey
from ..spec.rules import RuleVariants
from .comparison import Verifier
from .entries import DataSet, Entry, PydicomReading
from .expected_rules import creator_of, known_vr
from .generations import Generations
from .piece_data_sets import PieceDataSet
from .pieces import Piece
from .pydicom_reading import in_memory, read_again
from .sequence_reading import is_sequence, items_of, raw_value
from .series_reading import INPUT, SeriesReader

KEPT_MOST = 64
"""For so many sets of conditions that hold the verifiers are kept."""

MOST_BYTES = 1 << 21
"""The weight of the answers that are kept, in two halves."""

_META_GROUP = 0x0002


class VerifierChoice:
    """A verifier for each set of conditions that hold; make one in each worker."""

    def __init__(
        self,
        base: Verifier,
        variants: RuleVariants,
    ) -> None:
        """Args:
        base: the verifier of files for which no condition holds.
        variants: the spec.
        """
        self._base = base
        self._variants = variants
        self._kept: dict[tuple[int, ...], Verifier] = {}
        self._last = base
        self._series = SeriesReader()
        self._answers: Generations[Hashable, tuple[int, ...]] = Generations(MOST_BYTES)
        subjects = variants.subjects
        tags = {tag for one in subjects for tag in (*one.tags, *(step.tag for step in one.steps))}
        groups = {tag >> 16 for tag in tags} | {one.private.group for one in subjects if one.private}
        self._asks_path = any(subject.is_path for subject in subjects)
        self._asked = frozenset(tags | {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION})
        self._asked_groups = frozenset(group for group in groups if group & 1)
        """Of a private element its group tells the creator."""

    def of(self, source: Source, path: str) -> Verifier:
        """The verifier for an output.

        Args:
            source: the input.
            path: its path relative to the input directory.

        Raises:
            FileError: the input cannot be read again, or there should be no output.
        """
        try:
            found = self._of(in_memory(source), path)
        except BaseException:
            self._last.memory.forget()
            raise
        if found is not self._last:
            self._last.memory.forget()
            self._last = found
        return found

    def _of(self, source: Source, path: str) -> Verifier:
        rules = self._base.rules
        held = self._held(source, path)
        if self._variants.ending(held) is not None:
            raise FileError("a condition of the spec that holds for the input allows no output")
        if not held:
            return self._base
        found = self._kept.get(held)
        if found is None:
            try:
                made = self._base.for_rules(self._variants.rules(held, rules.resources))
            except SpecError as error:
                raise FileError(f"the conditions that hold for it do not go together: {error}") from None
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            found = self._kept[held] = made
        return found

    def _held(self, source: Source, path: str) -> tuple[int, ...]:
        """The conditions that hold for an input."""
        reading = None
        if isinstance(source, BytesSource):
            reading = self._last.memory.read(source) or self._series.read(source, INPUT)
        if reading is None:
            return self._holding(_read(source, self._base.limit), path)
        try:
            key, size = self._depends_on(reading, path)
            held = self._answers.get(key) if key is not None else None
            if held is None:
                held = self._holding(reading, path)
                if key is not None:
                    self._answers.put(key, held, size)
            return held
        finally:
            self._series.forget()

    def _holding(self, reading: PydicomReading, path: str) -> tuple[int, ...]:
        with warnings.catch_warnings(action="ignore"):  # pydicom's, which may quote values
            return self._variants.holding(PydicomFacts(reading, path, self._base.rules.assumed))

    def _depends_on(self, reading: PydicomReading, path: str) -> tuple[Hashable | None, int]:
        """All that the conditions depend on in a file that was read in pieces, and its weight.

        None where it is not remembered.
        """
        asked, groups = self._asked, self._asked_groups
        found: list[Piece] = []
        for data in (reading.meta, reading.data):
            own = cast(PieceDataSet, data).own
            pairs = zip(own.tags, own.pieces, strict=True)
            found += [piece for tag, piece in pairs if tag in asked or tag >> 16 in groups]
        if not all(piece.data for piece in found):
            return None, 0
        contexts = cast(PieceDataSet, reading.data).contexts
        size = 512 + sum([piece.size for piece in found])
        return (contexts, path if self._asks_path else "", *found), size


def _read(source: Source, limit: InflateLimit) -> PydicomReading:
    try:
        return read_again(source, limit)
    except FileError as error:
        raise FileError(f"the input cannot be verified: {error}") from None


class PydicomFacts:
    """One file, as conditions ask for it."""

    def __init__(self, reading: PydicomReading, path: str, assumed: CharacterSet | None = None) -> None:
        """Args:
        reading: the file.
        path: its path relative to the input directory.
        assumed: the character set of files that declare none, or none that is known.
        """
        self._reading = reading
        self._path = path
        self._assumed = assumed

    def held(self, subject: Subject) -> Held:
        """What the file holds of a subject."""
        if subject.is_path:
            return Held(is_present=True, vr="LO", texts=(self._path,))
        vr, is_present = subject.vr, False
        texts: list[str] = []
        for data, characters in self._data_sets(subject):
            for entry in _named(data, subject):
                is_present = True
                vr = known_vr(entry, data)
                if vr in VRS_WITHOUT_TEXT or entry.is_parsed:
                    texts += ["(binary)"] * (not _is_empty(entry))
                else:
                    value = raw_value(entry, data)
                    texts += significant(vr, decode(vr, value, characters, data.little).texts)
        return Held(is_present, vr, tuple(texts))

    def _data_sets(self, subject: Subject) -> Iterator[tuple[DataSet, CharacterSet]]:
        """The data sets in which a subject is looked for, each with the character set in force."""
        if subject.tags and subject.tags[0] >> 16 == _META_GROUP:
            yield self._reading.meta, DEFAULT_CHARACTER_SET
            return
        data = self._reading.data
        outer = self._assumed or DEFAULT_CHARACTER_SET
        yield from self._below(data, self._characters(data, outer), subject.steps)

    def _below(
        self, data: DataSet, characters: CharacterSet, steps: tuple[Step, ...]
    ) -> Iterator[tuple[DataSet, CharacterSet]]:
        if not steps:
            yield data, characters
            return
        step, *others = steps
        sequence = _last(data, step.tag)
        if sequence is None or not is_sequence(sequence, data):
            return
        for number, item in enumerate(items_of(sequence, data)):
            if step.item in {EVERY_ITEM, number}:
                own = self._characters(item.data, characters)
                yield from self._below(item.data, own, tuple(others))

    def _characters(self, data: DataSet, outer: CharacterSet) -> CharacterSet:
        """The character set of a data set (PS3.5 7.5.3)."""
        entry = _last(data, SPECIFIC_CHARACTER_SET)
        if entry is None:
            return outer
        declared = character_set(raw_value(entry, data))
        if self._assumed is None:
            return declared
        is_unsaid = bool(declared.unknown) or declared.is_default
        return self._assumed if is_unsaid else replace(declared, fallback=self._assumed)


def _last(data: DataSet, tag: int) -> Entry | None:
    """Of elements with one tag the last one counts."""
    found = data.with_tag(tag)
    return max(found, key=lambda entry: entry.start) if found else None


def _named(data: DataSet, subject: Subject) -> Iterator[Entry]:
    """The elements of a data set that a subject names."""
    key = subject.private
    tags = subject.tags if key is None else tuple(_private_tags(data, key))
    for tag in tags:
        if (entry := _last(data, tag)) is not None:
            yield entry


def _private_tags(data: DataSet, key: PrivateKey) -> Iterator[int]:
    """The tags under which a data set has a private element."""
    for tag in sorted({entry.tag for entry in data.entries}):
        is_numbered = tag >> 16 == key.group and tag & 0xF000 and tag & 0xFF == key.element
        if is_numbered and creator_of(tag, data) == key.creator:
            yield tag


def _is_empty(entry: Entry) -> bool:
    return not entry.stored.value if entry.is_parsed else entry.value_end == entry.value
