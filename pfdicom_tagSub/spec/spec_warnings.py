"""What the author of a spec should know: keys without effect, what looks like a directive, a missing key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydicom.datadict import private_dictionary_VR

from ..core.errors import SpecError
from ..dicom import dictionary
from ..text.quoting import shortened
from .content_items import VALUE_ELEMENTS
from .function_types import Resources, SecretUse
from .functions import FUNCTIONS
from .keys import ContentItemKey, Key, KeywordKey, MaskKey, PatternKey, PrivateKey, VRKey
from .lookalikes import find_lookalikes, find_unevaluated
from .output_names import DIRECTORY_KEY, STEM_KEY
from .pairs import OUTSIDE, Added, Each, Items, Layer, Pair
from .rules import PrivateRule, Rule
from .templates import SELF_SOURCE, Template

_WHOLE_PATTERNS = frozenset({"", ".", ".*", ".+", "^.*", "^.+", ".*$", ".+$", "^.*$", "^.+$"})
"""Patterns that match every keyword."""

_NAMED_MOST = 5
"""How many of the keys that win over another are named."""


@dataclass(frozen=True, slots=True)
class Winners:
    """The rules that are left when each has won over those weaker than it.

    Attributes:
        tags: tag to the strongest rule that hits it, also where that one does nothing.
        groups: group to the rule for those of its elements that ``tags`` lacks.
        private: the rules for private elements by creator.
        insertions: tag to the rule that inserts the element.
    """

    tags: Mapping[int, Rule]
    groups: Mapping[int, Rule]
    private: Mapping[PrivateKey, PrivateRule]
    insertions: Mapping[int, Rule]

    def stronger_than(self, key: Key) -> list[Rule]:
        """The rules that win over a key that wins nothing, the strongest last."""
        tags = key.tags if isinstance(key, KeywordKey | MaskKey | PatternKey) else ()
        groups = {key.group} if isinstance(key, PrivateKey) else {tag >> 16 for tag in tags}
        if isinstance(key, MaskKey):
            groups |= set(key.groups)
        found = {rule.index: rule for tag in tags if (rule := self.tags.get(tag)) is not None}
        found |= {rule.index: rule for group in groups if (rule := self.groups.get(group)) is not None}
        return [found[index] for index in sorted(found)]


def find_idle(pairs: Iterable[Pair], rules: Iterable[Rule], winners: Winners) -> Iterator[str]:
    """Warnings of the user's keys that can win over no other for any element that a file has.

    With a ``when`` block these are the keys in it: where it does not hold, others may win.

    Args:
        pairs: the spec.
        rules: the rule of each pair.
        winners: what is left of them.
    """
    pairs = tuple(pairs)
    top = max((pair.block for pair in pairs), default=OUTSIDE)
    winning = {rule.index for home in (winners.tags, winners.groups) for rule in home.values()}
    winning |= {private.rule.index for private in winners.private.values()}
    inserting = {rule.index for rule in winners.insertions.values()}
    for pair, rule in zip(pairs, rules, strict=True):
        names_elements = isinstance(pair.key, KeywordKey | MaskKey | PatternKey | PrivateKey)
        is_checked = names_elements and pair.layer is Layer.SPEC and pair.block == top
        if not is_checked or rule.index in winning:
            continue
        stronger = winners.stronger_than(pair.key)
        named = f" ({', '.join(one.key for one in stronger[:_NAMED_MOST])})" if stronger else ""
        cure = _cure_of(pair, stronger)
        if rule.index in inserting:
            # A pattern is for what a file holds: it does not keep an explicit key from stamping.
            yield (
                f"{rule.key} only stamps files that lack the element: later or stronger keys{named} hit "
                f"it where a file has it{cure}"
            )
        else:
            yield f"{rule.key} has no effect: later or stronger keys hit all of its elements{named}{cure}"


def find_all_lookalikes(pairs: Iterable[Pair], output_stem: str, output_dir: str) -> Iterator[str]:
    """Warnings of what in the user's templates looks like a directive and is none."""
    for pair in pairs:
        key = shortened(pair.text)
        if pair.layer is Layer.SPEC and isinstance(pair.value, Items):
            for keyword, text in _texts_of(pair.value):
                yield from find_unevaluated(text, f"{key}: {keyword} in its items")
        elif isinstance(pair.value, Each):
            continue  # the pairs in it are compiled, and warned of, by themselves
        elif pair.layer is Layer.SPEC and pair.value:
            text = pair.value.text if isinstance(pair.value, Added) else str(pair.value)
            yield from find_lookalikes(text, key)
    for flag, text in ((STEM_KEY, output_stem), (DIRECTORY_KEY, output_dir)):
        yield from find_lookalikes(text, flag)


def find_shown_originals(
    names: Iterable[tuple[str, Template]], is_replaced: Callable[[int], bool]
) -> Iterator[str]:
    """Warnings of original values that names of outputs show.

    Args:
        names: the option and the template of each name.
        is_replaced: whether the spec replaces the element with a tag.
    """
    shown: dict[str, set[str]] = {}
    for flag, template in names:
        for directive in template.directives:
            for tag in () if directive.function else directive.source:
                if is_replaced(tag):
                    shown.setdefault(flag, set()).add(dictionary.label_of(tag))
    for flag, labels in shown.items():
        yield (
            f"{flag} puts original values of {', '.join(sorted(labels))}, which the spec replaces, "
            "into the names of the outputs; a function such as %_hmac|8_ hides them"
        )


def check_needs(templates: Iterable[tuple[str, Template | None]], resources: Resources) -> str:
    """Check that the functions have what they need.

    Returns:
        A warning of those that do less without a secret key; "" where there are none.

    Raises:
        SpecError: one has not.
    """
    keyless: dict[str, None] = {}
    for key, template in templates:
        for directive in template.directives if template else ():
            if not directive.function:
                continue
            function = FUNCTIONS[directive.function]
            if problem := function.find_problem(directive.arguments, resources):
                raise SpecError(f"{key}: {directive.function}: {problem}")
            if function.secret is SecretUse.USED and resources.secret is None:
                keyless[directive.function] = None
    said = []
    if guessed := [name for name in keyless if name != "dummy"]:
        made = ", ".join(guessed)
        said.append(f"whoever knows or guesses an original value can find out what {made} made of it")
    if "dummy" in keyless:
        said.append("every patient gets the same dummy, as PatientID under a profile")
    if not said:
        return ""
    return f"no secret key: {', and '.join(said)}; give a key with --keyFile or PFDICOM_TAGSUB_KEY"


def check_vrs(name: str, key: Key | None, template: Template | None) -> Iterator[str]:
    """Check that functions are for the VRs of the values that they get, where the dictionary knows these.

    Args:
        name: the key as written, or the option.
        key: the key; None for the name of an output.
        template: the template.

    Yields:
        A warning where it is so for some of the elements only.

    Raises:
        SpecError: it is so for none of them.
    """
    for directive in template.directives if template else ():
        function = FUNCTIONS[directive.function] if directive.function else None
        if function is None or not function.vrs:
            continue
        is_own = directive.source == (SELF_SOURCE,)
        vrs = _vrs_of(key) if is_own else {tag: dictionary.vr_of(tag) for tag in directive.source}
        known = {tag: vr for tag, vr in vrs.items() if vr}
        unfit = {tag: vr for tag, vr in known.items() if function.vrs.isdisjoint(vr.split(" or "))}
        if not unfit:
            continue
        tag, vr = next(iter(unfit.items()))
        meant = f"{function.name} is for the VR {' or '.join(sorted(function.vrs))}"
        example = f"{dictionary.label_of(tag)} has {vr}"
        if len(unfit) == len(vrs):
            raise SpecError(f"{name}: {meant}, and {example}")
        yield (
            f"{name}: {meant}: files with one of {len(unfit)} of the {len(known)} elements that the key "
            f"matches will fail; {example}"
        )


_HEX_DIGITS = frozenset({"md5", "sha256", "hmac"})
_NEVER_HEX = {
    "UI": "%_uid_#tag makes a new UID",
    "DA": "%_dateshift|PatientID|365_#tag moves dates",
    "DT": "%_dateshift|PatientID|365_#tag moves dates",
    "TM": '"" says that it is meant',
    "AS": '"" says that it is meant',
}
"""VRs that no hash makes a value of but by chance, and what is written instead."""


def find_emptied(name: str, key: Key | None, template: Template | None) -> Iterator[str]:
    """A warning of a hash that leaves the element empty, since its VR may not hold hex digits.

    Args:
        name: the key as written.
        key: the key; one that names an element is looked at.
        template: the template.
    """
    if template is None or len(template.parts) != 1 or not isinstance(key, KeywordKey):
        return
    made = _HEX_DIGITS & template.functions
    vr = dictionary.vr_of(key.tags[0])
    cure = _NEVER_HEX.get(vr, "")
    if made and cure:
        yield (
            f"{name}: {next(iter(made))} makes hex digits, which the VR {vr} may not "
            f"hold: the element will be left empty; {cure}"
        )


def _vrs_of(key: Key | None) -> dict[int, str]:
    """The VRs that a dictionary gives the elements that a key names, "" where it gives none."""
    match key:
        case KeywordKey(tags) | PatternKey(_, tags) | VRKey(_, tags):
            return {tag: dictionary.vr_of(tag) for tag in tags}
        case MaskKey(_, tags):
            return {tag: vr for tag in tags if (vr := dictionary.vr_of(tag))}
        case PrivateKey(group, creator, element):
            tag = group << 16 | 0x1000 | element
            try:
                return {tag: private_dictionary_VR(tag, creator)}
            except KeyError:
                return {}
        case ContentItemKey(value_type=value_type) if value_type in VALUE_ELEMENTS:
            tag = VALUE_ELEMENTS[value_type]
            return {tag: dictionary.vr_of(tag)}
    return {}


def _texts_of(items: Items) -> Iterator[tuple[str, str]]:
    """The literals of items at any depth, each with its keyword."""
    for item in items.items:
        for keyword, value in item:
            if isinstance(value, Items):
                yield from _texts_of(value)
            else:
                yield keyword, value


def _cure_of(pair: Pair, stronger: Sequence[Rule]) -> str:
    """How to let an explicit key win over a pattern, where that can be said in short."""
    if len(stronger) != 1 or not isinstance(pair.key, KeywordKey) or not pair.text.isalnum():
        return ""
    prefix, _, pattern = stronger[0].key.partition(":")
    is_plain = prefix == "re" and not pattern.startswith("(?") and "..." not in pattern
    if not is_plain or not dictionary.is_keyword(pair.text):
        return ""
    if pattern in _WHOLE_PATTERNS and stronger[0].template is None:
        return '; to remove all but what other keys name write "rest": null instead of the pattern'
    inner = f"(?:{pattern})" if "|" in pattern else pattern
    others = f"(?!{pair.text}$){inner}"
    if not any(map(re.compile(others).match, dictionary.all_keywords())):
        return f"; to let it win take out {shortened(stronger[0].key)}, which hits nothing else"
    return f"; to leave it out of the pattern write re:{others}"
