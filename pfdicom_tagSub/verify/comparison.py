"""Each output read again and held against its input (``--verify``).

Input and output are read by pydicom (``pydicom_reading``), the compiled spec is asked anew which elements it
hits (``expected_rules``), and everything else has to be the same bytes in the same order
(``file_comparison``). Then the output is searched for the values that were replaced (``residuals``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..core.errors import FileError
from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit
from ..dicom.sources import BytesSource, Source
from ..spec.rules import RuleSet
from .alignments import Proved
from .entries import PydicomReading
from .expected_rules import ExpectedRules
from .file_comparison import FileComparison
from .proofs import Proofs
from .proved_series import ProvedSeries, SeriesMemory
from .pydicom_reading import in_memory, read_again
from .residuals import find_residuals
from .series_reading import INPUT, OUTPUT, SeriesReader
from .series_search import Noted, SeriesSearch
from .text_search import TextSearches


class Verifier:
    """Verifies outputs of one compiled spec; make one in each process or thread."""

    def __init__(self, rules: RuleSet, *, renames: bool = False, limit: InflateLimit = DEFAULT_LIMIT) -> None:
        """Args:
        rules: the compiled spec.
        limit: how large the data set of an output may become if it is deflated.
        renames: whether outputs get other paths than inputs, so that a DICOMDIR follows.
        """
        self.rules = rules
        self.renames = renames
        self.expected = ExpectedRules(rules)
        self.limit = limit
        self.series = SeriesReader()
        self.proofs = Proofs(rules, self.expected)
        self.texts = TextSearches()
        self.memory = SeriesMemory(self.proofs.looked_up)
        self.searches = SeriesSearch(self.expected.kept)

    def for_rules(self, rules: RuleSet) -> Verifier:
        """A verifier of other rules, which shares nothing with this one."""
        return Verifier(rules, renames=self.renames, limit=self.limit)

    def residuals(
        self,
        source: Source,
        written: Source,
        shown_path: str,
        pause: Callable[[], None] = lambda: None,
        *,
        has_cleaned_pixels: bool = False,
        syntax: str = "",
    ) -> tuple[str, ...]:
        """Verify one output.

        Args:
            source: the input.
            written: the output.
            shown_path: the path that the output is to have, relative to the output directory.
            pause: called between pieces of a large file; it may raise to stop.
            has_cleaned_pixels: whether the pixels were cleaned, which is checked elsewhere.
            syntax: the transfer syntax that they got by that; "" where it stays.

        Returns:
            The names of the elements that still hold a value that was replaced.

        Raises:
            FileError: something is not as it was though no rule hits it, or the other way about.
                The text names the element and quotes no value.
            OSError: the output cannot be read.
        """
        try:
            source, written = in_memory(source), in_memory(written)
            alike = None if has_cleaned_pixels else self._alike(source, written, pause)
            if alike is not None:
                return self._residuals_alike(*alike, shown_path, pause)
            before, after = self._readings(source, written, is_whole=has_cleaned_pixels)
            comparison = FileComparison(
                self.rules, self.expected, before, after, renames=self.renames, pause=pause
            )
            comparison.has_cleaned_pixels = has_cleaned_pixels
            comparison.syntax = syntax
            proved = comparison.run(self.proofs)
            if proved is not None:
                self.memory.learn(proved, partial(comparison.notes_of, proved, proofs=self.proofs))
            noted = Noted(comparison.originals, comparison.results, comparison.spared, comparison.codecs)
            return self._residuals(comparison, noted, shown_path, pause)
        finally:
            self.series.forget()
            self.memory.forget()

    def _alike(
        self, source: Source, written: Source, pause: Callable[[], None]
    ) -> tuple[ProvedSeries, FileComparison] | None:
        """The comparison of files of a series, others of which were proved; None where it proves nothing."""
        if not isinstance(source, BytesSource) or not isinstance(written, BytesSource):
            return None
        found = self.memory.find(source, written)
        if found is None:
            return None
        series, before, after = found
        try:
            comparison = FileComparison(
                self.rules, self.expected, before, after, renames=self.renames, pause=pause
            )
            if not comparison.run_alike(series, self.proofs):
                return None
        except FileError:
            return None  # what is wrong with it is to be said as of any other file
        proved = Proved(before, after, series.whole, series.surroundings, series.stamps)
        self.memory.note(series, proved, partial(comparison.notes_of, proved, proofs=self.proofs))
        return series, comparison

    def _readings(
        self, source: Source, written: Source, *, is_whole: bool
    ) -> tuple[PydicomReading, PydicomReading]:
        """The input and the output as pydicom reads them."""
        if isinstance(source, BytesSource) and isinstance(written, BytesSource) and not is_whole:
            before = self.series.read(source, INPUT)
            after = self.series.read(written, OUTPUT) if before is not None else None
            if before is not None and after is not None:
                return before, after
        try:
            before = read_again(source, self.limit)
        except FileError as error:
            raise FileError(f"the input cannot be verified: {error}") from None
        return before, read_again(written, self.limit)

    def _residuals_alike(
        self, series: ProvedSeries, comparison: FileComparison, shown_path: str, pause: Callable[[], None]
    ) -> tuple[str, ...]:
        """The elements that hold what was replaced, in a file of a series."""
        common = series.notes
        own = Noted(
            comparison.originals - common.originals,
            comparison.results - common.results,
            comparison.spared - common.spared,
            common.codecs,
        )
        if not comparison.codecs <= common.codecs:
            every = Noted(
                common.originals | own.originals,
                common.results | own.results,
                common.spared | own.spared,
                common.codecs | comparison.codecs,
            )
            return self._residuals(comparison, every, shown_path, pause)
        texts = series.text_search(
            own,
            lambda: self.texts.search(
                common.originals | own.originals,
                common.results | own.results | common.spared | own.spared,
                claims=self.expected.claims,
                surroundings=series.surroundings,
            ),
        )
        return self.searches.find_beside(
            series.core, own, comparison.after, shown_path, series.surroundings, pause, texts
        )

    def _residuals(
        self, comparison: FileComparison, noted: Noted, shown_path: str, pause: Callable[[], None]
    ) -> tuple[str, ...]:
        """The elements that hold what was replaced."""
        after = comparison.after
        texts = self.texts.search(
            noted.originals,
            noted.results | noted.spared,
            claims=self.expected.claims,
            surroundings=comparison.surroundings,
        )
        if comparison.surroundings is not None:
            return self.searches.find(after, shown_path, noted, comparison.surroundings, pause, texts)
        return find_residuals(
            after,
            shown_path,
            noted.originals,
            noted.results,
            noted.codecs,
            pause,
            self.expected.kept,
            noted.spared,
            texts,
        )
