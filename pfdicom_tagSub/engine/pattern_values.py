"""What becomes of an element that is one UID, or one date and time, once that of another like it is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..core.file_survey import FileSurvey
from ..spec.function_types import Resources
from ..spec.hash_functions import new_uid
from ..spec.rules import Rule
from ..spec.templates import SELF_SOURCE

if TYPE_CHECKING:
    from .original_pairs import OriginalPair


class SlotOutcome(NamedTuple):
    """What becomes of an element that differs.

    Attributes:
        edits: (where in it the change starts and stops, the new bytes), in order.
        growth: by how many bytes it grows.
        kind: the number of what was noted, see ``Workbench.kinds``.
        originals: the texts that were replaced and that a path may hold.
        texts: the new texts of a SOP instance UID.
        pair: the original and the new value, where passes tell them.
        survey: the part of a survey, where passes are surveyed.
    """

    edits: tuple[tuple[int, int, bytes], ...]
    growth: int
    kind: int
    originals: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    pair: OriginalPair | None = None
    survey: FileSurvey | None = None


_HEADER = 8
"""The bytes of a tag, a VR and a length of 16 bits."""

_ONE_UID = re.compile(rb"([0-9.]{1,64})\0?")
_ONE_DATE_TIME = re.compile(
    rb"([0-9]{8})((?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9](?:\.[0-9]{1,6})?) ?",
)


class UidOutcome(NamedTuple):
    """What becomes of an element that is one UID, whose rule makes another of it.

    Attributes:
        kind: the number of what is noted.
        resources: what the rule makes it with.
    """

    kind: int
    resources: Resources

    def outcome(self, stored: bytes) -> SlotOutcome | None:
        """What becomes of an element with these bytes; None for more than one UID, or one that stays."""
        match = _ONE_UID.fullmatch(stored, _HEADER)
        if match is None:
            return None
        text = match[1].decode()
        new = new_uid(self.resources.secret, text, self.resources.uid_root)
        return None if new == text else _replaced(stored, new, b"\0", self.kind, text)

    @staticmethod
    def said(stored: bytes) -> tuple[str, str]:
        """What texts may hold of such an element."""
        return "UI", stored[_HEADER:].rstrip(b"\0").decode()


class DateTimeOutcome(NamedTuple):
    """What becomes of a DT whose rule moves its day.

    Attributes:
        kind: the number of what is noted.
        day: the day of those that are moved alike.
        moved: what it becomes.
    """

    kind: int
    day: bytes
    moved: str

    def outcome(self, stored: bytes) -> SlotOutcome | None:
        """What becomes of an element with these bytes; None where it is another day, or more than a time."""
        match = _ONE_DATE_TIME.fullmatch(stored, _HEADER)
        if match is None or match[1] != self.day:
            return None
        time = match[2].decode()
        return _replaced(stored, self.moved + time, b" ", self.kind, match[1].decode() + time)

    @staticmethod
    def said(stored: bytes) -> tuple[str, str]:
        """What texts may hold of such an element: no fraction of a second."""
        return "DT", stored[_HEADER : _HEADER + 14].decode()


QuickOutcome = UidOutcome | DateTimeOutcome


def quick_outcome(
    tag: int, vr: str, rule: Rule | None, resources: Resources, stored: bytes, found: SlotOutcome
) -> QuickOutcome | None:
    """What becomes of others like an element; None where that takes more than its bytes.

    Args:
        tag: its tag.
        vr: its VR.
        rule: the rule that hits it.
        resources: what rules make new values with.
        stored: its bytes.
        found: what became of it.
    """
    template = rule.template if rule is not None else None
    if template is None or rule is None or rule.adds or len(template.parts) != 1:
        return None
    if len(template.directives) != 1 or template.directives[0].source not in ((SELF_SOURCE,), (tag,)):
        return None
    (directive,) = template.directives
    own: QuickOutcome
    if vr == "UI" and template.functions == {"uid"} and not directive.arguments and not directive.seed:
        own = UidOutcome(found.kind, resources)
    elif vr == "DT" and template.functions == {"dateshift"} and len(found.edits) == 1:
        new = found.edits[0][2]
        own = DateTimeOutcome(found.kind, stored[_HEADER:][:8], new[_HEADER:][:8].decode("latin-1"))
    else:
        return None
    made = own.outcome(stored)
    if made is None:
        return None
    return own if made._replace(texts=found.texts, pair=found.pair, survey=found.survey) == found else None


def _replaced(stored: bytes, new: str, padding: bytes, kind: int, original: str) -> SlotOutcome:
    odd = len(new) % 2
    data = stored[:6] + (len(new) + odd).to_bytes(2, "little") + new.encode() + padding * odd
    return SlotOutcome(((0, len(stored), data),), len(data) - len(stored), kind, (original,), (new,))
