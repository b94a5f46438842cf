"""What looks like a directive and is none, and keys that cannot win, are warned of."""

from __future__ import annotations

import pytest
from builders import data_set, written

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.spec import profile
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.lookalikes import find_lookalikes
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import from_pairs, parse_json
from pfdicom_tagSub.spec.templates import parse_template

KEEP = "%_keep_#tag"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("%md5|7_PatientID", "%_md5|7_PatientID"),
        ("%MD5|7_PatientID", "%_md5|7_PatientID"),
        ("%_md5|7_PatientIDD", "%_md5|7_PatientID"),
        ("%PatientIDD", "%PatientID"),
        ("{PatientID}", "%PatientID"),
        ("{{ PatientID }}", "%PatientID"),
        ("${PatientID}", "%PatientID"),
        ("%{PatientID}", "%PatientID"),
        ("%(PatientID)s", "%PatientID"),
        ("$PatientID", "%PatientID"),
        ("<PatientID>", "%PatientID"),
        ("[PatientID]", "%PatientID"),
        ("%patientid", "%PatientID"),
        ("% PatientID", "%PatientID"),
        ("%_PatientID", "%PatientID"),
        ("md5|7_PatientID", "%_md5|7_PatientID"),
        ("_md5|7_PatientID", "%_md5|7_PatientID"),
        ("%_md5 PatientID", "%_md5_PatientID"),
        ("%md5(PatientID)", "%_md5_PatientID"),
        ("%hash_PatientID", "%_function_PatientID"),
        ("%name|patientID_PatientName", "%_name|patientID_PatientName"),
        ("%keep_#tag", "%_keep_#tag"),
        ("%_keep #tag", "%_keep_#tag"),
        ("%keep", "%_keep_#tag"),
        ("%_uid", "%_uid_#tag"),
        ("%uid", "%_uid_#tag"),
        ("%hmac|8", "%_hmac|8_#tag"),
        ("sub-%MD5|4", "%_md5|4_#tag"),
        ("%(0010,0020)", "%PatientID"),
        ("%00100020", "%PatientID"),
        ("#TAG", "#tag"),
        ("%tag", "#tag"),
        ("sub-%PatientID-{StudyDate}", "%StudyDate"),
    ],
)
def test_lookalike_is_warned_of_with_what_was_meant(text: str, meant: str) -> None:
    (warning,) = find_lookalikes(text, "PatientName")
    assert warning.startswith("PatientName: '")
    assert f"did you mean {meant}" in warning
    parse_template(meant.replace("function", "md5"), "PatientName")
    assert warning in compile_spec({"PatientComments": text}).warnings or "PatientComments" in str(
        compile_spec({"PatientComments": text}).warnings
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "anon", "PatientID", "a_b", "name_Patient", "50 % of (Modality)", "$100", "a@b.de", "[anon]"),
        *(
            "%%PatientID",
            "%%_md5|7_PatientID",
            "100%-%PatientID",
            "%PatientName^%PatientID",
            "#tag",
            "x-#tag",
        ),
        *("%_md5|7_#tag", KEEP, "sub-%_md5|4_PatientID_ses-%StudyDate", "%_strmsk|******01_PatientBirthDate"),
        *("%_name|patientID_PatientName", "%PatientID 1", "basic_dummy of all", '{"a": 1}', "%s"),
        "y" * 70_000,
    ],
)
def test_what_is_a_directive_or_plain_text_is_not_warned_of(text: str) -> None:
    assert list(find_lookalikes(text, "PatientName")) == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((text, "null without") for text in ("null", "None", "remove", "REMOVE", "delete", "@remove()")),
        *((text, "%_keep_#tag") for text in ("keep", "KEEP", "@keep()")),
        *((text, '""') for text in ("empty", "blank", "@empty()")),
        *((text, "%_function_#tag") for text in ("@hash(this,8)", "func:hash", "var:new_id")),
    ],
)
def test_command_of_another_tool_is_warned_of(text: str, meant: str) -> None:
    (warning,) = find_lookalikes(text, "PatientName")
    assert f"PatientName: '{text}' is plain text" in warning
    assert f"did you mean {meant}" in warning


@pytest.mark.parametrize(
    "text", ["removed", "none", "unknown", "keep out", "x none", "@home", "none@h.org", "func", "a(b)"]
)
def test_other_words_are_not_warned_of(text: str) -> None:
    assert list(find_lookalikes(text, "PatientName")) == []


def test_lookalikes_of_names_and_of_items_are_warned_of_and_those_of_profiles_are_not() -> None:
    rules = compile_rules(
        parse_json('{"RequestAttributesSequence": [{"StudyID": "%PatientID"}]}', "x"),
        output_stem="{PatientID}",
        output_dir="a/$StudyDate",
    )
    told = "\n".join(rules.warnings)
    assert "--outputFileStem: '{PatientID}' is plain text" in told
    assert "--outputDirTemplate: '$StudyDate' is plain text" in told
    assert "StudyID in its items: '%PatientID' will be written as it is" in told
    every = ",".join(("basic", *profile.TABLE_OPTIONS))
    every = every.replace(",retainLongitudinalFullDates", "")
    assert not [
        text for text in compile_spec({}, profile=every, key=bytes(16)).warnings if "plain text" in text
    ]


def test_function_in_capitals_is_an_error_with_what_was_meant() -> None:
    with pytest.raises(SpecError, match=r"unknown function 'MD5'.*did you mean md5\?"):
        parse_template("%_MD5|7_PatientID", "PatientName")


# --- keys that cannot win


@pytest.mark.parametrize(
    ("pairs", "key", "by"),
    [
        ({"re:.*": None, "PatientID": KEEP}, "PatientID", "re:.*"),
        ({"PatientID": KEEP, "re:Patient.*": "x"}, "PatientID", "re:Patient.*"),
        ({"(0010,0020)": KEEP, "re:.*": None}, "(0010,0020)", "re:.*"),
        ({"re:PatientID$": KEEP, "re:Patient.*": None}, "re:PatientID$", "re:Patient.*"),
        ({"re:Patient.*": KEEP, "re:.*": None}, "re:Patient.*", "re:.*"),
        ({"(60xx,3000)": KEEP, "re:OverlayData": None}, "(60xx,3000)", "re:OverlayData"),
        ({"PatientID": "%_clean_#tag", "re:.*": None}, "PatientID", "re:.*"),
        ({"PatientID": "%_empty_#tag", "re:.*": None}, "PatientID", "re:.*"),
        ({"re:.*": None, "OtherPatientIDsSequence": None}, "OtherPatientIDsSequence", "re:.*"),
    ],
    ids=str,
)
def test_key_that_can_never_win_is_warned_of(pairs: dict[str, str | None], key: str, by: str) -> None:
    (warning,) = [text for text in compile_spec(pairs).warnings if "no effect" in text or "stamps" in text]
    assert warning.startswith(f"{key} ")
    assert by in warning


def test_key_that_only_stamps_is_warned_of() -> None:
    (warning,) = compile_spec({"re:.*": None, "PatientID": "X"}).warnings
    assert warning.startswith("PatientID only stamps files that lack the element")


@pytest.mark.parametrize(
    "pairs",
    [
        {"PatientID": KEEP, "re:Patient(Name|Age)": None},
        {"PatientID": KEEP, "(0010,xxxx)": None},
        {"re:.*": None, "re:PatientID$": KEEP},
        {"re:Patient.*": KEEP, "re:PatientID$": None},
        {'(0029,"A",10)': KEEP, "private": None},
        {'(0029,"A",10)': KEEP, "(0029,xxxx)": None},
        {"MediaStorageSOPInstanceUID": KEEP, "re:.*": None},
        {"private": KEEP, "re:.*": None},
    ],
    ids=str,
)
def test_key_that_wins_somewhere_is_not_warned_of(pairs: dict[str, str | None]) -> None:
    assert not [text for text in compile_spec(pairs).warnings if "no effect" in text or "stamps" in text]


@pytest.mark.parametrize("pattern", [".*", "Patient.*|Study.*"])
def test_cure_of_a_key_that_can_never_win_does_what_it_says(pattern: str) -> None:
    (warning,) = compile_spec({f"re:{pattern}": None, "PatientID": KEEP}).warnings
    cure = "rest" if 'write "rest": null' in warning else warning.rpartition("write ")[2]
    rules = compile_spec({cure: None, "PatientID": KEEP})
    assert rules.warnings == ()
    data = written(data_set(PatientName="A^B", PatientID="ID"))
    assert b"ID" in patch_bytes(data, rules)
    assert b"A^B" not in patch_bytes(data, rules)


def test_pattern_that_hits_nothing_but_a_key_is_to_be_taken_out() -> None:
    (warning,) = compile_spec({"re:PatientID": None, "PatientID": KEEP}).warnings
    assert warning.endswith("to let it win take out re:PatientID, which hits nothing else")


def test_keys_of_the_user_that_keep_win_over_a_profile_without_a_warning() -> None:
    warnings = compile_spec({"PatientID": KEEP, "re:Study.*": KEEP}, profile="basic", key=bytes(16)).warnings
    assert not [text for text in warnings if "no effect" in text]


def test_private_that_keeps_with_remove_private_tags_is_warned_of() -> None:
    (warning,) = compile_spec({"private": KEEP}, remove_private_tags=True).warnings
    assert warning.startswith("private has no effect: --removePrivateTags")


def test_keep_private_that_a_stronger_key_beats_is_warned_of() -> None:
    key = '(0029,"A",10)'
    below = profile.load("", (key,))
    beaten = compile_rules(TagSpec(below.spec.pairs + from_pairs([("(0029,xxxx)", None)]).pairs))
    assert profile.find_overridden_keeps(below, beaten) == (
        f"--keepPrivate {key} has no effect: a key of the spec is stronger",
    )
    kept = compile_rules(TagSpec(below.spec.pairs + from_pairs([("private", None)]).pairs))
    assert profile.find_overridden_keeps(below, kept) == ()
