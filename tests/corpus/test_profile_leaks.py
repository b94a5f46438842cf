"""Odd files under a profile: a planted text is in none of the outputs, and none is damaged.

Each case is a data set that some reader accepts and that hides the text where a simple
engine would not look.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    FORMS,
    IMPLICIT,
    SOP_CLASS,
    UNDEFINED,
    Form,
    Substituted,
    element,
    file_of,
    item,
    process,
    read,
    sequence,
    tag_bytes,
)
from installed import Trees
from pydicom.sequence import Sequence

from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.dicom.dictionary import is_unknown
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.profile import load

PLANTED = b"PLANTED"
KEEP = "%_keep_#tag"
ACME = '(0029,"ACME",10)'
EVERY_CLEANING = "basic,cleanDescriptors,cleanStructuredContent,cleanGraphics"


def run(
    content: bytes, folder: Path, spec: dict[str, Any] | None = None, *keep: str, profile: str = "basic"
) -> Substituted:
    """A file through a profile, and a spec over it."""
    pairs = (*load(profile, keep).spec.pairs, *parse_json(json.dumps(spec or {}), "spec").pairs)
    return process(Worker(Settings(compile_rules(TagSpec(pairs)))), content, folder)


def el(tag: int, vr: str, value: bytes = PLANTED, form: Form = EXPLICIT) -> bytes:
    """An element, of the planted text if nothing else is said."""
    return element(tag, vr, value, form)


def sop(form: Form = EXPLICIT) -> bytes:
    """What every data set begins with."""
    return el(0x00080016, "UI", SOP_CLASS.encode(), form) + el(0x00080018, "UI", b"1.2.3", form)


def seq(tag: int, content: bytes, form: Form = EXPLICIT, *, defined: bool = True, vr: str = "SQ") -> bytes:
    """A sequence of one item."""
    return sequence(tag, item(content, form, defined=defined), form, defined=defined, vr=vr)


def name(form: Form = EXPLICIT) -> bytes:
    """A name of the planted text."""
    return el(0x00100010, "PN", form=form)


CREATOR = el(0x00290010, "LO", b"ACME")

ODD: dict[str, bytes] = {
    "after the pixels": file_of(sop() + el(0x7FE00010, "OW", b"12") + name() + el(0x00104000, "LT")),
    "trailing padding": file_of(sop() + el(0x7FE00010, "OW", b"12") + el(0xFFFCFFFC, "OB")),
    "after fragments": file_of(
        sop() + sequence(0x7FE00010, item(b"abcd", EXPLICIT), EXPLICIT, defined=False, vr="OB") + name()
    ),
    "twice": file_of(sop() + name() * 2 + el(0x00104000, "LT") * 2 + el(0x00290010, "LO") * 2),
    "out of order": file_of(el(0x00290010, "LO") + el(0x00100020, "LO") + name() + sop() + name()),
    "no file meta": sop() + name(),
    "bare file meta": el(0x00020016, "AE") + sop() + name(),
    "preamble": PLANTED + file_of(sop())[7:],
    "curves and overlays": file_of(
        sop() + el(0x50120022, "LO") + el(0x5012FFFF, "LO") + el(0x60021500, "LO") + el(0x60FE9999, "LO")
    ),
    "odd groups there": file_of(sop() + el(0x50010022, "LO") + el(0x601F1500, "LO") + el(0x7FE10010, "OB")),
    "no creator": file_of(sop() + el(0x00291010, "LO") + el(0x00290001, "LO") + el(0x00090010, "LO")),
    "file meta astray": file_of(sop() + el(0x00020016, "AE") + seq(0x00081115, el(0x00020016, "AE"))),
    "file meta": file_of(sop(), extra=el(0x00020016, "AE") + el(0x00020035, "OB") + el(0x00020102, "OB")),
    "unknown file meta": file_of(sop(), extra=el(0x00029999, "LO")),
    "a command": file_of(el(0x00000600, "AE") + el(0x00001000, "UI", b"1.2.PLANTED") + sop()),
    "a command in an item": file_of(sop() + seq(0x00081115, el(0x00000600, "AE"))),
    "wrong VRs": file_of(
        sop()
        + el(0x00100010, "OB")
        + el(0x00100020, "UT")
        + el(0x00100030, "UN")
        + el(0x00081030, "OW", PLANTED + b" ")
        + el(0x0020000D, "SH")
        + el(0x0020000E, "US", PLANTED + b" ")
    ),
    "UN": file_of(sop() + el(0x00100010, "UN") + el(0x0040A123, "UN") + el(0x00291010, "UN")),
    "vast": file_of(sop() + el(0x0040A123, "UN", PLANTED * 10_000) + el(0x00420011, "OB", PLANTED * 10_000)),
    "directory in an ordinary file": file_of(
        el(0x00041200, "UL", b"\0\0\0\0") + seq(0x00041220, name() + el(0x00100020, "LO")) + sop() + name()
    ),
    "directory in an item": file_of(
        sop() + seq(0x00081115, seq(0x00041220, name() + el(0x00100020, "LO") + el(0x00104000, "LT")))
    ),
    "delimiter with a length": file_of(
        sop()
        + element(
            0x00081115,
            "SQ",
            item(name(), EXPLICIT) + tag_bytes(0xFFFEE0DD, EXPLICIT) + b"\x08\0\0\0",
            EXPLICIT,
            UNDEFINED,
        )
        + el(0x00100020, "LO")
    ),
    "implicit in explicit": file_of(sop() + sequence(0x00081115, item(name(IMPLICIT), EXPLICIT), EXPLICIT)),
}

REFUSED = {
    "a command": "group 0000",
    "delimiter with a length": "where an item should begin",
}
"""Odd files that readers read in more than one way: what the reason says."""


@pytest.mark.parametrize("case", ODD)
@pytest.mark.parametrize("profile", ["basic", EVERY_CLEANING])
def test_odd_files_keep_no_planted_text(case: str, profile: str, tmp_path: Path) -> None:
    assert PLANTED in ODD[case]
    result = run(ODD[case], tmp_path, profile=profile)
    if case in REFUSED:
        assert result.outcome.status is Status.FAILED
        assert REFUSED[case] in result.outcome.reason
        assert "PLANTED" not in repr(result.outcome)
        return
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert PLANTED not in result.content
    again = read(result.content)
    assert again.SOPInstanceUID != "1.2.3"
    assert case.startswith("directory in an ordinary") or again.PatientIdentityRemoved == "YES"


KEPT: dict[str, tuple[Callable[[Form, bool], bytes], dict[str, Any], tuple[str, ...]]] = {
    "group": (lambda form, d: seq(0x0040A730, name(form), form, defined=d), {"(0040,xxxx)": KEEP}, ()),
    "cleaned group": (
        lambda form, d: seq(0x0040A730, name(form), form, defined=d),
        {"(0040,xxxx)": "%_clean_#tag"},
        (),
    ),
    "private group": (
        lambda form, d: el(0x00290010, "LO", b"ACME", form) + seq(0x00291010, name(form), form, defined=d),
        {"(0029,xxxx)": KEEP},
        (),
    ),
    "private tag": (
        lambda form, d: el(0x00290010, "LO", b"ACME", form) + seq(0x00291010, name(form), form, defined=d),
        {"(0029,1010)": KEEP},
        (),
    ),
    "private tags": (
        lambda form, d: el(0x00290010, "LO", b"ACME", form) + seq(0x00291010, name(form), form, defined=d),
        {"(0029,10xx)": KEEP},
        (),
    ),
    "by creator": (
        lambda form, d: el(0x00290010, "LO", b"ACME", form) + seq(0x00291010, name(form), form, defined=d),
        {},
        (ACME,),
    ),
    "cleaned by creator": (
        lambda form, d: el(0x00290010, "LO", b"ACME", form) + seq(0x00291010, name(form), form, defined=d),
        {ACME: "%_clean_#tag"},
        (),
    ),
    "in a removed group": (
        lambda form, d: seq(0x0040A730, name(form), form, defined=d),
        {"(0040,xxxx)": None, "ContentSequence": KEEP},
        (),
    ),
    "in a private sequence that is kept": (
        lambda form, d: (
            el(0x00290010, "LO", b"ACME", form)
            + seq(
                0x00291010,
                el(0x00290010, "LO", b"ACME", form)
                + seq(0x00291010, name(form) + el(0x00291110, "LO", form=form), form, defined=d)
                + el(0x00291011, "LO", form=form),
                form,
                defined=d,
            )
        ),
        {},
        (ACME,),
    ),
}


@pytest.mark.parametrize("defined", [True, False], ids=["defined", "undefined"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("case", KEPT)
def test_kept_sequences_are_walked(case: str, form: Form, defined: bool, tmp_path: Path) -> None:
    make, spec, keep = KEPT[case]
    result = run(file_of(sop(form) + make(form, defined), form), tmp_path, spec, *keep)
    assert PLANTED not in result.content
    stays = 0x00291010 if "private" in case or "creator" in case else 0x0040A730
    assert stays in result.data_set
    if stays == 0x00291010:
        assert result.data_set[0x00290010].value == "ACME"
    elif form is not BIG:
        assert len(result.data_set[stays].value) == 1


@pytest.mark.parametrize("defined", [True, False], ids=["defined", "undefined"])
@pytest.mark.parametrize(
    ("before", "tag", "keep"),
    [(b"", 0x0040A730, ()), (b"", 0x00081115, ()), (CREATOR, 0x00291010, (ACME,)), (b"", 0x0008F730, ())],
    ids=["known and kept", "known", "private", "unknown"],
)
@pytest.mark.parametrize("inner", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
def test_unknown_vr_is_walked_whatever_is_in_it(
    inner: Form, before: bytes, tag: int, keep: tuple[str, ...], defined: bool, tmp_path: Path
) -> None:
    content = seq(0x00081115, name(inner), inner, defined=defined)
    made = sequence(tag, item(content, EXPLICIT, defined=defined), EXPLICIT, defined=defined, vr="UN")
    result = run(file_of(sop() + before + made), tmp_path, {"ContentSequence": KEEP}, *keep)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert PLANTED not in result.content
    # What no dictionary knows goes as a whole.
    assert (tag_bytes(tag, EXPLICIT) in result.content) == (not is_unknown(tag))


CREATORS: dict[str, tuple[bytes, bool]] = {
    "one value": (CREATOR + el(0x00291010, "LO", b"kept"), True),
    "blanks": (el(0x00290010, "LO", b"ACME    ") + el(0x00291010, "LO", b"kept"), True),
    "a high block": (el(0x002900FF, "LO", b"ACME") + el(0x0029FF10, "LO", b"kept"), True),
    "two blocks": (CREATOR + el(0x002900FF, "LO", b"ACME") + el(0x0029FF10, "LO", b"kept"), True),
    "two values": (el(0x00290010, "LO", b"ACME\\" + PLANTED) + el(0x00291010, "LO", b"kept"), False),
    "two creators": (el(0x00290010, "LO") + CREATOR + el(0x00291010, "LO", b"kept"), True),
    "overridden": (CREATOR + el(0x00290010, "LO") + el(0x00291010, "LO", b"kept"), False),
    "below the blocks": (el(0x00290005, "LO", b"ACME") + el(0x00290510, "LO", b"kept"), False),
    "of a sequence": (
        CREATOR + el(0x00291010, "LO", b"kept") + seq(0x00081115, el(0x00291010, "LO")),
        True,
    ),
    "a neighbour": (
        CREATOR + el(0x00290011, "LO") + el(0x00291010, "LO", b"kept") + el(0x00291110, "LO"),
        True,
    ),
    "another group": (CREATOR + el(0x00291010, "LO", b"kept") + el(0x00311010, "LO"), True),
}


@pytest.mark.parametrize("case", CREATORS)
def test_only_what_its_creator_reserves_is_kept(case: str, tmp_path: Path) -> None:
    content, is_kept = CREATORS[case]
    result = run(file_of(sop() + content), tmp_path, {}, ACME)
    assert PLANTED not in result.content
    assert (b"kept" in result.content) is is_kept
    assert (b"ACME" in result.content) is is_kept


def test_creators_in_other_character_sets_are_found(tmp_path: Path) -> None:
    for charset, encoding in ((b"ISO_IR 100", "latin-1"), (b"ISO_IR 192", "utf-8")):
        content = el(0x00080005, "CS", charset) + sop() + el(0x00290010, "LO", "ACMÉ".encode(encoding))
        content += el(0x00291010, "LO", b"kept") + el(0x00291011, "LO")
        result = run(file_of(content), tmp_path, {}, '(0029,"ACMÉ",10)')
        assert b"kept" in result.content
        assert PLANTED not in result.content


KEPT_AS_THEY_ARE: dict[str, tuple[str, dict[str, Any]]] = {
    "private tag": ("", {"private": None, "(0029,1010)": KEEP}),
    "private tag under a profile": ("basic", {"(0029,1010)": KEEP}),
    "private tags": ("basic", {"(0029,10xx)": KEEP}),
    "private group": ("basic", {"(0029,xxxx)": KEEP}),
    "all that is private": ("basic", {"private": KEEP}),
    "one of a group": ("", {"(0029,xxxx)": None, ACME: KEEP}),
    "one tag of a group": ("", {"(0029,xxxx)": None, "(0029,1010)": KEEP}),
}


@pytest.mark.parametrize("case", KEPT_AS_THEY_ARE)
def test_what_a_key_keeps_stays_with_its_creator(case: str, tmp_path: Path) -> None:
    profile, spec = KEPT_AS_THEY_ARE[case]
    result = run(file_of(sop() + CREATOR + el(0x00291010, "LO", b"kept")), tmp_path, spec, profile=profile)
    assert [result.data_set[tag].value for tag in (0x00290010, 0x00291010)] == ["ACME", "kept"]


def test_group_key_empties_what_is_no_creator(tmp_path: Path) -> None:
    result = run(file_of(sop() + el(0x00290005, "LO")), tmp_path, {"(0029,xxxx)": ""}, profile="")
    assert PLANTED not in result.content


@pytest.mark.parametrize(
    "spec",
    [{"PatientID": "X", "re:Patient.*": KEEP}, {"StudyID": "Y", "re:(PatientIdentity|StudyID).*": KEEP}],
)
def test_what_a_pattern_keeps_is_not_inserted_once_more(spec: dict[str, str], tmp_path: Path) -> None:
    content = sop() + el(0x00100020, "LO", b"p ") + el(0x00120062, "CS", b"NO") + el(0x00200010, "SH", b"s ")
    result = run(file_of(content), tmp_path, spec)
    for tag in (0x00100020, 0x00120062, 0x00200010):
        assert result.content.count(tag_bytes(tag, EXPLICIT)) == 1


def test_stamps_are_in_the_root_whatever_is_nested(tmp_path: Path) -> None:
    nested = el(0x00120062, "CS", b"NO") + el(0x00120063, "LO") + seq(0x00120064, el(0x00080104, "LO"))
    result = run(file_of(sop() + seq(0x00081115, nested)), tmp_path)
    assert PLANTED not in result.content
    assert result.data_set.PatientIdentityRemoved == "YES"
    assert result.data_set.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert "DeidentificationMethod" in result.data_set


def test_stamp_between_two_removals_is_written(tmp_path: Path) -> None:
    """A nested private element must not join what is removed on both sides of a stamp's place."""
    content = sop() + seq(0x00081115, el(0x00290010, "LO")) + el(0x00104000, "LT") + el(0x00290010, "LO")
    result = run(file_of(content), tmp_path)
    assert PLANTED not in result.content
    assert result.data_set.PatientIdentityRemoved == "YES"


def test_text_of_undefined_length_is_refused(tmp_path: Path) -> None:
    content = sop(IMPLICIT) + sequence(0x00180020, item(name(IMPLICIT), IMPLICIT), IMPLICIT, defined=False)
    result = run(file_of(content, IMPLICIT), tmp_path)
    assert result.outcome.status is Status.FAILED
    assert "undefined length" in result.outcome.reason


CLEANED: dict[str, bytes] = {
    "nested": seq(0x00081115, name()),
    "in a private sequence": CREATOR + seq(0x00291010, name()),
    "in a private UN with explicit VRs": CREATOR + seq(0x00291010, name(), vr="UN"),
    "twice": name() + el(0x00100010, "PN", b"Other^X"),
    "one of many": el(0x00101001, "PN", b"A^B\\" + PLANTED + b"^X"),
    "after the pixels": el(0x7FE00010, "OW", b"12") + name(),
    "as UN": el(0x00100010, "UN", PLANTED + b"^X"),
    "as LO": el(0x00100010, "LO", PLANTED + b"^X"),
    "as OB": el(0x00100010, "OB", PLANTED + b"^X"),
    "in a command": el(0x00000600, "AE"),
}


@pytest.mark.parametrize("case", CLEANED)
@pytest.mark.parametrize("vr", ["LO", "UN"])
def test_cleaning_knows_names_wherever_they_are(case: str, vr: str, tmp_path: Path) -> None:
    text = el(0x00081030, vr, b"Thorax of PLANTED, second") * 2
    result = run(file_of(sop() + text + CLEANED[case]), tmp_path, profile=EVERY_CLEANING)
    assert PLANTED not in result.content
    assert b"Thorax" in result.content


CHARSETS = {
    "ISO_IR 100": ("latin-1", "Jürgen"),
    "ISO_IR 192": ("utf-8", "山田"),
    "GB18030": ("gb18030", "王小东"),
    "\\ISO 2022 IR 87": ("iso2022_jp", "山田"),
    "ISO 2022 IR 100\\ISO 2022 IR 126": ("latin-1", "Jürgen"),
}


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("profile", ["basic", EVERY_CLEANING])
def test_stamps_and_constants_stand_in_any_character_set(charset: str, profile: str, tmp_path: Path) -> None:
    encoding, text = CHARSETS[charset]
    stored = text.encode(encoding)
    content = el(0x00080005, "CS", charset.encode()) + sop() + el(0x00081030, "LO", stored)
    content += el(0x00100010, "PN", b"A=" + stored) + el(0x00181030, "LO", stored)
    result = run(file_of(content), tmp_path, profile=profile)
    made = result.data_set
    assert stored not in result.content
    assert made.PatientIdentityRemoved == "YES"
    if profile != "basic":
        assert made.StudyDescription == "REMOVED"


def test_bad_character_set_fails_and_is_not_quoted(tmp_path: Path) -> None:
    for content in (
        el(0x00080005, "CS") + sop() + name(),
        el(0x00080005, "CS") + el(0x00080005, "CS", b"ISO_IR 100") + sop() + name(),
        sop() + seq(0x00081115, el(0x00080005, "CS") + name()),
    ):
        result = run(file_of(content), tmp_path, profile=EVERY_CLEANING)
        assert result.outcome.status is Status.FAILED
        assert PLANTED not in result.content
        assert "PLANTED" not in repr(result.outcome)


def test_term_that_is_nothing_but_a_term_is_named(tmp_path: Path) -> None:
    content = sop() + seq(0x00081115, el(0x00080005, "CS") + el(0x00080060, "CS", b"MR"))
    result = run(file_of(content), tmp_path, profile=EVERY_CLEANING)
    assert (result.outcome.status, result.outcome.unknown_terms) == (Status.WRITTEN, "PLANTED")


def test_deflated_files_are_treated_like_others(tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(sop() + name()) + packer.flush()
    result = run(file_of(packed, DEFLATED) + PLANTED, tmp_path)
    assert PLANTED not in result.content
    assert result.data_set.PatientName == ""


# --- what is printed and recorded


@pytest.mark.parametrize(
    ("flags", "spec", "code"),
    [
        (("--lookupTable", "ids=TABLE"), {"PatientID": "%_lookup|ids_PatientID"}, 1),
        (("--lookupTable", "ids=TABLE", "--lookupMiss", "empty"), {"PatientID": "%_lookup|ids_PatientID"}, 0),
        ((), {"re:Patient.*": "山田"}, 1),
        ((), {"StudyDate": "%_dateshift|patientID|30_StudyDate", "StudyTime": "%StudyDate"}, 0),
        ((), {"StudyInstanceUID": "%PatientID", "PatientName": "%_hmac|8_PatientID"}, 0),
        ((), {"StudyDescription": "%_clean_#tag", "PatientComments": "%_dummy_#tag"}, 0),
    ],
    ids=["lookup", "lookup emptied", "charset", "dates", "uid", "texts"],
)
def test_messages_and_record_hold_no_planted_text(
    flags: tuple[str, ...], spec: dict[str, str], code: int, trees: Trees, tmp_path: Path
) -> None:
    content = el(0x00080005, "CS", b"ISO_IR 100") + sop()
    content += el(0x00080020, "DA", b"PLANTED1") + el(0x00080030, "TM", b"PLANTED") + name()
    content += el(0x00100020, "LO") + el(0x00104000, "LT", "rätselhaft PLANTED".encode("latin-1"))
    content += el(0x00102203, "US", b"PL") + el(0x00189074, "DT") + el(0x0020000D, "UI", b"1.2.PLANTED")
    content += el(0x00700001, "SQ", b"") + el(0x00291010, "UN")
    (trees.inputs / "a.dcm").write_bytes(file_of(content))
    (trees.inputs / "cut.dcm").write_bytes(file_of(content)[:-3])
    (trees.inputs / "charset.dcm").write_bytes(file_of(el(0x00080005, "CS") + content))
    (tmp_path / "table.csv").write_text("original,replacement\nother,x\n")
    (tmp_path / "key").write_bytes(b"0123456789abcdef")
    flags = tuple(flag.replace("TABLE", str(tmp_path / "table.csv")) for flag in flags)
    done = trees.run(
        *("--verbosity", "5", "--json", "--profile", "basic", "--keyFile", str(tmp_path / "key")),
        *flags,
        spec=spec,
    )
    assert "PLANTED" not in done.out + done.err
    assert "0123456789abcdef" not in done.out + done.err
    assert "internal" not in done.out + done.err
    assert ("a.dcm" in done.failures) is bool(code)
    for path in trees.outputs.rglob("*.dcm"):
        assert PLANTED not in path.read_bytes()
        assert isinstance(read(path.read_bytes()).get("DeidentificationMethodCodeSequence"), Sequence)


def test_short_values_in_a_un_of_undefined_length_are_no_reason_to_fail(tmp_path: Path) -> None:
    """Read as explicit VR, the length of a value of two bytes is that of no value."""
    content = el(0x00401001, "SH", b"AB", IMPLICIT) + name(IMPLICIT)
    made = sequence(0x00400275, item(content, IMPLICIT, defined=False), IMPLICIT, defined=False)
    stored = made[:4] + b"UN\0\0" + made[4:]
    result = run(file_of(sop() + stored), tmp_path, {})
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert PLANTED not in result.content
