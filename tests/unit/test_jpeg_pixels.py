"""JPEG: blocks under a mask are black, all other coefficients and all other frames are as they were."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pictures import Layout, file_bytes, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from support import Result, run_command

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("jpegio", reason="what reads coefficients is not installed")
pytest.importorskip("simplejpeg", reason="what tells damage is not installed")

from pfdicom_tagSub.cli import argument_checks  # noqa: E402
from pfdicom_tagSub.pixels import jpeg_blocks  # noqa: E402
from pfdicom_tagSub.pixels.jpeg_blocks import Coefficients, header_of  # noqa: E402
from pfdicom_tagSub.run import workforce  # noqa: E402

ROWS, COLUMNS = 93, 118
KINDS: dict[str, dict[str, Any]] = {
    "grey": {},
    "444": {"subsampling": 0},
    "422": {"subsampling": 1},
    "420": {"subsampling": 2},
    "restarts": {"subsampling": 2, "restart_marker_blocks": 3},
    "optimized": {"subsampling": 1, "optimize": True},
}


def clean(folder: Path, content: bytes, *flags: str) -> tuple[Result, bytes]:
    source = folder / "in"
    source.mkdir(exist_ok=True, parents=True)
    (source / "a.dcm").write_bytes(content)
    spec = ("--tagStruct", '{"PatientName": "ANON"}', "--json", "--verify")
    methods = () if flags else ("--cleanPixels", "regions")
    result = run_command(source, folder / "out", *spec, *methods, *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


def jpeg(seed: int, kind: str) -> bytes:
    random = np.random.default_rng(seed)
    shape = (ROWS, COLUMNS) if kind == "grey" else (ROWS, COLUMNS, 3)
    buffer = io.BytesIO()
    Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(
        buffer, "JPEG", quality=85, **KINDS[kind]
    )
    return buffer.getvalue()


def compressed(frames: list[bytes], kind: str, table: str = "basic") -> Dataset:
    photometric = "MONOCHROME2" if kind == "grey" else "YBR_FULL_422"
    layout = Layout(kind, photometric, 8, black=(0,) if kind == "grey" else (0, 128, 128))
    values = np.zeros((1, 2, 2, layout.samples), np.int64)
    made = picture(layout, frames=len(frames), rows=ROWS, columns=COLUMNS, values=values)
    made.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    if table == "extended":
        made.PixelData, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = encapsulate_extended(
            frames
        )
    else:
        count = 3 if table.startswith("fragments") else 1
        has_table = table not in {"none", "fragments alone"}
        made.PixelData = encapsulate(frames, fragments_per_frame=count, has_bot=has_table)
    made["PixelData"].is_undefined_length = True
    made.SequenceOfUltrasoundRegions = [region(20, 30, 99, 92)]
    made.LossyImageCompression = "01"
    return made


def planes_of(folder: Path, data: bytes) -> list[np.ndarray]:
    """The coefficients of a JPEG as another library reads them."""
    jpeglib = pytest.importorskip("jpeglib", reason="the other reader of coefficients is not installed")
    (folder / "a.jpeg").write_bytes(data)
    read = jpeglib.read_dct(str(folder / "a.jpeg"))
    return [plane for plane in (read.Y, read.Cb, read.Cr) if plane is not None]


def frames_in(content: bytes) -> list[bytes]:
    made = pydicom.dcmread(io.BytesIO(content))
    extended = None
    if "ExtendedOffsetTable" in made:
        extended = made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths
    count = int(made.get("NumberOfFrames", 1))
    return list(generate_frames(made.PixelData, number_of_frames=count, extended_offsets=extended))


@pytest.mark.parametrize("table", ["basic", "none", "extended", "fragments", "fragments alone"])
@pytest.mark.parametrize("kind", KINDS)
def test_blocks_outside_of_the_masks_keep_their_coefficients(tmp_path: Path, kind: str, table: str) -> None:
    content = file_bytes(compressed([jpeg(seed, kind) for seed in range(3)], kind, table))
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    (told,) = result.record["pixelsCleaned"]
    assert told["frames"] == 3
    assert told["blocks"] > 0
    before, after = frames_in(content), frames_in(output)
    assert len(after) == 3
    flags = np.zeros((ROWS, COLUMNS), bool)
    for one in told["rectangles"]:
        flags[one["y"] : one["y"] + one["height"], one["x"] : one["x"] + one["width"]] = True
    outside = np.ones_like(flags)
    outside[30:93, 20:100] = False
    assert flags[outside].all()
    for old, new in zip(before, after, strict=True):
        width, height = header_of(old).unit
        for plane, own in zip(planes_of(tmp_path, old), planes_of(tmp_path, new), strict=True):
            across = max(1, round(COLUMNS / 8 / plane.shape[1])) * 8
            down = max(1, round(ROWS / 8 / plane.shape[0])) * 8
            for y in range(plane.shape[0]):
                for x in range(plane.shape[1]):
                    if not flags[min(y * down, ROWS - 1), min(x * across, COLUMNS - 1)]:
                        assert (plane[y, x] == own[y, x]).all()
                    else:
                        assert not own[y, x].reshape(-1)[1:].any()
        shown = np.asarray(Image.open(io.BytesIO(new)).convert("RGB"))
        assert shown[: 30 // height * height - 2, 2:-2].max() < 24
        assert width in {8, 16}


def with_notes(data: bytes) -> bytes:
    """A JPEG with thumbnails, a comment, and bytes behind its end."""
    thumbnail = b"\x05\x04" + b"SMALLPICTURE" * 5
    notes = [
        (0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01" + thumbnail),
        (0xE0, b"JFXX\0\x13" + thumbnail),
        (0xE1, b"Exif\0\0" + thumbnail),
        (0xED, b"Photoshop 3.0\0" + thumbnail),
        (0xFE, b"DOE^JANE"),
        (0xE2, b"ICC_PROFILE\0\x01\x01kept"),
    ]
    segments = (b"\xff" + bytes([marker]) + (len(own) + 2).to_bytes(2, "big") + own for marker, own in notes)
    start = data.index(b"\xff\xdb")  # in the place of its own JFIF segment
    return data[:2] + b"".join(segments) + data[start:] + b"DOE^JANE"


@pytest.mark.parametrize("kind", ["grey", "444", "420"])
def test_notes_of_a_cleaned_frame_go_with_what_it_showed(tmp_path: Path, kind: str) -> None:
    plain = jpeg(1, kind)
    content = file_bytes(compressed([with_notes(plain)], kind))
    assert b"SMALLPICTURE" in content
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    assert b"SMALL" not in output
    assert b"DOE^JANE" not in output
    assert b"ICC_PROFILE" in output
    (after,) = frames_in(output)
    _, alone = clean(tmp_path / "plain", file_bytes(compressed([plain], kind)))
    expected = np.asarray(Image.open(io.BytesIO(frames_in(alone)[0])))
    assert (np.asarray(Image.open(io.BytesIO(after))) == expected).all()


def test_notes_that_stay_fail_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_blocks, "without_notes", lambda data: data)
    result, output = clean(tmp_path, file_bytes(compressed([with_notes(jpeg(1, "444"))], "444")))
    assert result.code == 1
    assert not output
    assert "notes of an application" in result.record["failures"][0]["reason"]


def test_jpeg_that_claims_more_than_its_bytes_can_hold_fails_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(jpeg(1, "444"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = (4000).to_bytes(2, "big") * 2
    made = compressed([bytes(data)], "444")
    made.Rows = made.Columns = 4000
    monkeypatch.setattr("simplejpeg.decode_jpeg", None)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "too few bytes" in result.record["failures"][0]["reason"]


def test_black_jpeg_has_bytes_enough(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (2048, 2048)).save(buffer, "JPEG", quality=5, subsampling=2, optimize=True)
    made = compressed([buffer.getvalue()], "420")
    made.Rows = made.Columns = 2048
    result, _ = clean(tmp_path, file_bytes(made))
    assert result.code == 0, result.out


def test_frames_are_in_no_file_that_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    result, _ = clean(tmp_path, file_bytes(compressed([jpeg(1, "420")], "420")))
    assert result.code == 0, result.out


def test_frames_are_in_no_file_that_has_a_name_where_memory_has_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jpegio = pytest.importorskip("jpegio")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.delattr(os, "memfd_create", raising=False)
    seen = []
    for name in ("read", "write"):
        own = getattr(jpegio, name)
        monkeypatch.setattr(
            jpegio,
            name,
            lambda *given, own=own: seen.append(os.listdir(tempfile.tempdir)) or own(*given),
        )
    result, _ = clean(tmp_path, file_bytes(compressed([jpeg(1, "420")], "420")))
    assert result.code == 0, result.out
    assert seen == [[]] * 4  # one reading and writing, and two readings of the check


def in_three_scans(qualities: tuple[int, int, int]) -> bytes:
    """A JPEG each of whose components has a scan of its own, and tables of its own quality before it."""
    buffers = []
    for seed, quality in enumerate(qualities):
        buffer = io.BytesIO()
        values = np.random.default_rng(seed).integers(0, 255, (ROWS, COLUMNS), dtype=np.uint8)
        Image.fromarray(values).save(buffer, "JPEG", quality=quality)
        buffers.append(buffer.getvalue())
    frame = b"\xff\xc0\0\x11\x08" + ROWS.to_bytes(2, "big") + COLUMNS.to_bytes(2, "big") + b"\3"
    frame += b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    data = b"\xff\xd8" + b"\xff\xdb\0\x43" + buffers[0].partition(b"\xff\xdb\0\x43")[2][:65] + frame
    for number, one in enumerate(buffers, 1):
        tables = one.index(b"\xff\xdb"), one.index(b"\xff\xc0"), one.index(b"\xff\xc4")
        scan = one.index(b"\xff\xda")
        head = one[tables[0] : tables[1]] + one[tables[2] : scan] + one[scan : scan + 5]
        data += head + bytes([number]) + one[scan + 6 : -2]
    return data + b"\xff\xd9"


def test_tables_that_change_between_scans_fail(tmp_path: Path) -> None:
    result, output = clean(tmp_path, file_bytes(compressed([in_three_scans((90, 30, 60))], "444")))
    assert result.code == 1
    assert not output
    assert "differs" in result.record["failures"][0]["reason"]


def test_scans_of_one_component_are_cleaned(tmp_path: Path) -> None:
    data = in_three_scans((90, 90, 90))
    for _ in range(5):  # what jpegio does not know of later scans is what happened to be in memory
        made = Coefficients(data).encoded()
        assert [plane.tolist() for plane in Coefficients(made).planes] == [
            plane.tolist() for plane in Coefficients(data).planes
        ]
    result, output = clean(tmp_path, file_bytes(compressed([data], "444")))
    assert result.code == 0, result.out
    assert output


def odd_jpegs() -> list[bytes]:
    """JPEG that are right and rare: scans and tables in other orders, marks, fill bytes."""
    plain = jpeg(1, "444")
    scan = plain.index(b"\xff\xda")
    tables = plain.index(b"\xff\xdb")
    unused = b"\xff\xdb\0\x43\3" + bytes([9]) * 64
    adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\1"
    return [
        in_three_scans((90, 90, 90)),
        jpeg(2, "grey"),
        jpeg(3, "420"),
        plain[:tables] + unused + plain[tables:],
        plain[:2] + adobe + plain[2:],
        plain[:scan] + b"\xff\xdd\0\4\0\0\xff\xff" + plain[scan:],
        plain[:-2] + b"\xff\xff\xff\xd9",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is filled by glibc")
def test_what_happened_to_be_in_memory_makes_no_difference(tmp_path: Path) -> None:
    for index, data in enumerate(odd_jpegs()):
        (tmp_path / f"{index}.jpg").write_bytes(data)
    code = """
import subprocess
import sys
from pathlib import Path
from pfdicom_tagSub.pixels.jpeg_blocks import Coefficients
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(sorted({Coefficients(path.read_bytes()).encoded().hex() for _ in range(20)}))
"""
    found = [
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "MALLOC_PERTURB_": byte},
            capture_output=True, text=True, check=True,
        ).stdout
        for byte in ("0", "85", "254")
    ]  # fmt: skip
    assert found[0].count("'") == 2 * len(odd_jpegs())
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("factors", [0x31, 0x42, 0x14])
def test_factors_in_which_nothing_tells_damage_fail_and_say_so(tmp_path: Path, factors: int) -> None:
    data = bytearray(jpeg(1, "444"))
    data[data.index(b"\xff\xc0") + 11] = factors
    result, output = clean(tmp_path, file_bytes(compressed([bytes(data)], "444")))
    assert result.code == 1
    assert not output
    assert "colour subsampling" in result.record["failures"][0]["reason"]


def test_pictures_that_pillow_takes_for_an_attack_are_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    content = file_bytes(compressed([jpeg(1, "420")], "420"))
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    assert output


def with_components(data: bytes, numbers: tuple[int, ...], *notes: bytes) -> bytes:
    """A JPEG with other numbers of its components, and these notes in the place of the JFIF segment."""
    made = bytearray(data)
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    for index, number in enumerate(numbers):
        made[frame + 10 + 3 * index] = made[scan + 5 + 2 * index] = number
    return data[:2] + b"".join(notes) + bytes(made[data.index(b"\xff\xdb") :])


ADOBE = b"\xff\xee\0\x0eAdobe\0\x65\0\0\0\0"
JFIF = b"\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


@pytest.mark.parametrize(
    ("numbers", "notes", "is_colour"),
    [
        ((1, 2, 3), [], True),
        ((0, 1, 2), [], True),
        ((82, 71, 66), [], False),
        ((82, 71, 66), [JFIF], True),
        ((82, 71, 66), [ADOBE + b"\1"], True),
        ((1, 2, 3), [ADOBE + b"\0"], False),
        ((1, 2, 3), [JFIF, ADOBE + b"\0"], True),
    ],
)
def test_black_is_that_of_the_colours_that_the_jpeg_has(
    tmp_path: Path, numbers: tuple[int, ...], notes: list[bytes], is_colour: bool
) -> None:
    data = with_components(jpeg(1, "444"), numbers, *notes)
    assert jpeg_blocks.is_light_and_colour(data) is is_colour
    result, output = clean(tmp_path, file_bytes(compressed([data], "444")))
    assert result.code == 0, result.out
    (after,) = frames_in(output)
    assert after.count(b"Adobe") <= 1
    before, shown = (np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in (data, after))
    assert shown[:22].max() < 24
    assert (shown[34:, 26:94] == before[34:, 26:94]).all()


def test_fragments_that_nobody_can_assign_fail(tmp_path: Path) -> None:
    made = compressed([jpeg(1, "444"), jpeg(2, "444")], "444", "fragments alone")
    made.NumberOfFrames = 3
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "do not make the frames" in result.record["failures"][0]["reason"]


def test_frames_without_a_mask_keep_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
    from pfdicom_tagSub.pixels.detecting import TextFinder
    from pfdicom_tagSub.pixels.rectangles import Rectangle

    looked: list[int] = []

    def look(_: object, *_further: Any) -> tuple[Rectangle, ...]:
        looked.append(1)
        return (Rectangle(5, 5, 20, 10),) if len(looked) == 2 else ()

    monkeypatch.setattr(TextFinder, "__init__", lambda _: None)
    monkeypatch.setattr(TextFinder, "texts", look)
    monkeypatch.setattr(workforce, "may_crash", lambda _: False)  # what is noted here is noted there, too
    made = compressed([jpeg(seed, "420") for seed in (0, 1, 2, 0)], "420")
    del made.SequenceOfUltrasoundRegions
    content = file_bytes(made)
    result, output = clean(tmp_path, content, "--cleanPixels", "text")
    assert result.code == 0, result.out
    assert len(looked) == 3  # equal frames are looked at once
    before, after = frames_in(content), frames_in(output)
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True, True]


def test_group_length_of_pixels_stays_true(tmp_path: Path) -> None:
    made = compressed([jpeg(0, "grey")], "grey")
    content = file_bytes(made)
    pixels = content.index(b"\xe0\x7f\x10\x00OB")
    size = len(content) - pixels
    content = content[:pixels] + b"\xe0\x7f\0\0UL\4\0" + size.to_bytes(4, "little") + content[pixels:]
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    pixels = output.index(b"\xe0\x7f\x10\x00OB")
    assert int.from_bytes(output[pixels - 4 : pixels], "little") == len(output) - pixels


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: b"\0" * len(data), "no JPEG"),
        (lambda data: data[:160] + bytes(200) + data[360:], ""),
    ],
    ids=["cut", "zeros", "holes"],
)
def test_damaged_frames_fail(tmp_path: Path, damage: Any, reason: str) -> None:
    result, output = clean(tmp_path, file_bytes(compressed([damage(jpeg(0, "420"))], "420")))
    assert result.code == 1
    assert not output
    assert reason in json.dumps(result.record["failures"])


@pytest.mark.parametrize("kind", ["grey", "420", "restarts"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda data, at: data[:at] + data[at + 900 :],
        lambda data, at: data[:at] + bytes(range(60)) + data[at:],
        lambda data, at: data[:at] + b"\xff" + data[at + 1 :],
        lambda data, at: data[:at] + b"\xff\xd9",
        lambda data, at: data[:-2],
    ],
    ids=["bytes lost", "bytes more", "marker", "early end", "no end"],
)
def test_damage_within_a_scan_fails(tmp_path: Path, kind: str, damage: Any) -> None:
    whole = jpeg(0, kind)
    data = damage(whole, len(whole) // 2)
    result, output = clean(tmp_path, file_bytes(compressed([data], kind)))
    assert result.code == 1
    assert not output
    assert "damaged" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize(("module", "package"), [("simplejpeg", "simplejpeg"), ("jpegio", "pyjpegio")])
def test_package_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, module, None)
        result, _ = clean(tmp_path, file_bytes(compressed([jpeg(0, "grey")], "grey")))
        assert result.code == 2
        assert f"pip install {package}" in result.err
    monkeypatch.setattr(argument_checks, "find_spec", lambda name: name)  # a worker elsewhere may lack it
    monkeypatch.setitem(sys.modules, module, None)
    result, _ = clean(tmp_path, file_bytes(compressed([jpeg(0, "grey")], "grey")))
    assert result.code == 1
    assert f"pip install {package}" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize(
    ("keyword", "value"), [("Rows", 60000), ("NumberOfFrames", 7), ("SamplesPerPixel", 1)]
)
def test_frames_that_contradict_the_header_fail(tmp_path: Path, keyword: str, value: int) -> None:
    made = compressed([jpeg(0, "420"), jpeg(1, "420")], "420")
    setattr(made, keyword, value)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output


def test_progressive_and_other_compressions_fail_with_a_reason(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((ROWS, COLUMNS), np.uint8)).save(buffer, "JPEG", progressive=True)
    result, _ = clean(tmp_path, file_bytes(compressed([buffer.getvalue()], "grey")))
    assert result.code == 1
    assert "baseline" in result.record["failures"][0]["reason"]
    made = compressed([jpeg(0, "grey")], "grey")
    made.file_meta.TransferSyntaxUID = uid.UID("1.2.840.10008.1.2.4.102")
    result, _ = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert "video" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize(
    ("block", "reason"), [((0, 0, 0, 0), "not black"), ((0, 0, 3, 1), "not black"), ((6, 6, 0, 0), "differs")]
)
@pytest.mark.parametrize("plane", [0, 2])
def test_one_wrong_coefficient_is_found_when_it_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plane: int, block: tuple[int, ...], reason: str
) -> None:
    blacken = Coefficients.blacken

    def spoilt(self: Coefficients, *given: Any, **named: Any) -> int:
        count = blacken(self, *given, **named)
        self.planes[plane][block] += 1
        return count

    monkeypatch.setattr(Coefficients, "blacken", spoilt)
    result, output = clean(tmp_path, file_bytes(compressed([jpeg(1, "444"), jpeg(2, "444")], "444")))
    assert result.code == 1
    assert not output
    assert reason in result.record["failures"][0]["reason"]
