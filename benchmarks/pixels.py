"""What the cleaning of pixels finds, changes and costs, beside a peer.

Use::

    python benchmarks/pixels.py found --count 54     # planted text gone, false alarms, changed numbers
    python benchmarks/pixels.py speed                # frames per second of one core, by method
    python benchmarks/pixels.py text                 # the same of the method text
    python benchmarks/pixels.py memory --frames 2000 # the largest memory for a cine, and for a tenth of it

``found`` takes the pictures of ``tests/helpers/planted_pictures.py``. With ``--peer PYTHON``, an interpreter
whose environment has ``deid`` and the pylibjpeg packages, deid's DicomCleaner gets the same files in the same
run; with ``--presidio PYTHON`` presidio-image-redactor does, with ``--dcm-anonymizer PYTHON``
dcm-anonymizer, and with ``--rapidocr PYTHON`` one look of rapidocr's detector of text, as also in ``text``
(``pixel_peer_presidio.py``, ``pixel_peer_dcm_anon.py`` and ``pixel_peer_rapidocr.py`` say what these need).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import simplejpeg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "helpers"))

from cine import write_cine
from picture_score import masks_of, numbers_of, score
from pictures import Layout, file_bytes, picture, region
from planted_pictures import KINDS, Planted, planted
from pydicom import uid
from pydicom.encaps import encapsulate

PICTURES = 8
"""How many of a kind are looked at to tell how long it takes."""

MISSED_SHOWN = 20
"""How many of the lines that a tool missed are named."""

HERE = Path(__file__).resolve().parent
TOOL = [sys.executable, "-m", "pfdicom_tagSub"]
SPEC = ["--tagInfo", "PatientName:anon", "-v", "0", "--json"]


def run_tool(source: Path, output: Path, *flags: str) -> tuple[dict[str, Any], float, int]:
    """The record of a run, its seconds of processor time, and its largest memory in bytes."""
    command = [*TOOL, str(source), str(output), *SPEC, *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        told = running.stdout.read()
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    return json.loads(told), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


def found(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure what is found, and what else is blackened or changed."""
    pictures: dict[str, Planted] = {}
    source = folder / "in"
    source.mkdir()
    for number in range(arguments.first, arguments.first + arguments.count):
        for has_text in (True, False):
            one = planted(number, has_text=has_text)
            name = f"{'text' if has_text else 'none'}-{one.name}.dcm"
            (source / name).write_bytes(one.content)
            pictures[name] = one
    flags = ("--cleanPixels", "text", "--cleanPixelsOf", "all")
    record, seconds, _ = run_tool(source, folder / "out", *flags)
    told = {one["path"]: one["rectangles"] for one in record["pixelsCleaned"]}
    masks = {name: masks_of(told.get(name, []), one.values.shape[:3]) for name, one in pictures.items()}
    report("pfdicom_tagSub", pictures, folder / "out", masks, seconds, len(record["failures"]))
    if arguments.peer:
        peer(arguments.peer, pictures, source, folder / "peer")
    if arguments.presidio:
        presidio(arguments.presidio, pictures, source, folder / "presidio")
    if arguments.dcm_anonymizer:
        dcm_anonymizer(arguments.dcm_anonymizer, pictures, source, folder / "dcm_anonymizer")
    if arguments.rapidocr:
        rapidocr(arguments.rapidocr, pictures, source, folder / "rapidocr")


def told_by(python: str, script: str, *paths: Path) -> dict[str, Any]:
    """What a peer tells, which runs in the environment of an interpreter."""
    command = [python, str(HERE / script), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{script}: {done.stderr.strip()[-400:]}")
    told: dict[str, Any] = json.loads(done.stdout.partition("RESULT")[2])
    return told


def peer(python: str, pictures: dict[str, Planted], source: Path, output: Path) -> None:
    """Measure deid: what it blackened is what differs and is black."""
    told = told_by(python, "pixel_peer.py", source, output)
    masks = {}
    for name, one in pictures.items():
        path = output / name
        same = masks[name] = np.zeros(one.values.shape[:3], bool)
        if path.exists():
            try:
                before, after = numbers_of(one.content), numbers_of(path.read_bytes())
            except ValueError:  # pydicom cannot read its output
                continue
            if before.shape == after.shape:
                same[:] = (before != after).any(axis=3) & (after == 0).all(axis=3)
    report("deid", pictures, output, masks, told["seconds"], len(told["failed"]))


def presidio(python: str, pictures: dict[str, Planted], source: Path, output: Path) -> None:
    """Measure presidio-image-redactor: it tells the boxes that it filled."""
    told = told_by(python, "pixel_peer_presidio.py", source, output)
    masks = {}
    for name, one in pictures.items():
        masks[name] = np.zeros(one.values.shape[:3], bool)
        for left, top, width, height in told["boxes"].get(name, []):
            masks[name][:, max(top, 0) : top + height, max(left, 0) : left + width] = True
    report("presidio", pictures, output, masks, told["seconds"], len(told["failed"]))


def dcm_anonymizer(python: str, pictures: dict[str, Planted], source: Path, output: Path) -> None:
    """Measure dcm-anonymizer: it blackens nothing, and names files in which it reads a date or a number."""
    told = told_by(python, "pixel_peer_dcm_anon.py", source, output)
    masks = {name: np.zeros(one.values.shape[:3], bool) for name, one in pictures.items()}
    report("dcm-anonymizer", pictures, output, masks, told["seconds"], len(told["failed"]))
    with_text = sum(name.startswith("text-") for name in told["read"])
    print(
        f"  files in which it read something: {with_text} with text, {len(told['read']) - with_text} without"
    )


def rapidocr(python: str, pictures: dict[str, Planted], source: Path, output: Path) -> None:
    """Measure one look of rapidocr's detector, as if what it finds were blackened with a margin."""
    told = told_by(python, "pixel_peer_rapidocr.py", source, output)
    masks = {name: np.zeros(one.values.shape[:3], bool) for name, one in pictures.items()}
    for name, boxes in told["boxes"].items():
        for frame, left, top, width, height in boxes:
            masks[name][frame, max(top, 0) : top + height, max(left, 0) : left + width] = True
    report("rapidocr's detector", pictures, output, masks, told["seconds"], len(told["failed"]))


def report(
    tool: str,
    pictures: dict[str, Planted],
    output: Path,
    masks: dict[str, np.ndarray],
    seconds: float,
    failed: int,
) -> None:
    """Print a table."""
    sums: Counter[str] = Counter()
    area = 0.0
    missed = []
    for name, one in pictures.items():
        path = output / name
        if not path.exists():
            sums["no output"] += 1
            continue
        try:
            result = score(one, path.read_bytes(), masks[name])
        except ValueError:
            sums["outputs that pydicom cannot read"] += 1
            continue
        kind = "ultrasound and captures" if one.kind in {"us", "capture"} else "others"
        sums[f"lines of {kind}"] += result.gone + len(result.left)
        sums[f"gone of {kind}"] += result.gone
        sums["files with other numbers outside"] += result.changed > 0 and "-jpeg-" not in name
        if one.lines:
            missed += [f"{one.name} {line.text} {line.style} {line.size}" for line, _, _ in result.left]
        else:
            sums["pictures without text"] += 1
            sums["of these, some blackened"] += bool(masks[name].any())
            area += float(masks[name].mean())
    print(f"\n{tool}: {len(pictures)} files, {seconds:.1f} s, {failed} failed")
    for label, count in sorted(sums.items()):
        print(f"  {label}: {count}")
    print(f"  blackened of pictures without text: {100 * area / max(sums['pictures without text'], 1):.2f} %")
    known = sorted(set(missed))
    for text in known[:MISSED_SHOWN]:
        print(f"  missed: {text}")
    if len(known) > MISSED_SHOWN:
        print(f"  missed: {len(known) - MISSED_SHOWN} more", flush=True)


def speed(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure frames per second of one core."""
    source = folder / "in"
    source.mkdir()
    frames = arguments.frames or 600
    write_cine(source / "a.dcm", frames)
    base = 0.0
    for label, flags in (
        ("plain", ()),
        ("regions", ("--cleanPixels", "regions")),
        ("regions, devices", ("--cleanPixels", "regions,devices")),
    ):
        times = []
        for number in range(3):
            _, seconds, _ = run_tool(source, folder / f"{label}{number}", *flags)
            times.append(seconds)
            for path in (folder / f"{label}{number}").glob("*.dcm"):
                path.unlink()
        best = min(times)
        base = base or best
        print(f"{label:18} {frames / best:8.0f} frames/s, {best / base:.2f} times plain")
    (source / "a.dcm").unlink()
    compressed(source, folder)


def text(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure the method text."""
    source = folder / "in"
    source.mkdir()
    write_cine(source / "a.dcm", 1)
    run_tool(source, folder / "first", "--cleanPixels", "text")  # the first run compiles modules
    for kind, has_text in itertools.product((*KINDS, COLOURED), (True, False)):
        looks(arguments, kind, source, folder, has_text=has_text)
    cine(source, folder)


def jpeg(source: Path, folder: Path, layout: Layout, values: np.ndarray) -> None:
    """The same for JPEG, whose blocks are replaced."""
    made = picture(layout, frames=len(values), rows=480, columns=640, values=values)
    frames = [simplejpeg.encode_jpeg(np.ascontiguousarray(one, np.uint8), 85, "RGB", "422") for one in values]
    made.PixelData = encapsulate(frames)
    made["PixelData"].is_undefined_length = True
    made.PhotometricInterpretation = "YBR_FULL_422"
    made.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    made.SequenceOfUltrasoundRegions = [region(80, 60, 631, 471)]
    (source / "a.dcm").write_bytes(file_bytes(made))
    _, empty, _ = run_tool(source, folder / "JPEG-plain")
    _, seconds, _ = run_tool(source, folder / "JPEG", "--cleanPixels", "regions")
    own = max(seconds - empty, 0.01)
    print(f"regions, JPEG      {len(values) / own:7.1f} frames/s of 640 x 480 in colour, {own:.2f} s")


def compressed(source: Path, folder: Path) -> None:
    """The same for compressed cines of colour, an ultrasound sector that moves, beside the codecs alone."""
    frames = 20
    layout = Layout("rgb", "RGB", 8, black=(0, 0, 0))
    values = np.repeat(moving_sector(frames), 3, axis=3)
    jpeg(source, folder, layout, values)
    for label, syntax in (
        ("RLE", uid.RLELossless),
        ("JPEG-LS", uid.JPEGLSLossless),
        ("JPEG 2000", uid.JPEG2000Lossless),
    ):
        made = picture(layout, frames=frames, rows=480, columns=640, values=values)
        made.SequenceOfUltrasoundRegions = [region(80, 60, 631, 471)]
        made.compress(syntax, generate_instance_uid=False)
        (source / "a.dcm").write_bytes(file_bytes(made))
        _, empty, _ = run_tool(source, folder / f"{label}-plain")
        _, seconds, _ = run_tool(source, folder / label, "--cleanPixels", "regions")
        start = time.process_time()
        decoded = made.pixel_array
        reading = time.process_time() - start
        start = time.process_time()
        made.decompress()
        made.compress(syntax, generate_instance_uid=False)
        writing = time.process_time() - start - reading
        own = max(seconds - empty, 0.01)
        print(
            f"regions, {label:10} {frames / own:7.1f} frames/s of 640 x 480 in colour, {own:.2f} s; "
            f"decoding {len(decoded)} frames alone {reading:.2f} s, encoding them {writing:.2f} s"
        )


COLOURED = "us in colour"
"""Ultrasound whose whole sector is tinted, so that the strongest colour of all of it is looked at, too."""


def looks(arguments: argparse.Namespace, kind: str, source: Path, folder: Path, *, has_text: bool) -> None:
    """The method text on distinct pictures of a kind, and one look of rapidocr's detector at the same."""
    made = [planted(9 * n, has_text=has_text, kind=kind.partition(" ")[0]) for n in range(PICTURES)]
    one = made[0].layout
    values = np.stack([m.values[0, ..., :1] for m in made if m.layout.bits == one.bits])
    values -= values.min()
    layout = Layout("grey", "MONOCHROME2", 8 if one.bits == 8 else 16)
    if kind == COLOURED:
        layout = Layout("rgb", "RGB", 8, black=(0, 0, 0))
        values = np.concatenate([values, values * 3 // 4, values // 2], axis=3)
    seconds = {}
    _, rows, columns, _ = values.shape
    for frames in (1, len(values)):
        data = picture(layout, frames=frames, rows=rows, columns=columns, values=values[:frames])
        (source / "a.dcm").write_bytes(file_bytes(data))
        flags = ("--cleanPixels", "text", "--cleanPixelsOf", "all")
        runs = [run_tool(source, folder / f"{kind}{has_text}{frames}{turn}", *flags) for turn in range(2)]
        seconds[frames] = min(taken for _, taken, _ in runs)
    ours = max(seconds[len(values)] - seconds[1], 0.001) / (len(values) - 1)
    label = f"text, {kind}{'' if has_text else ' without text'}"
    if not arguments.rapidocr:
        print(f"{label:32} {1 / ours:6.1f} frames/s")
        return
    shown = np.stack([(v * (255 / v.max())).astype(np.uint8) for v in values])
    np.save(folder / "shown.npy", np.broadcast_to(shown, (*shown.shape[:3], 3)))
    alone = told_by(arguments.rapidocr, "pixel_peer_rapidocr.py", folder / "shown.npy")["seconds"]
    print(
        f"{label:32} {1 / ours:6.1f} frames/s; one look of rapidocr's detector {1 / alone:6.1f}; "
        f"{ours / alone:.2f} times",
        flush=True,
    )


def moving_sector(frames: int) -> np.ndarray:
    """The numbers of a cine of ultrasound in grey, whose whole sector changes."""
    random = np.random.default_rng(1)
    same = np.repeat(planted(0, has_text=True, kind="us").values[:1, ..., :1], frames, axis=0)
    made: np.ndarray = np.clip(same + (random.normal(0, 8, same.shape) * (same > 8)).astype(np.int64), 0, 255)
    return made


def cine(source: Path, folder: Path) -> None:
    """The method text on cines: all frames the same, a clock that changes, and a sector that changes."""
    frames = 24
    still = planted(0, has_text=True, kind="us").values[:1, ..., :1]
    same = np.repeat(still, frames, axis=0)
    clock = same.copy()
    for frame in range(frames):
        clock[frame, 440:460, 8 + 3 * frame : 12 + 3 * frame] = 200
    moving = moving_sector(frames)
    for label, values in (("the same", same), ("a mark that moves", clock), ("a sector that moves", moving)):
        seconds = {}
        for count in (1, frames):
            made = picture(frames=count, rows=480, columns=640, values=values[:count])
            (source / "a.dcm").write_bytes(file_bytes(made))
            output = folder / f"cine-{label}{count}"
            _, seconds[count], _ = run_tool(source, output, "--cleanPixels", "text", "--cleanPixelsOf", "all")
        each = max(seconds[frames] - seconds[1], 0.001) / (frames - 1)
        print(f"text, frames with {label:22} {1 / each:8.1f} frames/s")


def write_text_cine(path: Path, frames: int, *, moves: bool) -> None:
    """Write a cine of ultrasound with text, which stays or moves; frame by frame."""
    rows, columns = 240, 320
    ground = planted(0, has_text=False, kind="us").values[0, ::2, ::2, 0].astype(np.uint8)
    size = rows * columns
    head = picture(frames=2, rows=rows, columns=columns)
    head.NumberOfFrames = frames
    data = bytearray(file_bytes(head))[: -2 * size]
    data[-4:] = (size * frames).to_bytes(4, "little")
    with open(path, "wb") as file:
        file.write(data)
        for frame in range(frames):
            shown = PIL.Image.fromarray(ground)
            x, y = (frame * 3 % 200, frame * 7 % 220) if moves else (20, 20)
            PIL.ImageDraw.Draw(shown).text((x, y), f"DOE^JANE {frame if moves else 0:04}", fill=255)
            file.write(shown.tobytes())


def memory(arguments: argparse.Namespace, folder: Path) -> None:
    """Measure the largest memory for a cine, and for a tenth of it."""
    source = folder / "in"
    source.mkdir()
    frames = arguments.frames or 2000
    for count in (frames // 10, frames):
        write_cine(source / "a.dcm", count)
        _, _, size = run_tool(source, folder / f"out{count}", "--cleanPixels", "regions")
        print(f"regions, {count} frames of 640 x 480: {size / 1e6:.0f} MB", flush=True)
    for moves in (False, True):
        for count in (frames // 10, frames):
            write_text_cine(source / "a.dcm", count, moves=moves)
            _, seconds, size = run_tool(source, folder / f"text{moves}{count}", "--cleanPixels", "text")
            label = f"text that {'moves' if moves else 'stays'}, {count} frames of 320 x 240"
            print(f"{label}: {size / 1e6:.0f} MB, {seconds:.1f} s", flush=True)


def main() -> None:
    """Run a part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("found", "speed", "text", "memory"))
    parser.add_argument("--count", type=int, default=54)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--peer", default="", metavar="PYTHON")
    parser.add_argument("--presidio", default="", metavar="PYTHON")
    parser.add_argument("--dcm-anonymizer", default="", metavar="PYTHON")
    parser.add_argument("--rapidocr", default="", metavar="PYTHON")
    parser.add_argument("--work", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as name:
        {"found": found, "speed": speed, "text": text, "memory": memory}[arguments.part](
            arguments, Path(name)
        )


if __name__ == "__main__":
    main()
