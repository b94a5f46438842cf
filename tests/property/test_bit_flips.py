"""One flipped bit in the header of a real file: no reader shows the original in what is written.

Before the pixel data of each file bits are flipped, one at a time: one in ``SPACING``, fewer
without ``--all``, all with ``BIT_FLIPS=all``. The pixels end in black rows, as zeros are what a
reader that lost its way takes for elements. An output without the bytes of the name needs no
judge; the others are shown to every installed reader (see ``judges``).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from builders import rules_of
from judges import JUDGES, Secrets
from selection import step

from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.dicom.edits import pieces
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Output, Patcher
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import load

TEST_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
SPACING = 41
STEP = 1 if os.environ.get("BIT_FLIPS") == "all" else step(SPACING)
SECRET = "SMUGGLED^EVE"
PATIENT_NAME = 0x00100010
BLACK = 90_000
NAMES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "liver_1frame.dcm",
)

RULES = {
    "inserting": rules_of({"PatientName": "ANON", "PatientID": "ANONID"}),
    "not inserting": rules_of({"re:PatientName$": "ANON", "re:PatientID$": "ANONID"}),
    "basic": compile_rules(load("basic").spec),
}


def with_black_rows(name: str) -> tuple[bytes, int]:
    """A real file with a made-up patient and black rows, and where its pixels begin."""
    path = TEST_FILES / name
    content = path.read_bytes()
    data_set = pydicom.dcmread(path)
    patient = data_set.get_item(PATIENT_NAME)
    content = content.replace(patient.value, SECRET.encode().ljust(len(patient.value))[: len(patient.value)])
    pixels = data_set.get_item(0x7FE00010).value_tell
    order = ">" if name.endswith("bigendian.dcm") else "<"
    rows = bytes(1 + at % 255 for at in range(30_000)) + bytes(BLACK)
    return content[: pixels - 4] + struct.pack(order + "I", len(rows)) + rows, pixels


def flips(content: bytes, stop: int, first: int) -> Iterator[bytes]:
    """The content with one bit flipped, for every bit before ``stop`` or some of them."""
    for bit in range(128 * 8 + first, stop * 8, STEP):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def output_of(patcher: Patcher, content: bytes) -> bytes:
    """What is written; the reason for a file that fails or is skipped."""
    try:
        file = parse(BytesSource(content))
        patched = patcher.patch(file, patcher.scan(file))
    except (FileError, NotDicomError) as error:
        return str(error).encode()
    return b"".join(pieces(file.source, Output(file, patched).chunks()))


@pytest.mark.parametrize("spec", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_one_flipped_bit_shows_no_original_to_any_reader(name: str, spec: str, tmp_path: Path) -> None:
    content, pixels = with_black_rows(name)
    secret = SECRET[:8]
    assert secret.encode() in content
    patcher = Patcher(RULES[spec])
    written: Secrets = {}
    for number, flipped in enumerate(flips(content, pixels, NAMES.index(name) * 7)):
        output = output_of(patcher, flipped)
        if secret.encode() in output:
            assert len(output) > BLACK, "a reason holds the name"
            path = tmp_path / str(number)
            path.write_bytes(output)
            written[path] = secret
    for judge in JUDGES:
        if judge.is_installed and written:
            shown = judge.showing(written, frozenset({PATIENT_NAME}))
            assert not shown, f"{judge.name} shows the name of {sorted(path.name for path in shown)}"


def test_flip_of_no_bit_is_written_without_the_name() -> None:
    for name in NAMES:
        output = output_of(Patcher(RULES["not inserting"]), with_black_rows(name)[0])
        assert len(output) > BLACK
        assert SECRET.encode()[:8] not in output
