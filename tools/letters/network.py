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


def load(path: Path, views: Tensor) -> Network:
    """A network to go on with, from the weights of the product or of an earlier training.

    The weights of the product have no means and spreads of the batch norms, which are in the convolutions
    there. They are taken from views, and the norms are set so that the network tells the same as before.

    Args:
        path: ONNX as ``save`` writes it, or what ``torch.save`` wrote of a network (.pt).
        views: some that the network has learnt from, (n, 3, rows, columns) from 0 to 1.
    """
    network = Network()
    network.eval()
    if path.suffix == ".pt":
        network.load_state_dict(torch.load(path))
        return network
    biases = _with_convolutions(network, onnx.load(str(path)))

    def settle(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        mean, spread = given[0].mean((0, 2, 3)), given[0].var((0, 2, 3), unbiased=False)
        norm.running_mean, norm.running_var = mean, spread
        norm.weight.data = torch.sqrt(spread + norm.eps)
        norm.bias.data = biases[norm] + mean

    hooks = [norm.register_forward_pre_hook(settle) for norm in biases]
    with torch.no_grad():
        network(views)
    for hook in hooks:
        hook.remove()
    return network


def _with_convolutions(network: Network, model: onnx.ModelProto) -> dict[nn.Module, Tensor]:
    """Give a network the convolutions of a model; what each batch norm after one has to add."""
    known = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in known:
            known[node.output[0]] = known[node.input[0]].astype(np.float32)
    made = [node for node in model.graph.node if node.op_type == "Conv"]
    used: list[nn.Conv2d] = []
    own = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    hooks = [module.register_forward_hook(lambda module, *_: used.append(module)) for module in own]
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    added: dict[nn.Module, Tensor] = {}
    for module, node in zip(used, made, strict=True):
        module.weight.data, added[module] = (torch.tensor(known[name]) for name in node.input[1:])
        if module.bias is not None:
            module.bias.data = added[module]
    return {
        after: added[before]
        for parts in network.modules()
        if isinstance(parts, nn.Sequential)
        for before, after in pairwise(parts)
        if isinstance(after, nn.BatchNorm2d)
    }


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
