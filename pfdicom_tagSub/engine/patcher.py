"""A compiled spec at work: a file to its changes, and the changes to the output."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core.errors import FileError, TableMissError
from ..dicom.character_sets import REPLACEMENT, quotable
from ..dicom.dictionary import SPECIFIC_CHARACTER_SET, label_of
from ..dicom.edits import Chunk, chunks, pieces
from ..dicom.elements import Element
from ..dicom.file import DicomFile, deflate
from ..dicom.file_ids import FileIds
from ..dicom.scan_filter import Asked, ScanFilter
from ..dicom.scanner import ScanResult, scan
from ..dicom.scope import Reading, Scope, UnknownCharacterSet
from ..dicom.values import Value
from ..spec.rules import RuleSet
from ..spec.templates import Template
from .file_scopes import file_scopes
from .memory import LOCAL_MOST, Memory
from .needed_elements import NeededElements
from .patched import Patched
from .pixel_edits import NO_PIXEL_EDITS, PixelEdits
from .rule_index import Lookups
from .substitution import Substitution
from .utf8_switch import CannotHold, bound_to_character_set

if TYPE_CHECKING:
    from .census import CensusResult
    from .changes import Changes
    from .known_files import KnownFiles
    from .original_pairs import OriginalPair
    from .survey_basis import SurveyOptions
    from .surveyor import Surveyor
    from .unknown_terms import UnknownTerms


TERMS_MOST = 64
"""With more terms of character sets that nobody knows a file fails; each costs a pass over it."""


@dataclass(frozen=True)
class Output:
    """The patched file: its input, and the changes."""

    file: DicomFile
    patched: Patched

    def chunks(self) -> Iterator[Chunk]:
        """New bytes, and stretches of the input; a deflated data set is deflated as it is asked for."""
        file, patched = self.file, self.patched
        if not patched.data_edits:
            return chunks(0, file.source.size, patched.edits)
        return self._deflated()

    def _deflated(self) -> Iterator[Chunk]:
        file, patched = self.file, self.patched
        yield from chunks(0, file.meta_stop, patched.edits)
        data = chunks(file.data.start, file.data.stop, patched.data_edits)
        yield from deflate(pieces(file.data.source, data))


class Patcher:
    """A compiled spec at work; it keeps what it made for files to come.

    Not safe to share between threads or to send between processes: make one in each.
    """

    def __init__(
        self,
        rules: RuleSet,
        *,
        renames: bool = False,
        survey_options: SurveyOptions | None = None,
        pairs: bool = False,
    ) -> None:
        """Args:
        rules: the compiled spec.
        renames: whether outputs get other paths than inputs, so that a DICOMDIR has to follow.
        survey_options: what passes tell of themselves; None for nothing.
        pairs: whether they tell original and new identifiers.
        """
        self.paired: Collection[int] = ()
        self._pairs_of: Callable[[Scope, Changes], tuple[OriginalPair, ...]] | None = None
        if pairs:
            from .original_pairs import ATTRIBUTES, pairs_of  # noqa: PLC0415  (only where somebody asks)

            self.paired, self._pairs_of = ATTRIBUTES, pairs_of
        self.rules = rules
        self.renames = renames
        self.reading = Reading(rules.assumed)
        self.lookups = Lookups(rules)
        self.memory = Memory()
        self.surveyor: Surveyor | None = None
        if survey_options is not None:
            from .surveyor import Surveyor  # noqa: PLC0415  (only where somebody asks)

            self.surveyor = Surveyor(rules, survey_options)
        self.overlays = self.lookups.overlay_tags
        self.naming = ScanFilter(rules.sources | {SPECIFIC_CHARACTER_SET}, ())
        self._needed = NeededElements(
            self.lookups, renames=renames, is_surveyed=self.surveyor is not None, paired=self.paired
        )
        self.filter = self._needed.scan_filter()
        self._asked_filter = self.filter
        self.is_local = not pairs and self._needed.are_all
        self._finds_all = self.surveyor is not None and self.is_local and self.surveyor.find(self.filter)
        self._found: tuple[ScanResult, CensusResult] | None = None
        self.known_files: KnownFiles | None = None
        is_counted = self.surveyor is None or self.surveyor.census is not None
        if is_counted and not self.is_local:
            from .known_files import KnownFiles  # noqa: PLC0415  (for specs that look at most of a file)

            if KnownFiles.serves(self.lookups):
                self.known_files = KnownFiles(
                    self.lookups,
                    self.memory,
                    self.filter,
                    self.reading,
                    self._told,
                    self.paired,
                    self.surveyor,
                )

    def scan(self, file: DicomFile) -> ScanResult:
        """What the rules need to see of a file.

        Raises:
            FileError: its bytes do not make a data set.
        """
        self._found = None
        if self._finds_all and self.surveyor is not None:
            found = self.surveyor.count(file.data)
            if found is not None and found.elements is not None:
                self._found = found.elements, found
                return found.elements
        known = self.scan_known(file)
        return scan(file.data, self.filter) if known is None else known

    def scan_known(self, file: DicomFile) -> ScanResult | None:
        """What ``scan`` gives of a file that is like others before it; None for any other."""
        return self.known_files.find(file) if self.known_files is not None else None

    def ask_for(self, asked: Asked) -> None:
        """Let ``scan_asked`` keep what conditions ask for."""
        self._asked_filter = self._needed.scan_filter(asked)

    def scan_asked(self, file: DicomFile) -> ScanResult:
        """What the rules need to see of a file, and what conditions ask for.

        Raises: as of ``scan``.
        """
        return scan(file.data, self._asked_filter)

    def without_asked(self, elements: ScanResult) -> ScanResult:
        """What ``scan_asked`` found, without what conditions alone asked for.

        Where more was looked at than that, it is of no matter, and stays.
        """
        own = self.filter
        if not self.is_local or own is self._asked_filter:
            return elements
        left = ScanResult(element for element in elements if _is_kept_by(own, element))
        left.is_certain = elements.is_certain
        return left

    def patch(
        self,
        file: DicomFile,
        elements: list[Element],
        file_ids: Mapping[str, str] | None = None,
        pixel_edits: PixelEdits = NO_PIXEL_EDITS,
    ) -> Patched:
        """The changes that the rules ask for.

        Args:
            file: the file.
            elements: what ``scan`` found in it.
            file_ids: where the files went that it may name, if it is a DICOMDIR.
            pixel_edits: the changes of its pixels, if these are cleaned.

        Raises:
            FileError: the file cannot be processed with certainty.
        """
        if self.known_files is not None:
            return self._patch_alike(self.known_files, file, elements, file_ids, pixel_edits)
        key = self._local_key(file, elements) if self.is_local and not pixel_edits else None
        if key is None:
            return self._patch(file, elements, FileIds(file_ids) if self.renames else None, pixel_edits)
        known = self.memory.patches.get(key)
        if known is not None and known.fits(elements):
            if self.surveyor is None:
                return known.at(elements)
            found = self._found[1] if self._found is not None and self._found[0] is elements else None
            if known.survey is not None and (survey := self.surveyor.again(known.survey, file, found)):
                return known.at(elements, survey)
        patched = self._patch(file, elements)
        if not patched.unknown_terms:  # that depends on all text of the file
            survey_of = None if self.surveyor is None else self.surveyor.changes
            self.memory.add_patch(key, patched, elements, file.source, survey_of)
        return patched

    def _patch_alike(
        self,
        known_files: KnownFiles,
        file: DicomFile,
        elements: list[Element],
        file_ids: Mapping[str, str] | None,
        pixel_edits: PixelEdits,
    ) -> Patched:
        """The changes of a file that may be like those before it."""
        patched: Patched | None = None
        known = known_files.known(elements)
        if known is not None:
            patched = None if pixel_edits else known_files.patched(file, known)
            if patched is None:
                elements = scan(file.data, self.filter)
        elif not pixel_edits:
            is_own = self._asked_filter is self.filter
            patched = known_files.learn(file, elements if is_own else None)
        own_ids = FileIds(file_ids) if self.renames else None
        return patched or self._patch(file, elements, own_ids, pixel_edits)

    def _local_key(self, file: DicomFile, elements: list[Element]) -> tuple[object, ...] | None:
        """All that the changes of a file depend on; None where it is more than a few elements."""
        encoding = file.data.encoding
        if not encoding.little or file.deflated:
            return None
        overlays = self.overlays
        read = file.source.read
        stored: list[bytes] = []
        for one in elements:
            start, end = one.start, one.end
            if one.items or end - start > LOCAL_MOST or (overlays and one.tag in overlays):
                return None
            stored.append(read(start, end))
        if isinstance(elements, ScanResult) and elements.is_certain:  # their bytes say how they are read
            return encoding.implicit, *stored
        read_as = [(one.vr, one.value - one.start, one.stop - one.start) for one in elements]
        return encoding.implicit, *stored, tuple(read_as)

    def _patch(
        self,
        file: DicomFile,
        elements: list[Element],
        file_ids: FileIds | None = None,
        pixel_edits: PixelEdits = NO_PIXEL_EDITS,
    ) -> Patched:
        switched: frozenset[int] = frozenset()
        reading = self.reading
        terms: dict[str, None] = {}
        odd: UnknownTerms | None = None
        while True:
            try:
                made = Substitution(self.lookups, self.memory, file, elements, switched, file_ids, reading)
                made.pixel_edits = pixel_edits
                patched = self._told(made, made.patched())
            except UnknownCharacterSet as signal:
                odd = odd or _unknown_terms_of(file)
                reading = odd.with_plain(signal, reading)
                terms |= dict.fromkeys(signal.terms)
                if len(terms) > TERMS_MOST:
                    raise
                continue
            except CannotHold as signal:
                tags = signal.tags
            else:
                return replace(patched, unknown_terms=quotable(terms)) if terms else patched
            kept = switched | bound_to_character_set(file)
            for owner, tag in tags.items():
                if owner in kept:
                    raise FileError(
                        f"the new text of {label_of(tag)} does not fit the character set of the file, "
                        "which other text of the file needs; use a text that fits it, or, where the file "
                        "declares no character set or a wrong one, give --assumeCharacterSet TERM"
                    )
            switched |= tags.keys()

    def _told(self, made: Substitution, patched: Patched) -> Patched:
        """The changes of a pass, with what somebody asks it to tell of itself."""
        if self.surveyor is not None:
            patched = replace(patched, survey=self.surveyor.survey(made))
        if self._pairs_of is not None:
            patched = replace(patched, pairs=self._pairs_of(made.root, made.changes))
        return patched

    def names(self, file: DicomFile, templates: Sequence[Template]) -> list[str]:
        """The texts that templates give for a whole file, from its original values.

        Raises:
            FileError: one would have characters missing.
        """
        elements = scan(file.data, self.naming)
        reading = self.reading
        odd: UnknownTerms | None = None
        made: list[str] | None = None
        while made is None:
            root, _ = file_scopes(file, elements, reading)

            def value_of(tags: tuple[int, ...], root: Scope = root) -> Value | None:
                place = root.find(tags)
                return place[1].value(place[0]) if place else None

            try:
                with warnings.catch_warnings(action="ignore"):  # pydicom's, of texts that it cannot read
                    made = [
                        "_".join(template.evaluate(0, value_of, self.rules.resources))
                        for template in templates
                    ]
            except UnknownCharacterSet as signal:
                odd = odd or _unknown_terms_of(file)
                reading = odd.with_plain(signal, reading)
            except TableMissError as miss:
                raise FileError(f"{miss}, after which its output would be named") from None
        if any(REPLACEMENT in name for name in made):
            raise FileError(
                "the text of a source of its name is not valid in the character set that the file declares; "
                "declare the right one, or give --assumeCharacterSet TERM"
            )
        return made


def _is_kept_by(own: ScanFilter, element: Element) -> bool:
    """Whether a filter that knows no VRs keeps an element, or something in it."""
    if own.is_named(element.tag) or not element.tag & 0xFFFF:
        return True
    inner = [one for item in element.items or () for one in item.elements if one.tag & 0xFFFF]
    return any(_is_kept_by(own, one) for one in inner)


def _unknown_terms_of(file: DicomFile) -> UnknownTerms:
    """The character sets that nobody knows and that the data sets of a file declare."""
    from .unknown_terms import UnknownTerms  # noqa: PLC0415  (its patterns are for odd files alone)

    return UnknownTerms(file)
