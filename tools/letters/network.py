"""The network that tells cells of text from others, and how it is kept for the product."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = 16, 28, 48, 96, 112
"""The channels at each scale: a half, a quarter, ... of the picture's size."""

BLOCKS = 1, 2, 2, 1
"""The residual blocks at each scale but the first."""


def _convolved(before: int, after: int, side: int = 3, step: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, side, step, side // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolved(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, given: Tensor) -> Tensor:
        return functional.relu(given + self.second(self.first(given)))


class Network(nn.Module):
    """Views of a picture, (n, 3, rows, columns) from 0 to 1, to the logits of its cells.

    Rows and columns are multiples of 32; cells are (n, 1, rows / 4, columns / 4).
    """

    def __init__(self) -> None:
        super().__init__()
        self.start = _convolved(12, WIDTHS[0])
        self.down = nn.ModuleList(
            nn.Sequential(_convolved(before, after, step=2), *(_Residual(after) for _ in range(blocks)))
            for before, after, blocks in zip(WIDTHS[:-1], WIDTHS[1:], BLOCKS, strict=True)
        )
        self.narrow = nn.ModuleList(_convolved(before, after, 1) for after, before in pairwise(WIDTHS[1:]))
        self.merge = nn.ModuleList(_convolved(width, width) for width in WIDTHS[1:-1])
        self.end = nn.Conv2d(WIDTHS[1], 1, 1)

    def forward(self, given: Tensor) -> Tensor:
        state = self.start(functional.pixel_unshuffle(given * 2 - 1, 2))
        scales = []
        for step in self.down:
            state = step(state)
            scales.append(state)
        for scale in reversed(range(len(self.merge))):
            wider = functional.interpolate(self.narrow[scale](state), scale_factor=2.0, mode="nearest")
            state = self.merge[scale](wider + scales[scale])
        return self.end(state)


def save(network: Network, path: Path) -> None:
    """Write a network as ONNX whose weights take two bytes each."""
    network.eval()
    axes = {"views": {0: "n", 2: "rows", 3: "columns"}, "likely": {0: "n", 2: "rows", 3: "columns"}}
    with_odds = nn.Sequential(network, nn.Sigmoid())
    example = torch.zeros(1, 3, 64, 64)
    torch.onnx.export(
        with_odds,
        (example,),
        str(path),
        dynamo=False,
        input_names=["views"],
        output_names=["likely"],
        dynamic_axes=axes,
    )
    model = onnx.load(str(path))
    casts = []
    for weights in list(model.graph.initializer):
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < 64:
            continue
        model.graph.initializer.remove(weights)
        short = numpy_helper.from_array(values.astype(np.float16), f"{weights.name}.short")
        model.graph.initializer.append(short)
        casts.append(helper.make_node("Cast", [short.name], [weights.name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
