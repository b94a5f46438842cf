"""Conditions of masks of pixels, in the language of ``--where``."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import SpecError
from ..pixels.device_masks import ValuesOfFile
from .condition_parsing import parse_condition
from .conditions import Condition, Held, Subject, significant


@dataclass(frozen=True)
class MaskTest:
    """A condition on the elements of the data set itself and of the file meta; it is picklable.

    Attributes:
        condition: the condition.
        tags: those that it asks for.
    """

    condition: Condition
    tags: tuple[int, ...]
    inner: tuple[MaskTest, ...] = ()

    def holds(self, values: ValuesOfFile) -> bool:
        """Whether it holds for a file.

        Raises:
            FileError: it cannot be decided in time.
        """
        return self.condition.holds(_HeaderValues(values))


@dataclass(frozen=True)
class _HeaderValues:
    values: ValuesOfFile

    def held(self, subject: Subject) -> Held:
        """What the file holds of a subject."""
        found = [one for tag in subject.tags if (one := self.values(tag)) is not None]
        vr = subject.vr.split(" or ")[0]
        texts = tuple(text for one in found for text in significant(vr, one))
        return Held(bool(found), vr, texts)


def mask_test(text: str, origin: str) -> MaskTest:
    """The condition that a text is.

    Args:
        text: the condition.
        origin: what errors call it.

    Raises:
        SpecError: it is none, or asks for more than elements of the data set itself.
    """
    condition = parse_condition(text, origin)
    for subject in condition.subjects:
        if not subject.tags or subject.steps:
            raise SpecError(f"{origin}: {subject.text}: a mask asks for elements of the data set itself")
    return MaskTest(condition, tuple(tag for subject in condition.subjects for tag in subject.tags))
