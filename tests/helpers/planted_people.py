"""The made-up people of the planted corpus, and how identifiers of them are put into values."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from planted_rows import MODIFIED, ROWS, row_of
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import UID, UID_dictionary

CLINICAL_WORDS = (
    *("axial", "sagittal", "meniscus", "contrast", "lesion", "FLAIR", "edema", "femur", "T1"),
    *("Knöchel", "Übersicht", "膝関節", "造影", "γόνατο", "βλάβη", "коліно", "무릎"),
)
"""Words of free texts that are no identifiers, and that clean options have to keep."""

_TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_CODES = {
    "PatientSex": "F",
    "SmokingStatus": "YES",
    "PatientSexNeutered": "ALTERED",
    "ReasonForTheAttributeModification": "CORRECT",
}
_MEASURES = {"PatientSize": "1.63", "PatientWeight": "71.4"}


class Kind(StrEnum):
    """What a planted text identifies."""

    NAME = "name"
    ID = "id"
    PHONE = "phone"
    ADDRESS = "address"
    INSTITUTION = "institution"
    DATE = "date"
    TIME = "time"
    UID = "uid"
    DEVICE = "device"


@dataclass(frozen=True)
class Planted:
    """One identifier in one place.

    Attributes:
        kind: what it is.
        text: it, as it reads; a DT is planted as its date and its time.
        keyword: whose row of Table E.1-1 says what becomes of it; ``private`` for private
            elements, ``meta``, ``preamble``, ``removed`` where nothing can keep it.
        place: where it is, for people.
    """

    kind: Kind
    text: str
    keyword: str
    place: str


@dataclass(frozen=True)
class Person:
    """A patient, and everything around one.

    Attributes:
        charset: Specific Character Set of the patient's files; () for none.
        name: the PN.
        number: the patient ID.
        birth: the birth date.
        phone: a telephone number.
        street: an address.
        hospital: an institution.
        others: names of other people, of the same character set.
        words: clinical words of the same character set.
        encodings: the Python codecs that the patient's files use.
    """

    charset: tuple[str, ...]
    name: str
    number: str
    birth: str
    phone: str
    street: str
    hospital: str
    others: tuple[str, ...]
    words: tuple[str, ...]
    encodings: tuple[str, ...]

    @property
    def family(self) -> str:
        """The last alphabetic or, where there is one, ideographic family name."""
        return self.name.split("=")[min(1, self.name.count("="))].split("^")[0]

    @property
    def given(self) -> str:
        """The given name that goes with it."""
        return self.name.split("=")[min(1, self.name.count("="))].split("^")[1]


LATIN = Person(
    charset=("ISO_IR 100",),
    name="Grönewald^Zoë^Änne",
    number="PX-409175",
    birth="19630728",
    phone="+49 30 90210-447",
    street="Lindenstraße 17, 10115 Wolkenheim",
    hospital="Spital Wolkenheim",
    others=("Ünverricht^Jörgen", "Østervang^Håkon", "Wåhlström^Bengt", "Façonnier^Eloïse^^Dr."),
    words=("Knöchel", "Übersicht"),
    encodings=("latin-1", "utf-8", "iso8859_7"),
)
JAPANESE = Person(
    charset=("", "ISO 2022 IR 87"),
    name="Yamashiro^Hanako=山城^花子=やましろ^はなこ",
    number="JQ-771203",
    birth="19711103",
    phone="+81-3-5550-0142",
    street="2-7-19 Kasumizaka, Shinmachi",
    hospital="霞坂総合病院",
    others=("Kurosaki^Tetsuo=黒崎^哲夫=くろさき^てつお", "Minazuki^Akiyo=水無月^明代=みなづき^あきよ"),
    words=("膝関節", "造影"),
    encodings=("iso2022_jp", "utf-8", "latin-1"),
)
GREEK = Person(
    charset=("ISO_IR 126",),
    name="Παπαδόπουλος^Νικόλαος",
    number="GK-550318",
    birth="19580214",
    phone="+30 210 5550199",
    street="Οδός Ροδιάς 12, Θέρμη",
    hospital="Κλινική Ροδιάς",
    others=("Κωνσταντίνου^Ελένη", "Αναγνώστου^Σταύρος"),
    words=("γόνατο", "βλάβη"),
    encodings=("iso8859_7", "utf-8"),
)
UTF8 = Person(
    charset=("ISO_IR 192",),
    name="Криворучко^Лідія=洪孔^吉洞=홍길^동수",
    number="UX-864209",
    birth="19490917",
    phone="+380 44 555 0177",
    street="вул. Яворова 8, Тополине",
    hospital="Лікарня Тополине",
    others=("Бондаренко^Остап", "Hwangbo^Soyeon=皇甫^昭娟=황보^소연"),
    words=("коліно", "무릎"),
    encodings=("utf-8",),
)
ASCII = Person(
    charset=(),
    name="Quillfeather^Osbert^Wystan",
    number="AS-320087",
    birth="19390401",
    phone="555-0146-7823",
    street="41 Thistledown Lane, Hollowbrook",
    hospital="Hollowbrook Infirmary",
    others=("Bramblewick^Ottoline", "Pettigrove^Lysander"),
    words=("femur",),
    encodings=("ascii",),
)
PEOPLE = (LATIN, JAPANESE, GREEK, UTF8, ASCII)


def notations(text: str) -> tuple[str, ...]:
    """The usual notations of a date YYYYMMDD, itself first."""
    year, month, day = text[:4], text[4:6], text[6:8]
    named = date(int(year), int(month), int(day)).strftime("%d %b %Y")
    return (
        text,
        f"{year}-{month}-{day}",
        f"{year}.{month}.{day}",
        f"{day}.{month}.{year}",
        f"{month}/{day}/{year}",
        named,
    )


@dataclass
class Planter:
    """Makes values that identify someone, and keeps account of them; one per file.

    Attributes:
        rng: where all choices come from.
        person: the patient.
        study_date: YYYYMMDD.
        study_uid: the Study Instance UID.
        accession: the accession number.
        planted: the account.
        views: how many views were named.
    """

    rng: random.Random
    person: Person
    study_date: str
    study_uid: str
    accession: str
    planted: list[Planted] = field(default_factory=list)
    views: int = 0

    def note(self, kind: Kind, text: str, keyword: str, place: str) -> str:
        """Enter a text into the account, and return it."""
        self.planted.append(Planted(kind, text, keyword, place))
        return text

    # --- values

    def day(self) -> str:
        """A day within twelve years before the first study."""
        return (date(2023, 3, 1) - timedelta(days=self.rng.randrange(4400))).strftime("%Y%m%d")

    def time(self) -> str:
        """A TM with a fraction, which no other value is likely to hold."""
        hours, minutes, seconds = (self.rng.randrange(top) for top in (24, 60, 60))
        return f"{hours:02}{minutes:02}{seconds:02}.{self.rng.randrange(100_001, 999_999)}"

    def uid(self) -> str:
        """A UID."""
        return f"1.2.276.0.7230010.3.{self.rng.randrange(10**9, 10**10)}.{self.rng.randrange(10**11, 10**12)}"

    def identifier(self, prefix: str = "ID") -> str:
        """A number that someone was given."""
        return f"{prefix}{self.rng.randrange(10**6, 10**7)}"

    def other(self) -> str:
        """The PN of somebody else."""
        return self.rng.choice(self.person.others)

    def words(self, count: int) -> list[str]:
        """Clinical words, the last of the patient's language."""
        return [*self.rng.sample(CLINICAL_WORDS[:8], count - 1), self.rng.choice(self.person.words)]

    def view(self, word: str) -> str:
        """A clinical word and a number that no other text of the file has.

        Without it a text that is removed as a whole could be found again, and rightly removed, in one
        that is cleaned.
        """
        self.views += 1
        return f"{word} v{self.views}"

    def short_text(self) -> str:
        """Clinical words around identifiers that the file holds in their own elements; fits an SH."""
        return f"{self.rng.choice(['T1', 'FLAIR', 'axial', 'femur'])} {self.person.number}"

    def line(self) -> str:
        """The same in at most 64 characters, for an LO."""
        one, two, three = self.words(3)
        _, iso, _, german, american, named = notations(self.study_date)
        person, view = self.person, self.view
        return self.rng.choice(
            [
                f"{view(one)} {person.family}, {view(two)} {iso} {three}",
                f"{view(one)} {person.number} {two} {three}",
                f"{person.family} {view(one)} {two} {german} {three}",
                f"{view(one)} {two} {self.accession} {three} {american}",
                f"{view(one)}; {view(two)}; {person.given} {person.family} {view(three)}",
                f"{view(one)} {three} ({named}) {two}",
                f"{view(one)} {person.phone} {three}",
            ]
        )

    def report(self) -> str:
        """The same in several lines, for texts without a limit."""
        person, view, (one, two, three, four) = self.person, self.view, self.words(4)
        plain, iso, dotted, german, american, named = notations(self.study_date)
        born = notations(person.birth)
        dense = "".join(person.phone.split())
        return (
            f"{view(one)} {two}, patient {person.given} {person.family} ({person.number}), "
            f"born {born[3]}.\r\n"
            f"{view(three)} on {iso} and {german}; seen {american}, {dotted}, {plain}, {named} by "
            f"{person.family.upper()}.\r\n"
            f"Call {person.phone} ({dense}) at {person.hospital}; acc. {self.accession}; "
            f"see {self.study_uid}; {view(four)} {born[1]}."
        )

    def text(self, vr: str) -> str:
        """Free text for a VR."""
        if vr == "SH":
            return self.short_text()
        return self.line() if vr in {"LO", "UC"} else self.report()

    def value(self, keyword: str) -> Any:  # noqa: PLR0911  (one for each VR)
        """A value that identifies someone, for an element with a row that is no sequence."""
        vr = dictionary_VR(keyword)
        match vr:
            case "PN":
                return self.other()
            case "DA":
                return self.day()
            case "TM":
                return self.time()
            case "DT":
                return self.day() + self.time() + self.rng.choice(["", "+0200", "-0930"])
            case "UI":
                return self.uid()
            case "AS":
                return "063Y"
            case "DS":
                return _MEASURES[keyword]
            case "US":
                return 2
            case "AE":
                return self.identifier("AE")
            case "CS":
                return _CODES.get(keyword) or self.identifier("Q")
            case "OB" if ROWS[keyword].kept:
                return self.rng.randbytes(12)
            case "OB":
                text = self.other().split("=")[0]
                return self.note(Kind.NAME, text, keyword, keyword).encode(self.person.encodings[0])
        if _is_free(keyword, vr):
            return self.text(vr)
        if keyword == "TimezoneOffsetFromUTC":
            return "+0530"
        return self.identifier("WD") if vr == "SH" else self._said(keyword)

    def _said(self, keyword: str) -> str:
        match _kind(keyword):
            case Kind.PHONE:
                return f"+49 40 {self.rng.randrange(10**4, 10**5)}-{self.rng.randrange(100, 1000)}"
            case Kind.ADDRESS:
                return f"{self.person.street} / {self.identifier('')}"
            case Kind.INSTITUTION:
                return f"{self.person.hospital} {self.identifier('')}"
            case Kind.DEVICE:
                return self.identifier("SN")
        return self.identifier()

    # --- the account

    def collect(self, data_set: Dataset, place: str = "", keyword: str = "") -> None:
        """Enter every value of a data set that its element's row says to identify someone.

        Args:
            data_set: the data set, or an item.
            place: where the item is.
            keyword: what stands for the item's elements where the item goes as a whole.
        """
        for element in data_set:
            own, row = row_of(element.tag)
            where = place + own
            if element.VR == "SQ":
                whole = own if row and not (row.kept or row.cleaned or "U" in row.code) else ""
                if own == "private":
                    whole = "private"
                for index, item in enumerate(element.value):
                    self.collect(item, f"{where}[{index}].", keyword or whole)
            elif row and not _is_free(own, element.VR) and not element.tag.is_private_creator:
                values = [element.value] if element.VM < 2 else list(element.value)
                for kind, text in _texts(own, element.VR, values):
                    self.note(kind, text, keyword or own, where)


def _is_free(keyword: str, vr: str) -> bool:
    """Whether an element holds free text, which identifies nobody by itself."""
    return keyword != "private" and vr in _TEXT_VRS and bool(ROWS[keyword].cleaned - {MODIFIED})


def _texts(keyword: str, vr: str, values: Iterable[Any]) -> Iterator[tuple[Kind, str]]:
    for value in values:
        text = "" if isinstance(value, bytes) else str(value)
        if vr == "DT" and len(text) >= 8:
            yield Kind.DATE, text[:8]
            if "." in text:
                yield Kind.TIME, text[8:21]
        elif vr == "UI":
            if text and UID(text) not in UID_dictionary:
                yield Kind.UID, text
        elif vr == "DA" and len(text) == 8 and text.isdigit():
            yield Kind.DATE, text
        elif vr == "TM" and "." in text:
            yield Kind.TIME, text
        elif vr == "PN" and text:
            yield Kind.NAME, text
        elif vr in _TEXT_VRS | {"AE", "CS", "UR"} and len(text) > 7:
            yield _kind(keyword), text


def _kind(keyword: str) -> Kind:
    """What a text element identifies, by its keyword."""
    if "Telephone" in keyword or "Phone" in keyword:
        return Kind.PHONE
    if "Address" in keyword:
        return Kind.ADDRESS
    row = ROWS.get(keyword)
    if row and "retainDeviceIdentity" in row.kept | row.cleaned:
        return Kind.DEVICE
    if any(word in keyword for word in ("Institution", "Organization", "Center", "Site", "Location")):
        return Kind.INSTITUTION
    return Kind.ID


def is_sequence(keyword: str) -> bool:
    """Whether the dictionary says that an element is a sequence."""
    return tag_for_keyword(keyword) is not None and dictionary_VR(keyword) == "SQ"
