"""The literals of a spec, held against the VRs of the elements that they are for (PS3.5 6.2)."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import SpecError
from ..core.outcome import Action
from ..dicom import dictionary, values
from ..text.quoting import quoted
from .keys import KeywordKey
from .pairs import Added, Items, Pair
from .rules import Literal, Rule

ADDABLE_VRS = frozenset({"CS", "LO", "SH", "UC"})
"""VRs of text that may hold several values, and to which a value can be added."""


def literals_of(value: Items, key: str) -> tuple[tuple[Literal, ...], ...]:
    """The items of a sequence, resolved.

    Raises:
        SpecError: a keyword that is none, a literal that its VR does not allow.
    """
    return tuple(
        tuple(sorted((_literal(inner, text, key) for inner, text in item), key=lambda literal: literal.tag))
        for item in value.items
    )


def _literal(keyword: str, value: str | Items, key: str) -> Literal:
    tags = dictionary.tags_of(keyword)
    if len(tags) != 1 or tags[0] >> 16 in {0x0000, 0x0002} or tags[0] in dictionary.STRUCTURE:
        near = dictionary.nearest_keyword(keyword)
        hint = f"did you mean {near}?" if near else "give the keyword of one element"
        raise SpecError(f"{key}: {quoted(keyword)} in its items: {hint}")
    vr = dictionary.vr_of(tags[0]).split(" or ", maxsplit=1)[0]
    if isinstance(value, Items):
        if vr != "SQ":
            raise SpecError(f"{key}: {keyword} in its items is no sequence but has the VR {vr}")
        return Literal(tags[0], vr, items=literals_of(value, key))
    fitted = values.fit(vr, [value])
    if vr == "SQ" or fitted.action not in {Action.SUBSTITUTED, Action.EMPTIED} or not value.isascii():
        raise SpecError(f"{key}: {quoted(value)} is not a valid {vr} in ASCII for {keyword} in its items")
    return Literal(tags[0], vr, fitted.texts)


def check_items(rule: Rule, pair: Pair) -> None:
    """Items are for sequences that are named by keyword or tag."""
    if not isinstance(pair.value, Items):
        return
    is_named = isinstance(pair.key, KeywordKey) and dictionary.vr_of(pair.key.tags[0]) == "SQ"
    if not is_named:
        raise SpecError(f"{rule.key}: only the key of one sequence of the dictionary takes a list of items")


def check_added(rule: Rule, pair: Pair) -> None:
    """Values are added to the text of one public element that may have several.

    Raises:
        SpecError: they cannot be.
    """
    if not isinstance(pair.value, Added):
        return
    tags = pair.key.tags if isinstance(pair.key, KeywordKey) else ()
    vr = dictionary.vr_of(tags[0]) if len(tags) == 1 and not tags[0] >> 16 & 1 else ""
    if vr not in ADDABLE_VRS or tags[0] >> 16 == 0x0002:
        raise SpecError(
            f"{rule.key}: values can be added to one public element of several texts, "
            f"of VR {', '.join(sorted(ADDABLE_VRS))}"
        )
    if rule.template is None or not rule.template.literal or not rule.template.literal.isascii():
        raise SpecError(f"{rule.key}: what is added is a text in ASCII, not empty and without directives")


def _holds(of_dictionary: str, literal: str) -> bool:
    """Whether one of the VRs that the dictionary gives a tag allows the literal."""
    vrs = of_dictionary.split(" or ")
    if not literal or vrs[0] in {"SQ", ""}:
        return True
    if not literal.isascii() and any("\ud800" <= character <= "\udfff" for character in literal):
        return False  # half a character, as of a terminal that is not in UTF-8: no file can hold it
    return any(values.fit(vr, [literal]).action in {Action.SUBSTITUTED, Action.EMPTIED} for vr in vrs)


def check_literal(rule: Rule, tags: tuple[int, ...]) -> None:
    """Check the literal of a rule for elements that its key names.

    Raises:
        SpecError: the VR of one does not allow it.
    """
    literal = rule.template.literal if rule.template else None
    if literal is not None and not all(_holds(dictionary.vr_of(tag), literal) for tag in tags):
        raise SpecError(
            f"{rule.key}: the literal {quoted(literal)} is not a valid {dictionary.vr_of(tags[0])} "
            '(PS3.5 6.2); "" empties the element, null removes it'
        )


def check_literal_of_vr(rule: Rule, vr: str, tags: Sequence[int], warnings: list[str]) -> None:
    """As ``check_literal_of_many``, for all elements of a VR."""
    literal = rule.template.literal if rule.template else None
    if literal and not _holds(vr, literal):
        check_literal_of_many(rule, [*tags], warnings)


def check_literal_of_many(rule: Rule, tags: list[int], warnings: list[str]) -> None:
    """A literal of a key for many elements has to fit one of them; the others are emptied."""
    literal = rule.template.literal if rule.template else None
    if not literal:
        return
    textual = [(tag, vr) for tag in tags if (vr := dictionary.vr_of(tag)) != "SQ"]
    holding = {vr for vr in {vr for _, vr in textual} if _holds(vr, literal)}
    unfit = [tag for tag, vr in textual if vr not in holding]
    if not unfit:
        return
    example = f"such as {dictionary.label_of(unfit[0])} ({dictionary.vr_of(unfit[0])})"
    if len(unfit) == len(textual):
        raise SpecError(
            f"{rule.key}: the literal {quoted(literal)} is not valid for any of the {len(unfit)} elements "
            f"that the key matches, {example}"
        )
    warnings.append(
        f"{rule.key}: {len(unfit)} of the {len(textual)} elements that it matches cannot hold "
        f"{quoted(literal)} and will be emptied, {example}"
    )
