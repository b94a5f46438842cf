"""One output held against its input: the one comparison of two files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from ..core.errors import FileError
from .alignments import AlignedPair, Alignment, Proved
from .compared_files import BeforeAndAfter, is_true_length
from .data_set_comparison import CheckedElement, DataSetComparison
from .entries import DataSet, Entry
from .expected_rules import Place
from .piece_data_sets import PieceDataSet, PieceEntries
from .pieces import Piece
from .proofs import NOTHING, STAMPED, Planned, Proof, Proofs
from .proved_series import ProvedSeries
from .same_value import Surroundings
from .series_search import Noted


class FileComparison(DataSetComparison):
    """The comparison of one output with its input."""

    _kept_bits: tuple[bytes | None] | None = None

    def run(self, proofs: Proofs) -> Proved | None:
        """Compare.

        Args:
            proofs: what was proved before.

        Returns:
            What was proved, for files that were read in pieces.

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
            alignment = self._pieces(old, new, meta, proofs)
            return Proved(
                before, after, alignment, self.surroundings, frozenset(self.possible_stamps(old, Place()))
            )
        self.compare_data_sets(old, new, Place(), Surroundings(old, beyond=meta))
        return None

    def run_alike(self, series: ProvedSeries, proofs: Proofs) -> bool:
        """Compare files of a series of which others were proved.

        Args:
            series: what was proved of them.
            proofs: what was proved before of elements.

        Only what the series does not have in common is noted.

        Returns:
            Whether they are what they should be: otherwise, or where an error is raised, ``run`` says what
            is wrong with them, if something is.

        Raises:
            FileError: they differ where they should not.
        """
        self.surroundings = series.surroundings
        pieces = cast(PieceDataSet, self.after.data).own.pieces
        if not all(length.is_true(pieces) for length in series.lengths):
            return False
        return self._hold(series.alignment, set(series.stamps), proofs)

    def notes_of(self, proved: Proved, part: Alignment, proofs: Proofs) -> Noted:
        """What is noted of a part of files that were proved."""
        noted = self.originals, self.results, self.spared, self.codecs
        self.originals, self.results, self.spared, self.codecs = set(), set(), set(), set()
        try:
            self.codecs.update(proved.before.data.encodings, proved.after.data.encodings)
            if not self._hold(part, set(proved.stamps), proofs):
                raise AssertionError("what was proved is no longer true")
            return Noted(
                frozenset(self.originals),
                frozenset(self.results),
                frozenset(self.spared),
                frozenset(self.codecs),
            )
        finally:
            self.originals, self.results, self.spared, self.codecs = noted

    def _hold(self, part: Alignment, stamps: set[int], proofs: Proofs) -> bool:
        """Hold a part of an input against that of the output; whether all is where it should be."""
        old_meta, new_meta = self.before.meta.entries, self.after.meta.entries
        for number, index in part.meta:
            own = None if index is None else new_meta[index]
            if self.is_meta_taken(old_meta[number], own) != (index is not None):
                return False
        before, after = cast(PieceDataSet, self.before.data), cast(PieceDataSet, self.after.data)
        pieces, others, news = before.own.pieces, after.own.pieces, after.own
        around = Surroundings(before, beyond=self.before.meta)
        for number, index, planned in part.data:
            piece = pieces[number]
            if index is None:
                if planned.is_silent:
                    continue
            elif planned.is_idle:
                if others[index] is piece:
                    continue
            elif planned.is_length and is_true_length(news, index, after):
                continue
            proof = self._proved(number, index, index, planned, around, proofs)
            if proof.is_taken != (index is not None):
                return False
            self._note(proof)
        for index in part.inserted:
            self._piece_stamp(others[index], news, index, after, stamps, (self.surroundings, proofs))
        return True

    def _pieces(
        self, before: PieceDataSet, after: PieceDataSet, meta: PieceDataSet, proofs: Proofs
    ) -> Alignment:
        """Compare two data sets that were read in pieces, as ``compare_data_sets`` does."""
        self.codecs.update(before.encodings, after.encodings)
        place, around = Place(), Surroundings(before, beyond=meta)
        stamps = self.possible_stamps(before, place)
        surroundings = self.surroundings = proofs.surroundings(before, meta, after)
        olds, news = before.own, after.own
        pairs: list[AlignedPair] = []
        inserted: list[int] = []
        index = 0
        last = len(news)
        pieces: Sequence[Piece | None] = [*news.pieces, None]
        for number, (piece, planned) in enumerate(zip(olds.pieces, proofs.plan(before), strict=True)):
            own = pieces[index]
            if own is piece and planned.is_idle:
                pairs.append(AlignedPair(number, index, planned))
                index += 1
                continue
            if planned.is_silent and (own is None or own.tag != piece.tag):
                pairs.append(AlignedPair(number, None, planned))
                continue
            if (
                planned.is_length
                and own is not None
                and own.tag == piece.tag
                and is_true_length(news, index, after)
            ):
                pairs.append(AlignedPair(number, index, planned))
                index += 1
                continue
            while own is not None and own.tag != piece.tag and own.tag in stamps:
                self._piece_stamp(own, news, index, after, stamps, (surroundings, proofs))
                inserted.append(index)
                index += 1
                own = pieces[index]
            same = index if own is not None and own.tag == piece.tag else None
            proof = self._proved(number, same, index if index < last else None, planned, around, proofs)
            self._note(proof)
            pairs.append(AlignedPair(number, index if proof.is_taken else None, planned))
            index += proof.is_taken
        for rest in range(index, last):
            self._piece_stamp(news.pieces[rest], news, rest, after, stamps, (surroundings, proofs))
            inserted.append(rest)
        return Alignment(tuple(enumerate(self.meta_places)), tuple(pairs), tuple(inserted))

    def _own_kept_bits(self) -> bytes | None:
        if self._kept_bits is None:
            self._kept_bits = (self.kept_bits(self.before.data),)
        return self._kept_bits[0]

    def _proved(
        self,
        number: int,
        same: int | None,
        following: int | None,
        planned: Planned,
        around: Surroundings,
        proofs: Proofs,
    ) -> Proof:
        """The proof of an element, from memory if it was made before.

        Args:
            number: the index of that of the input.
            same: the index of the next one of the output, where it has the same tag.
            following: its index; None at the end.
            planned: what the spec does to it.
            around: the data set of the input.
            proofs: what was proved before.
        """
        before, after = cast(PieceDataSet, self.before.data), cast(PieceDataSet, self.after.data)
        piece = before.own.pieces[number]
        own = None if same is None else after.own.pieces[same]
        key = self.surroundings, piece, own, planned
        proof = proofs.get(key)
        if proof is None:
            element = CheckedElement(
                before.own.at(number), planned.effect, planned.rule, self._own_kept_bits()
            )
            found = None if following is None else after.own.at(following)
            proof = self._proof(element, found, after, Place(), around)
            if planned.is_lasting and piece.data and (own is None or own.data):
                proofs.put(key, proof)
        return proof

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
