"""What becomes of a file is the same whatever came before: no cache tells a lie.

Files are made of few parts, so that those of one run have much in common and caches are hit.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, Form, element, file_of, item, sequence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selection import examples

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.core.options import LookupMiss
from pfdicom_tagSub.core.outcome import Stage
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.dicom.edits import pieces
from pfdicom_tagSub.dicom.elements import Element
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Output, Patcher
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec import profile as profiles
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.strength import effective_spec

CHARSET, NAME, PATIENT_ID, COMMENTS = 0x00080005, 0x00100010, 0x00100020, 0x00104000
LATIN = "Müller^é".encode("latin-1")
UTF8 = "Müller^é".encode()
JAPANESE = "山田^太郎".encode("iso2022_jp")

SPECS: tuple[dict[str, object], ...] = (
    {"PatientName": "大"},
    {"PatientName": "é", "PatientComments": "<%PatientName>"},
    {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_md5|7_PatientID"},
    {"(0010,xxxx)": "X%#tag", "StudyID": "%PatientComments"},
    {"(0008,xxxx)": "1.2.9", "PatientName": "%_md5|4_#tag"},
    {"(0008,xxxx)": None, "(0010,xxxx)": "大"},
    {"(0028,xxxx)": "%_dummy_#tag", "(0040,xxxx)": "%_dummy_#tag"},
    {"SmallestImagePixelValue": "%SmallestImagePixelValue", "PatientID": "%SmallestImagePixelValue"},
    {"SOPInstanceUID": "%_uid_#tag", "PatientID": "%MediaStorageSOPInstanceUID"},
    {"PatientIdentityRemoved": "YES", "DeidentificationMethod": "by %Modality", "PatientName": "大"},
    {"PatientIdentityRemoved": "YES", "PatientName": None},
    {"(0029,1001)": "%_md5|6_#tag", '(0029,"ACME",02)': "大", "PatientID": "X%PatientID"},
    {"PatientComments": "%_clean_#tag", "PatientName": None, "StudyID": "大"},
    {"(0029,1008)": "%PatientName", "PatientName": "%_hmac|8_PatientID"},
    {"SourceApplicationEntityTitle": "X", "PrivateInformation": None, "PatientName": "%_keep_#tag"},
    {"StudyDate": "%_dateshift|patientID|100_#tag", "PatientID": "%_lookup|ids_PatientID"},
    {"RequestAttributesSequence": "", "PatientName": "大"},
    {"PatientName": "大", "(0029,1001)": "<%#tag>", "PatientComments": "%#tag of %PatientID"},
    {"(0008,xxxx)": None},
    {"LargestImagePixelValue": "7", "SmallestImagePixelValue": "65535"},
)


@cache
def rules_of(number: int, *, profile: str = "", remove_private: bool = False) -> RuleSet:
    """A spec with a key and a table."""
    spec = json.dumps(SPECS[number])
    pairs = parse_json(spec, "spec").pairs
    below = profiles.load(profile, ()).spec.pairs if profile else ()
    tables = {"ids": {"AB": "é", "A^B": "大"}}
    return compile_rules(
        effective_spec(TagSpec(below + pairs)),
        remove_private=remove_private,
        resources=Resources(Secret(b"0123456789abcdef"), tables, LookupMiss.EMPTY),
    )


Recipe = dict[str, Any]
"""What a file is made of: a choice for each of its parts."""

TEXTS = [b"", b"A^B", b"A^B", b"AB", LATIN, LATIN, UTF8, JAPANESE, b"\xe9", b"\xe9\1", b"1.2.3"]


def _text(*vrs: str) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), *[st.tuples(st.sampled_from(vrs), st.sampled_from(TEXTS))] * 3)


PARTS: dict[str, st.SearchStrategy[Any]] = {
    "group length": st.booleans(),
    "character set": st.sampled_from(
        [None, b"ISO_IR 100", b"ISO_IR 100", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"ISO_IR 144", b"NONE"]
    ),
    "instance": st.sampled_from([None, b"1.2.3", b"1.2.4", b"1.2.9"]),
    "date": st.sampled_from([None, b"20200131", b""]),
    "name": _text("PN", "PN", "UN", "LO"),
    "patient": _text("LO", "UN"),
    "unknown": _text("LO", "UN"),  # by the dictionary
    "comments": _text("LT", "UN"),
    "stamp": st.sampled_from([None, b"YES", b"NO"]),
    "study": st.sampled_from([None, *TEXTS]),
    "signed": st.sampled_from([None, b"\0\0", b"\1\0", b"\0\1"]),
    "smallest": st.tuples(st.sampled_from(["US", "SS", "UN"]), st.sampled_from([b"\xff\xff", b"\1\0"])),
    "private": st.tuples(
        st.sampled_from([b"ACME", b"OTHER", b"SIEMENS CSA HEADER"]),
        st.sampled_from(["LO", "UN", "PN"]),
        st.sampled_from(TEXTS),
        st.sets(st.sampled_from([1, 2, 8]), min_size=1),
    ),
}
FILE_PARTS: dict[str, st.SearchStrategy[Any]] = {
    **PARTS,
    "items": st.lists(st.tuples(st.fixed_dictionaries(PARTS), st.booleans()), min_size=1, max_size=2),
    "form": st.sampled_from([EXPLICIT, EXPLICIT, IMPLICIT, BIG, DEFLATED]),
    "meta": st.sampled_from(
        [
            None,
            b"",
            b"",
            element(0x00020016, "AE", b"SENDER", EXPLICIT),
            element(0x00020099, "LO", b"A^B", EXPLICIT),
            element(0x00020099, "LO", b"C^D", EXPLICIT),
            element(0x00020100, "UI", b"1.2.9", EXPLICIT) + element(0x00020102, "OB", b"A^B", EXPLICIT),
        ]
    ),
    "own instance": st.sampled_from(["1.2.3", "1.2.3", "1.2.4"]),
    "preamble": st.sampled_from([b"\0", b"\0", b"\1"]),
    "others": st.sampled_from([b"ORIGINAL", b"DERIVED\\PRIMARY"]),  # of which no spec speaks
    "records": st.one_of(
        *[st.none()] * 6,
        st.tuples(st.lists(st.sampled_from([b"A^B", b"", LATIN]), max_size=3), st.booleans()),
    ),
    "is padded": st.booleans(),
}


def _data_set(recipe: Recipe, form: Form) -> bytes:
    """The elements of a data set in order."""
    made = b""
    if recipe["group length"]:
        made += element(0x00080000, "UL", struct.pack(form.order + "I", 8), form)
    for tag, own, part in (
        (CHARSET, "CS", "character set"),
        (0x00080018, "UI", "instance"),
        (0x00080020, "DA", "date"),
        (NAME, "", "name"),
        (PATIENT_ID, "", "patient"),
        (0x00100FFF, "", "unknown"),
        (COMMENTS, "", "comments"),
        (0x00120062, "CS", "stamp"),
        (0x00200010, "SH", "study"),
        (0x00280103, "US", "signed"),
        (0x00280106, "", "smallest"),
    ):
        if recipe[part] is not None:
            vr, value = (own, recipe[part]) if own else recipe[part]
            made += element(tag, vr, value, form)
    if recipe["private"] is not None:
        creator, vr, value, numbers = recipe["private"]
        made += element(0x00290010, "LO", creator, form)
        for number in sorted(numbers):
            made += element(0x00291000 | number, vr, value, form)
    if recipe.get("items"):
        items = (item(_data_set(inner, form), form, defined=defined) for inner, defined in recipe["items"])
        made += sequence(0x00400275, b"".join(items), form, defined=recipe["is padded"])
    return made


def _directory(form: Form, names: Sequence[bytes], *, chained: bool) -> bytes:
    """A DICOMDIR (PS3.3 F.3) of patient records."""
    offset = len(element(0x00041200, "UL", bytes(4), form))
    records = [
        element(0x00041410, "US", b"\xff\xff", form)
        + element(0x00041420, "UL", bytes(4), form)
        + element(0x00041430, "CS", b"PATIENT", form)
        + element(NAME, "PN", name, form)
        for name in names
    ]
    place = len(file_of(b"", form)) + 2 * offset + (8 if form.implicit else 12)
    places = []
    for record in records:
        places.append(place)
        place += 8 + offset + len(record)
    following = [*places[1:], 0][: len(places)] if chained else [0] * len(places)
    items = b"".join(
        item(element(0x00041400, "UL", struct.pack(form.order + "I", after), form) + record, form)
        for after, record in zip(following, records, strict=True)
    )
    first = struct.pack(form.order + "I", places[0] if places else 0)
    return (
        element(0x00041200, "UL", first, form)
        + element(0x00041202, "UL", bytes(4), form)
        + sequence(0x00041220, items, form)
    )


def _file(recipe: Recipe) -> bytes:
    """A file of any encoding, with odd file meta or none."""
    form = recipe["form"]
    if recipe["records"] is not None and form is not DEFLATED:
        names, chained = recipe["records"]
        return file_of(_directory(form, names, chained=chained), form)
    made = element(0x00080008, "CS", recipe["others"], form) + _data_set(recipe, form)
    if recipe["is padded"]:
        made += bytes(4)
    if recipe["meta"] is None and form is not DEFLATED:
        return made  # without preamble
    if form is DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        made = packer.compress(made) + packer.flush()
    content = file_of(made, form, instance=recipe["own instance"], extra=recipe["meta"] or b"")
    return recipe["preamble"] * 128 + content[128:]


PLAIN: Recipe = {
    **dict.fromkeys(PARTS),
    "items": [],
    "form": EXPLICIT,
    "meta": b"",
    "own instance": "1.2.3",
    "preamble": b"\0",
    "others": b"ORIGINAL",
    "records": None,
    "is padded": False,
}


VARYING = [*FILE_PARTS, "signed", "meta", "meta", "character set", "character set", "own instance", "form"]


@st.composite
def series(draw: st.DrawFn) -> list[bytes]:
    """Files that are equal but for a few parts, in all combinations of two choices of each."""
    recipes = [PLAIN | {"name": ("PN", b"A^B"), "stamp": b"YES"}]
    for part in sorted(draw(st.sets(st.sampled_from(sorted(FILE_PARTS)), max_size=2))):
        recipes[0][part] = draw(FILE_PARTS[part])
    for part in sorted(draw(st.sets(st.sampled_from(VARYING), min_size=1, max_size=3))):
        recipes += [recipe | {part: draw(FILE_PARTS[part])} for recipe in recipes]
    return draw(st.permutations([_file(recipe) for recipe in recipes]))


Result = tuple[object, ...]


def result_of(
    patcher: Patcher, caches: Caches, content: bytes, elements: list[Element] | None = None
) -> Result:
    """All that is told of a file, and its output; its elements are scanned unless they are given."""
    source = BytesSource(content)
    try:
        with caches:
            file = parse(source)
            patched = patcher.patch(file, patcher.scan(file) if elements is None else elements)
            output = b"".join(pieces(source, Output(file, patched).chunks()))
    except (FileError, NotDicomError) as error:
        return type(error), str(error)
    return output, patched.elements, sorted(patched.originals), patched.review


def assert_verification_agrees(rules: RuleSet, contents: Sequence[bytes], folder: Path) -> None:
    """Verification finds no fault in what the engine makes of files, one after the other."""
    worker = Worker(Settings(rules, output_root=str(folder), verify=True))
    for number, content in enumerate(contents):
        source = folder / f"in{number}"
        source.write_bytes(content)
        outcome = worker.process(FileJob(str(source), str(folder / f"out{number}"), source.name))
        assert outcome.stage is not Stage.VERIFY, outcome.reason
        assert "internal" not in outcome.reason


def assert_cold_equals_warm(rules: RuleSet, contents: Sequence[bytes]) -> None:
    """Each result is that of a patcher that saw no other file, in any order."""
    cold = [result_of(Patcher(rules), Caches(), content) for content in contents]
    for order in (1, -1):
        patcher, caches = Patcher(rules), Caches()
        for _ in range(2):
            warm = [result_of(patcher, caches, content) for content in contents[::order]]
            assert warm[::order] == cold


CHECKED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(SPECS)))
@settings(CHECKED, max_examples=examples(60))
@given(contents=series(), private=st.booleans())
def test_results_do_not_depend_on_what_came_before(number: int, contents: list[bytes], private: bool) -> None:
    assert_cold_equals_warm(rules_of(number, remove_private=private and number % 3 == 0), contents)


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(60))
@given(
    number=st.integers(0, len(SPECS) - 1),
    contents=series(),
    profile=st.sampled_from(["basic", "basic,cleanDescriptors", "basic,retainUIDs,retainDeviceIdentity"]),
)
def test_results_under_a_profile_do_not_depend_on_what_came_before(
    number: int, contents: list[bytes], profile: str
) -> None:
    assert_cold_equals_warm(rules_of(number, profile=profile), contents)


def test_inserted_value_is_signed_where_its_own_file_says_so() -> None:
    recipes = [PLAIN | {"signed": value} for value in (b"\0\0", b"\1\0", None)]
    contents = [_file(recipe) for recipe in recipes]
    assert_cold_equals_warm(rules_of(len(SPECS) - 1), contents)
    (unsigned, *_), (signed, *_), _ = (
        result_of(Patcher(rules_of(len(SPECS) - 1)), Caches(), content) for content in contents
    )
    assert b"\x28\0\x07\x01US" in unsigned
    assert b"\x28\0\x07\x01SS" in signed
