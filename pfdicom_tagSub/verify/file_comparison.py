"""One output held against its input: the one comparison of two files."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import FileError
from .compared_files import BeforeAndAfter, is_true_length
from .data_set_comparison import CheckedElement, DataSetComparison
from .entries import DataSet, Entry
from .expected_rules import Place
from .pieces import Piece, PieceDataSet, PieceEntries
from .proofs import NOTHING, STAMPED, Proof, Proofs
from .same_value import Surroundings


class FileComparison(DataSetComparison):
    """The comparison of one output with its input."""

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
        self.compare_meta()
        old, new, meta = before.data, after.data, before.meta
        if isinstance(old, PieceDataSet) and isinstance(new, PieceDataSet) and isinstance(meta, PieceDataSet):
            self._pieces(old, new, meta, proofs)
        else:
            self.compare_data_sets(old, new, Place(), Surroundings(old, beyond=meta))

    def _pieces(self, before: PieceDataSet, after: PieceDataSet, meta: PieceDataSet, proofs: Proofs) -> None:
        """Compare two data sets that were read in pieces, as ``compare_data_sets`` does."""
        self.codecs.update(before.encodings, after.encodings)
        place, around = Place(), Surroundings(before, beyond=meta)
        stamps = self.possible_stamps(before, place)
        kept = self.kept_bits(before)
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
                and is_true_length(news, index, after)
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
                element = CheckedElement(olds.at(number), planned.effect, planned.rule, kept)
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
        """Take an element that was inserted, as ``take_stamp`` does."""
        surroundings, proofs = known
        key = surroundings, own, own, STAMPED
        proof = proofs.get(key) if own.tag in stamps else None
        if proof is None:
            noted = self.results
            self.results = set()
            try:
                self.take_stamp(news.at(index), after, stamps)
                proof = Proof(True, NOTHING, frozenset(self.results), NOTHING, frozenset())
            finally:
                self.results = noted
            if own.data:
                proofs.put(key, proof)
        stamps.discard(own.tag)
        self._note(proof)

    def _proof(
        self, element: CheckedElement, own: Entry | None, after: DataSet, place: Place, around: Surroundings
    ) -> Proof:
        """Compare an element of the input with what has become of it, and tell what came of it."""
        noted = self.originals, self.results, self.spared, self.codecs
        self.originals, self.results, self.spared, self.codecs = set(), set(), set(), set()
        try:
            untouched: list[BeforeAndAfter] = []
            is_taken = self.is_taken(element, own, after, place, around, untouched)
            if untouched:
                self.compare_untouched(untouched, around.data, after, place, around)
            return Proof(
                is_taken,
                frozenset(self.originals),
                frozenset(self.results),
                frozenset(self.spared),
                frozenset(self.codecs),
            )
        finally:
            self.originals, self.results, self.spared, self.codecs = noted
