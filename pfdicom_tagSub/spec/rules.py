"""A compiled spec: which tag gets which template, and what a scan has to look for.

``compiling.py`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ..core.spec_parts import SpecPart
from ..dicom import dictionary
from ..dicom.character_sets import CharacterSet
from .function_types import Origin, Resources
from .keys import ContentItemKey, Key, PrivateKey
from .templates import Template

if TYPE_CHECKING:
    from ..pixels.settings import PixelSettings
    from .conditions import Facts, Subject
    from .pairs import Block


@dataclass(frozen=True, slots=True)
class Literal:
    """An element of a literal item.

    Attributes:
        tag: its tag.
        vr: its VR.
        texts: its values; () for a sequence.
        items: the items of a sequence.
    """

    tag: int
    vr: str
    texts: tuple[str, ...] = ()
    items: tuple[tuple[Literal, ...], ...] = ()


INNER = 1 << 20
"""The rules within items have indices from here on: of those of one key, a multiple of it and more."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the elements that one key hits.

    Attributes:
        index: the strength of the key, the greater the stronger; the identity of the rule
            in caches.
        key: the key as written, for messages.
        template: what is written; None removes the element.
        items: the items of a sequence that is written instead.
        inserts: whether it may insert what a file lacks.
        adds: whether what the element holds stays, and the template's values or the items come after it.
        each: the rules for what is in the items of a sequence, which stay; None without any.
        keeps: whether it leaves alone what it hits.
        cleans: whether it cleans text of what the file holds elsewhere.
        walks: whether a sequence that it hits stays, so that the rules apply to what is in it.
    """

    index: int
    key: str
    template: Template | None
    items: tuple[tuple[Literal, ...], ...] = ()
    inserts: bool = True
    adds: bool = False
    each: RuleSet | None = field(default=None, repr=False, compare=False)
    keeps: bool = field(init=False, repr=False, compare=False)
    cleans: bool = field(init=False, repr=False, compare=False)
    walks: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        template = self.template
        object.__setattr__(self, "keeps", template is not None and template.keeps)
        object.__setattr__(self, "cleans", template is not None and template.cleans)
        object.__setattr__(self, "walks", self.keeps or self.cleans or self.each is not None)

    @property
    def key_index(self) -> int:
        """The index of the key that it stands under in the spec: its own, or that of the sequence."""
        index = self.index
        while index >= INNER:
            index = index // INNER - 1
        return index


@dataclass(frozen=True, slots=True)
class PrivateRule:
    """A rule for a private element, found through its creator."""

    key: PrivateKey
    rule: Rule


class RuleVariants(Protocol):
    """A spec with conditions: gives the rules for files for which some of them hold (``variants.py``)."""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What the conditions are about."""

    def holding(self, facts: Facts) -> tuple[int, ...]:
        """The indices of the ``when`` blocks that hold for a file.

        Raises:
            FileError: a condition cannot be decided.
        """

    def ending(self, held: Sequence[int]) -> Block | None:
        """The block that skips or fails a file; None where it goes on."""

    def rules(self, held: Sequence[int], resources: Resources) -> RuleSet:
        """The rules for files for which these blocks hold.

        Raises:
            SpecError: what applies together cannot.
        """


@dataclass(frozen=True)
class PixelRules:
    """How pixels are cleaned.

    Attributes:
        settings: what is blackened, and in which files.
        rules: the compiled spec for files whose pixels are cleaned, which stamps them.
    """

    settings: PixelSettings
    rules: RuleSet


@dataclass(frozen=True)
class RuleSet:
    """A compiled spec; it is picklable and does not change.

    Attributes:
        table: tag of the data set to rule, for public elements and private tag numbers.
            A rule that keeps stands here only where a weaker one for more elements would hit.
        groups: group to the rule for its elements that ``table`` does not name.
        meta: tag of the file meta (group 0002) to rule.
        private: the rules for private elements by creator; some may keep.
        insertions: (tag, rule) that a file gets at the top level where it holds the
            element nowhere, in order of the tags.
        sources: the tags that templates read.
        looked_up: those of them that templates of elements read, and not those of the names of outputs alone.
        remove_private: whether private elements that no rule names are removed at every depth.
        zero_preamble: whether the preamble is overwritten with zeros.
        stem: what names the outputs; None keeps the names.
        templates: every template, that of the names included.
        resources: what the functions of templates need.
        warnings: what the spec's author should know.
        digest: the spec's digest, the removal of private elements included.
        directories: what names the directories of the outputs, one template for each
            component of their path; () keeps those of the inputs.
        keys: for each rule by its index the key as written, and whether it is the user's.
        keepers: (index of the rule, key) of what leaves alone the elements that it hits.
        private_removers: the indices of the rules that remove every private element.
        preamble_zeroers: the indices of those that make the preamble zeros.
        assumed: the character set of files that declare none, or none that is known; None for none.
        remove_unknown: whether public elements that no dictionary knows and no rule names are removed.
        unknown_removers: the indices of the rules that do so.
        content: the rules for content items, each with its key.
        texts: the rule that cleans every free text which no other rule names; None if none does.
        private_vrs: VR to the rule for private elements that have it.
        unknown_vrs: VR to the rule for public elements that have it and that no dictionary knows.
        public_vrs: VR to the rule for elements for which the dictionary has it, in rules for items; in others
            the table has these.
        pixels: how pixels are cleaned; None where they are left alone.
        variants: what gives the rules for files for which conditions of the spec hold, as these are for files
            for which none does; None without conditions.
        parts: the files that the spec, and functions in it, come from.
        origins: where functions of the user's own come from; unpickling them loads these.
        held: the indices of the keys of the conditions that hold where these rules apply.
    """

    table: dict[int, Rule]
    groups: dict[int, Rule]
    meta: dict[int, Rule]
    private: tuple[PrivateRule, ...]
    insertions: tuple[tuple[int, Rule], ...]
    sources: frozenset[int]
    looked_up: frozenset[int]
    remove_private: bool
    zero_preamble: bool
    stem: Template | None
    templates: tuple[Template, ...]
    resources: Resources = field(repr=False)
    warnings: tuple[str, ...]
    digest: str
    directories: tuple[Template, ...] = ()
    keys: tuple[tuple[str, bool], ...] = ()
    keepers: tuple[tuple[int, Key], ...] = ()
    private_removers: tuple[int, ...] = ()
    preamble_zeroers: tuple[int, ...] = ()
    assumed: CharacterSet | None = None
    remove_unknown: bool = False
    unknown_removers: tuple[int, ...] = ()
    content: tuple[tuple[ContentItemKey, Rule], ...] = ()
    texts: Rule | None = None
    private_vrs: Mapping[str, Rule] = field(default_factory=dict)
    unknown_vrs: Mapping[str, Rule] = field(default_factory=dict)
    public_vrs: Mapping[str, Rule] = field(default_factory=dict)
    pixels: PixelRules | None = None
    variants: RuleVariants | None = None
    held: tuple[int, ...] = ()
    parts: tuple[SpecPart, ...] = ()
    origins: tuple[Origin, ...] = ()

    def with_resources(self, resources: Resources) -> RuleSet:
        """The same with another secret and other tables, also where pixels are cleaned."""
        pixels = self.pixels
        if pixels is not None:
            pixels = replace(pixels, rules=pixels.rules.with_resources(resources))
        return replace(self, resources=resources, pixels=pixels)

    @property
    def asks_for_more(self) -> bool:
        """Whether the VR of an element, or the sequence that it is in, decides which rule hits it."""
        return bool(self.private_vrs or self.unknown_vrs or self.each)

    @cached_property
    def each(self) -> tuple[Rule, ...]:
        """The rules that have others for what is in the items of the sequences that they hit."""
        every = (*self.table.values(), *self.public_vrs.values())
        return tuple({rule.index: rule for rule in every if rule.each is not None}.values())

    @property
    def claims_identity_removed(self) -> bool:
        """Whether outputs say that no identity is left, so that pixels need a thought, too."""
        return any(tag == dictionary.PATIENT_IDENTITY_REMOVED for tag, _ in self.insertions)

    @property
    def cleans(self) -> bool:
        """Whether some text is cleaned of what the file holds in other elements."""
        return any(template.cleans for template in self.templates)
