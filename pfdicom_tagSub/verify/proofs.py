"""What was proved of an element of an input and of what became of it, remembered for the files of a series.

The proof of an element depends on its bytes in the input and in the output, on what the spec does to it, and
on a few things around it: the character sets, the private creators, and the elements that templates look up.
Where all of these are the same it is not made again.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from ..dicom import dictionary
from ..dicom.dictionary import PIXEL_DATA
from ..spec.rules import Rule, RuleSet
from .element_texts import PRIVATE_SEARCHED_VRS, ElementText
from .expected_rules import Effect, ExpectedRules
from .generations import Generations
from .piece_data_sets import PieceDataSet
from .pieces import Piece

MOST_BYTES = 1 << 23
"""The weight of what is remembered, in two halves."""

MOST_PLANS = 64
MOST_SURROUNDINGS = 64
_TOLD = 256
"""About the bytes of a text that an element tells, as an object."""


@dataclass(eq=False, slots=True)
class Planned:
    """What the spec does to an element of an input.

    Attributes:
        effect: what it does.
        rule: the rule; None where there is none.
        is_idle: whether nothing is to be shown of the element but that its bytes are the same.
        is_silent: whether it only has to be gone, and told nothing to look for.
        is_length: whether it is the length of its group, which no rule hits.
        is_lasting: whether what is proved of it holds in another file.
    """

    effect: Effect
    rule: Rule | None
    is_idle: bool = False
    is_silent: bool = False
    is_length: bool = False
    is_lasting: bool = True


class Proof(NamedTuple):
    """What the proof of an element came to.

    Attributes:
        is_taken: whether the element of the output is that of the input.
        originals: the texts that were replaced.
        results: those in their place.
        spared: those that are kept on purpose.
        codecs: the Python encodings within.
    """

    is_taken: bool
    originals: frozenset[ElementText]
    results: frozenset[ElementText]
    spared: frozenset[ElementText]
    codecs: frozenset[str]


NOTHING: frozenset[ElementText] = frozenset()
STAMPED = Planned(Effect.ADDED, None)
"""Stands for the effect on an element that was inserted."""

ProofKey = tuple[object, Piece, Piece | None, Planned]


class Proofs:
    """The proofs of one verifier."""

    def __init__(self, rules: RuleSet, expected: ExpectedRules) -> None:
        self._expected = expected
        self._known: Generations[ProofKey, Proof] = Generations(MOST_BYTES)
        self._plans: dict[Hashable, tuple[Planned, ...]] = {}
        self._planned: dict[tuple[Effect, int, bool, bool, bool, bool], Planned] = {}
        self._surroundings: dict[Hashable, object] = {}
        self.looked_up = rules.looked_up | {dictionary.PIXEL_REPRESENTATION}
        """The tags of elements that a proof of others may depend on."""

    def get(self, key: ProofKey) -> Proof | None:
        """The proof for a key; None where there is none yet."""
        return self._known.get(key)

    def put(self, key: ProofKey, proof: Proof) -> None:
        """Remember a proof."""
        _, before, after, _ = key
        told = len(proof.originals) + len(proof.results) + len(proof.spared)
        self._known.put(key, proof, 512 + before.size + (after.size if after else 0) + _TOLD * told)

    def surroundings(self, before: PieceDataSet, meta: PieceDataSet, after: PieceDataSet) -> object:
        """What a proof depends on around the element: the same object for the same."""
        looked_up = self.looked_up
        key = (
            *(before.encodings, before.little, after.encodings, after.little),
            tuple(
                [
                    piece
                    for own in (before.own, meta.own)
                    for tag, piece in zip(own.tags, own.pieces, strict=True)
                    if tag in looked_up
                ]
            ),
            tuple(before.own.creators),
            tuple(after.own.creators),
        )
        found = self._surroundings.get(key)
        if found is None:
            if len(self._surroundings) >= MOST_SURROUNDINGS:
                self._surroundings.clear()
            found = self._surroundings[key] = object()
        return found

    def plan(self, before: PieceDataSet) -> tuple[Planned, ...]:
        """What the spec does to each element of the data set of an input."""
        own = before.own
        kinds = tuple([piece.kind for piece in own.pieces])
        key = before.encodings, tuple(own.tags), kinds, tuple(own.creators)
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
                self._planned.clear()
            found = self._plans[key] = tuple(
                self._planned_of(piece, *self._expected.of(entry, before))
                for entry, piece in zip(own, own.pieces, strict=True)
            )
        return found

    def _planned_of(self, piece: Piece, effect: Effect, rule: Rule | None) -> Planned:
        tag = piece.tag
        is_follower = tag & 0xFFFF == 0 or tag == dictionary.LENGTH_TO_END
        is_lasting = not is_follower and tag not in PIXEL_DATA
        is_plain = effect is Effect.NONE and not piece.is_sequence
        key = (
            *(effect, id(rule)),
            is_plain and is_lasting and tag not in self._expected.kept,
            effect is Effect.REMOVED and rule is None and tells_nothing(piece),
            is_plain and tag & 0xFFFF == 0,
            is_lasting,
        )
        if key not in self._planned:
            self._planned[key] = Planned(effect, rule, *key[2:])
        return self._planned[key]


def tells_nothing(piece: Piece) -> bool:
    """Whether a private element that goes as it is private tells nothing that is looked for.."""
    vr = piece.stored.VR or "UN"
    return bool(piece.tag >> 16 & 1) and not piece.is_sequence and vr not in PRIVATE_SEARCHED_VRS | {"UN"}
