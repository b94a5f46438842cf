"""Specs of several files, merged to one: a later file wins key by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .keys import PatternKey
from .pairs import OUTSIDE, Nested, SpecValue, TagSpec

_JsonValue = SpecValue | Nested
_Entries = dict[object, tuple[str, "_JsonValue | _Entries"]]
"""By what a key names, an element, a pattern or a condition: the key as written, and its value."""


def merged(layers: Iterable[TagSpec]) -> list[tuple[str, _JsonValue]]:
    """The pairs of several specs.

    A key that a later spec has, however it writes it, is left out of those before; the pairs of blocks
    with one condition are merged in the same way.

    Args:
        layers: the specs, the strongest last.

    Returns:
        Keys and values in the order of writing.
    """
    entries: _Entries = {}
    for layer in layers:
        _merge(entries, _entries(layer, OUTSIDE))
    return list(_pairs(entries))


def _entries(spec: TagSpec, block: int) -> _Entries:
    """What stands in a block of a spec, or outside of all."""
    found: _Entries = {}
    for pair in spec.pairs:
        if pair.block == block:
            identity = pair.text if isinstance(pair.key, PatternKey) else pair.key
            found[identity] = pair.text, pair.value
    for index, own in enumerate(spec.blocks):
        if own.parent == block:
            found[own.text] = own.text, own.value or _entries(spec, index)
    return found


def _merge(lower: _Entries, upper: _Entries) -> None:
    """Let one spec win over another, key by key."""
    for identity, (text, value) in upper.items():
        _, before = lower.pop(identity, ("", None))
        if isinstance(before, dict) and isinstance(value, dict):
            _merge(before, value)
            value = before  # noqa: PLW2901
        lower[identity] = text, value


def _pairs(entries: _Entries) -> Iterator[tuple[str, _JsonValue]]:
    for text, value in entries.values():
        yield text, Nested(tuple(_pairs(value))) if isinstance(value, dict) else value


def origin_of(paths: Sequence[str]) -> str:
    """How messages call the spec of several files."""
    return f"--tagFile {', '.join(paths)}"
