"""Random data sets under random specs of two layers: each key does what it says, and nothing else.

What is expected is worked out from the keys as texts, without the engine: every key that
hits an element is listed in the order of strength, and the last one decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracle
import pytest
from builders import BIG, DEFLATED, EXPLICIT, FORMS, IMPLICIT, SOP_CLASS, Form, process, read, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Changed, Emptied, Items, Kept, Tree, decoded, tree_of
from pydicom import Dataset, datadict
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from selection import examples

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.pairs import Layer, TagSpec
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.profile import load
from pfdicom_tagSub.spec.rules import RuleSet

KEEP = "%_keep_#tag"
NAMES = ("ACME", "OTHER ONE", "Ünïque")
ITEMS = [{"CodeValue": "1", "CodeMeaning": "one"}, {"CodeMeaning": "two"}]
many = settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Spec = dict[str, Any]


# --- data sets


@st.composite
def blocks(draw: st.DrawFn, made: Dataset, depth: int) -> Dataset:
    """Private blocks: some creators twice, some missing, with blanks, in high block numbers."""
    for group in draw(st.sets(st.sampled_from([0x0029, 0x0019]), max_size=2)):
        for number in draw(st.sets(st.sampled_from([0x10, 0x11, 0x42, 0xFF]), max_size=3)):
            creator = draw(st.sampled_from([*NAMES, "ACME  ", "STRANGE", None]))
            if creator is not None:
                made.add_new(group << 16 | number, "LO", creator)
            block = group << 16 | number << 8
            for low in draw(st.sets(st.sampled_from([0x08, 0x10, 0x99]), max_size=3)):
                if low == 0x99 and depth < 2:
                    items = draw(st.lists(data_sets(depth + 1), max_size=2))
                    made.add(_sequence(block | low, items, draw))
                else:
                    made.add_new(block | low, "LO", draw(st.sampled_from(["", "p", "private"])))
    return made


def _sequence(tag: int, items: list[Dataset], draw: st.DrawFn) -> DataElement:
    element = DataElement(tag, "SQ", Sequence(items))
    element.is_undefined_length = draw(st.booleans())
    for item in items:
        item.is_undefined_length_sequence_item = draw(st.booleans())
    return element


_TEXTS = {
    "PatientName": ["Doe^Jane", "", ["A", "B^C"]],
    "PatientID": ["4711", ""],
    "PatientSize": ["1.7"],
    "StudyDate": ["20200229", ""],
    "Modality": ["MR"],
    "StudyDescription": ["head", ""],
    "OverlayDescription": ["o"],
}


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 0) -> Dataset:
    """Random data sets, up to three deep."""
    made = Dataset()
    if depth == 0:
        made.SOPClassUID = SOP_CLASS
        made.SpecificCharacterSet = "ISO_IR 100"
    for keyword in sorted(draw(st.sets(st.sampled_from(sorted(_TEXTS)), max_size=4))):
        tag = 0x60020022 if keyword == "OverlayDescription" else int(datadict.tag_for_keyword(keyword) or 0)
        made.add_new(tag, datadict.dictionary_VR(tag), draw(st.sampled_from(_TEXTS[keyword])))
    if draw(st.booleans()):
        made.add_new(0x60003000, "OW", b"12")
    if draw(st.booleans()):
        made.add_new(0x50000022, "LO", "curve")
    if depth < 2:
        for keyword in sorted(
            draw(st.sets(st.sampled_from(["ContentSequence", "RequestAttributesSequence"]), max_size=2))
        ):
            tag = int(datadict.tag_for_keyword(keyword) or 0)
            made.add(_sequence(tag, draw(st.lists(data_sets(depth + 1), max_size=2)), draw))
    return draw(blocks(made, depth))


# --- specs

_KEYS = [
    "PatientName",
    "PatientID",
    "StudyDate",
    "StudyDescription",
    "OverlayDescription",
    "ContentSequence",
    "RequestAttributesSequence",
    "AnatomicRegionSequence",
    "(0029,1010)",
    "(0019,4299)",
    '(0029,"ACME",10)',
    '(0029,"ACME",99)',
    '(0029,"Ünïque",08)',
    '(0019,"OTHER ONE",99)',
    "(0010,xxxx)",
    "(0010,00xx)",
    "0040xxxx",
    "(0040,Axxx)",
    "(0029,xxxx)",
    "(0019,10xx)",
    "(0019,xxxx)",
    "(50xx,xxxx)",
    "(60xx,3000)",
    "60xxxxxx",
    "re:Patient.*",
    "re:.*(Date|Description)$",
    "re:(Content|Request).*Sequence$",
    "private",
]


@st.composite
def layers(draw: st.DrawFn) -> list[Spec]:
    """Two specs: a profile and what a user put over it."""
    return [
        {
            key: draw(_values(key))
            for key in draw(st.lists(st.sampled_from(_KEYS), max_size=most, unique=True))
        }
        for most in (8, 4)
    ]


def _values(key: str) -> st.SearchStrategy[Any]:
    if key == "private":
        return st.sampled_from([None, None, KEEP])
    values = [None, "", KEEP, "%_empty_#tag"]
    if key in {"ContentSequence", "RequestAttributesSequence", "AnatomicRegionSequence"}:
        values += [ITEMS, {"replace": ITEMS}, []]
    elif key in {"PatientName", "PatientID", "StudyDescription", "re:Patient.*"}:
        values += ["LITERAL"]
    return st.sampled_from(values)


def compiled(specs: list[Spec]) -> RuleSet:
    """The two layers as the engine has them."""
    pairs = [
        pair
        for spec, layer in zip(specs, Layer, strict=True)
        for pair in parse_json(json.dumps(spec), "spec", layer).pairs
    ]
    return compile_rules(TagSpec(tuple(pairs)))


# --- what is expected

_NEVER_MASKED = oracle.NEVER


class Expected:
    """The spec, applied by hand."""

    def __init__(self, specs: list[Spec]) -> None:
        self.keys = [
            (key, spec[key])
            for spec in specs
            for kind in (_is_mask, _is_explicit, _is_pattern)
            for key in spec
            if kind(key)
        ]
        private = [spec["private"] for spec in specs if "private" in spec]
        self.removes_private = bool(private) and private[-1] is None
        self.present: set[int] = set()

    def rule(self, tag: int, data_set: Dataset) -> tuple[str, Any] | None:
        """The key that decides over an element and its value."""
        found = None
        for key, value in self.keys:
            if tag & 0xFFFF and _hits(key, tag, data_set):
                found = key, value
        if found and found[0].lower().endswith(("xxxx)", "xxxx")) and _is_creator(tag):
            return found if found[1] is None else None
        return found

    def needed(self, data_set: Dataset) -> set[int]:
        """The creators in force of what stays by a key."""
        stays = set()
        for tag in map(int, data_set.keys()):
            if tag >> 16 & 1 and tag & 0xF000:
                rule = self.rule(tag, data_set)
                if rule is not None and rule[1] is not None:
                    stays.add(tag & 0xFFFF0000 | (tag >> 8) & 0xFF)
        return stays

    def tree(self, tree: Tree, data_set: Dataset) -> Tree:
        """What is left of a data set."""
        made: Tree = {}
        needed = self.needed(data_set)
        for tag, node in tree.items():
            rule = self.rule(tag, data_set)
            if rule is not None:
                self.present.add(tag)
            if tag in needed:
                made[tag] = node
            elif rule is None and tag >> 16 & 1 and self.removes_private:
                continue
            elif rule is None or rule[1] == KEEP:
                made[tag] = self._walked(tag, node, data_set)
            elif rule[1] is not None:
                made[tag] = _replaced(tag, node, rule[1], data_set)
        return made

    def _walked(self, tag: int, node: Any, data_set: Dataset) -> Any:
        if not isinstance(node, Items):
            return node
        items = decoded(data_set, tag).value
        return Items([self.tree(part, item) for part, item in zip(node.items, items, strict=True)])

    def insertions(self) -> Iterator[tuple[int, Any]]:
        """What the root gets."""
        explicit = {key: value for key, value in self.keys if datadict.tag_for_keyword(key)}
        for key, value in explicit.items():
            tag = int(datadict.tag_for_keyword(key) or 0)
            is_sequence = datadict.dictionary_VR(tag) == "SQ"
            inserts = isinstance(value, str) and "%" not in value and not is_sequence
            if tag not in self.present and (inserts or (isinstance(value, list) and value)):
                yield tag, _replaced(tag, Items() if is_sequence else Kept("", b""), value, Dataset(), tag)


def _replaced(tag: int, node: Any, value: Any, data_set: Dataset, inserted: int = 0) -> Any:
    if isinstance(value, dict):
        if isinstance(node, Items) and not node.items:
            return node  # only a bare list of items fills an empty sequence
        value = value["replace"]
    if isinstance(node, Items):
        items = value if isinstance(value, list) else []
        return Literal(items) if items else Emptied()
    vr = datadict.dictionary_VR(tag) if inserted else decoded(data_set, tag).VR
    text = "" if value == "%_empty_#tag" else str(value)
    return Changed(vr, oracle.fitted(vr, [text]))


class Literal(Items):
    """A sequence of literal items."""

    def __init__(self, items: list[dict[str, str]]) -> None:
        super().__init__(
            [
                {
                    int(datadict.tag_for_keyword(keyword) or 0): Changed(
                        datadict.dictionary_VR(keyword), [text]
                    )
                    for keyword, text in item.items()
                }
                for item in items
            ]
        )


def _is_mask(key: str) -> bool:
    return re.fullmatch(r"\(?[0-9A-Fa-fx]{4},?[0-9A-Fa-fx]{4}\)?", key) is not None and "x" in key


def _is_pattern(key: str) -> bool:
    return key.startswith("re:")


def _is_explicit(key: str) -> bool:
    return not (_is_mask(key) or _is_pattern(key) or key == "private")


def _is_creator(tag: int) -> bool:
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def _hits(key: str, tag: int, data_set: Dataset) -> bool:
    if _is_pattern(key):
        keyword = datadict.keyword_for_tag(tag)
        return bool(keyword and re.match(key[3:], keyword)) and tag not in _NEVER_MASKED
    if _is_mask(key):
        digits = re.sub(r"[(),]", "", key).lower()
        even = "x" not in digits[:4] or not tag >> 16 & 1
        pattern = digits.replace("x", "[0-9a-f]")
        return even and re.fullmatch(pattern, f"{tag:08x}") is not None and tag not in _NEVER_MASKED
    if match := re.fullmatch(r'\((\w{4}),"([^"]+)",(\w\w)\)', key):
        creator = BaseTag(tag & 0xFFFF0000 | (tag >> 8) & 0xFF)
        if tag >> 16 != int(match[1], 16) or tag & 0xFF != int(match[3], 16) or tag & 0xFFFF < 0x1000:
            return False
        return creator in data_set and str(decoded(data_set, creator).value).strip() == match[2]
    if match := re.fullmatch(r"\((\w{4}),(\w{4})\)", key):
        return tag == int(match[1] + match[2], 16)
    return datadict.keyword_for_tag(tag) == key


def expected_tree(content: bytes, specs: list[Spec]) -> Tree:
    """What an output should hold."""
    data_set = read(content)
    expected = Expected(specs)
    made = expected.tree(tree_of(data_set), data_set)
    return made | dict(expected.insertions())


# --- the properties


@pytest.mark.parametrize("form", [*FORMS, DEFLATED], ids=lambda form: form.name)
@many
@given(st.data())
def test_the_strongest_key_decides(
    form: Form, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = written(data.draw(data_sets()), form)
    specs = data.draw(layers())
    _check(content, specs, _folder(tmp_path_factory))


@pytest.mark.parametrize("form", [*FORMS, DEFLATED], ids=lambda form: form.name)
@pytest.mark.parametrize("layer", Layer, ids=lambda layer: layer.name.lower())
@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("value", [ITEMS, {"replace": ITEMS}, [], "", None], ids=str)
def test_empty_sequence_stays_empty_unless_a_list_of_items_fills_it(
    value: Any, depth: int, layer: Layer, form: Form, tmp_path: Path
) -> None:
    outer, made = Dataset(), Dataset()
    made.ContentSequence = []
    outer.RequestAttributesSequence = [made]
    data_set = outer if depth else made
    data_set.SOPClassUID = SOP_CLASS
    specs: list[Spec] = [{"ContentSequence": value} if one is layer else {} for one in Layer]
    _check(written(data_set, form), specs, tmp_path)


def _check(content: bytes, specs: list[Spec], folder: Path) -> None:
    try:
        rules = compiled(specs)
    except SpecError:
        return
    result = process(Worker(Settings(rules)), content, folder)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    tree = expected_tree(content, specs)
    output = read(result.content)
    # Without VRs nobody can tell a private sequence that was emptied from an empty value.
    alike = "Kept(vr='', value=b''), but Emptied(items=[]) expected"
    assert [text for text in oracle.differences(tree, output) if not text.endswith(alike)] == []
    assert list(output.keys()) == sorted(output.keys())


@many
@given(st.data())
def test_what_a_worker_saw_before_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Memory, chains and cleaners of other files, under random specs and profiles."""
    folder = _folder(tmp_path_factory)
    options = data.draw(
        st.sampled_from(
            [
                "",
                "basic",
                "basic,cleanDescriptors,cleanStructuredContent",
                "basic,retainSafePrivate,retainLongitudinalModifiedDates",
            ]
        )
    )
    keep = data.draw(st.sampled_from([(), ('(0029,"ACME",99)',), ('(0019,"OTHER ONE",99)',)]))
    user = data.draw(layers())[1]
    try:
        pairs = (*load(options, keep).spec.pairs, *parse_json(json.dumps(user), "spec").pairs)
        rules = compile_rules(TagSpec(pairs))
    except SpecError:
        return
    form = data.draw(st.sampled_from([EXPLICIT, IMPLICIT, BIG, DEFLATED]))
    # Variants of one data set share most headers, which is when chains and memory are used.
    contents = []
    for made in data.draw(st.lists(data_sets(), min_size=1, max_size=2)):
        for name, text in (
            ("Doe^Jane", "head of Jane"),
            ("Roe^John", "head of Jane"),
            ("Doe^Jane", "of John"),
        ):
            made.PatientName, made.StudyDescription = name, text
            contents.append(written(made, form))
    fresh = [process(Worker(Settings(rules)), content, folder) for content in contents]
    shared = Worker(Settings(rules))
    for _ in range(2):
        for content, alone in zip(contents, fresh, strict=True):
            again = process(shared, content, folder)
            assert (again.content, again.outcome) == (alone.content, alone.outcome)
    for content, alone in zip(contents[::-1], fresh[::-1], strict=True):
        assert process(shared, content, folder).content == alone.content


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "properties"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder
