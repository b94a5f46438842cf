"""Make the profile's JSON files from the tables in ``tables`` beside this script.

Parts: ``table-e1-1.csv`` holds what PS3.15 Table E.1-1 says about each attribute, and what
was decided where the table leaves a choice; ``table-e3-4-1.csv`` the coded content items of
Table E.3.4-1; ``safe-private.csv`` the safe private attributes of Table E.3.10-1. Out of them
come ``basic.json`` and one JSON file per option, in the spec language of pfdicom_tagSub,
``tables/content-items.json``, which has one such object per option, and ``tables/edition.json``.

Use::

    python tools/make_profiles.py                   # write the JSON files
    python tools/make_profiles.py --check           # exit 1 where they are stale
    python tools/make_profiles.py --edition 2027a \\
        --import E1-1.tsv --import-content E3-4-1.tsv                 # next year's edition, first

The files to import have a header line, then one row a line, separated by tabs. Attributes: tag, name,
stdCompIOD, basicProfile and the ten columns of ``IMPORT_COLUMNS``, as in the standard's table. Content
items: scheme, code, meaning, valueType, basicProfile and those of the ten columns that there are.
Decisions of rows that did not change are kept; rows that are new or changed and leave a choice
are printed, get the choice that keeps an object valid, and make the exit code 1.

How a choice was made: PS3.15 E.1.1 gives it to the type of the attribute in the IODs (PS3.3). An
attribute that is type 1 or 1C anywhere in a composite IOD (at any depth, but for the inside of
sequences that the profile always removes) takes D, one that is type 2 or 2C takes Z or, where the
table does not offer Z, D; all others are removed. The reason names such a module or sequence.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pfdicom_tagSub.dicom import dictionary

HERE = Path(__file__).resolve().parent
TABLES = HERE / "tables"
PROFILES = HERE.parent / "pfdicom_tagSub" / "profiles"
TABLE = "table-e1-1.csv"
CONTENT_TABLE = "table-e3-4-1.csv"
CONTENT_ITEMS = "tables/content-items.json"
EDITION = "tables/edition.json"
SAFE_PRIVATE = "safe-private.csv"
BASIC = "basic"
COLUMNS = ("tag", "keyword", "action", "options", "decision", "reason")
CONTENT_COLUMNS = ("scheme", "code", "meaning", "valueType", "action", "options")

IMPORT_COLUMNS = {
    "rtnSafePrivOpt": "retainSafePrivate",
    "rtnUIDsOpt": "retainUIDs",
    "rtnDevIdOpt": "retainDeviceIdentity",
    "rtnInstIdOpt": "retainInstitutionIdentity",
    "rtnPatCharsOpt": "retainPatientCharacteristics",
    "rtnLongFullDatesOpt": "retainLongitudinalFullDates",
    "rtnLongModifDatesOpt": "retainLongitudinalModifiedDates",
    "cleanDescOpt": "cleanDescriptors",
    "cleanStructContOpt": "cleanStructuredContent",
    "cleanGraphOpt": "cleanGraphics",
}
OPTIONS = tuple(IMPORT_COLUMNS.values())

KEEP = "%_keep_#tag"
AGE = "%_agecap|89_#tag"
"""Ages that are kept have an end (45 CFR 164.514(b)(2)(i)(C)); PS3.15 E.3.7 leaves that to the site."""
EMPTY = "%_empty_#tag"
DUMMY = "%_dummy|patientID_#tag"
"""The same value of two patients gets two dummies, so that who knows one of them does not know the other."""

OWN_DUMMY = "%_dummy_#tag"
"""For what names the patient, and is the same in all files of one."""

PATIENT_IDS = frozenset({"PatientID", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"})
UID = "%_uid_#tag"
CLEAN = "%_clean_#tag"
SHIFT = "%_dateshift|patientID|365_#tag"

REFERENCE_TYPES = frozenset({"COMPOSITE", "IMAGE", "WAVEFORM"})
"""Value types of content items whose value is a reference (PS3.3 C.17.3)."""

PRIVATE_TAG = "private"
WALK = "walk"
"""A decision: no pair for the sequence; it stays, and its elements are treated by their own pairs."""
OUT = "out"
"""A decision: no pair at all, because no file can hold the element."""
AS_BASIC = "basic"
"""A decision on an option, ``cleanGraphics:basic``: the option changes nothing here."""
ACTIONS = ("X", "Z", "D", "U", WALK, OUT)

SAFE_ACTIONS = {"K": KEEP, "U": UID, "C": CLEAN}
"""Actions of the safe private attributes: a UID that names an instance has to follow it."""

TEXT_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
NUMBER_VRS = frozenset({"AS", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
DATE_VRS = frozenset({"DA", "DT", "TM"})

FILE_META = (
    "ImplementationVersionName",
    "SourceApplicationEntityTitle",
    "SendingApplicationEntityTitle",
    "ReceivingApplicationEntityTitle",
    "SourcePresentationAddress",
    "SendingPresentationAddress",
    "ReceivingPresentationAddress",
    "PrivateInformationCreatorUID",
    "PrivateInformation",
    "RTVCommunicationSOPInstanceUID",
    "RTVSourceIdentifier",
    "RTVFlowIdentifier",
)
"""File meta that names where a file comes from (PS3.10 7.1); PS3.15 E.1.1 replaces file meta."""

Item = dict[str, "str | int | list[Item]"]
Value = str | None | list[Item] | dict[str, list[Item]]

_CODE: Item = {"CodeValue": "ANON", "CodingSchemeDesignator": "99ANON", "CodeMeaning": "Anonymized"}
_COMMENT: Item = {"CodeValue": "121106", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Comment"}

DUMMY_SEQUENCES: dict[str, list[Item]] = {
    # Any SR root may contain a text (PS3.3 C.17.3); 121106 is "Comment" of PS3.16 Annex D.
    "ContentSequence": [
        {
            "RelationshipType": "CONTAINS",
            "ValueType": "TEXT",
            "ConceptNameCodeSequence": [_COMMENT],
            "TextValue": "Removed",
        }
    ],
    # A single point, so that nothing is written over the image (PS3.3 C.10.5).
    "GraphicAnnotationSequence": [
        {
            "GraphicLayer": "REMOVED",
            "GraphicObjectSequence": [
                {
                    "GraphicAnnotationUnits": "DISPLAY",
                    "GraphicDimensions": 2,
                    "NumberOfGraphicPoints": 1,
                    "GraphicData": "0\\0",
                    "GraphicType": "POINT",
                }
            ],
        }
    ],
    # FlowIdentifier is OB: two NULs (PS3.3 C.32.2, real-time bulk data).
    "FlowIdentifierSequence": [{"FlowIdentifier": "\0\0"}],
    "InstitutionCodeSequence": [_CODE],
    "PersonIdentificationCodeSequence": [_CODE],
    "OperatorIdentificationSequence": [
        {"PersonIdentificationCodeSequence": [_CODE], "InstitutionName": "Anonymized"}
    ],
    "VerifyingObserverSequence": [
        {
            "VerifyingOrganization": "Anonymized",
            "VerificationDateTime": "19000101000000",
            "VerifyingObserverName": "Anonymized",
            "VerifyingObserverIdentificationCodeSequence": [],
        }
    ],
}
"""What stands in for a sequence with action D, as valid for its module as a constant can be."""

REFERENCES = (
    "MultiFrameSourceSOPInstanceUID",
    "RadiopharmaceuticalAdministrationEventUID",
    "TargetFrameOfReferenceUID",
    "SOPInstanceUIDOfConcatenationSource",
    "VolumeFrameOfReferenceUID",
    "TableFrameOfReferenceUID",
    "FindingsGroupUIDTrial",
    "ReferencedFindingsGroupUIDTrial",
    "AssertionUID",
    "ReferencedAssertionUID",
    "ReferencedFiducialUID",
    "VolumetricPresentationInputSetUID",
    "SelectorUIValue",
    "EquipmentFrameOfReferenceUID",
)
"""UIDs without a row that name what has another UID after the table was applied: they have to follow,
since they would give away the original and point nowhere (PS3.15 E.1.1)."""

WHERE_STORED = ("HomeCommunityID", "RepositoryUniqueID", "RetrieveLocationUID")
"""UIDs without a row that name who keeps the original; no option keeps them."""

EXTRA: dict[str, dict[str, Value]] = {
    BASIC: {
        "preamble": "",
        "unknown": None,
        **dict.fromkeys(FILE_META),
        **dict.fromkeys((*REFERENCES, *WHERE_STORED), UID),
        "FileSetID": EMPTY,  # type 2 in a DICOMDIR (PS3.3 F.3.2.1); mostly the name of who wrote the disc
        # A plane without its data is no valid plane (PS3.3 C.9.2): all of it goes.
        "(60xx,xxxx)": None,
        "PatientIdentityRemoved": "YES",
        "LongitudinalTemporalInformationModified": "REMOVED",
    },
    "retainUIDs": dict.fromkeys(REFERENCES, KEEP),
    "retainLongitudinalFullDates": {"LongitudinalTemporalInformationModified": "UNMODIFIED"},
    "retainLongitudinalModifiedDates": {"LongitudinalTemporalInformationModified": "MODIFIED"},
    # Under a clean option every text is cleaned that stays, whether or not it has a row of its own.
    "cleanDescriptors": dict.fromkeys(("text", "CodeMeaning"), CLEAN),
    "cleanStructuredContent": dict.fromkeys(("text", "CodeMeaning", "TextValue"), CLEAN),
    "cleanGraphics": dict.fromkeys(
        (
            "text",
            "CodeMeaning",
            "UnformattedTextValue",
            "TickLabel",
            "GraphicLayerDescription",
            "GraphicGroupLabel",
            "GraphicGroupDescription",
        ),
        CLEAN,
    ),
}
"""Pairs that come from the text of PS3.15 Annex E and not from a row of its table."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        tag: ``(gggg,eeee)``, with x where the standard has X; ``private`` for all private ones.
        keyword: the keyword of the dictionary, "" where it has none.
        action: the action of the basic profile, e.g. ``X/Z``.
        options: ``((option, action), ...)`` in the order of ``OPTIONS``.
        decision: what was decided, words separated by spaces: one of ``ACTIONS`` and
            ``option:basic``; "" where the table leaves no choice.
        reason: why.
    """

    tag: str
    keyword: str
    action: str
    options: tuple[tuple[str, str], ...]
    decision: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        """How a spec names the row."""
        return self.keyword or self.tag

    @property
    def vr(self) -> str:
        """The VR that the dictionary gives; "" for groups and private elements."""
        tags = dictionary.tags_of(self.keyword)
        return dictionary.vr_of(tags[0]) if len(tags) == 1 else ""

    @property
    def is_decided(self) -> bool:
        """Whether nothing is left open."""
        options = all(_option_value(self, option, code) != AS_BASIC for option, code in self.options)
        return bool(self.decision) or (self.action in {"X", "Z", "D", "U"} and options)

    @property
    def chosen(self) -> str:
        """The action that is taken; for an open choice the last one, which keeps objects valid."""
        for word in self.decision.split():
            if word in ACTIONS:
                return word
        return {"U*": WALK}.get(last := self.action.split("/")[-1], last)

    def leaves_to_basic(self, option: str) -> bool:
        """Whether it was decided that the option changes nothing here."""
        return self.chosen == OUT or f"{option}:{AS_BASIC}" in self.decision.split()


def basic_value(row: Row) -> Value:
    """The value of the row in basic.json; rows with WALK and OUT have none.

    Raises:
        ValueError: D on a sequence for which there is no dummy.
    """
    match row.chosen:
        case "X":
            return None
        case "Z":
            return EMPTY
        case "U":
            return UID
        case "D" if row.vr == "SQ":
            if row.keyword not in DUMMY_SEQUENCES:
                raise ValueError(f"{row.key}: D on a sequence needs an entry of DUMMY_SEQUENCES")
            return {"replace": DUMMY_SEQUENCES[row.keyword]}
        case "D":
            if row.vr == "UI":
                return UID
            return OWN_DUMMY if row.keyword in PATIENT_IDS else DUMMY
        case other:
            raise ValueError(f"{row.key}: no value for {other}")


def _option_value(row: Row, option: str, code: str) -> str:
    """The value of the row in an option's file; ``basic`` where it can only stay as it is."""
    if row.leaves_to_basic(option):
        return AS_BASIC
    if row.tag == PRIVATE_TAG:
        return KEEP  # its pairs come from the list of safe private attributes
    if code == "K":
        return AGE if row.keyword == "PatientAge" else KEEP
    if option == "retainLongitudinalModifiedDates":
        if row.vr in DATE_VRS:
            return SHIFT
        return KEEP if row.keyword == "TimezoneOffsetFromUTC" else AS_BASIC
    if row.vr in TEXT_VRS or row.vr == "SQ":
        return CLEAN
    return KEEP if row.vr in NUMBER_VRS else AS_BASIC


@dataclass(frozen=True, slots=True)
class ContentRow:
    """One coded content item of Table E.3.4-1.

    Attributes:
        scheme: the coding scheme designator, with the version in brackets where the standard has one.
        code: the code value of the concept name.
        meaning: what the code means.
        value_type: the value type of the item (PS3.3 C.17.3).
        action: the action of the option by itself, ``X``, ``D`` or ``X/D``.
        options: ``((option, action), ...)`` in the order of ``OPTIONS``.
    """

    scheme: str
    code: str
    meaning: str
    value_type: str
    action: str
    options: tuple[tuple[str, str], ...]

    def key(self, *, typed: bool) -> str:
        """How a spec names the item; a code is looked for in every version of its scheme."""
        scheme = self.scheme.partition(" [")[0]
        return f"ContentSequence[{self.code},{scheme}{f',{self.value_type}' if typed else ''}]"

    @property
    def basic_value(self) -> Value:
        """What becomes of the item, ``AS_BASIC`` where its elements are treated by their own pairs.

        D keeps a template of PS3.16 valid that wants the item, so it is taken where the table has a choice.
        """
        if self.action == "X":
            return None
        if self.value_type in REFERENCE_TYPES:
            return AS_BASIC  # ReferencedSOPInstanceUID has a pair of its own
        return UID if self.value_type == "UIDREF" else DUMMY

    def option_value(self, option: str, code: str) -> str:
        """What an option makes of the item."""
        if code == "K":
            return KEEP
        return SHIFT if option == "retainLongitudinalModifiedDates" else CLEAN


def content_pairs(rows: Iterable[ContentRow]) -> dict[str, dict[str, Value]]:
    """The pairs for content items: option (``basic`` for the option by itself) to key to value.

    What the table removes goes whatever its value type is, unless a row for that type says otherwise; any
    other item of a type that is not in the table is treated by the pairs of its elements.
    """
    concepts: dict[str, list[ContentRow]] = {}
    for row in rows:
        concepts.setdefault(row.key(typed=False), []).append(row)
    pairs: dict[str, dict[str, Value]] = {name: {} for name in (BASIC, *OPTIONS)}
    for concept, same in concepts.items():
        is_removed = any(row.basic_value is None for row in same)
        if is_removed:
            pairs[BASIC][concept] = None
        if is_removed and all("cleanDescriptors" in dict(row.options) for row in same):
            # What the table says of a description is not meant for a finding in a code.
            pairs[BASIC][f"{concept[:-1]},CODE]"] = KEEP
        for row in same:
            key = row.key(typed=True)
            if row.basic_value != AS_BASIC and row.basic_value is not None:
                pairs[BASIC][key] = row.basic_value
            elif row.basic_value is not None and is_removed:
                pairs[BASIC][key] = KEEP  # the key for all types must not remove it
            for option, code in row.options if row.basic_value != AS_BASIC else ():
                pairs[option][key] = row.option_value(option, code)
    return {name: own for name, own in pairs.items() if own}


def content_text(pairs: dict[str, dict[str, Value]]) -> str:
    """The pairs for content items as JSON."""
    objects = (f"{json.dumps(name)}: {_text(own).rstrip()}" for name, own in pairs.items())
    return "{\n" + ",\n".join(objects) + "\n}\n"


def make(rows: Iterable[Row], safe: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The text of each JSON file.

    Args:
        rows: the table.
        safe: (key, action) of each safe private attribute.

    Returns:
        File name to text.
    """
    pairs: dict[str, dict[str, Value]] = {name: dict(EXTRA.get(name, {})) for name in (BASIC, *OPTIONS)}
    for row in rows:
        if row.chosen not in {WALK, OUT}:
            pairs[BASIC][row.key] = basic_value(row)
        for option, code in row.options:
            value = _option_value(row, option, code)
            if row.tag != PRIVATE_TAG and value != AS_BASIC:
                pairs[option][row.key] = value
    pairs["retainSafePrivate"] |= {key: SAFE_ACTIONS[action] for key, action in safe}
    return {f"{name}.json": _text(own) for name, own in pairs.items()}


def _text(pairs: dict[str, Value]) -> str:
    lines = (
        f"  {json.dumps(key)}: {json.dumps(pairs[key], ensure_ascii=True)}"
        for key in sorted(pairs, key=_place)
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _place(key: str) -> str:
    """What pairs are sorted by: the tag; the preamble is first, ``private`` last."""
    if key == "preamble":
        return ""
    if key in {PRIVATE_TAG, "unknown", "text"}:
        return f"~{key}"
    if key.startswith("("):
        return key.lower()
    tags = dictionary.tags_of(key)
    return dictionary.text_of(tags[0]).lower() if tags else key


def read_table(path: Path) -> list[Row]:
    """Read the table of this directory."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(
                row["tag"],
                row["keyword"],
                row["action"],
                tuple((o, c) for o, c in (word.split(":") for word in row["options"].split())),
                row["decision"],
                row["reason"],
            )
            for row in csv.DictReader(file)
        ]


def table_text(rows: Iterable[Row]) -> str:
    """The table as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: _place(row.tag)):
        options = " ".join(f"{option}:{code}" for option, code in row.options)
        writer.writerow((row.tag, row.keyword, row.action, options, row.decision, row.reason))
    return buffer.getvalue()


def read_safe_private(path: Path) -> list[tuple[str, str]]:
    """The (key, action) pairs of the safe private attributes, in the form that a spec takes.

    Lines that begin with # are comments.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [(f'({row["group"]},"{row["creator"]}",{row["element"]})', row["action"]) for row in rows]


def read_edition(path: Path) -> list[Row]:
    """Read an edition of Table E.1-1, tab separated.

    Raises:
        ValueError: a column is missing or a tag is none.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        missing = {"tag", "basicProfile", *IMPORT_COLUMNS} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))}")
        return [_imported(row) for row in reader]


def _imported(row: dict[str, str]) -> Row:
    tag = row["tag"].strip().upper()
    if tag.startswith("(GGGG,EEEE)"):
        tag = PRIVATE_TAG
    elif not re.fullmatch(r"\([0-9A-FX]{4},[0-9A-FX]{4}\)", tag):
        raise ValueError(f"{tag!r} is not a tag")
    tag = tag.replace("X", "x")
    known = tag != PRIVATE_TAG and "x" not in tag
    keyword = dictionary.keyword_of(int(tag[1:5] + tag[6:10], 16)) if known else ""
    options = tuple(
        (option, code) for column, option in IMPORT_COLUMNS.items() if (code := (row[column] or "").strip())
    )
    return Row(tag, keyword, row["basicProfile"].strip(), options)


def read_content_table(path: Path) -> list[ContentRow]:
    """Read the table of content items of this directory."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            ContentRow(
                row["scheme"],
                row["code"],
                row["meaning"],
                row["valueType"],
                row["action"],
                tuple((o, c) for o, c in (word.split(":") for word in row["options"].split())),
            )
            for row in csv.DictReader(file)
        ]


def content_table_text(rows: Iterable[ContentRow]) -> str:
    """The table of content items as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CONTENT_COLUMNS)
    for row in rows:
        options = " ".join(f"{option}:{code}" for option, code in row.options)
        writer.writerow((row.scheme, row.code, row.meaning, row.value_type, row.action, options))
    return buffer.getvalue()


def read_content_edition(path: Path) -> list[ContentRow]:
    """Read an edition of Table E.3.4-1, tab separated.

    Raises:
        ValueError: a column is missing.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        columns = set(reader.fieldnames or ())
        missing = {"scheme", "code", "meaning", "valueType", "basicProfile"} - columns
        if missing:
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))}")
        return [
            ContentRow(
                row["scheme"].strip(),
                row["code"].strip(),
                row["meaning"].strip(),
                row["valueType"].strip(),
                row["basicProfile"].strip(),
                tuple(
                    (option, code)
                    for column, option in IMPORT_COLUMNS.items()
                    if (code := (row.get(column) or "").strip())
                ),
            )
            for row in reader
        ]


def merge(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """The rows of a new edition with the decisions of the rows that say the same as before."""
    known = {row.tag: row for row in old}
    merged: list[Row] = []
    for row in new:
        before = known.get(row.tag)
        same = before is not None and (before.action, before.options) == (row.action, row.options)
        decided = replace(row, decision=before.decision, reason=before.reason) if before and same else row
        merged.append(decided)
    return merged


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files; see the top of this module.

    Returns:
        0; 1 where a file is stale (``--check``) or a row needs a decision; 2 where a table
        cannot be read, and nothing is written.
    """
    parser = argparse.ArgumentParser(description="Make the profile's JSON files from their tables.")
    parser.add_argument(
        "--edition", metavar="YEAR", help="the edition of the tables to import, such as 2026d"
    )
    parser.add_argument("--import", dest="table", type=Path, metavar="TSV", help="its Table E.1-1")
    parser.add_argument("--import-content", type=Path, metavar="TSV", help="its Table E.3.4-1")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    options = parser.parse_args(arguments)
    if (options.table or options.import_content) and not options.edition:
        parser.error("--import needs --edition")

    try:
        before = read_table(path_of(TABLE)) if (path_of(TABLE)).exists() else []
        rows = merge(before, read_edition(options.table)) if options.table else before
        if options.import_content:
            items = read_content_edition(options.import_content)
        else:
            items = read_content_table(path_of(CONTENT_TABLE))
        edition = options.edition or json.loads(_stored(EDITION))["edition"]
        files = {
            TABLE: table_text(rows),
            CONTENT_TABLE: content_table_text(items),
            CONTENT_ITEMS: content_text(content_pairs(items)),
            EDITION: edition_text(edition, len(rows), len(items)),
            **make(rows, read_safe_private(path_of(SAFE_PRIVATE))),
        }
    except (OSError, ValueError) as error:
        print(f"make_profiles: error: {error}", file=sys.stderr)
        return 2
    open_rows = [row for row in rows if not row.is_decided]
    for row in open_rows:
        print(f"{row.tag} {row.keyword}: {row.action} needs a decision; for now {row.chosen}")
    stale = [name for name, text in files.items() if _stored(name) != text]
    for name in stale:
        print(f"{name} {'is stale' if options.check else 'written'}")
        if not options.check:
            (path_of(name)).write_text(files[name], encoding="utf-8", newline="\n")
    if options.table:
        gone = {row.tag for row in before} - {row.tag for row in rows}
        print(f"{len(rows)} rows; not in this edition any more: {', '.join(sorted(gone)) or 'none'}")
    return 1 if open_rows or (options.check and stale) else 0


def edition_text(edition: str, attributes: int, content_items: int) -> str:
    """What is told of the tables: their edition, and how many rows they have."""
    told = {"standard": "PS3.15", "edition": edition, "attributes": attributes, "contentItems": content_items}
    return json.dumps(told) + "\n"


def path_of(name: str) -> Path:
    """Where a file lies: a table that is edited, or a file of the package that is made."""
    return (TABLES if name.endswith(".csv") else PROFILES) / name


def _stored(name: str) -> str:
    path = path_of(name)
    return path.read_bytes().decode("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
