"""What a file holds of what conditions are about, read from a scan."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ..dicom.dictionary import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import CREATORS, Reading, Scope, UnknownCharacterSet
from ..spec.conditions import EVERY_ITEM, VRS_WITHOUT_TEXT, Facts, Held, Step, Subject, significant
from ..spec.keys import PrivateKey

R = TypeVar("R")

_META_GROUP = 0x0002


class Selection:
    """Asks files for what conditions are about; make one in each worker."""

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

    def ask(self, file: DicomFile, path: str, question: Callable[[Facts], R]) -> R:
        """Ask a file.

        Args:
            file: the file.
            path: its path relative to the input directory.
            question: what to ask, such as whether a condition holds.

        Raises:
            FileError: its bytes do not make a data set, or a condition cannot be decided.
        """
        elements = scan(file.data, self._filter)
        reading = self._reading
        while True:
            root = Scope(file.data.source, elements, file.data.encoding, file.data.start, reading=reading)
            meta = Scope(file.source, file.meta, file.meta_encoding, -1)
            try:
                with warnings.catch_warnings(action="ignore"):  # pydicom's, which may quote values
                    return question(_File(root, meta, path))
            except UnknownCharacterSet as signal:
                from .unknown_terms import with_plain  # noqa: PLC0415  (its patterns are for odd files alone)

                reading = with_plain(signal, file, reading)


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
    items = (sequence.items or []) if sequence is not None else []
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
