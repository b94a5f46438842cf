"""What a profile should make of a file, read from its JSON as plain data and checked with pydicom.

Nothing of the engine is used. What a pair says is checked as a property where the value
itself is free (a dummy, a new UID, a shifted date), and to the byte where it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import oracle
from oracle import Changed, Items, Kept, Tree, decoded, tree_of
from pydicom import Dataset, datadict, uid
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from pfdicom_tagSub.dicom.newer_attributes import NEWER_ATTRIBUTES

PROFILES = Path(__file__).resolve().parents[2] / "pfdicom_tagSub" / "profiles"
CODES = {
    "retainSafePrivate": "113111",
    "retainUIDs": "113110",
    "retainDeviceIdentity": "113109",
    "retainInstitutionIdentity": "113112",
    "retainPatientCharacteristics": "113108",
    "retainLongitudinalFullDates": "113106",
    "retainLongitudinalModifiedDates": "113107",
    "cleanDescriptors": "113105",
    "cleanStructuredContent": "113104",
    "cleanGraphics": "113103",
}
"""The options in the order in which one overrides another, and their codes (PS3.16 CID 7050)."""

METHOD, METHOD_CODES = 0x00120063, 0x00120064
STAMPS = {0x00120062, METHOD, METHOD_CODES, 0x00280303}
OFFSETS = oracle.OFFSETS
RECORDS = 0x00041220
INSTANCE, MEDIA_INSTANCE = 0x00080018, 0x00020003
OF_THE_STANDARD = "1.2.840.10008."
KEEP, REMOVE, EMPTY = "%_keep_#tag", None, "%_empty_#tag"
AGE = "%_agecap|89_#tag"
DUMMIES, CLEAN, UID = {"%_dummy_#tag", "%_dummy|patientID_#tag"}, "%_clean_#tag", "%_uid_#tag"
CONCEPT_NAME, VALUE_TYPE, CODING_SCHEME = 0x0040A043, 0x0040A040, 0x00080102
CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
ITEM_VALUES = {0x0040A120, 0x0040A121, 0x0040A122, 0x0040A123, 0x0040A124, 0x0040A160, 0x0040A30A}
"""The elements in which content items have their values, by type (PS3.3 10.2)."""

FREE_TEXT = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT"}
"""VRs that a clean option cleans wherever they stay."""

_CONCEPT = re.compile(r"ContentSequence\[([^\]]+)\]")
_BY_CREATOR = re.compile(r'\(([0-9A-Fa-f]{4}),"([^"]+)",([0-9A-Fa-f]{2})\)')
_BY_MASK = re.compile(r"\(([0-9A-Fa-fx]{4}),([0-9A-Fa-fx]{4})\)")
_LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}


@dataclass
class Profile:
    """A profile with options, and what its outputs showed so far.

    Attributes:
        options: the options.
        keep: keys of private elements that are kept besides.
        uids: every new UID by its original.
        shifts: by how many days the dates of each patient moved.
        dummies: the dummies of each VR.
    """

    options: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    uids: dict[str, str] = field(default_factory=dict)
    shifts: dict[str, int] = field(default_factory=dict)
    dummies: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pairs: dict[str, Any] = {}
        for name in ("basic", *(option for option in CODES if option in self.options)):
            pairs |= json.loads((PROFILES / f"{name}.json").read_text())
        pairs |= dict.fromkeys(self.keep, KEEP)
        self.pairs = pairs
        self.cleans_all = pairs.get("text") == CLEAN
        self.concepts = self._concepts() if "cleanStructuredContent" in self.options else {}
        self.by_creator = {
            (int(match[1], 16), match[2], int(match[3], 16)): value
            for key, value in pairs.items()
            if (match := _BY_CREATOR.fullmatch(key))
        }
        self.masks = [
            (re.compile((match[1] + match[2]).replace("x", "[0-9a-f]"), re.IGNORECASE), value)
            for key, value in pairs.items()
            if (match := _BY_MASK.fullmatch(key)) and "x" in key
        ]

    def _concepts(self) -> dict[str, Any]:
        """What becomes of content items: "code,scheme" or "code,scheme,type" to value."""
        tables = json.loads((PROFILES / "tables" / "content-items.json").read_text())
        found: dict[str, Any] = {}
        for name in ("basic", *(option for option in CODES if option in self.options)):
            for key, value in tables.get(name, {}).items():
                match = _CONCEPT.fullmatch(key)
                assert match is not None, key
                found[match[1].lower()] = value
        return found

    def value_for_item(self, item: Dataset) -> Any:
        """What the profile says of a content item; KEEP where it says nothing."""
        if not self.concepts or CONCEPT_NAME not in item:
            return KEEP
        names = decoded(item, CONCEPT_NAME).value or []
        if not names:
            return KEEP
        code, scheme, kind = (
            next((str(one[tag].value).strip() for tag in tags if tag in one), "")
            for one, tags in ((names[0], CODE_VALUES), (names[0], (CODING_SCHEME,)), (item, (VALUE_TYPE,)))
        )
        concept = f"{code},{scheme}".lower()
        return self.concepts.get(f"{concept},{kind.lower()}", self.concepts.get(concept, KEEP))

    def value_for(self, tag: int, data_set: Dataset) -> Any:
        """What the profile says of an element; KEEP where it says nothing."""
        if tag & 0xFFFF == 0:
            return REMOVE if tag >> 16 & 1 else KEEP
        if tag >> 16 & 1:
            return self._of_private(tag, data_set)
        if tag >> 16 == 0:
            return REMOVE
        keyword = datadict.keyword_for_tag(tag) or NEWER_ATTRIBUTES.get(tag, ("", ""))[1]
        if keyword and keyword in self.pairs:
            return self.pairs[keyword]
        for pattern, value in self.masks:
            if pattern.fullmatch(f"{tag:08x}"):
                return value
        # What is in no dictionary (pydicom's has nameless rows).
        is_known = keyword or datadict.dictionary_has_tag(tag) or datadict.repeater_has_tag(tag)
        return KEEP if is_known else self.pairs["unknown"]

    def _of_private(self, tag: int, data_set: Dataset) -> Any:
        if tag & 0xF000:
            creator = BaseTag(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
            if creator not in data_set:
                return REMOVE
            name = str(decoded(data_set, creator).value).strip()
            return self.by_creator.get((tag >> 16, name, tag & 0xFF), REMOVE)
        if not 0x10 <= tag & 0xFFFF <= 0xFF:
            return REMOVE
        block = [
            one for one in _tags(data_set) if one >> 16 == tag >> 16 and one & 0xFF00 == (tag & 0xFF) << 8
        ]
        return KEEP if any(self._of_private(int(one), data_set) is not REMOVE for one in block) else REMOVE


def check(profile: Profile, content: bytes, output: bytes, read: Any) -> list[str]:
    """How an output differs from what the profile asks for.

    Args:
        profile: the profile.
        content: the input.
        output: the output.
        read: reads bytes with pydicom.
    """
    return list(_check(profile, content, output, read))


def _check(profile: Profile, content: bytes, output: bytes, read: Any) -> Iterator[str]:
    if content[128:132] == b"DICM" and output[:132] != bytes(128) + b"DICM":
        yield "the preamble is not zero"
    before, after = read(content), read(output)
    patient = " ".join(oracle.texts_of(decoded(before, 0x00100020))) if 0x00100020 in before else ""
    is_directory = 0x00041200 in before
    walk = _Walk(profile, None if is_directory else patient)
    yield from walk.data_set(before, after, "", record=False)
    if not is_directory:
        yield from _stamps(profile, before, after)
    elif not set(after.keys()) <= set(before.keys()):
        yield "a DICOMDIR was stamped"
    old, new = getattr(before, "file_meta", Dataset()), getattr(after, "file_meta", Dataset())
    yield from walk.file_meta(old, new, after.get(INSTANCE))
    yield from _lengths(read(content), read(output))
    if old and len(old) and 0x00020000 in old:
        yield from _meta_length(output)
    yield from _private(after, profile, "")


def _private(data_set: Dataset, profile: Profile, path: str) -> Iterator[str]:
    for tag, node in tree_of(data_set).items():
        if tag >> 16 & 1 and profile.value_for(tag, data_set) is REMOVE:
            yield f"{path}/{tag:08X}: private and still there"
        if isinstance(node, Items):
            for item in decoded(data_set, tag).value or []:
                yield from _private(item, profile, f"{path}/{tag:08X}")


def _stamps(profile: Profile, before: Dataset, after: Dataset) -> Iterator[str]:
    missing = STAMPS - set(_tags(after))
    if missing:
        yield f"stamps are missing: {missing}"
        return
    codes = ["113100", *(CODES[option] for option in CODES if option in profile.options)]
    if [item.CodeValue for item in after[METHOD_CODES].value] != codes:
        yield "the codes of the method are wrong"
    if after.PatientIdentityRemoved != "YES" or "pfdicom_tagSub" not in str(after[METHOD].value):
        yield "PatientIdentityRemoved or DeidentificationMethod is wrong"
    if after[0x00280303].value != profile.pairs["LongitudinalTemporalInformationModified"]:
        yield "LongitudinalTemporalInformationModified is wrong"
    order = _tags(before)
    if order == sorted(order) and list(after.keys()) != sorted(after.keys()):
        yield "a stamp is not in its place"


class _Walk:
    """One comparison of an input and its output."""

    def __init__(self, profile: Profile, patient: str | None) -> None:
        self.profile = profile
        self.patient = patient

    def data_set(self, before: Dataset, after: Dataset, path: str, *, record: bool) -> Iterator[str]:
        """Compare two data sets, and those in them."""
        old, new = tree_of(before), tree_of(after)
        values = {tag: self.profile.value_for(tag, before) for tag in old}
        stays = [
            tag
            for tag in old
            if (values[tag] is not REMOVE or (record and tag in new)) and not self._is_emptied(before, tag)
        ]
        said = self.profile.value_for_item(before)
        found = [tag for tag in new if tag in old or tag not in (() if path else STAMPS)]
        if stays != found:
            yield f"{path}: {_named(stays, found)}"
        for tag in stays:
            if tag in new:
                where = f"{path}/{tag:08X}"
                sets = before, after
                problems = list(self._element(tag, values[tag], old, new, sets, where, record=record))
                if problems and tag in ITEM_VALUES and said not in {KEEP, REMOVE}:
                    problems = list(self._element(tag, said, old, new, sets, where, record=record))
                yield from problems

    def _is_emptied(self, data_set: Dataset, tag: int) -> bool:
        """Whether a sequence goes because all of its content items do."""
        if not self.profile.concepts or not isinstance(tree_of(data_set)[tag], Items):
            return False
        items = decoded(data_set, tag).value or []
        return len(items) > 0 and all(self.profile.value_for_item(item) is REMOVE for item in items)

    def _element(
        self,
        tag: int,
        value: Any,
        old: Tree,
        new: Tree,
        sets: tuple[Dataset, Dataset],
        where: str,
        *,
        record: bool,
    ) -> Iterator[str]:
        was, now = old[tag], new[tag]
        if (tag in STAMPS and not where.count("[")) or tag in OFFSETS or tag & 0xFFFF == 0:
            return  # looked at elsewhere
        if value == KEEP or (value == CLEAN and isinstance(was, Items)):
            if isinstance(was, Items) and isinstance(now, Items):
                yield from self._items(tag, sets, where)
            elif was != now:
                if self.profile.cleans_all and decoded(sets[0], tag).VR in FREE_TEXT:
                    yield from self._value(tag, CLEAN, sets, where)
                else:
                    yield f"{where}: changed"
            return
        if isinstance(value, dict):
            yield from _literal(value["replace"], decoded(sets[1], tag), where)
            return
        if record and value in {REMOVE, EMPTY}:
            # What a record has to hold: a dummy or nothing, never what was there.
            if _raw(was, sets[0], tag).strip(b" \0") and was == now:
                yield f"{where}: the original is still there"
            return
        if isinstance(was, Items):
            if not isinstance(now, Items) or now.items:
                yield f"{where}: a sequence that is not empty"
            return
        yield from self._value(tag, value, sets, where)

    def _items(self, tag: int, sets: tuple[Dataset, Dataset], where: str) -> Iterator[str]:
        old, new = (list(decoded(one, tag).value or []) for one in sets)
        old = [item for item in old if self.profile.value_for_item(item) is not REMOVE]
        if len(old) != len(new):
            yield f"{where}: {len(new)} items of {len(old)}"
            return
        for index, pair in enumerate(zip(old, new, strict=True)):
            yield from self.data_set(*pair, f"{where}[{index}]", record=tag == RECORDS)

    def _value(self, tag: int, value: Any, sets: tuple[Dataset, Dataset], where: str) -> Iterator[str]:
        was, now = (decoded(one, tag) for one in sets)
        old, new = oracle.texts_of(was), oracle.texts_of(now)
        if value in {EMPTY, ""}:
            if new or _raw_of(sets[1], tag):
                yield f"{where}: not empty"
        elif value in DUMMIES:
            yield from self._dummy(was, now, sets, where)
        elif value == UID:
            yield from self._uids(old, new, where)
        elif value == CLEAN:
            if any(word not in " ".join(old) for text in new for word in text.split() if word != "REMOVED"):
                yield f"{where}: cleaning brought in words"
            if any(old) and not any(new):
                yield f"{where}: emptied by cleaning"
        elif value == AGE:
            for one, other in zip(old, new, strict=True):
                number = int(one[:-1]) if one[:-1].isdigit() and one[-1:] in "DWMY" else -1
                is_old = one[-1:] == "Y" and number >= 90
                if other != ("" if number < 0 else "090Y" if is_old else one):
                    yield f"{where}: not the age, or 090Y for the very old"
        elif str(value).startswith("%_dateshift"):
            yield from self._shifted(was.VR, old, new, where)
        else:
            assert "%" not in value, value
            if new != [value]:
                yield f"{where}: not the literal"

    def _dummy(self, was: Any, now: Any, sets: tuple[Dataset, Dataset], where: str) -> Iterator[str]:
        old, new = oracle.texts_of(was), oracle.texts_of(now)
        raw, made = _raw_of(sets[0], was.tag).strip(b"\0 "), _raw_of(sets[1], was.tag).strip(b"\0 ")
        if raw and raw == made:
            yield f"{where}: the original stands"
        if was.VR in {"OB", "OW", "UN"}:
            if made:
                yield f"{where}: a binary dummy that says something"
            return
        if len(old) != len(new) or any(bool(a.strip()) != bool(b) for a, b in zip(old, new, strict=True)):
            yield f"{where}: a dummy of other values"
        if any(a and a == b for a, b in zip(old, new, strict=False)):
            yield f"{where}: a value stands"
        if not all(oracle.allowed(now.VR, text) for text in new):
            yield f"{where}: not allowed by its VR"
        known = self.profile.dummies.setdefault(now.VR, set())
        known.update(filter(None, new))
        if now.VR != "UI" and len(known) > 2:
            yield f"{where}: dummies of {now.VR} are no constants"

    def _uids(self, old: list[str], new: list[str], where: str) -> Iterator[str]:
        if len(old) != len(new):
            yield f"{where}: another number of UIDs"
            return
        for original, made in zip(old, new, strict=True):
            one = original.strip(" \0")
            if one in uid.UID_dictionary or one.startswith(OF_THE_STANDARD) or not one:
                if made != one:
                    yield f"{where}: a UID of the standard changed"
            elif made == one or not uid.UID(made).is_valid or self.profile.uids.setdefault(one, made) != made:
                yield f"{where}: not a new UID, or not always the same"

    def _shifted(self, vr: str, old: list[str], new: list[str], where: str) -> Iterator[str]:
        for original, made in zip(old, new, strict=False):
            if vr == "TM":
                if made not in {original, ""}:
                    yield f"{where}: a time changed"
            elif re.match(r"\d{8}", original) and made:
                days = _day(original) - _day(made)
                known = days if self.patient is None else self.profile.shifts.setdefault(self.patient, days)
                if days != known or not 1 <= days <= 365 or made[8:] != original[8:]:
                    yield f"{where}: shifted by {days} days, {known} expected"
            elif made and made == original and len(original) >= 8:
                yield f"{where}: not shifted"

    def file_meta(self, old: Dataset, new: Dataset, instance: Any) -> Iterator[str]:
        """Compare the file meta of two files; ``instance`` is the new SOPInstanceUID."""
        was, now = tree_of(old), tree_of(new)
        values = {
            tag: self.profile.value_for(tag, old) if datadict.dictionary_has_tag(tag) else REMOVE
            for tag in was
        }
        if [tag for tag in was if values[tag] is not REMOVE] != list(now):
            yield f"file meta: {list(map(hex, now))}"
        for tag in now:
            if tag == 0x00020000:
                continue
            if tag == MEDIA_INSTANCE and instance is not None and values.get(tag) == UID:
                # It follows the data set's, which under retainUIDs nobody writes.
                if oracle.texts_of(decoded(new, tag)) != oracle.texts_of(instance):
                    yield f"meta/{tag:08X}: not the UID of the data set"
            elif values.get(tag) == UID:
                texts = (oracle.texts_of(decoded(one, tag)) for one in (old, new))
                yield from self._uids(*texts, f"meta/{tag:08X}")
            elif was.get(tag) != now[tag]:
                yield f"meta/{tag:08X}: changed"


def _literal(items: list[Any], element: Any, where: str) -> Iterator[str]:
    found = list(element.value or [])
    if len(found) != len(items):
        yield f"{where}: {len(found)} items, {len(items)} expected"
        return
    for literal, item in zip(items, found, strict=True):
        if {datadict.keyword_for_tag(tag) for tag in _tags(item)} != set(literal):
            yield f"{where}: other elements than those of the literal"
            continue
        for keyword, value in literal.items():
            own = item[keyword]
            if isinstance(value, list):
                yield from _literal(value, own, f"{where}/{keyword}")
            elif own.VR in {"OB", "OW"}:
                if own.value != str(value).encode():
                    yield f"{where}/{keyword}: another value"
            elif "\\".join(map(_plain, oracle.texts_of(own))) != str(value):
                yield f"{where}/{keyword}: {own.value}, {value} expected"


def _plain(text: str) -> str:
    return text.removesuffix(".0")


def _day(text: str) -> int:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()


def _raw(node: Kept | Changed | Items, data_set: Dataset, tag: int) -> bytes:
    return node.value if isinstance(node, Kept) else _raw_of(data_set, tag)


def _raw_of(data_set: Dataset, tag: int) -> bytes:
    value = decoded(data_set, tag).value
    if isinstance(value, bytes):
        return value
    return "\\".join(oracle.texts_of(decoded(data_set, tag))).encode("utf-8", "surrogateescape")


def _named(expected: list[int], found: list[int]) -> str:
    lost = [f"{tag:08X}" for tag in expected if tag not in found]
    more = [f"{tag:08X}" for tag in found if tag not in expected]
    return f"missing {lost}, not expected {more}" if lost or more else "another order"


def _tags(data_set: Dataset) -> list[int]:
    return [int(tag) for tag in list(data_set.keys())]


def _ends(data_set: Dataset, *, implicit: bool) -> dict[int, tuple[int, int]]:
    """Where each element of a root starts, and where its value does."""
    found = {}
    for tag in _tags(data_set):
        stored = data_set.get_item(tag, keep_deferred=True)
        place = stored.value_tell if isinstance(stored, RawDataElement) else stored.file_tell
        if place is None:
            return {}
        vr = stored.VR or ""
        found[int(tag)] = (place - (8 if implicit or vr not in _LONG else 12), place)
    return found


def _lengths(before: Dataset, after: Dataset) -> Iterator[str]:
    """A group length of the root that was true is true."""
    truths = []
    for one in (before, after):
        implicit, little = one.original_encoding
        raws = {tag: one.get_item(tag, keep_deferred=True) for tag in _tags(one) if tag & 0xFFFF == 0}
        starts = _ends(one, implicit=bool(implicit))
        truth = {}
        for tag, raw in raws.items():
            later = [start for other, (start, _) in starts.items() if other >> 16 > tag >> 16]
            if tag in starts and later and isinstance(raw, RawDataElement) and raw.value:
                said = int.from_bytes(raw.value, "little" if little else "big")
                truth[tag] = min(later) - starts[tag][1] - 4 == said
        truths.append(truth)
    for tag, was_true in truths[0].items():
        if was_true and truths[1].get(tag, True) is False:
            yield f"{tag:08X}: a group length that is no longer true"


def _meta_length(output: bytes) -> Iterator[str]:
    """The group length of the file meta ends where group 0002 ends."""
    start = 132 if output[128:132] == b"DICM" else 0
    if output[start : start + 8] == b"\x02\0\0\0UL\x04\0":
        end = start + 12 + int.from_bytes(output[start + 8 : start + 12], "little")
        place = start + 12
        while place < end:
            if output[place : place + 2] != b"\x02\0":
                break
            is_long = output[place + 4 : place + 6].decode() in _LONG
            size = output[place + 8 : place + 12] if is_long else output[place + 6 : place + 8]
            place += (12 if is_long else 8) + int.from_bytes(size, "little")
        if place != end or output[end : end + 2] == b"\x02\0":
            yield "the group length of the file meta is not true"
