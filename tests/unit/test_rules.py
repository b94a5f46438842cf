"""The order of strength of keys, and the kinds of keys and values beyond keyword and template."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from builders import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    Form,
    data_set,
    element,
    file_of,
    nested,
    read,
    sequence,
    written,
)
from pydicom import Dataset
from pydicom.dataset import PrivateBlock

from pfdicom_tagSub.api import patch_bytes
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.pairs import Layer, TagSpec
from pfdicom_tagSub.spec.parsing import parse_json, to_json
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.strength import effective_spec

Pairs = dict[str, Any]
CREATOR = "ACME 1.0"


def rules_of(user: Pairs, profile: Pairs | None = None, *, remove_private: bool = False) -> RuleSet:
    """A spec over a profile, compiled."""
    below = parse_json(json.dumps(profile or {}), "profile", Layer.PROFILE).pairs
    spec = TagSpec(below + parse_json(json.dumps(user), "spec").pairs)
    return compile_rules(
        effective_spec(spec),
        remove_private=remove_private,
        resources=Resources(Secret(bytes(range(32)))),
    )


def patched(made: Dataset, user: Pairs, profile: Pairs | None = None, **options: bool) -> Dataset:
    """A data set, patched and read again."""
    return read(patch_bytes(written(made), rules_of(user, profile, **options)))


def with_private(made: Dataset, creator: str = CREATOR, **values: str) -> Dataset:
    """A data set with private elements: ``e10="x"`` is (0029,xx10) LO."""
    block: PrivateBlock = made.private_block(0x0029, creator, create=True)
    for name, value in values.items():
        block.add_new(int(name[1:], 16), "LO", value)
    return made


# Each pair of kinds of keys: which key, value; all hit PatientName or a private element.
KINDS: dict[str, tuple[str, Pairs]] = {
    "profile x": ("profile", {"(0010,00xx)": "profile x"}),
    "profile explicit": ("profile", {"PatientName": "profile explicit"}),
    "x": ("user", {"(0010,00xx)": "x"}),
    "explicit": ("user", {"PatientName": "explicit"}),
    "pattern": ("user", {"re:PatientNam": "pattern"}),
}


@pytest.mark.parametrize(("weaker", "stronger"), list(itertools.combinations(KINDS, 2)))
@pytest.mark.parametrize("reverse", [False, True], ids=["as written", "reversed"])
def test_strength_of_each_pair_of_kinds(weaker: str, stronger: str, reverse: bool) -> None:
    layers: dict[str, Pairs] = {"profile": {}, "user": {}}
    for kind in [stronger, weaker] if reverse else [weaker, stronger]:
        layer, pair = KINDS[kind]
        layers[layer] |= pair
    result = patched(data_set(PatientName="DOE^JOHN"), layers["user"], layers["profile"])
    assert result.PatientName == stronger


@pytest.mark.parametrize(
    ("first", "second"),
    [("re:PatientN", "re:Patient.*"), ("(0010,0010)", None), ("(0010,00xx)", "(0010,xxxx)")],
)
def test_strength_of_two_of_a_kind_is_that_of_the_last(first: str, second: str | None) -> None:
    made = data_set(PatientName="DOE^JOHN")
    if second is None:
        with pytest.raises(SpecError, match=r"PatientName.*same"):
            rules_of({first: "first", "PatientName": "second"})
        return
    assert patched(made, {first: "first", second: "second"}).PatientName == "second"
    # Of two keys with x digits, too, but for the element that an earlier single tag names.
    assert patched(made, {second: "second", first: "first"}).PatientName == "first"


@pytest.mark.parametrize(
    ("user", "profile", "expected"),
    [
        ({}, {"private": None}, None),
        ({'(0029,"ACME 1.0",10)': "explicit"}, {"private": None}, "explicit"),
        ({'(0029,"ACME 1.0",10)': "%_keep_#tag"}, {"private": None}, "secret"),
        ({}, {"private": None, '(0029,"ACME 1.0",10)': "%_keep_#tag"}, "secret"),
        ({"(0029,xxxx)": "x"}, {"private": None}, "x"),
        ({"(0029,xxxx)": "x", '(0029,"ACME 1.0",10)': "explicit"}, {"private": None}, "explicit"),
        ({"(0029,xxxx)": "x"}, {'(0029,"ACME 1.0",10)': "%_keep_#tag"}, "x"),
        ({"(0029,10xx)": "x"}, {"private": None}, "x"),
        ({"(0029,xxxx)": None}, {'(0029,"ACME 1.0",10)': "%_keep_#tag"}, None),
        ({"(0029,1010)": "tag"}, {"private": None}, "tag"),
        ({"private": "%_keep_#tag"}, {"private": None}, "secret"),
    ],
)
def test_strength_among_keys_of_private_elements(user: Pairs, profile: Pairs, expected: str | None) -> None:
    result = patched(with_private(data_set(PatientName="A"), e10="secret"), user, profile)
    found = result.get((0x0029, 0x1010))
    assert (found.value if found is not None else None) == expected
    assert ((0x0029, 0x0010) in result) == (expected is not None)


def test_private_creators_stay_for_what_is_kept_alone() -> None:
    made = with_private(with_private(data_set(PatientName="A"), e10="keep", e11="go"), "OTHER", e10="go")
    result = patched(made, {'(0029,"ACME 1.0",10)': "%_keep_#tag"}, {"private": None})
    assert [str(found.tag) for found in result if found.tag.is_private] == ["(0029,0010)", "(0029,1010)"]


def test_private_sequence_that_is_kept_is_walked() -> None:
    inner = with_private(data_set(PatientName="DOE^JOHN", PatientID="1"), e10="inner", e12="go")
    made = with_private(data_set(PatientName="DOE^JOHN"), e11="go")
    made.private_block(0x0029, CREATOR).add_new(0x20, "SQ", [inner])
    spec: Pairs = {
        '(0029,"ACME 1.0",20)': "%_keep_#tag",
        '(0029,"ACME 1.0",10)': "%_keep_#tag",
        "PatientName": "X",
    }
    for profile, flag in (({"private": None}, False), ({}, True)):
        result = patched(made, spec, profile, remove_private=flag)
        item = result[0x0029, 0x1020].value[0]
        assert item.PatientName == "X"
        assert item[0x0029, 0x1010].value == "inner"
        assert (0x0029, 0x1012) not in item
        assert (0x0029, 0x1011) not in result


def test_remove_private_tags_beats_every_key_that_does_not_keep() -> None:
    rules = rules_of({'(0029,"ACME 1.0",10)': "x", "(0031,xxxx)": "x"}, remove_private=True)
    assert sum("--removePrivateTags" in warning for warning in rules.warnings) == 2
    assert not rules.private
    assert not rules.groups


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize("defined", [True, False])
def test_group_key_hits_every_element_of_the_group_at_every_depth(form: Form, defined: bool) -> None:
    curve = element(0x50020010, "US", b"\2\0", form) + element(0x50023FFE, "LO", b"unknown", form)
    inner = element(0x00100020, "LO", b"kept", form) + curve
    from builders import item

    content = (
        element(0x00100010, "PN", b"A", form)
        + sequence(0x00400275, item(inner, form, defined=defined), form, defined=defined)
        + element(0x50000000, "UL", b"\0\0\0\0", form)
        + curve
        + element(0x60000010, "US", b"\2\0", form)
    )
    result = read(patch_bytes(file_of(content, form), rules_of({"(50xx,xxxx)": None})))
    tags = [found.tag for found in result.iterall()]
    assert not [tag for tag in tags if tag.group == 0x5002]
    assert {0x60000010, 0x00100020} <= set(tags)


def test_repeating_key_hits_its_element_in_every_group() -> None:
    made = data_set(PatientName="A")
    made.add_new(0x60023000, "OW", b"12")
    made.add_new(0x60FE3000, "OW", b"12")
    made.add_new(0x60FE0010, "US", 3)
    result = patched(made, {"(60xx,3000)": None})
    assert 0x60023000 not in result
    assert 0x60FE3000 not in result
    assert result[0x60FE0010].value == 3


def test_group_key_leaves_alone_how_the_file_is_encoded() -> None:
    made = data_set(SpecificCharacterSet="ISO_IR 100", PatientName="Müller", Modality="MR", SOPClassUID="1.2")
    result = patched(made, {"(0008,xxxx)": ""})
    assert result.SpecificCharacterSet == "ISO_IR 100"
    assert result.Modality == ""
    assert result.PatientName == "Müller"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("(0002,xxxx)", "how the file itself is encoded"),
        ("(xxxx,0010)", "last two digits"),
        ("(x010,0010)", "last two digits"),
        ("(50xx,2xxx)", r"\(50xx,xxxx\)"),
        ("(0010,fffx)", "no element of the DICOM dictionary"),
        ("fffexxxx", "how the file itself is encoded"),
    ],
)
def test_key_with_x_digits_that_means_nothing_is_an_error(key: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        rules_of({key: ""})


def test_keep_exempts_from_a_profile_and_from_groups() -> None:
    made = data_set(PatientName="DOE", PatientSex="M", PatientID="7")
    profile = {"PatientSex": None, "PatientName": None}
    assert patched(made, {"PatientSex": "%_keep_PatientSex"}, profile).PatientSex == "M"
    result = patched(made, {"(0010,xxxx)": None, "PatientSex": "%_keep_#tag"})
    assert result.PatientSex == "M"
    assert "PatientID" not in result


def test_keep_of_a_sequence_still_lets_other_keys_work_in_it() -> None:
    made = nested(data_set(PatientID="7", AccessionNumber="8"), PatientName="DOE")
    profile = {"RequestAttributesSequence": None, "PatientID": "x"}
    result = patched(made, {"RequestAttributesSequence": "%_keep_#tag"}, profile)
    assert result.RequestAttributesSequence[0].PatientID == "x"
    assert result.RequestAttributesSequence[0].AccessionNumber == "8"
    grouped = patched(
        made, {"(0040,xxxx)": None, "RequestAttributesSequence": "%_keep_#tag", "PatientID": "x"}
    )
    assert grouped.RequestAttributesSequence[0].PatientID == "x"


def test_key_of_the_user_takes_back_a_stamp_of_the_profile() -> None:
    made = data_set(PatientName="DOE")
    assert patched(made, {}, {"PatientIdentityRemoved": "YES"}).PatientIdentityRemoved == "YES"
    for value in (None, "%_keep_#tag"):
        result = patched(made, {"PatientIdentityRemoved": value}, {"PatientIdentityRemoved": "YES"})
        assert "PatientIdentityRemoved" not in result


CODE = [{"CodeValue": "113100", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Basic"}]


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
def test_items_replace_a_sequence_or_are_inserted(form: Form) -> None:
    rules = rules_of({"DeidentificationMethodCodeSequence": CODE})
    for made in (
        data_set(PatientName="A"),
        nested(data_set(CodeValue="old"), keyword="DeidentificationMethodCodeSequence", PatientName="A"),
    ):
        once = patch_bytes(written(made, form), rules)
        assert [one.CodeValue for one in read(once).DeidentificationMethodCodeSequence] == ["113100"]
        assert patch_bytes(once, rules) == once


def test_items_to_replace_are_not_inserted() -> None:
    spec: Pairs = {"ContentSequence": {"replace": [{"ValueType": "TEXT", "ConceptNameCodeSequence": CODE}]}}
    assert "ContentSequence" not in patched(data_set(PatientName="A"), spec)
    made = nested(data_set(TextValue="DOE"), keyword="ContentSequence", PatientName="A")
    (item,) = patched(made, spec).ContentSequence
    assert item.ConceptNameCodeSequence[0].CodeValue == "113100"
    assert "TextValue" not in item


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"PatientName": [{"CodeValue": "1"}]}, "only the key of one sequence"),
        ({"re:ContentSeq": [{"CodeValue": "1"}]}, "only the key of one sequence"),
        ({"ContentSequence": [{"CodeValeu": "1"}]}, "CodeValue"),
        ({"ContentSequence": [{"Date": "1"}]}, "not a valid DA"),
        ({"ContentSequence": [{"TextValue": "é"}]}, "ASCII"),
        ({"ContentSequence": [{"TextValue": [{"CodeValue": "1"}]}]}, "no sequence"),
        ({"ContentSequence": ["x"]}, "no object"),
        ({"ContentSequence": [{"TextValue": None}]}, "a text, a number or a list"),
        ({"ContentSequence": {"replaced": []}}, "replace"),
        ({"PatientName": "M\udcfcller"}, "not a valid PN"),
        ({"PatientName": "\ud800"}, "not a valid PN"),
        ({"private": ""}, "null"),
        ({"private": "x"}, "null"),
        ({"preamble": None}, "zeros"),
        ({"preamble": "x"}, "zeros"),
    ],
)
def test_value_that_its_key_does_not_take_is_an_error(spec: Pairs, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        rules_of(spec)


def test_preamble_becomes_zeros() -> None:
    content = b"DOE^JOHN".ljust(128, b" ") + written(data_set(PatientName="A"))[128:]
    changed = patch_bytes(content, rules_of({"preamble": ""}))
    assert changed == bytes(128) + content[128:]
    assert patch_bytes(content, rules_of({"PatientID": "%PatientID"})) == content


def test_rules_are_pickled_with_the_secret_and_print_none() -> None:
    rules = rules_of({"PatientID": "%_hmac|8_PatientID"})
    content = written(data_set(PatientName="A", PatientID="7"))
    assert patch_bytes(content, pickle.loads(pickle.dumps(rules))) == patch_bytes(content, rules)
    assert "Secret" not in repr(rules)


SPECS: list[tuple[Pairs, Pairs]] = [
    ({"PatientName": "x"}, {"PatientName": None, "PatientID": "%_empty_#tag"}),
    ({"(0010,00xx)": "%_keep_#tag"}, {"PatientName": None, "PatientID": None, "PatientSex": None}),
    ({"(0010,xxxx)": None, "re:PatientI": "pattern"}, {"(0010,00xx)": "x", "PatientID": "y"}),
    ({"(0029,xxxx)": "x"}, {'(0029,"ACME 1.0",10)': "%_keep_#tag", "private": None}),
    ({"private": "%_keep_#tag"}, {"private": None, "preamble": ""}),
    ({"DeidentificationMethodCodeSequence": None}, {"DeidentificationMethodCodeSequence": CODE}),
    ({}, {"ContentSequence": {"replace": [{"ConceptNameCodeSequence": CODE}]}}),
]


@pytest.mark.parametrize(("user", "profile"), SPECS)
def test_printed_spec_does_the_same_in_one_layer(user: Pairs, profile: Pairs) -> None:
    spec = TagSpec(
        parse_json(json.dumps(profile), "profile", Layer.PROFILE).pairs
        + parse_json(json.dumps(user), "s").pairs
    )
    printed = json.loads(to_json(effective_spec(spec)))
    made = with_private(data_set(PatientName="DOE", PatientID="7", PatientSex="M"), e10="secret", e11="other")
    made.ContentSequence = [data_set(TextValue="DOE")]
    content = b"x" * 128 + written(made)[128:]
    assert patch_bytes(content, rules_of(printed)) == patch_bytes(content, rules_of(user, profile))


def directory(tmp_path: Path, ids: Iterable[str]) -> bytes:
    """A DICOMDIR with a patient, a study, a series and an image for each ID."""
    from pydicom.fileset import FileSet

    fileset = FileSet()
    for number, own in enumerate(ids):
        made = data_set(
            SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
            SOPInstanceUID=f"1.2.{number}",
            StudyInstanceUID=f"1.3.{number}",
            SeriesInstanceUID=f"1.4.{number}",
            PatientName=f"NAME^{own}",
            PatientID=own,
            StudyDate="20200131",
            StudyTime="101112",
            StudyID="1",
            SeriesNumber=1,
            InstanceNumber=1,
            Modality="OT",
        )
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(written(made))
        fileset.add(path)
    fileset.write(tmp_path / "set")
    return (tmp_path / "set" / "DICOMDIR").read_bytes()


def test_source_in_a_directory_record_is_found_in_the_record_above(tmp_path: Path) -> None:
    content = directory(tmp_path, ["A1", "B2"])
    rules = rules_of({"StudyDescription": "", "StudyID": "%PatientID", "PatientIdentityRemoved": "YES"})
    result = read(patch_bytes(content, rules))
    studies = [one for one in result.DirectoryRecordSequence if one.DirectoryRecordType == "STUDY"]
    assert sorted(one.StudyID for one in studies) == ["A1", "B2"]
    assert "PatientIdentityRemoved" not in result  # a DICOMDIR describes no one patient


def test_dates_of_a_directory_move_with_those_of_its_files(tmp_path: Path) -> None:
    content = directory(tmp_path, ["A1", "B2"])
    rules = rules_of({"StudyDate": "%_dateshift|patientID|3650_#tag"})
    result = read(patch_bytes(content, rules))
    studies = {one.StudyID: one.StudyDate for one in result.DirectoryRecordSequence if "StudyDate" in one}
    assert studies
    for number, own in enumerate(["A1", "B2"]):
        file = read(patch_bytes((tmp_path / f"{number}.dcm").read_bytes(), rules))
        dates = [one.StudyDate for one in result.DirectoryRecordSequence if "StudyDate" in one]
        assert file.StudyDate in dates, own
    assert len(set(dates)) == 2


def test_records_of_a_directory_keep_what_they_have_to_hold(tmp_path: Path) -> None:
    content = directory(tmp_path, ["A1"])
    spec = {
        "StudyDate": None,
        "StudyTime": "%_empty_#tag",
        "StudyID": None,
        "PatientName": None,
        "Modality": None,
    }
    result = read(patch_bytes(content, rules_of(spec)))
    records = {one.DirectoryRecordType: one for one in result.DirectoryRecordSequence}
    study = records["STUDY"]
    for keyword, original in (("StudyDate", "20200131"), ("StudyTime", "101112"), ("StudyID", "1")):
        assert study[keyword].value not in {"", original}
    assert records["PATIENT"].PatientName == ""
    assert "Modality" not in records["SERIES"]  # which is not said to stay
    assert read(patch_bytes(content, rules_of({"StudyDate": ""}))).DirectoryRecordSequence[1].StudyDate == ""
