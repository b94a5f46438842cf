"""Where a template's sources are looked up: the item at hand, then outwards to the root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydicom import datadict

from ..core.errors import FileError
from .character_sets import DEFAULT_CHARACTER_SET, CharacterSet, character_set, quotable
from .dictionary import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET, vr_of
from .elements import Element, Encoding
from .sources import Source
from .values import Value, decode

CREATORS = range(0x10, 0x100)
"""Element numbers of private creators (PS3.5 7.8.1)."""


PATIENT_GROUP = 0x0010

META_KEY = -1
"""The key of the file meta's scope; those of data sets are places in the file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How text is read of which a file does not say how.

    Attributes:
        assumed: the character set of ``--assumeCharacterSet``; None without one.
        plain: the keys of data sets that declare an unknown one, and have no text but ASCII.
    """

    assumed: CharacterSet | None = None
    plain: frozenset[int] = frozenset()


AS_DECLARED = Reading()


class UnknownCharacterSet(FileError):  # noqa: N818  (a signal where there is a second try)
    """The character set that is in force is none that anybody knows; ``scope`` declares it."""

    def __init__(self, scope: Scope, terms: tuple[str, ...]) -> None:
        super().__init__(
            f"the Specific Character Set {quotable(terms)} is none of the standard's, and the file has text "
            "beyond ASCII; say what it is with --assumeCharacterSet TERM"
        )
        self.scope = scope
        self.terms = terms


def is_creator(tag: int) -> bool:
    """Whether a tag is that of a private creator."""
    return bool(tag >> 16 & 1) and tag & 0xFFFF in CREATORS


def _noted(
    found: PlacedElement | None, tags: tuple[int, ...], records: Iterable[Scope]
) -> PlacedElement | None:
    for record in records:
        record._found[tags] = found
    return found


class Scope:
    """One data set of a file, as far as it was scanned.

    Attributes:
        source: the bytes of the file.
        elements: what the scan kept of it; of elements with one tag the last, as pydicom has it.
        encoding: how it is encoded.
        parent: the data set around it; None at the root.
        sequence: the tag of the sequence whose item it is; 0 at the root.
        above: the record of a DICOMDIR that this record belongs to (PS3.3 F.2): a look-up
            goes there before the data set around it.
        is_record: whether it is a record of a DICOMDIR.
        beyond: where a look-up that left the root goes on: the file meta for the data
            set, and the data set for the file meta.
        key: where it begins: what tells the data sets of a file apart.
        reading: how text is read of which the file does not say how.
    """

    __slots__ = (
        "_characters",
        "_found",
        "_found_above",
        "above",
        "beyond",
        "elements",
        "encoding",
        "is_record",
        "key",
        "parent",
        "reading",
        "sequence",
        "source",
    )

    def __init__(
        self,
        source: Source,
        elements: Iterable[Element],
        encoding: Encoding,
        key: int,
        parent: Scope | None = None,
        reading: Reading = AS_DECLARED,
        sequence: int = 0,
    ) -> None:
        self.source = source
        self.elements = {element.tag: element for element in elements}
        self.encoding = encoding
        self.key = key
        self.parent = parent
        self.sequence = sequence
        self.above: Scope | None = None
        self.is_record = False
        self.beyond: Scope | None = None
        self.reading: Reading = reading if parent is None else parent.reading
        self._characters: CharacterSet | None = None
        self._found: dict[tuple[int, ...], PlacedElement | None] = {}
        self._found_above: dict[tuple[int, ...], PlacedElement | None] = {}

    @property
    def owner(self) -> Scope:
        """The data set whose character set is in force here (PS3.5 7.5.3)."""
        scope = self
        while SPECIFIC_CHARACTER_SET not in scope.elements and scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def characters(self) -> CharacterSet:
        """The character set in force.

        Raises:
            UnknownCharacterSet: nobody knows it, and the data set has text beyond ASCII, or nobody looked.
        """
        if self._characters is None:
            declared = self._declared()
            assumed = self.reading.assumed
            if declared is None:
                parent = self.parent
                self._characters = parent.characters if parent else assumed or DEFAULT_CHARACTER_SET
            elif assumed is not None:
                unsaid = declared.unknown or declared.is_default
                self._characters = assumed if unsaid else replace(declared, fallback=assumed)
            elif declared.unknown and self.key not in self.reading.plain:
                raise UnknownCharacterSet(self, declared.unknown)
            else:
                self._characters = declared
        return self._characters

    def _declared(self) -> CharacterSet | None:
        own = self.elements.get(SPECIFIC_CHARACTER_SET)
        return None if own is None else character_set(self.source.read(own.value, own.stop))

    def check_declaration(self, element: Element) -> None:
        """Hold a declaration of this data set against the standard, in force or not.

        Raises:
            UnknownCharacterSet: as of ``characters``.
        """
        declared = character_set(self.raw(element))
        if declared.unknown and self.reading.assumed is None and self.key not in self.reading.plain:
            raise UnknownCharacterSet(self, declared.unknown)

    @property
    def is_assumed(self) -> bool:
        """Whether the character set in force here was assumed, and not inherited."""
        if self.reading.assumed is None or self.key == META_KEY:
            return False
        declared = self._declared()
        if declared is None:
            return self.parent is None
        return bool(declared.unknown) or declared.is_default

    def find(self, tags: tuple[int, ...]) -> PlacedElement | None:
        """The nearest element with one of the tags, and the data set it is in."""
        scope: Scope | None = self
        left_root = False
        records: list[Scope] = []  # each is asked once, however long their chain is
        while scope is not None:
            if scope.above is not None:
                if tags in scope._found:
                    return _noted(scope._found[tags], tags, records)
                records.append(scope)
            for tag in tags:
                element = scope.elements.get(tag)
                if element is not None:
                    return _noted((element, scope), tags, records)
            if scope.parent is None and not left_root:
                left_root, scope = True, scope.beyond
            else:
                scope = scope.above or scope.parent
        return _noted(None, tags, records)

    def find_for_file(self, tags: tuple[int, ...]) -> PlacedElement | None:
        """The element with one of the tags that speaks for the whole file, and the data set it is in.

        That is the one of the root; in a DICOMDIR, which speaks of many patients, the one of the topmost
        record above. What the root lacks is looked for nearby, but for what tells of the patient (group
        0010): another in an item would be another patient's.
        """
        scope = self
        records: list[Scope] = []  # each is asked once, however long their chain is
        found: PlacedElement | None = None
        is_of_record = False
        while (around := scope.parent) is not None:
            above: Scope | None = None
            if scope.is_record:
                is_of_record = True
                if tags in scope._found_above:
                    found = scope._found_above[tags]
                    scope = around
                    break
                records.append(scope)
                above = scope.above
            scope = above or around
        for record in reversed(records):
            own = (record.elements[tag] for tag in tags if tag in record.elements)
            if found is None and (element := next(own, None)):
                found = element, record
            record._found_above[tags] = found
        found = found or scope.find(tags)
        if found is None and not is_of_record and any(tag >> 16 != PATIENT_GROUP for tag in tags):
            return self.find(tags)
        return found

    def raw(self, element: Element) -> bytes:
        """The bytes of the value of an element that is in this data set."""
        return self.source.read(element.value, element.stop)

    def vr(self, element: Element) -> str:
        """The VR of an element in this data set, ambiguities of the dictionary resolved."""
        vr = element.vr
        if vr and vr != "UN" and len(vr) == 2:
            return vr
        if not vr or vr == "UN":
            vr = vr_of(element.tag) or self._private_vr(element.tag) or "UN"
        if vr.startswith("US or SS"):
            found = self.find((PIXEL_REPRESENTATION,))
            signed = found is not None and any(found[1].raw(found[0]))
            return "SS" if signed else "US"
        return vr.split(" or ", maxsplit=1)[0]

    def creator(self, tag: int) -> str:
        """The private creator of an element of this data set; "" if it has none.

        A creator is one value (PS3.5 7.8.1): more than one reserve nothing.
        """
        if not tag >> 16 & 1 or not tag & 0xF000:
            return ""
        own = self.elements.get(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
        if own is None:
            return ""
        texts = decode("LO", self.raw(own), self.characters, self.encoding.little).texts
        return texts[0].strip() if len(texts) == 1 else ""

    def _private_vr(self, tag: int) -> str:
        creator = self.creator(tag)
        try:
            return datadict.private_dictionary_VR(tag, creator) if creator else ""
        except KeyError:
            return ""

    def value(self, element: Element) -> Value:
        """The decoded value of an element in this data set."""
        return decode(self.vr(element), self.raw(element), self.characters, self.encoding.little)


PlacedElement = tuple[Element, Scope]
"""An element, and the data set that it is in."""
