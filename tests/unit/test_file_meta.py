"""File meta over which readers differ fails its file; file meta over which they agree is patched."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from builders import (
    EXPLICIT,
    IMPLICIT,
    SOP_CLASS,
    Form,
    element,
    file_of,
    item,
    process,
    read,
    rules_of,
    sequence,
    substitute,
)
from installed import Trees
from support import run_command

from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import load

NAME = 0x00100010
SECRET = b"Zebulon^Ophelia"
SPEC = {"PatientName": "ANON", "SOPInstanceUID": "1.2.3.99"}

PARTS = {
    0x00020001: ("OB", b"\0\1"),
    0x00020002: ("UI", SOP_CLASS.encode()),
    0x00020003: ("UI", b"1.2.3.4.5"),
    0x00020010: ("UI", EXPLICIT.syntax.encode()),
    0x00020012: ("UI", b"1.2.826.0.1.3680043.8.498.1"),
}
VERSION, SOP_CLASS_PART, INSTANCE, SYNTAX, IMPLEMENTATION = (
    element(tag, vr, value, EXPLICIT) for tag, (vr, value) in PARTS.items()
)
META = VERSION + SOP_CLASS_PART + INSTANCE + SYNTAX + IMPLEMENTATION
DATA = element(0x00080018, "UI", b"1.2.3.4.5", EXPLICIT) + element(NAME, "PN", SECRET, EXPLICIT)


def length(size: int, form: Form = EXPLICIT) -> bytes:
    return element(0x00020000, "UL", struct.pack("<I", size), form)


def file(meta: bytes, data: bytes = DATA) -> bytes:
    return bytes(128) + b"DICM" + meta + data


IN_META = element(0x00020102, "OB", item(element(NAME, "PN", SECRET, EXPLICIT), EXPLICIT), EXPLICIT)
SEQUENCE = sequence(0x00020099, item(element(NAME, "PN", SECRET, EXPLICIT), EXPLICIT), EXPLICIT)
LOST_VR = element(0x00020001, "OB", b"\0\1", IMPLICIT)
CONTRADICTIONS = {
    **{
        f"length {off:+d}": (file(length(len(META) + off) + META), "group length (0002,0000)")
        for off in (-len(META), -len(IMPLEMENTATION), -8, -1, 1, 8, len(DATA), 10_000)
    },
    "length of two bytes": (file(element(0x00020000, "US", b"\x40\0", EXPLICIT) + META), "(0002,0000)"),
    "length that is not first": (file(VERSION + length(0) + META[len(VERSION) :]), "does not stand first"),
    "zeros that are counted": (file(length(len(META) + 4) + META + bytes(4)), "group length (0002,0000)"),
    "more zeros that are counted": (file(length(len(META) + 16) + META + bytes(16)), "group length"),
    "zeros that are not counted": (file(length(len(META)) + META + bytes(8)), "zeros"),
    "zeros without a length": (file(META + bytes(16)), "zeros"),
    "a second preamble": (file(length(len(META)) + META + bytes(128) + b"DICM"), "zeros"),
    "a command element": (file(length(len(META)) + META + element(0x2, "UI", b"1.2", EXPLICIT)), "zeros"),
    "two transfer syntaxes": (
        file(length(len(META) + len(SYNTAX)) + META + SYNTAX),
        "(0002,0010) occurs twice",
    ),
    "two UIDs": (file(META + INSTANCE), "(0002,0003) occurs twice"),
    "two lengths": (file(length(len(META) + 12) + length(len(META)) + META), "(0002,0000) occurs twice"),
    "another group that is counted": (
        file(length(len(META) + 10) + META + element(0x00030010, "LO", b"x", EXPLICIT)),
        "group length",
    ),
    "an element without VR": (
        file(length(len(META) - len(VERSION) + len(LOST_VR)) + LOST_VR + META[len(VERSION) :]),
        "(0002,0001) has no VR",
    ),
    "an explicit length before implicit VR": (file(length(len(LOST_VR)) + LOST_VR), "(0002,0001) has no VR"),
    "a transfer syntax as text": (
        file(length(len(META)) + META.replace(SYNTAX, SYNTAX.replace(b"UI", b"LO"))),
        "(0002,0010)",
    ),
    "items in private information": (file(length(len(META + IN_META)) + META + IN_META), "(0002,0102)"),
    "a sequence": (file(length(len(META + SEQUENCE)) + META + SEQUENCE), "(0002,0099)"),
    "a length beyond the file": (file(length(1 << 31) + META), "group length"),
    "a file that ends with the group length": (file(length(len(META)), b""), "the file is cut off"),
    "a file that ends between two elements": (file(length(len(META)) + VERSION, b""), "the file is cut off"),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_file_meta_that_contradicts_itself_fails_with_the_reason(kind: str, tmp_path: Path) -> None:
    content, reason = CONTRADICTIONS[kind]
    outcome = substitute(content, SPEC, tmp_path).outcome
    assert (outcome.status, outcome.stage) == (Status.FAILED, Stage.READ)
    assert reason in outcome.reason
    assert "Zebulon" not in outcome.reason


AGREED = {
    "plain": length(len(META)) + META,
    "no length": META,
    "out of order": length(len(META)) + SYNTAX + INSTANCE + VERSION + IMPLEMENTATION + SOP_CLASS_PART,
}


@pytest.mark.parametrize("kind", AGREED)
def test_file_meta_that_all_readers_read_alike_is_patched(kind: str, tmp_path: Path) -> None:
    output = substitute(file(AGREED[kind]), SPEC, tmp_path).data_set
    assert output.file_meta.MediaStorageSOPInstanceUID == output.SOPInstanceUID == "1.2.3.99"
    assert output.file_meta.ImplementationClassUID == "1.2.826.0.1.3680043.8.498.1"


@pytest.mark.parametrize("has_length", [True, False])
def test_file_meta_in_implicit_vr_stays_in_implicit_vr(has_length: bool, tmp_path: Path) -> None:
    def made(instance: bytes) -> bytes:
        values = {**PARTS, 0x00020003: ("UI", instance)}
        meta = b"".join(element(tag, vr, value, IMPLICIT) for tag, (vr, value) in values.items())
        return (length(len(meta), IMPLICIT) if has_length else b"") + meta

    data = element(0x00080018, "UI", b"1.2.3.99", EXPLICIT) + element(NAME, "PN", b"ANON", EXPLICIT)
    for verify in (False, True):
        worker = Worker(Settings(rules_of(SPEC), verify=verify))
        result = process(worker, file(made(b"1.2.3.4.5")), tmp_path)
        assert result.content == file(made(b"1.2.3.99"), data), result.outcome.reason


@pytest.mark.parametrize(
    "tag", [0x00020003, 0x00020010, 0x00020016, 0x00020102], ids=lambda tag: f"{tag:08x}"
)
def test_element_of_the_file_meta_in_the_data_set_fails(tag: int, tmp_path: Path) -> None:
    data = DATA + element(tag, "UI", b"1.2.3.4.5", EXPLICIT)
    result = substitute(file_of(data), {"PatientName": "ANON"}, tmp_path)
    assert result.outcome.status is Status.FAILED
    assert "stands in the data set" in result.outcome.reason


def test_element_of_the_file_meta_that_is_to_follow_fails_in_an_item_too(tmp_path: Path) -> None:
    inner = item(element(0x00020003, "UI", b"1.2.3.4.5", EXPLICIT), EXPLICIT)
    content = file_of(DATA + sequence(0x00400275, inner, EXPLICIT))
    outcome = substitute(content, {"SOPInstanceUID": "1.2.3.99"}, tmp_path).outcome
    assert outcome.status is Status.FAILED
    assert "stands in the data set" in outcome.reason


# --- the UID that it repeats of the data set (PS3.10 7.1)


def profiled(content: bytes, folder: Path, options: str = "basic") -> tuple[str, str]:
    """The two UIDs under a profile."""
    worker = Worker(Settings(compile_rules(load(options).spec)))
    output = process(worker, content, folder).data_set
    return str(output.file_meta.MediaStorageSOPInstanceUID), str(output.SOPInstanceUID)


def test_media_storage_instance_that_differed_follows_a_spec(tmp_path: Path) -> None:
    output = substitute(file_of(DATA, instance="9.9.9"), {"SOPInstanceUID": "%SOPInstanceUID.1"}, tmp_path)
    assert output.data_set.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4.5.1"


def test_media_storage_instance_that_differed_follows_the_profile(tmp_path: Path) -> None:
    media, own = profiled(file_of(DATA, instance="9.9.9"), tmp_path)
    assert media == own
    assert media not in {"9.9.9", "1.2.3.4.5"}


def test_media_storage_instance_is_kept_where_the_profile_keeps_uids(tmp_path: Path) -> None:
    assert profiled(file_of(DATA, instance="9.9.9"), tmp_path, "basic,retainUIDs") == ("9.9.9", "1.2.3.4.5")


def test_media_storage_instance_without_one_to_follow_has_the_profiles(tmp_path: Path) -> None:
    content = file_of(element(NAME, "PN", SECRET, EXPLICIT), instance="9.9.9")
    worker = Worker(Settings(compile_rules(load("basic").spec)))
    output = process(worker, content, tmp_path).data_set
    assert output.file_meta.MediaStorageSOPInstanceUID not in {"9.9.9", ""}


def test_media_storage_instance_follows_one_that_a_user_keeps(trees: Trees) -> None:
    (trees.inputs / "a.dcm").write_bytes(file_of(DATA, instance="9.9.9"))
    keep = ("--profile", "basic", "--tagStruct", '{"SOPInstanceUID": "%_keep_#tag"}')
    assert run_command(trees.inputs, trees.outputs, *keep).code == 0
    output = read((trees.outputs / "a.dcm").read_bytes())
    assert output.file_meta.MediaStorageSOPInstanceUID == output.SOPInstanceUID == "1.2.3.4.5"


def test_media_storage_instance_follows_though_a_user_names_both(tmp_path: Path) -> None:
    spec = {
        "SOPInstanceUID": "%SOPInstanceUID.1",
        "MediaStorageSOPInstanceUID": "%MediaStorageSOPInstanceUID.1",
    }
    output = substitute(file_of(DATA, instance="9.9.9"), spec, tmp_path).data_set
    assert output.file_meta.MediaStorageSOPInstanceUID == output.SOPInstanceUID == "1.2.3.4.5.1"
