"""What the inputs of a series have in common, or its outputs, and how a file is seen to have it, too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, cast

from ..dicom.dictionary import SPECIFIC_CHARACTER_SET
from ..dicom.sources import BytesSource
from .entries import PydicomReading
from .piece_context import Context
from .piece_data_sets import Common, PieceDataSet
from .pieces import Piece
from .pydicom_reading import HEAD
from .series_reading import is_plain_meta


class GroupLength(NamedTuple):
    """The length of a group of an output.

    Attributes:
        place: its index.
        fixed: the bytes of those elements that follow it and are of its group and in common.
        varying: the indices of the others.
        order: the byte order.
    """

    place: int
    fixed: int
    varying: tuple[int, ...]
    order: Literal["little", "big"]

    @classmethod
    def of(cls, data: PieceDataSet, index: int, varying: Collection[int]) -> GroupLength:
        """That at an index."""
        tags, pieces = data.own.tags, data.own.pieces
        stop = index + 1
        while stop < len(tags) and tags[stop] >> 16 == tags[index] >> 16:
            stop += 1
        own = range(index + 1, stop)
        return cls(
            index,
            sum([pieces[one].size for one in own if one not in varying]),
            tuple([one for one in own if one in varying]),
            "little" if data.little else "big",
        )

    def is_true(self, pieces: Sequence[Piece]) -> bool:
        """Whether it is the length of its group in a file, and holds a number."""
        piece = pieces[self.place]
        size = self.fixed + sum([pieces[one].size for one in self.varying])
        return piece.size - piece.value == 4 and int.from_bytes(piece.data[piece.value :], self.order) == size


class _SideStep(NamedTuple):
    """Bytes in common, and the element that comes after them.

    Attributes:
        fixed: the bytes, with the beginning of the element: its tag, and its VR where one is stored.
        size: how many there are before the element.
        context: what the element is read in.
        tag: its tag.
        kind: its VR, and whether it is or looks like a sequence.
        place: its index.
        is_meta: whether it is of the file meta.
        is_blank: whether its bytes say nothing.
        twin: in an output, the index of the element of the input that it has to be; -1 for none.
    """

    fixed: bytes
    size: int
    context: Context
    tag: int
    kind: str
    place: int
    is_meta: bool
    is_blank: bool
    twin: int


class Side:
    """What the inputs of a series have in common, or its outputs."""

    def __init__(
        self,
        reading: PydicomReading,
        varying_meta: frozenset[int],
        varying: frozenset[int],
        blanks: Collection[int] = (),
        twins: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """Args:
        reading: one of them, read in pieces.
        varying_meta: the indices of elements of its file meta that are not in common.
        varying: those of its data set.
        blanks: those of which the bytes say nothing.
        twins: for those that have to be the same in input and output their indices in the input.
        """
        meta, data = cast(PieceDataSet, reading.meta), cast(PieceDataSet, reading.data)
        self.meta, self.data = meta, data
        self.common = Common(meta.own.pieces, varying_meta), Common(data.own.pieces, varying)
        self.contexts = {id(one): one for one in (*meta.contexts, *data.contexts)}.values()
        self._steps: list[_SideStep] = []
        self._meta_size = HEAD
        source = reading.source
        fixed = [source.read(0, HEAD)]
        for one, own_varying, is_meta in ((meta, varying_meta, True), (data, varying, False)):
            context, after = one.contexts
            for index, piece in enumerate(one.own.pieces):
                if index not in own_varying:
                    fixed.append(piece.data)
                    self._meta_size += piece.size * is_meta
                else:
                    common = b"".join(fixed)
                    # pydicom takes the first six bytes of a data set for a tag and perhaps a VR.
                    size = 4 if context.implicit and index else 6
                    start = one.own.starts[index]
                    head = source.read(start, start + size)
                    is_blank = index in blanks and not is_meta
                    twin = -1 if is_meta else twins.get(index, -1)
                    self._steps.append(
                        _SideStep(
                            *(common + head, len(common), context, piece.tag, piece.kind),
                            *(index, is_meta, is_blank, twin),
                        )
                    )
                    fixed = []
                if piece.tag == SPECIFIC_CHARACTER_SET and not is_meta:
                    context = after
        self._rest = b"".join(fixed)

    def match(self, source: BytesSource, twins: Sequence[Piece | None] = ()) -> PydicomReading | None:
        """A file that has these bytes in common, in pieces; None for any other.

        Args:
            source: the file.
            twins: of an output, the elements of the input.
        """
        data = source.data
        startswith = data.startswith
        place = 0
        meta_size = self._meta_size
        metas: dict[int, tuple[Piece, int]] = {}
        others: dict[int, tuple[Piece, int]] = {}
        for fixed, size, context, tag, kind, index, is_meta, is_blank, twin in self._steps:
            if not startswith(fixed, place):
                return None
            place += size
            piece = None
            if is_blank:
                piece = context.blank_at(data, place)
            elif twin >= 0:
                piece = twins[twin]
                if piece is not None and not (piece.data and startswith(piece.data, place)):
                    piece = None
            if piece is None:
                piece = context.piece_at(data, place)
            if piece is None or piece.tag != tag or piece.kind != kind:
                return None
            if not is_meta:
                others[index] = piece, place
            elif is_plain_meta(piece):
                metas[index] = piece, place
                meta_size += piece.size
            else:
                return None
            place += piece.size
        if len(data) - place != len(self._rest) or not startswith(self._rest, place):
            return None
        meta, own = self.meta, self.data
        return PydicomReading(
            source,
            data[: HEAD - 4],
            PieceDataSet(
                *(True, meta.encodings, source, 0, meta.own.with_others(metas, HEAD, self.common[0])),
                *(HEAD, meta_size),
                contexts=meta.contexts,
            ),
            PieceDataSet(
                *(
                    own.little,
                    own.encodings,
                    source,
                    0,
                    own.own.with_others(others, meta_size, self.common[1]),
                ),
                *(meta_size, len(data)),
                contexts=own.contexts,
            ),
            is_deflated=False,
        )
