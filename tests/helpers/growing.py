"""Files that grow in one respect, each with a spec that has to look at all of it.

The time for a file is to be linear in its size, whatever it consists of; ``test_growth`` counts
steps, and ``benchmarks/growth.py`` takes the time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from builders import EXPLICIT, IMPLICIT, UNDEFINED, Form, Spec, element, file_of, item, sequence, tag_bytes

from pfdicom_tagSub.spec.building import build_rules
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.parsing import from_pairs
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.spec.secret import Secret

NAME, PATIENT_ID, STEP = 0x00100010, 0x00100020, 0x00400007
ANONYMOUS: Spec = {"PatientName": "ANON", "PatientID": "%_md5|7_PatientID"}


@dataclass(frozen=True)
class Shape:
    """One way to grow.

    Attributes:
        make: a file of a size.
        spec: the pairs of the spec.
        profile: what lies below them; "" for nothing.
        remove_private: as of a run.
        verify: read the output again.
        renames: as of a run.
    """

    make: Callable[[int], bytes]
    spec: Spec = field(default_factory=lambda: ANONYMOUS)
    profile: str = ""
    remove_private: bool = False
    verify: bool = False
    renames: bool = False

    def rules(self) -> RuleSet:
        """The spec compiled."""
        return build_rules(
            from_pairs(list(self.spec.items())),
            profile=self.profile,
            remove_private=self.remove_private,
            resources=Resources(Secret(b"0123456789abcdef")),
        ).rules


def _name(number: int) -> bytes:
    return f"N{number:06}^B".encode()


def _hit(count: int) -> bytes:
    before = element(0x00080060, "CS", b"OT", EXPLICIT)
    return file_of(before + b"".join(element(NAME, "PN", _name(number), EXPLICIT) for number in range(count)))


def _alike(count: int) -> bytes:
    return file_of(element(NAME, "PN", b"AB", EXPLICIT) * count)


def _beside(count: int) -> bytes:
    """Elements that nothing asks for, with what is hit at the end."""
    rest = b"".join(
        element(0x00181000 + number % 0x80, "LO", b"x" * (number % 50 * 2), EXPLICIT)
        for number in range(count)
    )
    return file_of(
        element(NAME, "PN", b"A^B", EXPLICIT) + rest + element(0x00400244, "DA", b"20200131", EXPLICIT)
    )


def _items(
    content: Callable[[int], bytes], count: int, form: Form = EXPLICIT, *, defined: bool = True
) -> bytes:
    items = b"".join(item(content(number), form, defined=defined) for number in range(count))
    return sequence(0x00400275, items, form, defined=defined)


def _declaring(count: int) -> bytes:
    def content(number: int) -> bytes:
        return element(0x00080005, "CS", b"ISO_IR 100", EXPLICIT) + element(
            NAME, "PN", _name(number), EXPLICIT
        )

    return file_of(_items(content, count))


def _unknown(count: int) -> bytes:
    def content(number: int) -> bytes:
        return element(0x00080005, "CS", b"Not Supplied", EXPLICIT) + element(
            NAME, "PN", _name(number), EXPLICIT
        )

    return file_of(_items(content, count))


def _in_items(count: int, *, defined: bool = True) -> bytes:
    def content(number: int) -> bytes:
        return element(NAME, "PN", _name(number), EXPLICIT)

    return file_of(_items(content, count, defined=defined))


def _nested(count: int) -> bytes:
    """Elements at all depths of a deep sequence of defined lengths."""
    depth = 50
    made = b""
    for _ in range(depth):
        own = b"".join(element(NAME, "PN", _name(number), EXPLICIT) for number in range(count // depth))
        own = element(0x00080060, "CS", b"OT", EXPLICIT) + own
        made = own + (sequence(0x00400275, item(made, EXPLICIT), EXPLICIT) if made else b"")
    return file_of(made)


def _un_nested(count: int) -> bytes:
    """Private sequences of unknown VR within one another, of items in implicit VR."""
    depth = 50
    made = element(NAME, "PN", b"A^B", IMPLICIT) * (count // 4)
    for _ in range(depth):
        made = element(0x00291001, "UN", item(made + element(STEP, "LO", b"x", IMPLICIT), IMPLICIT), IMPLICIT)
    return file_of(
        element(0x00290010, "LO", b"ACME", EXPLICIT) + element(0x00291001, "UN", made[8:], EXPLICIT)
    )


def _like_items(count: int) -> bytes:
    """Private values that begin as items do and are none."""
    value = item(element(0x00181000, "LO", b"x", EXPLICIT), EXPLICIT) + b"\1\2\3\4"
    return file_of(
        b"".join(
            element(0x00290000 | number % 0xF000 + 0x1000, "OB", value, EXPLICIT) for number in range(count)
        )
    )


def _private(count: int) -> bytes:
    """Private blocks of many creators in many groups."""
    made = b""
    for number in range(count // 8):
        group, block = 0x0029 + number // 0xC0 * 2, 0x10 + number % 0xC0
        made += element(group << 16 | block, "LO", f"ACME {number % 7}".encode(), EXPLICIT)
    for number in range(count // 8):
        group, block = 0x0029 + number // 0xC0 * 2, 0x10 + number % 0xC0
        for place in range(7):
            made += element(group << 16 | block << 8 | place + 1, "LO", _name(number), EXPLICIT)
    return file_of(element(NAME, "PN", b"A^B", EXPLICIT) + made)


def _groups(count: int) -> bytes:
    """Group lengths, each before two elements of a group that grows."""
    made = b""
    for number in range(count // 3):
        group = 0x0010 + number % 0x1000 * 2
        made += element(group << 16, "UL", struct.pack("<I", 18), EXPLICIT)
        made += element(group << 16 | 0x10, "PN", b"A", EXPLICIT) + element(
            group << 16 | 0x20, "LO", b"B", EXPLICIT
        )
    return file_of(made)


def _directory(count: int, *, lower: bool) -> bytes:
    """Records that are each the next of the one before, or each below it."""
    records = []
    length = 8 + 3 * 12 + 8 + 10
    place = len(file_of(b"")) + 2 * 12 + 12
    for number in range(count):
        following = place + length if number + 1 < count else 0
        offsets = (0, following) if lower else (following, 0)
        records.append(
            item(
                element(0x00041400, "UL", struct.pack("<I", offsets[0]), EXPLICIT)
                + element(0x00041410, "UL", bytes(4), EXPLICIT)
                + element(0x00041420, "UL", struct.pack("<I", offsets[1]), EXPLICIT)
                + element(NAME, "PN", _name(number), EXPLICIT),
                EXPLICIT,
            )
        )
        assert len(records[0]) == length
        place += length
    first = element(0x00041200, "UL", struct.pack("<I", len(file_of(b"")) + 36), EXPLICIT)
    return file_of(
        first
        + element(0x00041202, "UL", bytes(4), EXPLICIT)
        + sequence(0x00041220, b"".join(records), EXPLICIT)
    )


def _values(count: int) -> bytes:
    ids = b"\\".join(b"%07d" % number for number in range(count))
    return file_of(element(0x00100020, "UC", ids, EXPLICIT) + element(NAME, "UC", ids, EXPLICIT))


def _numbers(count: int) -> bytes:
    numbers = struct.pack(f"<{count}d", *range(count))
    return file_of(
        element(NAME, "PN", b"A", EXPLICIT) + element(0x00189087, "FD", numbers[:0xFFF8], EXPLICIT)
    )


def _said(count: int) -> bytes:
    """Many names in what is removed, and texts that hold them."""

    def content(number: int) -> bytes:
        return element(NAME, "PN", f"Surname{number:x}^Given".encode(), EXPLICIT) + element(
            0x00380010, "LO", f"ID{number:07}".encode(), EXPLICIT
        )

    texts = b"".join(
        element(0x00081030, "LO", f"seen Surname{number:x} for ID{number:07}".encode(), EXPLICIT)
        for number in range(count)
    )
    return file_of(texts + _items(content, count))


def _long_text(count: int) -> bytes:
    words = " ".join(f"word{number % 97} Doe 2020{number % 10}" for number in range(count)).encode()
    return file_of(
        element(NAME, "PN", b"Doe^Jane", EXPLICIT)
        + element(PATIENT_ID, "LO", b"20201234", EXPLICIT)
        + element(0x00104000, "UT", words, EXPLICIT)
    )


def _fragments(count: int) -> bytes:
    parts = b"".join(item(b"\1\2\3\4", EXPLICIT) for _ in range(count))
    pixels = element(
        0x7FE00010, "OB", parts + tag_bytes(0xFFFEE0DD, EXPLICIT) + bytes(4), EXPLICIT, UNDEFINED
    )
    return file_of(element(NAME, "PN", b"A", EXPLICIT) + pixels)


def _meta(count: int) -> bytes:
    extra = b"".join(element(0x00020103 + number, "LO", _name(number), EXPLICIT) for number in range(count))
    return file_of(element(NAME, "PN", b"A", EXPLICIT), extra=extra)


def _dates(count: int) -> bytes:
    return file_of(
        element(PATIENT_ID, "LO", b"P", EXPLICIT)
        + b"".join(
            element(
                0x00400244,
                "DA",
                f"{1900 + number // 336 % 120}{1 + number // 28 % 12:02}{1 + number % 28:02}".encode(),
                EXPLICIT,
            )
            for number in range(count)
        )
    )


@cache
def _inserted() -> Spec:
    keywords = (
        "StudyID",
        "PatientComments",
        "ImageComments",
        "DeidentificationMethod",
        "ClinicalTrialSiteID",
    )
    return {"PatientName": "A", **dict.fromkeys(keywords, "X"), "re:Requested.*": "", "re:Scheduled.*": ""}


BASIC: Spec = {"StudyID": "X"}

SHAPES: dict[str, Shape] = {
    "elements that are hit": Shape(_hit),
    "equal elements that are hit": Shape(_alike),
    "elements that are inserted before": Shape(_beside, _inserted()),
    "items that declare a character set": Shape(_declaring, {"PatientName": "大"}),
    "items that declare an unknown character set": Shape(_unknown, {"PatientName": "<%PatientName>"}),
    "items": Shape(_in_items),
    "items of undefined length": Shape(lambda count: _in_items(count, defined=False)),
    "deep items": Shape(_nested),
    "deep values of unknown VR": Shape(_un_nested),
    "values that begin as items do": Shape(_like_items),
    "private blocks": Shape(_private, {'(0029,"ACME 3",02)': "X", "PatientName": "Y"}),
    "private blocks that go": Shape(_private, remove_private=True),
    "private blocks of which one stays": Shape(
        _private, {'(0029,"ACME 3",02)': "%_keep_#tag", "PatientName": "Y"}, remove_private=True
    ),
    "group lengths": Shape(_groups, {"PatientName": "longer"}),
    "records": Shape(
        lambda count: _directory(count, lower=False), {"PatientName": "%PatientID of %PatientName"}
    ),
    "records below records": Shape(
        lambda count: _directory(count, lower=True), {"PatientName": "<%PatientID of %PatientName>"}
    ),
    "dates of records below records": Shape(
        lambda count: _directory(count, lower=True), {"PatientName": "%_dateshift|patientID|100_#tag"}
    ),
    "values of one element": Shape(
        _values, {"PatientName": "%_md5|7_PatientID", "PatientID": "%_hmac|8_#tag"}
    ),
    "fragments": Shape(_fragments),
    "file meta": Shape(_meta, {"SourceApplicationEntityTitle": "X", "PatientName": "Y"}),
    "file meta under a profile": Shape(_meta, BASIC, "basic"),
    "dates": Shape(_dates, {"re:.*Date$": "%_dateshift|patientID|100_#tag"}),
    "elements under a profile": Shape(_hit, BASIC, "basic"),
    "private blocks under a profile": Shape(_private, BASIC, "basic"),
    "items under a profile": Shape(_in_items, BASIC, "basic"),
    "texts that are cleaned of many names": Shape(_said, BASIC, "basic,cleanDescriptors"),
    "a long text that is cleaned": Shape(_long_text, {"PatientComments": "%_clean_#tag"} | dict(ANONYMOUS)),
    "elements that are verified": Shape(_hit, verify=True),
    "items that are verified": Shape(_in_items, verify=True),
    "private blocks that are verified": Shape(_private, verify=True, remove_private=True),
    "names that are searched for": Shape(_said, {"PatientName": None, "AdmissionID": "X"}, verify=True),
    "deep items that are verified": Shape(_nested, verify=True),
    "values of one element that are verified": Shape(_values, verify=True),
}
