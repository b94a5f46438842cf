"""Pairs for what is in the items of a sequence: ``"Keyword": {"each": {...}}``.

The items stay; within them, at every depth, these pairs are stronger than all that stands outside of the
object. They insert nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..core.errors import SpecError
from ..dicom import dictionary
from ..text.quoting import shortened
from .keys import Key, KeywordKey, MaskKey, PatternKey, VRKey, resolve
from .pairs import EACH, WHEN_PREFIX, Each, Pair, SpecValue
from .rules import INNER, Rule, RuleSet
from .strength import strength

DEEPEST = 8
"""How deep these objects may be nested."""

CompileInner = Callable[[Sequence[tuple[int, Pair]]], RuleSet]


def each_of(pairs: Sequence[tuple[str, SpecValue]], key: str, origin: str) -> Each:
    """The value of a sequence whose items stay.

    Args:
        pairs: keys and values for what is in the items.
        key: the key of the sequence.
        origin: where it comes from, for messages.

    Raises:
        SpecError: a key names nothing that may stand here, or stands twice.
    """
    shown = f"{origin}: {shortened(key)}"
    if not pairs:
        raise SpecError(f'{shown}: "{EACH}" holds no pairs, so it would do nothing')
    found: dict[object, Pair] = {}
    for text, value in pairs:
        if text.startswith(WHEN_PREFIX):
            raise SpecError(
                f'{shown}: a when block cannot stand in "{EACH}"; put the key of the sequence into the block'
            )
        own = resolve(text, shown)
        if not _may_stand(own):
            raise SpecError(
                f'{shown}: {shortened(text)} cannot stand in "{EACH}", which takes keywords, tags, re: keys '
                "and VR: keys of public elements"
            )
        identity: object = text if isinstance(own, PatternKey) else own
        if identity in found:
            raise SpecError(
                f"{shown}: {shortened(text)} and {shortened(found[identity].text)} are the same key, "
                "given twice"
            )
        found[identity] = Pair(text, own, value)
    each = Each(tuple(found.values()))
    if _depth(each) > DEEPEST:
        raise SpecError(f'{shown}: "{EACH}" is nested more than {DEEPEST} deep')
    return each


def _may_stand(key: Key) -> bool:
    """Whether a key names public elements of a data set by themselves."""
    match key:
        case KeywordKey(tags):
            return all(not tag >> 16 & 1 and tag >> 16 != 0x0002 for tag in tags)
        case MaskKey(groups, tags):
            return not any(group & 1 for group in (*groups, *(tag >> 16 for tag in tags)))
        case PatternKey() | VRKey():
            return True
        case _:
            return False


def _depth(each: Each) -> int:
    return 1 + max((_depth(pair.value) for pair in each.pairs if isinstance(pair.value, Each)), default=0)


def _check_sequences(rule: Rule, key: Key) -> None:
    """Check that a key with such a value names sequences alone.

    Raises:
        SpecError: it names something else.
    """
    tags = key.tags if isinstance(key, KeywordKey | MaskKey | PatternKey | VRKey) else ()
    others = [tag for tag in tags if dictionary.vr_of(tag) != "SQ"]
    if not tags or others or (isinstance(key, MaskKey) and key.groups):
        example = f", such as {dictionary.label_of(others[0])}" if others else ""
        raise SpecError(f'{rule.key}: "{EACH}" is for sequences, and the key names other elements{example}')


def compile_each(rule: Rule, key: Key, each: Each, compile_inner: CompileInner) -> Rule:
    """A rule with the rules for what is in the items.

    Args:
        rule: the rule of the sequence.
        key: its key.
        each: the pairs.
        compile_inner: compiles pairs that apply together.

    Raises:
        SpecError: the key names no sequence, or a pair cannot mean what it says.
    """
    _check_sequences(rule, key)
    pairs = sorted(each.pairs, key=strength)
    first = (rule.index + 1) * INNER
    try:
        inner = compile_inner([(first + number, pair) for number, pair in enumerate(pairs)])
    except SpecError as error:
        raise SpecError(f"{rule.key}: {error}") from None
    return replace(rule, each=inner)
