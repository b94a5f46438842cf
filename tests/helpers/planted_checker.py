"""Whether de-identified outputs of the planted corpus hold what they should, and nothing else.

Reads with pydicom, with a search of the bytes in every encoding in use and, where it is
installed, with dcmdump; shares no code with the tool. Use::

    score = check(build_corpus(), outputs, {"cleanDescriptors"})
    assert not score.misses
"""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from planted import PlantedFile, inflated
from planted_objects import SAFE_CREATOR
from planted_people import CLINICAL_WORDS, Kind, Person, Planted
from planted_reading import (
    TEMPORAL,
    TEXTUAL,
    ascii_values,
    creator_of,
    day_of,
    difference,
    items_of,
    moved_back,
    owners_of,
    problem_of_value,
    read_data_set,
    shifted_back,
    stored_bytes,
    tags_of,
    text_of,
    vr_of,
)
from planted_rows import FULL, MODIFIED, ROWS, STAMP_CODES, Row, row_of
from planted_score import Category, Miss, Needle, Score, needle_of
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

DEVICE = "retainDeviceIdentity"

_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_STAMPS = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})
_OF_DIRECTORY = frozenset({0x00041200, 0x00041202, 0x00041400, 0x00041420, 0x00041500})
"""Offsets, which move with the records, and the file IDs, which follow the outputs."""

_NEEDED = frozenset(
    {
        *("PresentationCreationDate", "PresentationCreationTime", "RadiopharmaceuticalStartDateTime"),
        *("ResponsiblePerson", "ResponsibleOrganization", "SourceManufacturer"),
    }
)
"""Elements that the table removes, but that an IOD needs (PS3.3), so that another value will do, too."""


def check(
    files: Iterable[PlantedFile],
    outputs: Path,
    options: Iterable[str] = (),
    *,
    where: Mapping[str, str] | None = None,
    kept_private: Iterable[tuple[str, int]] = (),
) -> Score:
    """Hold outputs against what they were made of.

    Args:
        files: the corpus, or a part of it.
        outputs: the output tree.
        options: the options of the profile that were on.
        where: input path to output path; the same if None.
        kept_private: creator and number of the private elements that were to stay.
    """
    return _Check(tuple(files), outputs, frozenset(options), where, frozenset(kept_private)).run()


def forbidden_texts(files: Iterable[PlantedFile], *, in_bytes: bytes | None = None) -> list[str]:
    """What ``basic`` has to remove from files, in lower case; of it only what some bytes lack, if given."""
    needles = {needle_of(planted, file.encodings) for file in files for planted in file.planted}
    if in_bytes is not None:
        lowered = in_bytes.lower()
        return [needle.planted.text for needle in needles if not needle.is_in_bytes(lowered)]
    return sorted({text for needle in needles for text in needle.texts})


def output_paths(files: Iterable[PlantedFile], outputs: Path) -> dict[str, str]:
    """Input path to output path in a tree that was renamed, told from what has no row in any file."""
    prints = {
        _fingerprint(read_data_set(path.read_bytes())): path for path in outputs.rglob("*") if path.is_file()
    }
    return {
        file.path: str(prints[key].relative_to(outputs))
        for file in files
        if (key := _fingerprint(read_data_set(file.content))) in prints
    }


def _fingerprint(made: Dataset) -> tuple[object, ...]:
    pixels = made.get_item(0x7FE00010)
    other = (made.get("InstanceNumber"), made.get("SeriesNumber"), made.get("Modality"))
    return (
        *other,
        made.file_meta.TransferSyntaxUID,
        str(made.get("SpecificCharacterSet")),
        pixels and pixels.value,
    )


# --- the check


@dataclass
class _Check:
    files: tuple[PlantedFile, ...]
    outputs: Path
    options: frozenset[str]
    where: Mapping[str, str] | None
    kept_private: frozenset[tuple[str, int]]
    total: Counter[Category] = field(default_factory=Counter)
    misses: list[Miss] = field(default_factory=list)
    uids: dict[str, str] = field(default_factory=dict)
    old_uids: dict[str, str] = field(default_factory=dict)
    path: str = ""
    person: Person | None = None
    file: PlantedFile | None = None
    forbidden: tuple[Needle, ...] = ()

    def demand(self, category: Category, place: str, problem: str) -> None:
        """Count a demand, and a miss if there is a problem."""
        self.total[category] += 1
        if problem:
            self.misses.append(Miss(category, self.path, place, problem))

    def run(self) -> Score:
        """Check every file, then what has to agree among them."""
        contents = {file.path: self._content(file) for file in self.files}
        pairs = {
            file.path: (read_data_set(file.content), read_data_set(content))
            for file in self.files
            if (content := contents[file.path])
        }
        self.shifts = self._shifts(pairs)
        dumps = self._dumps()
        for file in self.files:
            self.path, self.file, self.person = file.path, file, file.person
            self.demand(Category.READABLE, "file", "" if file.path in pairs else "there is no output")
            if file.path not in pairs:
                continue
            old, new = pairs[file.path]
            self.forbidden = tuple(self._forbidden(file))
            self._search(inflated(contents[file.path]), dumps.get(file.path, ""))
            if file.person is None:
                self._walk_directory(old, new)
            else:
                self._walk(old, new, "")
                self._check_stamps(old, new)
            self._check_head(old, new)
        self._check_patients(pairs)
        self._check_references(pairs)
        for file in self.files:
            if file.person is None and file.path in pairs:
                self.path = file.path
                self._check_directory(pairs, pairs[file.path][1])
        return Score(self.total, tuple(self.misses))

    def _output(self, file: PlantedFile) -> Path:
        return self.outputs / (file.path if self.where is None else self.where.get(file.path, "none"))

    def _content(self, file: PlantedFile) -> bytes:
        path = self._output(file)
        return path.read_bytes() if path.is_file() else b""

    # --- identifiers anywhere in the bytes

    def _shifts(self, pairs: Mapping[str, tuple[Dataset, Dataset]]) -> dict[str, int]:
        """Per patient by how many days the study date moved back; 0 where it did not."""
        shifts: dict[str, int] = {}
        for file in self.files:
            if file.person is None or file.path not in pairs or file.person.number in shifts:
                continue
            days = [day_of("".join(ascii_values(made, 0x00080020))) for made in pairs[file.path]]
            if days[0] and days[1]:
                shifts[file.person.number] = (days[0] - days[1]).days
        return shifts

    def _forbidden(self, file: PlantedFile) -> Iterator[Needle]:
        """What may not occur in a file, each once."""
        allowed = {planted.text for planted in file.planted if self._may_stay(planted)}
        if MODIFIED in self.options:
            dates = {planted.text for planted in file.planted if planted.kind is Kind.DATE}
            moved = (moved_back(text, shift) for text in dates for shift in self.shifts.values())
            allowed |= dates.intersection(moved)
        seen: set[str] = set()
        for planted in file.planted:
            if planted.text not in allowed and planted.text not in seen:
                seen.add(planted.text)
                yield needle_of(planted, file.encodings)

    def _may_stay(self, planted: Planted) -> bool:
        row = ROWS.get(planted.keyword)
        if row is None or planted.keyword == "private":
            return False
        if row.kept & self.options:
            return True
        cleaned = row.cleaned & self.options
        return (MODIFIED in cleaned and planted.kind is Kind.TIME) or DEVICE in cleaned

    def _search(self, content: bytes, dump: str) -> None:
        lowered, shown = content.lower(), dump.lower()
        for needle in self.forbidden:
            planted = needle.planted
            found = "its bytes" if needle.is_in_bytes(lowered) else ""
            found = found or ("what dcmdump prints" if needle.is_in_text(shown) else "")
            self.demand(
                Category.REMOVED,
                planted.place,
                found and f"{planted.kind} {planted.text!r} is left in {found}",
            )

    def _dumps(self) -> dict[str, str]:
        """What dcmdump prints of each output, in UTF-8; nothing without dcmdump."""
        program = shutil.which("dcmdump")
        if program is None:
            return {}
        dumps = {}
        paths = {str(self._output(file)): file.path for file in self.files if self._output(file).is_file()}
        done = subprocess.run([program, "-q", "+F", "+L", *paths], capture_output=True, timeout=60)
        for part in re.split(rb"^# dcmdump \(\d+/\d+\): ", done.stdout, flags=re.M)[1:]:
            name, _, text = part.partition(b"\n")
            dumps[paths[name.decode()]] = text.decode("utf-8", "replace")
        for path, name in paths.items():
            self.path = name
            bad = path.encode() in done.stderr or len(dumps.get(name, "")) < 100
            self.demand(Category.READABLE, "dcmdump", "dcmdump cannot read it" if bad else "")
        return dumps

    # --- element by element

    def _walk(self, old: Dataset, new: Dataset, place: str) -> None:
        tags = tags_of(old)
        for tag in tags:
            keyword, row = row_of(tag)
            if tag in _OF_DIRECTORY or (tag in _STAMPS and not place):
                continue
            where = place + (f"({tag >> 16:04X},{tag & 0xFFFF:04X})" if keyword == "private" else keyword)
            if keyword == "private":
                self._judge_private(old, new, tag, where)
            elif tag in _PIXELS:
                self.demand(Category.PIXELS, where, difference(old, new, tag))
            elif row is None and 0x6000 <= tag >> 16 <= 0x60FF and tag not in new:
                continue  # the description of an overlay may go with its data: there is nothing to demand
            elif row is None:
                self._judge_same(old, new, tag, where, Category.UNTOUCHED)
            else:
                self._judge(old, new, tag, where, row)
        for tag in set(tags_of(new)).difference(tags):
            if place or tag not in _STAMPS:
                self.demand(Category.UNTOUCHED, place + row_of(tag)[0], "the input has no such element")

    def _walk_items(self, old: Dataset, new: Dataset, tag: int, where: str) -> None:
        before, after = items_of(old, tag) or [], items_of(new, tag) or []
        problem = "" if len(before) == len(after) else f"{len(after)} items instead of {len(before)}"
        self.demand(Category.UNTOUCHED, where, problem)
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            self._walk(one, other, f"{where}[{index}].")

    def _judge_same(self, old: Dataset, new: Dataset, tag: int, where: str, category: Category) -> None:
        if items_of(old, tag) is None:
            self.demand(category, where, difference(old, new, tag))
        else:
            self._walk_items(old, new, tag, where)

    def _judge_private(self, old: Dataset, new: Dataset, tag: int, where: str) -> None:
        kept = set(self.kept_private)
        if "retainSafePrivate" in self.options:
            kept.add((SAFE_CREATOR, 0x0C))
        if tag & 0xFFFF < 0x100:
            creators = {creator for creator, _ in kept}
            is_kept = stored_bytes(old, tag).decode("latin-1").strip() in creators
        else:
            is_kept = (creator_of(old, tag), tag & 0xFF) in kept
        if is_kept:
            self.demand(Category.RETAINED, where, difference(old, new, tag))
        else:
            self.demand(Category.EMPTIED, where, "a private element is left" if tag in new else "")

    def _judge(self, old: Dataset, new: Dataset, tag: int, where: str, row: Row) -> None:
        codes = row.codes(self.options)
        if items_of(old, tag) is not None:
            self._judge_sequence(old, new, tag, where, codes)
            return
        if codes == {"X"} and ((self.file and self.file.person is None) or row_of(tag)[0] in _NEEDED):
            codes = frozenset({"X/Z/D"})
        if "C" in codes and tag >> 24 in {0x50, 0x60} and tag not in new:
            codes = frozenset({"X"})  # nothing can tell what a plane or a curve shows
        vr, (code, *_) = vr_of(tag), sorted(codes)
        if vr == "UI" and code == "U":
            self._judge_uids(old, new, tag, where)
            return
        problems = [self._problem(old, new, tag, vr, code) for code in codes]
        problem = "" if "" in problems else problems[0]
        if codes == {"K"}:
            category = Category.RETAINED
        elif MODIFIED in row.cleaned:
            category = Category.DATES
        elif codes == {"C"} and vr in TEXTUAL:
            category = Category.TEXT
        else:
            category = Category.EMPTIED
        self.demand(category, where, problem)

    def _problem(self, old: Dataset, new: Dataset, tag: int, vr: str, code: str) -> str:
        if code == "K":
            return difference(old, new, tag)
        if code == "C":
            return self._problem_of_clean(old, new, tag, vr)
        before, after = stored_bytes(old, tag), stored_bytes(new, tag)
        if tag not in new:
            return "" if "X" in code else f"is not there, but the code is {code}"
        if code == "X":
            return "is left"
        if before and before.strip(b" \0") == after.strip(b" \0"):
            return "is as it was"
        if code == "D" and before and not after:
            return "is empty, but the code is D"
        return problem_of_value(new, tag, vr)

    def _problem_of_clean(self, old: Dataset, new: Dataset, tag: int, vr: str) -> str:
        if vr in TEMPORAL:
            if tag not in new:
                return "is not there"
            shift = self.shifts.get(self.person.number if self.person else "", 0)
            expected = [shifted_back(value, vr, shift) for value in ascii_values(old, tag)]
            if vr != "TM" and not shift > 0:
                return "no shift is known"
            found = ascii_values(new, tag)
            return "" if found == expected else f"is {found} instead of {expected}"
        if vr not in TEXTUAL:
            return ""
        if row_of(tag)[1] and MODIFIED in ROWS.get(row_of(tag)[0], Row("")).cleaned:
            return ""
        if tag not in new:
            return "is not there"
        before, after = text_of(old, tag), text_of(new, tag)
        lost = [word for word in CLINICAL_WORDS if word in before and word not in after]
        left = [needle.planted.text for needle in self.forbidden if needle.is_in_text(after.lower())]
        return ("loses " + ", ".join(lost) if lost else "") or ("holds " + ", ".join(left) if left else "")

    def _judge_sequence(
        self, old: Dataset, new: Dataset, tag: int, where: str, codes: frozenset[str]
    ) -> None:
        before, after = items_of(old, tag), items_of(new, tag)
        (code, *_) = sorted(codes)
        if codes & {"K", "C"}:
            self.demand(Category.RETAINED, where, "" if tag in new else "is not there")
            if tag in new:
                self._walk_items(old, new, tag, where)
        elif code == "X/Z/U*":
            needed = ".ReferencedImage" in where and "/pr" in self.path
            self.demand(
                Category.EMPTIED, where, "an image's reference is gone" if needed and not after else ""
            )
            if after:
                self._walk_items(old, new, tag, where)
        elif tag not in new:
            self.demand(
                Category.EMPTIED, where, "" if "X" in code else f"is not there, but the code is {code}"
            )
        else:
            problem = "is left" if code == "X" else ("is as it was" if before and before == after else "")
            self.demand(Category.EMPTIED, where, problem)

    def _judge_uids(self, old: Dataset, new: Dataset, tag: int, where: str) -> None:
        before, after = ascii_values(old, tag), ascii_values(new, tag)
        if tag not in new or len(before) != len(after):
            self.demand(
                Category.UIDS, where, f"{len(before)} UIDs became {len(after) if tag in new else 'none'}"
            )
            return
        for one, other in zip(before, after, strict=True):
            self.demand(Category.UIDS, where, self._problem_of_uid(one, other))

    def _problem_of_uid(self, old: str, new: str) -> str:
        if not old or uid.UID(old) in uid.UID_dictionary:
            return "" if old == new else f"{old} became {new}"
        if len(new) > 64 or not uid.UID(new).is_valid or not new:
            return f"{new!r} is no UID"
        if old == new:
            return f"{old} is as it was"
        if self.uids.setdefault(old, new) != new:
            return f"{old} is {new} here and {self.uids[old]} elsewhere"
        if self.old_uids.setdefault(new, old) != old:
            return f"{new} stands for {old} and for {self.old_uids[new]}"
        return ""

    # --- the file as a whole

    def _check_head(self, old: Dataset, new: Dataset) -> None:
        preamble = new.preamble or b""
        self.demand(Category.STAMPS, "preamble", "is not zero" if preamble.strip(b"\0") else "")
        for keyword in ("TransferSyntaxUID", "MediaStorageSOPClassUID"):
            same = old.file_meta.get(keyword) == new.file_meta.get(keyword)
            self.demand(Category.UNTOUCHED, keyword, "" if same else "is another")
        tag = 0x00020003
        self._judge(old.file_meta, new.file_meta, tag, row_of(tag)[0], ROWS["MediaStorageSOPInstanceUID"])
        if "SOPInstanceUID" in old:
            stored, own = new.file_meta.get("MediaStorageSOPInstanceUID"), new.get("SOPInstanceUID")
            self.demand(
                Category.UIDS, "MediaStorageSOPInstanceUID", "" if stored == own else f"{stored}, not {own}"
            )
        for tag in (
            0x00020016,
            0x00020017,
            0x00020018,
            0x00020026,
            0x00020027,
            0x00020028,
            0x00020100,
            0x00020102,
        ):
            if tag in old.file_meta:
                left = stored_bytes(new.file_meta, tag) == stored_bytes(old.file_meta, tag)
                self.demand(Category.EMPTIED, row_of(tag)[0], "is as it was" if left else "")

    def _check_stamps(self, old: Dataset, new: Dataset) -> None:
        removed = new.get("PatientIdentityRemoved")
        self.demand(Category.STAMPS, "PatientIdentityRemoved", "" if removed == "YES" else f"is {removed}")
        self.demand(
            Category.STAMPS,
            "DeidentificationMethod",
            "" if new.get("DeidentificationMethod") else "is not there",
        )
        codes = [item.get("CodeValue") for item in new.get("DeidentificationMethodCodeSequence") or []]
        expected = sorted(["113100", *(STAMP_CODES[option] for option in self.options)])
        same = sorted(map(str, codes)) == expected
        self.demand(
            Category.STAMPS, "DeidentificationMethodCodeSequence", "" if same else f"{codes}, not {expected}"
        )
        dates = (
            "UNMODIFIED" if FULL in self.options else "MODIFIED" if MODIFIED in self.options else "REMOVED"
        )
        found = new.get("LongitudinalTemporalInformationModified")
        self.demand(
            Category.STAMPS,
            "LongitudinalTemporalInformationModified",
            "" if found == dates else f"{found}, not {dates}",
        )

    # --- among the files

    def _check_patients(self, pairs: Mapping[str, tuple[Dataset, Dataset]]) -> None:
        numbers: dict[str, str] = {}
        for file in self.files:
            if file.person is None or file.path not in pairs:
                continue
            self.path = file.path
            found = "".join(ascii_values(pairs[file.path][1], 0x00100020))
            problem = ""
            if not found or found == file.person.number:
                problem = f"is {found!r}"
            elif numbers.setdefault(file.person.number, found) != found:
                problem = f"is {found!r} here and {numbers[file.person.number]!r} elsewhere"
            elif len(set(numbers.values())) < len(numbers):
                problem = f"{found!r} is of two patients"
            self.demand(Category.PATIENT_ID, "PatientID", problem)

    def _check_references(self, pairs: Mapping[str, tuple[Dataset, Dataset]]) -> None:
        """Every instance that an output refers to is an output or a study."""
        known = {
            str(new.get(keyword))
            for _, new in pairs.values()
            for keyword in ("SOPInstanceUID", "StudyInstanceUID")
        }
        old_known = {
            str(old.get(keyword))
            for old, _ in pairs.values()
            for keyword in ("SOPInstanceUID", "StudyInstanceUID")
        }
        dangling = {
            value
            for old, _ in pairs.values()
            for _, value in self._references(old, "")
            if value not in old_known
        }
        may_dangle = {self.uids.get(value, value) for value in dangling}
        for path, (_, new) in pairs.items():
            self.path = path
            for place, value in self._references(new, ""):
                unknown = value not in known and value not in may_dangle
                self.demand(Category.UIDS, place, f"{value} is of no output" if unknown else "")

    def _references(self, made: Dataset, place: str) -> Iterator[tuple[str, str]]:
        """Where a data set refers to which instance, but for sequences that are replaced as a whole."""
        for tag in tags_of(made):
            keyword, row = row_of(tag)
            if keyword in {"ReferencedSOPInstanceUID", "ReferencedSOPInstanceUIDInFile"}:
                yield place + keyword, ascii_values(made, tag)[0]
            if row and not row.codes(self.options) & {"K", "C", "X/Z/U*"}:
                continue
            for index, item in enumerate(items_of(made, tag) or []):
                yield from self._references(item, f"{place}{keyword}[{index}].")

    # --- the DICOMDIR

    def _walk_directory(self, old: Dataset, new: Dataset) -> None:
        people = {file.person.number: file.person for file in self.files if file.person}
        owners = owners_of(old)
        before, after = items_of(old, 0x00041220) or [], items_of(new, 0x00041220) or []
        self.demand(
            Category.DICOMDIR,
            "records",
            "" if len(before) == len(after) else f"{len(after)} of {len(before)}",
        )
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            self.person = people.get(str(owners[one.seq_item_tell].PatientID))
            self._walk(one, other, f"{one.DirectoryRecordType}[{index}].")

    def _check_directory(self, pairs: Mapping[str, tuple[Dataset, Dataset]], new: Dataset) -> None:
        path = next(self._output(file) for file in self.files if file.person is None)
        outputs = {str(self._output(file)): pairs[file.path] for file in self.files if file.path in pairs}
        try:
            with warnings.catch_warnings(action="ignore"):
                count = len(FileSet(path))
        except Exception as error:
            count = -1
            self.demand(Category.DICOMDIR, "file-set", f"pydicom cannot read it: {type(error).__name__}")
        owners = owners_of(new)
        records = [one for one in items_of(new, 0x00041220) or [] if "ReferencedFileID" in one]
        self.demand(
            Category.DICOMDIR, "file-set", "" if count == len(records) else f"{count} of {len(records)} files"
        )
        for record in records:
            value = record.ReferencedFileID
            name = "/".join([value] if isinstance(value, str) else value)
            pair = outputs.get(str(path.parent / name))
            if pair is None:
                self.demand(Category.DICOMDIR, name, "no output has this name")
                continue
            old, made = pair
            own = made.get("SOPInstanceUID")
            told = record.get("ReferencedSOPInstanceUIDInFile")
            stale = told == old.get("SOPInstanceUID") and "retainUIDs" not in self.options
            self.demand(
                Category.DICOMDIR,
                f"{name} ReferencedSOPInstanceUIDInFile",
                f"{told}, not {own}" if told != own or stale else "",
            )
            owner = owners.get(record.seq_item_tell, Dataset()).get("PatientID")
            same = owner == made.get("PatientID") != old.get("PatientID")
            self.demand(Category.DICOMDIR, f"{name} PatientID", "" if same else f"{owner}")
