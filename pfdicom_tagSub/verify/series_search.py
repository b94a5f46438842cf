"""The search for replaced values in the files of a series, whose values and bytes are mostly the same.

Of the values of a file most were those of the file before it: what is looked for in both is a *core*. A piece
of an output in which nothing of a core was found need not be searched for it again. The few values that are
a file's own are looked for in all of its bytes. Whatever is found so is looked at as in any other file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from ..text.in_paths import texts_in
from .day_search import days_in
from .element_texts import ElementText
from .entries import PydicomReading
from .generations import Generations
from .leaves import Leaves, is_bulk, leaves_of_entry, leaves_of_head
from .needle_search import Named, NeedleSearch, likely_in
from .piece_data_sets import PieceDataSet
from .pieces import Piece
from .residuals import MOST_NAMED, days_in_path, is_in_path
from .search_targets import SearchTargets, Stated, targets_of, texts_of_traces
from .search_terms import UNBOUNDED, Needle, needles_of, traces_of
from .text_search import TextSearch

MOST_CORES = 16
MOST_OWN = 48
"""A file that has more values which are not in a core has little to do with it."""

MOST_LOOKED_AT = 1 << 12

MOST_PATHS = 1 << 6
"""What to look for because of a path is remembered for so many kinds of them."""

ElementTexts = Set[ElementText]


class Noted(NamedTuple):
    """What the comparison of one file noted; as the arguments of ``find_residuals``."""

    originals: ElementTexts
    results: ElementTexts
    spared: ElementTexts
    codecs: Set[str]


class Core:
    """What files of a series have in common, and what is looked for because of it."""

    def __init__(self, noted: Noted) -> None:
        self.noted = noted
        self.stated = Stated.of(noted.results)
        self.left = texts_of_traces(noted.spared)
        self.wanted = targets_of(noted.originals, self.stated, self.left, noted.codecs)
        self.search = NeedleSearch(self.wanted.needles, self.wanted.days, lambda: None)
        self.token = object()
        self._targets: dict[tuple[frozenset[ElementText], frozenset[str]], SearchTargets] = {}
        self.sources: dict[bytes | str, set[ElementText]] = {}
        """For the bytes of each needle, and each day, the values that they are of."""
        self.by_text: dict[str, set[ElementText]] = {}
        """For the text of each trace the values that it is of."""
        codecs = tuple(sorted(noted.codecs))
        for value in noted.originals:
            for trace in traces_of(*value):
                self.by_text.setdefault(trace.text, set()).add(value)
                names: Iterable[bytes | str] = (trace.text,)
                if not trace.is_day:
                    names = [needle.folded for needle in needles_of(trace, codecs)]
                for name in names:
                    self.sources.setdefault(name, set()).add(value)

    def fits(self, noted: Noted) -> bool:
        """Whether what is looked for in a file is what the core says, and a little more."""
        own = self.noted
        return (
            own.codecs == noted.codecs
            and own.results <= noted.results
            and own.spared <= noted.spared
            and len(noted.originals - own.originals) <= MOST_OWN
        )

    def sources_of(self, needles: Iterable[Needle], days: Iterable[str]) -> set[ElementText]:
        """The values that something found may be of."""
        found: set[ElementText] = set()
        for needle in needles:
            # Notations of a day in UTF-16 are not listed with their day
            found |= self.sources.get(needle.folded) or self.noted.originals
        for day in days:
            found |= self.sources.get(day, set())
        return found

    def targets_of(self, values: set[ElementText], left: frozenset[str]) -> SearchTargets:
        """What to look for because of some of its values, but for what it states; files share their paths.

        Args:
            values: the values.
            left: texts of traces of what is kept.
        """
        key = frozenset(values), left
        known = self._targets.get(key)
        if known is None:
            if len(self._targets) >= MOST_PATHS:
                self._targets.clear()
            known = self._targets[key] = targets_of(values, self.stated, left, self.noted.codecs)
        return known

    def in_path(self, path: str) -> set[ElementText]:
        """The values that what is found in a path may be of."""
        texts = days_in_path(path, self.wanted.days)
        texts += texts_in(path, self.wanted.texts, UNBOUNDED)
        return set().union(*map(self.by_text.__getitem__, texts))


class SeriesSearch:
    """The searches of one verifier."""

    def __init__(self, kept: frozenset[int]) -> None:
        """Args:
        kept: the tags of elements that are kept on purpose.
        """
        self.kept = kept
        self._cores: list[Core] = []
        self._recent: deque[Noted] = deque(maxlen=MOST_CORES)
        self._looked_at: Generations[tuple[object, ...], tuple[tuple[str, int], ...]] = Generations(
            MOST_LOOKED_AT
        )

    def find(
        self,
        output: PydicomReading,
        path: str,
        noted: Noted,
        surroundings: object,
        pause: Callable[[], None],
        texts: TextSearch,
    ) -> tuple[str, ...]:
        """The elements of an output, read in pieces, that hold a value that was replaced.

        Args, Returns: as of ``find_residuals``; ``surroundings`` is what the values of a piece depend on
        besides its bytes.
        """
        core = self._core_of(noted)
        own = Noted(
            noted.originals - core.noted.originals,
            noted.results - core.noted.results,
            noted.spared - core.noted.spared,
            noted.codecs,
        )
        return self.find_beside(
            core, own, output, path, surroundings, pause, texts, gone=core.noted.originals - noted.originals
        )

    def find_beside(
        self,
        core: Core,
        noted: Noted,
        output: PydicomReading,
        path: str,
        surroundings: object,
        pause: Callable[[], None],
        texts: TextSearch,
        *,
        gone: ElementTexts = frozenset(),
    ) -> tuple[str, ...]:
        """As ``find``, for a file that noted what a core says, and some more.

        Args:
            core: the core.
            noted: what else was noted.
            output, path, surroundings, pause, texts: as of ``find``.
            gone: what the core says and was not noted.
        """
        if not noted.originals and len(core.noted.originals) == len(gone) and texts.is_idle:
            return ()
        more = core.stated.with_more(noted.results)
        left = core.left | texts_of_traces(noted.spared) if noted.spared else core.left
        own = targets_of(noted.originals, more, left, core.noted.codecs)
        named: Named = {}
        file = _OutputInPieces(output)
        found = file.find(core.wanted, own, core.token)
        if found is not None:
            # What is worth a second look, of the values that the file itself has
            wanted = core.sources_of(*found) - gone
            exact = targets_of(wanted | noted.originals, more, left, core.noted.codecs)
            self._look(file, exact, surroundings, pause, named)
        if is_in_path(path, own.texts, own.days):
            named["path"] = 0, 0
        elif in_path := core.in_path(path) - gone:
            shared = core.targets_of(in_path, left)
            own_texts, own_days = (
                [text for text in texts if not more.says(text)] for texts in (shared.texts, shared.days)
            )
            if is_in_path(path, own_texts, own_days):
                named["path"] = 0, 0
        for part, data in ((1, output.meta), (2, output.data)):
            for name, entry in texts.of_data_set(data):
                named.setdefault(name, (part, entry.start))
        if file.bulk:
            every = (core.noted.originals - gone) | noted.originals
            self._bulk(
                file, core, own, lambda: targets_of(every, more, left, core.noted.codecs), pause, named
            )
        return tuple(sorted(named, key=named.__getitem__)[:MOST_NAMED])

    def _core_of(self, noted: Noted) -> Core:
        """A core that fits a file, the last one first; a new one where none does."""
        for index, core in enumerate(self._cores):
            if core.fits(noted):
                if index:
                    self._cores.insert(0, self._cores.pop(index))
                return core
        # What it shares with one of the last files is what it will share with the next.
        core = Core(noted)
        shared = max(self._recent, key=lambda one: len(one.originals & noted.originals), default=None)
        if shared is not None and shared.codecs == noted.codecs:
            common = Noted(
                shared.originals & noted.originals,
                shared.results & noted.results,
                shared.spared & noted.spared,
                noted.codecs,
            )
            if len(noted.originals) - len(common.originals) <= MOST_OWN:
                core = Core(common)
        self._recent.append(noted)
        self._cores.insert(0, core)
        del self._cores[MOST_CORES:]
        return core

    def _look(
        self,
        file: _OutputInPieces,
        exact: SearchTargets,
        surroundings: object,
        pause: Callable[[], None],
        named: Named,
    ) -> None:
        """Look at the places where something was found."""
        output = file.output
        near = NeedleSearch(exact.needles, exact.days, pause, self.kept)
        near.text(output.source, 0, output.data.start, Leaves(1, lambda: leaves_of_head(output)), named)
        for index, needles, days in file.holding(file.suspects, near.needles, near.days):
            piece, start = file.data.own.pieces[index], file.data.own.starts[index]
            key = piece, surroundings, frozenset(needles), tuple(days)
            found = self._looked_at.get(key) if piece.data else None
            if found is None:
                found = self._look_at(file, index, NeedleSearch(needles, days, pause, self.kept))
                if piece.data:
                    self._looked_at.put(key, found)
            for name, place in found:
                named[name] = 2, start + place

    def _look_at(self, file: _OutputInPieces, index: int, near: NeedleSearch) -> tuple[tuple[str, int], ...]:
        """What is found in one piece, and where in it."""
        entry = file.data.own.at(index)
        named: Named = {}
        leaves = Leaves(2, lambda: sorted(leaves_of_entry(entry, file.data), key=lambda leaf: leaf.start))
        near.text(file.output.source, entry.start, entry.end, leaves, named)
        return tuple((name, place - entry.start) for name, (_, place) in named.items())

    def _bulk(
        self,
        file: _OutputInPieces,
        core: Core,
        own: SearchTargets,
        exact: Callable[[], SearchTargets],
        pause: Callable[[], None],
        named: Named,
    ) -> None:
        """Search the large binary values."""
        search = NeedleSearch(own.needles, own.days, pause, self.kept, core.search)
        suspects: Named = {}
        for index in file.bulk:
            search.bulk(file.output.source, file.data.own.at(index), suspects)
        if not suspects:
            return
        wanted = exact()
        near = NeedleSearch(wanted.needles, wanted.days, pause, self.kept)
        for index in file.bulk:
            near.bulk(file.output.source, file.data.own.at(index), named)


class _OutputInPieces:
    """An output whose data set was read in pieces."""

    def __init__(self, output: PydicomReading) -> None:
        assert isinstance(output.data, PieceDataSet)
        self.output = output
        self.data = output.data
        self.bulk = [index for index in self.data.own.large() if is_bulk(self.data.own.at(index))]
        """The indices of large binary values."""
        self.suspects: list[int] = []
        """Those of text in which ``find`` found something."""

    @property
    def texts(self) -> list[int]:
        """The indices of pieces that hold text."""
        return [index for index in range(len(self.data.own.pieces)) if index not in self.bulk]

    def stored(self, index: int) -> bytes:
        """The bytes of a piece."""
        piece, start = self.data.own.pieces[index], self.data.own.starts[index]
        return piece.data or self.output.source.read(start, start + piece.size)

    def _stretches(self) -> Iterator[bytes]:
        """The file without its large binary values."""
        read = self.output.source.read
        position = 0
        for index in self.bulk:
            yield read(position, self.data.own.starts[index])
            position = self.data.own.starts[index] + self.data.own.pieces[index].size
        yield read(position, self.data.end)

    def holding(
        self, indices: Sequence[int], needles: Sequence[Needle], days: Sequence[str]
    ) -> Iterator[tuple[int, list[Needle], list[str]]]:
        """The pieces in which something is, and what: what one half of them lacks is not looked for in it.

        Asking each piece for all would take the product of both.
        """
        stored = b"\n".join(map(self.stored, indices)).lower()
        found = [needle for needle in likely_in(stored, needles) if needle.folded in stored]
        found_days = days_in(days, stored)
        if not found and not found_days:
            return
        if len(indices) == 1:
            yield indices[0], found, found_days
            return
        half = len(indices) // 2
        yield from self.holding(indices[:half], found, found_days)
        yield from self.holding(indices[half:], found, found_days)

    def find(
        self, common: SearchTargets, own: SearchTargets, token: object
    ) -> tuple[Sequence[Needle], Sequence[str]] | None:
        """What may be in the text of the file; None where nothing is.

        Pieces in which nothing of the core was found before are searched for what is the file's own alone.

        Args:
            common: what is looked for because of a core.
            own: what else is looked for.
            token: what the core is called.
        """
        pieces = self.data.own.pieces
        head = self.output.source.read(0, self.data.start)
        fresh = [index for index in self.data.own.unclean(token) if index not in self.bulk]
        joined = b"\n".join([head, *map(self.stored, fresh)]).lower()
        found = [needle for needle in likely_in(joined, common.needles) if needle.folded in joined]
        found_days = days_in(common.days, joined)
        self._mark_clean(token, fresh, found, found_days)
        self.data.own.note_unclean(token)
        self.suspects = [index for index in fresh if token not in pieces[index].clean]
        if own.needles or own.days:
            whole = b"\n".join(self._stretches()).lower()
            needles = [needle for needle in likely_in(whole, own.needles) if needle.folded in whole]
            days = days_in(own.days, whole)
            if needles or days:
                self.suspects = self.texts
                return [*found, *needles], [*found_days, *days]
        return (found, found_days) if found or found_days else None

    def _mark_clean(
        self, token: object, fresh: Sequence[int], found: Sequence[Needle], days: Sequence[str]
    ) -> None:
        """Note in which pieces nothing of a core is."""
        for index in fresh:
            piece: Piece = self.data.own.pieces[index]
            if not piece.data:
                continue
            if found or days:
                stored = piece.data.lower()
                if any(needle.folded in stored for needle in found):
                    continue
                if days_in(days, stored):
                    continue
            piece.mark_clean(token)
