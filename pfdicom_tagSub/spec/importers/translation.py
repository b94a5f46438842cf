"""What the translation of other tools' rules comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...core.errors import SpecError
from ...dicom import dictionary
from ..compiling import compile_rules
from ..function_types import Resources
from ..parsing import parse_json

KEEP = "%_keep_#tag"
EMPTY = "%_empty_#tag"


Mask = dict[str, object]
"""A mask of pixels as ``--pixelMasks`` takes it."""


class Untranslated(NamedTuple):
    """A rule without an equivalent.

    Attributes:
        line: its line in the file, the first being 1.
        rule: what it is, as the file has it, in short.
        reason: why there is none.
    """

    line: int
    rule: str
    reason: str


class NoEquivalentError(Exception):
    """A rule that has none; its text is the reason."""


@dataclass
class Translation:
    """A spec in the making.

    Attributes:
        pairs: its keys and values.
        untranslated: the rules that have no equivalent.
        masks: the masks of pixels.
        mask_rules: the rules that these are of.
        count: how many rules were read.
    """

    pairs: dict[str, object] = field(default_factory=dict)
    untranslated: list[Untranslated] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    mask_rules: list[Untranslated] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        line: int,
        rule: str,
        pairs: Mapping[str, object] | None,
        reason: str = "",
        masks: Sequence[Mask] = (),
    ) -> None:
        """Take a rule.

        Args:
            line: where it is.
            rule: what it is.
            pairs: what it comes to; None where it has no equivalent.
            reason: why.
            masks: the masks that it comes to.
        """
        self.count += 1
        if masks:
            self.masks += masks
            self.mask_rules.append(
                Untranslated(line, rule, "it is a mask of pixels; give --importMasks FILE")
            )
        if pairs is not None:
            try:
                check(pairs)
            except SpecError as error:
                pairs, reason = None, str(error)
        if pairs is None:
            self.untranslated.append(Untranslated(line, rule, reason))
            return
        for key, value in pairs.items():
            known = self.pairs.get(key)
            if isinstance(known, dict) and isinstance(value, Mapping) and key.startswith("when "):
                known.update(value)
            else:
                self.pairs[key] = dict(value) if isinstance(value, Mapping) else value


class _AnyTable(dict[str, dict[str, str]]):
    """Tables of any name: which a run is given is not known here."""

    def __contains__(self, key: object) -> bool:
        return True


def check(pairs: Mapping[str, object]) -> None:
    """Check that pairs are a spec.

    Raises:
        SpecError: they are none.
    """
    compile_rules(parse_json(json.dumps(pairs), "the translation"), resources=Resources(tables=_AnyTable()))


def key_of(tag: int) -> str:
    """The key of a tag: its keyword, or where it has none the tag."""
    keyword = dictionary.keyword_of(tag)
    return keyword if keyword and len(dictionary.tags_of(keyword)) == 1 else dictionary.text_of(tag)


def where_present(tag: int) -> str:
    """A key that hits an element where a file has it, and inserts none."""
    key = key_of(tag)
    if not key.isalnum() or tag in dictionary.NEVER_BY_PATTERN or tag >> 16 == 0x0002:
        if not tag >> 16 & 1:
            raise NoEquivalentError("a value for an element that a file has, and that is not inserted")
        return key
    return f"re:{key}$"


def literal(text: str) -> str:
    """A text as a template that gives just this.

    Raises:
        NoEquivalentError: it has what cannot be written so.
    """
    if "#tag" in text:
        raise NoEquivalentError("a text with #tag in it")
    return text.replace("%", "%%")


def argument(text: str) -> str:
    """A text as an argument of a function."""
    if "|" in text:
        raise NoEquivalentError("an argument with a vertical bar")
    return text.replace("_", "__")
