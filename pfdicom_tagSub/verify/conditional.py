"""Which conditions of a spec hold for an input, asked of it as pydicom reads it.

The engine asks its scan (``engine/selection.py``). Where the two differ, the rules do, and the output is
held against others than those it was made by.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

from ..core.errors import FileError, SpecError
from ..dicom.character_sets import DEFAULT_CHARACTER_SET, CharacterSet, character_set
from ..dicom.dictionary import SPECIFIC_CHARACTER_SET
from ..dicom.sources import Source
from ..dicom.values import decode
from ..spec.conditions import EVERY_ITEM, VRS_WITHOUT_TEXT, Held, Step, Subject, significant
from ..spec.keys import PrivateKey
from ..spec.rules import RuleVariants
from .comparison import Verifier
from .entries import DataSet, Entry, PydicomReading
from .expected_rules import creator_of, known_vr
from .pydicom_reading import read_again
from .sequence_reading import is_sequence, items_of, raw_value

KEPT_MOST = 64
"""For so many sets of conditions that hold the verifiers are kept."""

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

    def of(self, source: Source, path: str) -> Verifier:
        """The verifier for an output.

        Args:
            source: the input.
            path: its path relative to the input directory.

        Raises:
            FileError: the input cannot be read again, or there should be no output.
        """
        rules = self._base.rules
        try:
            reading = read_again(source, self._base.limit)
        except FileError as error:
            raise FileError(f"the input cannot be verified: {error}") from None
        with warnings.catch_warnings(action="ignore"):  # pydicom's, which may quote values
            held = self._variants.holding(PydicomFacts(reading, path, rules.assumed))
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
