"""Make the profile's JSON files from the tables beside this script.

Parts: ``table-e1-1.csv`` holds what PS3.15 Table E.1-1 says about each attribute, and what
was decided where the table leaves a choice; ``safe-private.csv`` holds the safe private
attributes of PS3.15 Table E.3.10-1. Out of them come ``basic.json`` and one JSON file per
option, in the spec language of pfdicom_tagSub.

Use::

    python pfdicom_tagSub/profiles/make_profiles.py                   # write the JSON files
    python pfdicom_tagSub/profiles/make_profiles.py --check           # exit 1 where they are stale
    python pfdicom_tagSub/profiles/make_profiles.py --import NEW.tsv  # next year's edition, first

The file to import has a header line, then one attribute a line, separated by tabs: tag, name,
stdCompIOD, basicProfile and the ten columns of ``IMPORT_COLUMNS``, as in the standard's table.
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

from pydicom import datadict

HERE = Path(__file__).resolve().parent
TABLE = "table-e1-1.csv"
SAFE_PRIVATE = "safe-private.csv"
BASIC = "basic"
COLUMNS = ("tag", "keyword", "action", "options", "decision", "reason")

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
EMPTY = "%_empty_#tag"
DUMMY = "%_dummy_#tag"
UID = "%_uid_#tag"
CLEAN = "%_clean_#tag"
SHIFT = "%_dateshift|patientID|365_#tag"

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
_DUMMY_UID = "2.25.171412867224311316041527346017351239381"

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
    "ReferencedPerformedProcedureStepSequence": [
        {
            # The Modality Performed Procedure Step (PS3.4 F.7).
            "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.3",
            "ReferencedSOPInstanceUID": _DUMMY_UID,
        }
    ],
    # Z may be a dummy (PS3.15 E.1.1), and one item is valid where none is not.
    "ReferencedStudySequence": [
        {
            # The retired Detached Study Management, which such references name (PS3.6 Annex A).
            "ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
            "ReferencedSOPInstanceUID": _DUMMY_UID,
        }
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
    "TableTopPositionAlignmentUID",
    "EquipmentFrameOfReferenceUID",
)
"""UIDs without a row that name what has another UID after the table was applied: they have to follow,
since they would give away the original and point nowhere (PS3.15 E.1.1)."""

EXTRA: dict[str, dict[str, Value]] = {
    BASIC: {
        "preamble": "",
        **dict.fromkeys(FILE_META),
        **dict.fromkeys(REFERENCES, UID),
        # A plane without its data is no valid plane (PS3.3 C.9.2): all of it goes.
        "(60xx,xxxx)": None,
        "PatientIdentityRemoved": "YES",
        "LongitudinalTemporalInformationModified": "REMOVED",
    },
    "retainUIDs": dict.fromkeys(REFERENCES, KEEP),
    "retainLongitudinalFullDates": {"LongitudinalTemporalInformationModified": "UNMODIFIED"},
    "retainLongitudinalModifiedDates": {"LongitudinalTemporalInformationModified": "MODIFIED"},
    # Texts in what a clean option keeps that have no row of their own.
    "cleanDescriptors": dict.fromkeys(("CodeMeaning",), CLEAN),
    "cleanStructuredContent": dict.fromkeys(
        ("CodeMeaning", "TextValue", "AcquisitionContextDescription"), CLEAN
    ),
    "cleanGraphics": dict.fromkeys(
        (
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
        keyword: the keyword of pydicom's dictionary, "" where it has none.
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
        """The VR that pydicom's dictionary gives; "" for groups and private elements."""
        tag = datadict.tag_for_keyword(self.keyword) if self.keyword else None
        return datadict.dictionary_VR(tag) if tag is not None else ""

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
            return UID if row.vr == "UI" else DUMMY
        case other:
            raise ValueError(f"{row.key}: no value for {other}")


def _option_value(row: Row, option: str, code: str) -> str:
    """The value of the row in an option's file; ``basic`` where it can only stay as it is."""
    if row.leaves_to_basic(option):
        return AS_BASIC
    if row.tag == PRIVATE_TAG:
        return KEEP  # its pairs come from the list of safe private attributes
    if code == "K":
        return KEEP
    if option == "retainLongitudinalModifiedDates":
        if row.vr in DATE_VRS:
            return SHIFT
        return KEEP if row.keyword == "TimezoneOffsetFromUTC" else AS_BASIC
    if row.vr in TEXT_VRS or row.vr == "SQ":
        return CLEAN
    return KEEP if row.vr in NUMBER_VRS else AS_BASIC


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
    if key == PRIVATE_TAG:
        return "~"
    if key.startswith("("):
        return key.lower()
    tag = datadict.tag_for_keyword(key)
    if tag is None:
        return key
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


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
    tag = row["tag"].strip()
    if tag.upper().startswith("(GGGG,EEEE)"):
        tag = PRIVATE_TAG
    elif not re.fullmatch(r"\([0-9A-FX]{4},[0-9A-FX]{4}\)", tag):
        raise ValueError(f"{tag!r} is not a tag")
    tag = tag.replace("X", "x")
    known = tag != PRIVATE_TAG and "x" not in tag
    keyword = datadict.keyword_for_tag(int(tag[1:5] + tag[6:10], 16)) if known else ""
    options = tuple(
        (option, code) for column, option in IMPORT_COLUMNS.items() if (code := (row[column] or "").strip())
    )
    return Row(tag, keyword, row["basicProfile"].strip(), options)


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
    parser.add_argument("--import", dest="edition", type=Path, metavar="TSV", help="a new edition's table")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is stale")
    options = parser.parse_args(arguments)

    try:
        before = read_table(HERE / TABLE) if (HERE / TABLE).exists() else []
        rows = merge(before, read_edition(options.edition)) if options.edition else before
        files = {TABLE: table_text(rows), **make(rows, read_safe_private(HERE / SAFE_PRIVATE))}
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
            (HERE / name).write_text(files[name], encoding="utf-8", newline="\n")
    if options.edition:
        gone = {row.tag for row in before} - {row.tag for row in rows}
        print(f"{len(rows)} rows; not in this edition any more: {', '.join(sorted(gone)) or 'none'}")
    return 1 if open_rows or (options.check and stale) else 0


def _stored(name: str) -> str:
    path = HERE / name
    return path.read_bytes().decode("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
