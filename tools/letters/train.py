"""Teach the network on sets of examples, and write its weights for the product.

Use: ``python tools/letters/train.py --sets FOLDER... --checked FOLDER --minutes 60 --weights letters.onnx``
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from network import Network, load, save
from texts import Random
from torch import Tensor
from torch.nn import functional

from examples import NONE, SIDE, TEXT, UNTOLD
from pfdicom_tagSub.pixels.letters import CELL

BATCH = 32
SEEN = 192
"""The side of the part of an example that is seen at a time."""

STEADY = 0.998
"""How much of the mean of weights stays from step to step."""

SETTLED = 96
"""How many examples tell of the network that a training goes on with."""

GONE = 0.9
"""Which part of the cells of a line has to be found for it to count as found."""


class Set(NamedTuple):
    """Examples on a disk: their views, and what their cells are."""

    views: npt.NDArray[np.uint8]
    cells: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, folder: Path) -> Set:
        """Those of a folder."""
        return cls(np.load(folder / "views.npy", mmap_mode="r"), np.load(folder / "cells.npy", mmap_mode="r"))


def _weights(cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """How much each cell counts: those of small texts more, so that a mark counts as a line does."""
    found = np.ones(cells.shape, np.float32)
    for number, one in enumerate(cells):
        _, labels, boxes, _ = cv2.connectedComponentsWithStats((one == TEXT).astype(np.uint8))
        own = np.clip(np.sqrt(60 / np.maximum(boxes[:, cv2.CC_STAT_AREA], 1)), 0.5, 4).astype(np.float32)
        own[0] = 1
        found[number] = own[labels]
    found[cells == UNTOLD] = 0
    return found


def _varied(
    random: Random, views: npt.NDArray[np.uint8], cells: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A part of an example, mirrored, turned or inverted by chance."""
    top, left = (int(place) for place in random.integers(0, (SIDE - SEEN) // CELL + 1, 2))
    views = views[:, top * CELL :, left * CELL :][:, :SEEN, :SEEN]
    cells = cells[top:, left:][: SEEN // CELL, : SEEN // CELL]
    if random.random() < 0.5:
        views, cells = views[:, :, ::-1], cells[:, ::-1]
    if random.random() < 0.5:
        views, cells = views[:, ::-1], cells[::-1]
    if random.random() < 0.12:
        views, cells = views.transpose(0, 2, 1), cells.T
    if random.random() < 0.3:
        views = 255 - views
    if random.random() < 0.15:  # another window
        views = views.copy()
        whole = (views[2].astype(np.float32) - 128) * random.uniform(0.4, 1.5) + random.uniform(60, 190)
        views[2] = np.clip(whole, 0, 255)
    return views, cells


def _batches(sets: list[Set], random: Random) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Views from 0 to 1, whether cells are text, and how much each counts; without end."""
    places = [(one, number) for one in sets for number in range(len(one.views))]
    while True:
        order = random.permutation(len(places))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = (places[place] for place in sorted(order[start : start + BATCH].tolist()))
            made = [_varied(random, one.views[number], one.cells[number]) for one, number in chosen]
            views = torch.from_numpy(np.stack([views for views, _ in made])).float().div_(255)
            cells = np.stack([cells for _, cells in made])
            is_text = torch.from_numpy(cells == TEXT).float()
            yield (
                views.contiguous(memory_format=torch.channels_last),
                is_text,
                torch.from_numpy(_weights(cells)),
            )


def _loss(logits: Tensor, is_text: Tensor, weights: Tensor) -> Tensor:
    by_cell = functional.binary_cross_entropy_with_logits(logits, is_text, reduction="none")
    odds = torch.sigmoid(logits)
    shared, each = (odds * is_text * weights).sum(), ((odds + is_text) * weights).sum()
    return 4 * (by_cell * weights).sum() / weights.sum() + 0.5 * (1 - (2 * shared + 1) / (each + 1))


def check(network: Network, known: Set) -> str:
    """How many lines of a set are found, and how many places are no text."""
    found = lines = false = 0
    for views, cells in zip(known.views, known.cells, strict=True):
        with torch.no_grad():
            odds = torch.sigmoid(network(torch.from_numpy(views[None].copy()).float().div_(255)))[
                0, 0
            ].numpy()
        count, labels = cv2.connectedComponents((cells == TEXT).astype(np.uint8))
        lines += count - 1
        found += sum(bool((odds[labels == label] > 0.5).mean() >= GONE) for label in range(1, count))
        count, labels = cv2.connectedComponents((odds > 0.5).astype(np.uint8))
        false += sum(bool((cells[labels == label] == NONE).all()) for label in range(1, count))
    return f"lines {found} of {lines} ({found / max(lines, 1):.2%}), false places {false}"


def _follow(mean: Network, network: Network, step: int) -> None:
    """Bring the mean of weights nearer to those of now."""
    part = 1 - min(STEADY, (1 + step) / (10 + step))
    with torch.no_grad():
        for own, other in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if own.dtype.is_floating_point:
                own.lerp_(other, part)
            else:
                own.copy_(other)


def train(given: argparse.Namespace) -> Network:
    """Teach a network for so many minutes.

    Args:
        given: the arguments of the command.
    """
    torch.manual_seed(1)
    known = Set.of(given.checked)
    network = Network()
    if given.start is not None:
        network = load(given.start, torch.from_numpy(known.views[:SETTLED].copy()).float().div_(255))
    network = network.to(memory_format=torch.channels_last).train()
    mean: Network = copy.deepcopy(network).eval()
    begun = told = time.monotonic()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    sets = [Set.of(folder) for folder in given.sets]
    for step, (views, is_text, weights) in enumerate(_batches(sets, np.random.default_rng(given.seed))):
        done = (time.monotonic() - begun) / (given.minutes * 60)
        if done >= 1:
            break
        slow = given.rate / 100
        for group in optimizer.param_groups:
            wave = slow + (given.rate - slow) * 0.5 * (1 + math.cos(math.pi * done))
            group["lr"] = wave * min(1, (step + 1) / 200)
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(views)
        loss = _loss(logits.float()[:, 0], is_text, weights)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        _follow(mean, network, step)
        if time.monotonic() - told > 300:
            told = time.monotonic()
            print(f"{done:.0%}, step {step}: {check(mean, known)}", flush=True)
            torch.save(mean.state_dict(), given.weights.with_suffix(".pt"))
    print(check(mean, known))
    torch.save(mean.state_dict(), given.weights.with_suffix(".pt"))
    return mean


def main() -> None:
    """Teach it and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sets", type=Path, nargs="+", required=True, help="folders of examples to learn from"
    )
    parser.add_argument("--checked", type=Path, required=True, help="a folder of examples to check by")
    parser.add_argument("--weights", type=Path, required=True, help="the file of weights that is written")
    parser.add_argument("--start", type=Path, help="weights (.onnx, .pt) to go on from")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(given.threads)
    save(train(given), given.weights)


if __name__ == "__main__":
    main()
