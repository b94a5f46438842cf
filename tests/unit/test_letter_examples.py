"""The examples that the network of letters learns from: the same each time, with texts where they say."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2", reason="the packages of pixels are not installed")
pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
pytest.importorskip("fontTools", reason="what reads fonts is not installed")
ImageFont = pytest.importorskip("PIL.ImageFont")

TOOL = Path(__file__).parents[2] / "tools" / "letters"


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The modules of the tool, and what makes examples with the font that Pillow brings."""
    sys.path.insert(0, str(TOOL))
    try:
        import grounds
        import texts

        import examples
    finally:
        sys.path.remove(str(TOOL))
    font = tmp_path_factory.mktemp("fonts") / "font.ttf"
    given = ImageFont.load_default(20).font_bytes
    font.write_bytes(given.getvalue() if isinstance(given, io.BytesIO) else given)
    scripts = {script: [str(font)] for script in texts._PROBES}
    return examples, examples.Examples(texts.Typesetter(scripts), grounds.Grounds(None), 0.0)


def test_an_example_is_made_from_its_number_alone(tool: Any) -> None:
    _, made = tool
    for number in range(5):
        first, second = made.example(3, number), made.example(3, number)
        assert all((one == other).all() for one, other in zip(first, second, strict=True))
    assert not (made.example(3, 0)[0] == made.example(4, 0)[0]).all()


def test_views_and_cells_have_their_sizes_and_some_cells_are_text(tool: Any) -> None:
    examples, made = tool
    found = [made.example(5, number) for number in range(20)]
    side = examples.SIDE // examples.CELL
    for views, cells in found:
        assert views.shape == (3, examples.SIDE, examples.SIDE)
        assert cells.shape == (side, side)
        assert set(np.unique(cells)) <= {examples.NONE, examples.TEXT, examples.UNTOLD}
    shares = [float((cells == examples.TEXT).mean()) for _, cells in found]
    assert sum(share > 0 for share in shares) >= 8
    assert np.mean(shares) < 0.4


def test_the_network_finds_most_lines_of_examples_and_little_else(tool: Any) -> None:
    from pfdicom_tagSub.pixels.letters import LetterFinder

    examples, made = tool
    finder = LetterFinder()
    lines = found = false = cells_without = 0
    for number in range(60):
        views, cells = made.example(77, number)
        likely = finder.likely(views)
        count, labels = cv2.connectedComponents((cells == examples.TEXT).astype(np.uint8))
        lines += count - 1
        found += sum(bool((likely[labels == label] > 0.3).mean() > 0.7) for label in range(1, count))
        cells_without += int((cells == examples.NONE).sum())
        false += int((likely[cells == examples.NONE] > 0.5).sum())
    assert lines > 60
    assert found >= 0.8 * lines
    assert false <= 0.01 * cells_without
