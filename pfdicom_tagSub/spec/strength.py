"""Which of two keys wins, and what is left of a profile beside the keys of a user.

Strength, weakest first: the pairs of a profile, then those of the user; among the pairs of
one of them keys with x digits in the order of writing, explicit keys, ``re:`` keys in the
order of writing, then keys of content items, those with a value type last. The strongest that
hits an element wins (behaviour-3.1.1 A.10). What stands in a ``when`` block is stronger than all that
does not (``variants.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..dicom import dictionary
from .keys import (
    PRIVATE_KEY,
    ContentItemKey,
    EveryPrivateKey,
    EveryRestKey,
    EveryTextKey,
    EveryUnknownKey,
    Key,
    KeywordKey,
    MaskKey,
    PatternKey,
    PreambleKey,
    PrivateKey,
    VRKey,
)
from .pairs import OUTSIDE, Layer, Pair, TagSpec
from .templates import parse_template

_KINDS = {
    EveryRestKey: -1,
    MaskKey: 0,
    EveryPrivateKey: 0,
    EveryUnknownKey: 0,
    EveryTextKey: 0,
    PreambleKey: 0,
    VRKey: 0,
    KeywordKey: 1,
    PrivateKey: 1,
    PatternKey: 2,
    ContentItemKey: 3,
}
"""How strong a kind of key is among the pairs of one layer."""


def strength(pair: Pair) -> tuple[int, int, int]:
    """What pairs are sorted by, the strongest last."""
    kind = _KINDS[type(pair.key)]
    has_type = isinstance(pair.key, ContentItemKey) and pair.key.value_type
    return pair.layer, pair.block, kind + bool(has_type)


def effective_spec(spec: TagSpec, *, remove_private: bool = False) -> TagSpec:
    """The same spec without the pairs of a profile that pairs of the user override.

    All of it may then stand in one layer, as ``--printSpec`` prints it.

    Args:
        spec: its pairs.
        remove_private: remove every private element but those that a pair keeps.
    """
    pairs = spec.pairs
    if remove_private:
        pairs = (*_without_private(pairs), Pair(PRIVATE_KEY, EveryPrivateKey(), None))
    user = [pair for pair in pairs if pair.layer is Layer.SPEC]
    outside = [pair.key for pair in user if pair.block == OUTSIDE]
    below = without_overridden((pair for pair in pairs if pair.layer is Layer.PROFILE), outside)
    return TagSpec(tuple(sorted([*below, *user], key=strength)), spec.blocks)


def without_overridden(pairs: Iterable[Pair], stronger: Sequence[Key]) -> list[Pair]:
    """The pairs without those whose elements are all named by stronger keys.

    Args:
        pairs: some pairs.
        stronger: the keys of others that are stronger.
    """
    names = {tag for key in stronger if isinstance(key, KeywordKey | MaskKey | VRKey) for tag in key.tags}
    groups = {group for key in stronger if isinstance(key, MaskKey) for group in key.groups}
    others = {key for key in stronger if not isinstance(key, KeywordKey | MaskKey | PatternKey)}

    def is_overridden(key: Key) -> bool:
        if EveryRestKey() in others and not _is_stamp(key):
            return True
        match key:
            case KeywordKey(tags):
                return all(tag in names or tag >> 16 in groups for tag in tags)
            case MaskKey(own_groups, tags):
                covered = all(tag in names or tag >> 16 in groups for tag in tags)
                return covered and groups.issuperset(own_groups)
            case PrivateKey(group):
                return key in others or group in groups
            case _:
                return key in others

    return [pair for pair in pairs if not is_overridden(pair.key)]


def _is_stamp(key: Key) -> bool:
    """Whether a key of a profile says what was done to a file, and not what becomes of its elements."""
    return isinstance(key, PreambleKey) or (
        isinstance(key, KeywordKey) and dictionary.STAMPS.issuperset(key.tags)
    )


def _without_private(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs as ``--removePrivateTags`` leaves them."""
    pairs = tuple(pairs)
    kept_groups = {group for pair in pairs if not _is_of_private(pair) for group in _groups_of(pair.key)}
    for pair in pairs:
        if isinstance(pair.key, EveryPrivateKey):
            continue
        if not _is_of_private(pair):
            yield pair
        elif not kept_groups.isdisjoint(_groups_of(pair.key)):
            yield replace(pair, value=None)  # what keeps others of the group would keep it


def _groups_of(key: Key) -> set[int]:
    """The groups of what a key names."""
    match key:
        case KeywordKey(tags):
            return {tag >> 16 for tag in tags}
        case MaskKey(groups, tags):
            return {*groups, *(tag >> 16 for tag in tags)}
        case PrivateKey(group):
            return {group}
        case _:
            return set()


def _is_of_private(pair: Pair) -> bool:
    """Whether a pair is for private elements alone, and keeps none."""
    match pair.key:
        case KeywordKey(tags):
            odd = all(tag >> 16 & 1 for tag in tags)
        case MaskKey(groups, tags):
            odd = all(group & 1 for group in (*groups, *(tag >> 16 for tag in tags)))
        case PrivateKey() | EveryPrivateKey():
            odd = True
        case _:
            odd = False
    return odd and not (isinstance(pair.value, str) and parse_template(pair.value, pair.text).keeps)
