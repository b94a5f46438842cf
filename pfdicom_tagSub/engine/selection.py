"""What a file holds of what conditions are about, read from a scan."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from ..dicom.beginning import scan_beginning
from ..dicom.dictionary import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.scan_filter import Asked, ScanFilter
from ..dicom.scanner import ScanResult, enter, scan
from ..dicom.scope import CREATORS, Reading, Scope, UnknownCharacterSet
from ..spec.conditions import EVERY_ITEM, VRS_WITHOUT_TEXT, Facts, Held, Step, Subject, significant
from ..spec.keys import PrivateKey

if TYPE_CHECKING:
    from .unknown_terms import UnknownTerms

R = TypeVar("R")

_META_GROUP = 0x0002

REMEMBERED = 1 << 12
"""So many answers are kept."""

LONGEST = 1 << 10
"""Answers to what is told by longer elements are not kept."""


class Selection:
    """Asks files for what conditions are about; make one in each worker.

    Attributes:
        asked: what a scan for other things is to keep, too, so that it answers; None where it would change
            what is made of the file: private elements may be taken together.
    """

    def __init__(self, subjects: Iterable[Subject], reading: Reading) -> None:
        """Args:
        subjects: what the conditions are about.
        reading: how text is read of which the file does not say how.
        """
        self._reading = reading
        subjects = tuple(subjects)
        sequences = {step.tag for subject in subjects for step in subject.steps}
        tags = {tag for subject in subjects for tag in (*subject.tags, *_private_tags(subject.private))}
        kept = tags | sequences | {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION}
        nested = [subject for subject in subjects if subject.steps]
        entered = {tag for one in nested for tag in (*one.tags, *_private_tags(one.private))}
        entered |= {step.tag for one in nested for step in one.steps[1:]}
        self._filter = ScanFilter(kept, entered, walked=sequences)
        self._beginning_filter = ScanFilter(kept, entered, walked=sequences)
        self._asks_meta = any(tag >> 16 == _META_GROUP for tag in tags)
        self._asks_path = any(subject.is_path for subject in subjects)
        self._kept = frozenset(kept)
        needs_sign = any("SS" in subject.vr for subject in subjects)
        self._last = max(tags | sequences, default=0)
        if needs_sign:
            self._last = max(self._last, PIXEL_REPRESENTATION)
        self.asked: Asked | None = None
        if all(subject.private is None for subject in subjects):
            self.asked = Asked(frozenset(kept), frozenset(entered), frozenset(sequences))

    def ask(
        self,
        file: DicomFile,
        path: str,
        question: Callable[[Facts], R],
        elements: Iterable[Element] | None = None,
    ) -> R:
        """Ask a file.

        Args:
            file: the file.
            path: its path relative to the input directory.
            question: what to ask, such as whether a condition holds.
            elements: what a scan found in it that kept ``asked``, too; None to scan it.

        Raises:
            FileError: its bytes do not make a data set, or a condition cannot be decided.
        """
        return self.ask_anew(
            file, path, question, scan(file.data, self._filter) if elements is None else elements
        )[0]

    def beginning(self, file: DicomFile) -> ScanResult | None:
        """What of a file a condition can be decided by, if its elements stand in order (PS3.5 7.1).

        Returns:
            What stands before the first element that comes after all that is asked; None where that is not
            certain.

        Raises:
            FileError: its bytes do not make a data set.
        """
        if file.data.other:
            return None
        elements = scan_beginning(file.data, self._beginning_filter, self._last)
        return elements if elements.is_certain else None

    def key_of(self, file: DicomFile, path: str, elements: ScanResult | None) -> tuple[object, ...] | None:
        """All that an answer depends on; None where it is more than a few elements."""
        if elements is None or self._asks_meta or not elements.is_certain:
            return None
        read, kept = file.data.source.read, self._kept
        stored: list[bytes] = []
        for one in elements:
            if one.tag in kept:
                if one.items is not None or one.known is not None or one.end - one.start > LONGEST:
                    return None
                stored.append(read(one.start, one.end))
        encoding = file.data.encoding
        return encoding.implicit, encoding.little, path if self._asks_path else "", *stored

    def ask_anew(
        self, file: DicomFile, path: str, question: Callable[[Facts], R], elements: Iterable[Element]
    ) -> tuple[R, bool]:
        """As ``ask``; also whether all that was asked is read as the file declares.

        Args: as of ``ask``.
        """
        reading = self._reading
        odd: UnknownTerms | None = None
        while True:
            root = Scope(file.data.source, elements, file.data.encoding, file.data.start, reading=reading)
            meta = Scope(file.source, file.meta, file.meta_encoding, -1)
            try:
                with warnings.catch_warnings(action="ignore"):  # pydicom's, which may quote values
                    return question(_File(root, meta, path)), reading is self._reading
            except UnknownCharacterSet as signal:
                from .unknown_terms import UnknownTerms  # noqa: PLC0415  (its patterns are for odd files alone)

                odd = odd or UnknownTerms(file)
                reading = odd.with_plain(signal, reading)


class Question(Generic[R]):
    """A question to many files, of which many give the same answer."""

    def __init__(self, selection: Selection, ask: Callable[[Facts], R]) -> None:
        """Args:
        selection: asks files.
        ask: what is asked.
        """
        self._selection = selection
        self._ask = ask
        self._answers: dict[tuple[object, ...], R] = {}

    def of(self, file: DicomFile, path: str, elements: ScanResult | None) -> R:
        """The answer of a file.

        Args, Raises: as of ``Selection.ask``.
        """
        selection = self._selection
        key = selection.key_of(file, path, elements)
        if key is None or elements is None:
            return selection.ask(file, path, self._ask, elements)
        if key in self._answers:
            return self._answers[key]
        answer, is_declared = selection.ask_anew(file, path, self._ask, elements)
        if is_declared:
            if len(self._answers) >= REMEMBERED:
                self._answers.clear()
            self._answers[key] = answer
        return answer


def _private_tags(key: PrivateKey | None) -> Iterator[int]:
    """The tags that a private element may have, and those of the creators."""
    if key is not None:
        for block in CREATORS:
            yield key.group << 16 | block
            yield key.group << 16 | block << 8 | key.element


class _File:
    """One file, as conditions ask for it."""

    def __init__(self, root: Scope, meta: Scope, path: str) -> None:
        self._root = root
        self._meta = meta
        self._path = path

    def held(self, subject: Subject) -> Held:
        """What the file holds of a subject."""
        if subject.is_path:
            return Held(is_present=True, vr="LO", texts=(self._path,))
        is_meta = bool(subject.tags) and subject.tags[0] >> 16 == _META_GROUP
        scopes = [self._meta] if is_meta else list(_below(self._root, subject.steps))
        vr, texts, is_present = subject.vr, [], False
        for scope in scopes:
            for element in _found(scope, subject):
                is_present = True
                vr = scope.vr(element)
                if vr in VRS_WITHOUT_TEXT:
                    texts += ["(binary)"] * (element.stop > element.value)
                else:
                    texts += significant(vr, scope.value(element).texts)
        return Held(is_present, vr, tuple(texts))


def _below(scope: Scope, steps: tuple[Step, ...]) -> Iterator[Scope]:
    """The data sets that the steps lead to."""
    if not steps:
        yield scope
        return
    step, *others = steps
    sequence = scope.elements.get(step.tag)
    if sequence is None:
        return
    known = sequence.known is not None
    items = enter(scope.source, sequence, scope.encoding) if known else sequence.items or []
    for number, item in enumerate(items):
        if step.item in {EVERY_ITEM, number}:
            inner = Scope(scope.source, item.elements, item.encoding, item.value, scope)
            yield from _below(inner, tuple(others))


def _found(scope: Scope, subject: Subject) -> Iterator[Element]:
    """The elements of a data set that a subject names."""
    key = subject.private
    tags = subject.tags
    if key is not None:
        tags = tuple(tag for tag in _private_tags(key) if scope.creator(tag) == key.creator)
    yield from (scope.elements[tag] for tag in tags if tag in scope.elements)
