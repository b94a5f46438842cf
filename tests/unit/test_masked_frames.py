"""Native frames with masks of their own, and long cines: the same however they are cut, in flat memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cine import write_cine
from pictures import LAYOUTS, Layout, file_bytes, loaded, numbers, picture

from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.pixels import masked
from pfdicom_tagSub.pixels.finding import Finder
from pfdicom_tagSub.pixels.masked import MaskedPixels, Masks
from pfdicom_tagSub.pixels.rectangles import Rectangle
from pfdicom_tagSub.pixels.settings import PixelSettings

ROWS, COLUMNS, FRAMES = 9, 14, 5
RECTANGLES = (Rectangle(2, 1, 6, 3), Rectangle(4, 3, 8, 6))
MASKS = (
    Masks(own={1: RECTANGLES[:1]}),
    Masks(own={0: RECTANGLES, 4: RECTANGLES[1:]}),
    Masks(common=RECTANGLES[:1], own={3: RECTANGLES[1:]}),
    Masks(common=RECTANGLES[1:]),
)


@pytest.mark.parametrize("piece", [1, 300, 1 << 20])
@pytest.mark.parametrize("masks", MASKS, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_each_frame_has_its_masks_and_nothing_else_changes(
    layout: Layout, masks: Masks, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masked, "PIECE", piece)
    values = numbers(layout, FRAMES, ROWS, COLUMNS)
    content = file_bytes(picture(layout, frames=FRAMES, rows=ROWS, columns=COLUMNS, values=values))
    finder = Finder(PixelSettings(()))
    file = parse(BytesSource(content))
    image = finder.image(finder.root_of(file))
    assert image is not None
    made = MaskedPixels.of(image, masks)
    changed = b"".join(made.pieces(file.data.source))
    assert len(changed) == len(made) == made.stop - made.start
    output = content[: made.start] + changed + content[made.stop :]
    shape = FRAMES, ROWS, COLUMNS, layout.samples
    wanted = loaded(layout, content[image.pixels.value : image.pixels.stop], shape)
    for frame in range(FRAMES):
        for one in masks.of(frame):
            wanted[frame, one.y : one.bottom, one.x : one.right] = layout.black
    assert (loaded(layout, output[image.pixels.value : image.pixels.stop], shape) == wanted).all()
    assert output[: image.pixels.value] == content[: image.pixels.value]


def test_memory_is_flat_for_a_long_cine(tmp_path: Path) -> None:
    sizes = []
    for frames in (20, 400):
        folder = tmp_path / str(frames)
        (folder / "in").mkdir(parents=True)
        write_cine(folder / "in" / "a.dcm", frames)
        script = (
            "import resource, sys; from pfdicom_tagSub.cli.command import main; "
            "code = main(sys.argv[1:]); print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        flags = ["--tagInfo", "PatientName:x", "--cleanPixels", "regions", "-v", "0"]
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder / "in"), str(folder / "out"), *flags],
            capture_output=True,
            text=True,
        )
        code, size = map(int, done.stdout.split())
        assert code == 0, done.stderr
        sizes.append(size)
        for path in folder.rglob("*.dcm"):
            path.unlink()
    unit = 1 if sys.platform == "darwin" else 1024
    assert (sizes[1] - sizes[0]) * unit < 20 << 20
