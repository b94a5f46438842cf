"""Each output read again and held against its input (``--verify``).

Input and output are read by pydicom (``pydicom_reading``), the compiled spec is asked anew which elements it
hits (``expected_rules``), and everything else has to be the same bytes in the same order
(``file_comparison``). Then the output is searched for the values that were replaced (``residuals``).
"""

from __future__ import annotations

from collections.abc import Callable

from ..core.errors import FileError
from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit
from ..dicom.sources import BytesSource, Source
from ..spec.rules import RuleSet
from .entries import PydicomReading
from .expected_rules import ExpectedRules
from .file_comparison import FileComparison
from .pieces import INPUT, OUTPUT, SeriesReader
from .proofs import Proofs
from .pydicom_reading import in_memory, read_again
from .residuals import find_residuals
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
            before, after = self._readings(source, written, is_whole=has_cleaned_pixels)
            comparison = FileComparison(
                self.rules, self.expected, before, after, renames=self.renames, pause=pause
            )
            comparison.has_cleaned_pixels = has_cleaned_pixels
            comparison.syntax = syntax
            comparison.run(self.proofs)
            return self._residuals(comparison, after, shown_path, pause)
        finally:
            self.series.forget()

    def _readings(
        self, source: Source, written: Source, *, is_whole: bool
    ) -> tuple[PydicomReading, PydicomReading]:
        """The input and the output as pydicom reads them."""
        source, written = in_memory(source), in_memory(written)
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

    def _residuals(
        self, comparison: FileComparison, after: PydicomReading, shown_path: str, pause: Callable[[], None]
    ) -> tuple[str, ...]:
        """The elements that hold what was replaced."""
        noted = Noted(comparison.originals, comparison.results, comparison.spared, comparison.codecs)
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
