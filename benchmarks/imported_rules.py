"""Whether a spec made from another tool's rules writes the values that the other tool writes.

    python benchmarks/imported_rules.py [--corpus DIR] [--cache DIR] [--step N] [dicom-anonymizer] [deid]

The tools run in the benchmark's environments, which are made where they are missing, with their own rules:
dicom-anonymizer with its default actions and without private elements, deid with ``RECIPE``. Each element is
compared, at every depth; of a UID only whether it stayed, as both make new ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom

from pfdicom_tagSub import api
from pfdicom_tagSub.spec.importers.files import import_rules
from pfdicom_tagSub.spec.rules import RuleSet

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pfdicom_tagSub-bench"

Place = tuple[int, ...]
"""The tags of the sequences around an element and the numbers of their items, and its own tag."""

LEAVE_ITEMS: dict[str, object] = {"VR:SQ": {"each": {"re:.*": "%_keep_#tag"}}}
"""Leaves alone what is within sequences that no other key names, as dicom-anonymizer does."""

RULES = """
import json, sys
from dicomanonymizer import simpledicomanonymizer as simple
actions = simple.initialize_actions()
names = {"(" + ", ".join(f"0x{one:04x}" for one in tag) + ")": act.__name__ for tag, act in actions.items()}
json.dump(names, open(sys.argv[1], "w"), indent=1)
"""
DICOM_ANONYMIZER = """
import json, sys, warnings
warnings.simplefilter("ignore")
from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file
for source, target in json.load(open(sys.argv[1])):
    try:
        anonymize_dicom_file(source, target)
    except Exception as error:
        print(type(error).__name__, source)
"""
DEID = """
import json, logging, os, sys, warnings
warnings.simplefilter("ignore")
os.environ["MESSAGELEVEL"] = "QUIET"
from deid.config import DeidRecipe
from deid.dicom import replace_identifiers
recipe = DeidRecipe(sys.argv[2], base=False)
for source, target in json.load(open(sys.argv[1])):
    try:
        made = replace_identifiers([source], deid=recipe, save=False, remove_private=False)
        made[0].save_as(target)
    except Exception as error:
        print(type(error).__name__, source)
"""
RECIPE = """FORMAT dicom
%header
ADD PatientIdentityRemoved YES
REPLACE PatientID anon
BLANK PatientBirthDate
BLANK PatientSex
REMOVE contains:Physician
REMOVE endswith:Time
REMOVE select:VR:AE
JITTER StudyDate -31
JITTER SeriesDate 400
REPLACE InstitutionName somewhere
REMOVE PatientName
KEEP StudyDescription
"""


@dataclass
class Comparison:
    """How many values are equal, and where they are not.

    Attributes:
        files: how many files both wrote.
        only_peer: how many the other tool alone wrote.
        only_own: how many the spec alone wrote.
        equal: how many values are equal, among them elements that are gone.
        different: keyword and VR, what the other tool has, what the spec has, and how often.
    """

    files: int = 0
    only_peer: int = 0
    only_own: int = 0
    equal: int = 0
    different: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)


def python_of(cache: Path, name: str) -> Path:
    """The interpreter of a benchmark's environment; it may be missing."""
    return cache / f"{name}-py{sys.version_info.major}.{sys.version_info.minor}" / "bin" / "python"


def jobs_below(sources: list[Path], target: Path) -> list[tuple[str, str]]:
    """Each input with a place for its output."""
    target.mkdir(parents=True)
    return [(str(path), str(target / f"{number:06d}")) for number, path in enumerate(sources)]


def run_peer(name: str, cache: Path, jobs: list[tuple[str, str]], work: Path) -> tuple[str, bool]:
    """Let a tool process files.

    Returns:
        The file with its rules, and whether private elements go.
    """
    listed = work / f"{name}.jobs"
    listed.write_text(json.dumps(jobs), "utf-8")
    python = python_of(cache, name)
    if name == "dicom-anonymizer":
        rules = str(work / "actions.json")
        subprocess.run([python, "-c", RULES, rules], check=True)
        words = [str(python), "-c", DICOM_ANONYMIZER, str(listed)]
    else:
        rules = str(work / "deid.dicom")
        Path(rules).write_text(RECIPE, "utf-8")
        words = [str(python), "-c", DEID, str(listed), rules]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=work)
    return rules, name == "dicom-anonymizer"


def compare(name: str, cache: Path, sources: list[Path], work: Path) -> dict[str, Comparison]:
    """Process files with a tool and with a spec made from its rules, and compare the outputs.

    Returns:
        What came of the spec as it is imported; of the rules of a tool that leaves items alone also of the
        spec with ``LEAVE_ITEMS``.
    """
    theirs = jobs_below(sources, work / "theirs")
    rules, drops_private = run_peer(name, cache, theirs, work)
    pairs = import_rules(rules).pairs
    specs = {"as imported": pairs}
    if name == "dicom-anonymizer":
        specs["as imported, items left alone"] = LEAVE_ITEMS | pairs
    return {
        label: compare_outputs(
            jobs_below(sources, work / f"own{number}"),
            theirs,
            api.compile_spec(one, remove_private_tags=drops_private),
        )
        for number, (label, one) in enumerate(specs.items())
    }


def compare_outputs(own: list[tuple[str, str]], theirs: list[tuple[str, str]], spec: RuleSet) -> Comparison:
    """Process files with a spec, and compare with what another tool wrote."""
    result = Comparison()
    for (source, target), (_, other) in zip(own, theirs, strict=True):
        api.patch_file(source, target, spec)
        has_own, has_other = os.path.exists(target), os.path.exists(other)
        if has_own and has_other:
            compare_files(source, other, target, result)
        result.only_own += has_own and not has_other
        result.only_peer += has_other and not has_own
    return result


def compare_files(source: str, other: str, own: str, result: Comparison) -> None:
    """Compare two outputs of one file, element by element at every depth."""
    with warnings.catch_warnings(action="ignore"):
        read = (pydicom.dcmread(path, force=True) for path in (source, other, own))
        before, peer, made = (dict(elements_of(data_set)) for data_set in read)
    result.files += 1
    for place in dict.fromkeys([*before, *peer, *made]):
        element = next(one[place] for one in (before, peer, made) if place in one)
        theirs, ours = (said(one.get(place), element.VR, before.get(place)) for one in (peer, made))
        if theirs == ours:
            result.equal += 1
        else:
            keyword = element.keyword or ("private" if element.tag.is_private else str(element.tag))
            where = ("", "within items: ")[len(place) > 1]
            result.different[where + keyword, element.VR, theirs, ours] += 1


def elements_of(data_set: pydicom.Dataset, above: Place = ()) -> Iterator[tuple[Place, pydicom.DataElement]]:
    """The elements of a data set and of its items, each with its place; without pixels and group lengths,
    which say how a file is encoded."""
    for element in data_set:
        place = (*above, int(element.tag))
        if element.tag.element and element.tag != 0x7FE00010:
            yield place, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from elements_of(item, (*place, number))


def said(element: pydicom.DataElement | None, vr: str, before: pydicom.DataElement | None) -> str:
    """What an output says of an element, without values of the input."""
    if element is None:
        return "absent"
    value = element.value
    if vr == "SQ":
        return f"{len(value)} items"
    if before is not None and str(value) == str(before.value):
        return "as it was"
    if vr == "UI" and value:
        return "another UID"
    return "empty" if value is None or not str(value) else str(value)


def files_of(corpus: Path, step: int) -> Iterator[Path]:
    """Files of the corpus."""
    for path in sorted(corpus.rglob("*"))[::step]:
        if path.is_file():
            with path.open("rb") as file:
                if file.read(132)[128:] == b"DICM":
                    yield path


def main() -> None:
    """Print what is equal and what is not."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=HERE.parent.parent / "shared" / "corpus")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("names", nargs="*", default=["dicom-anonymizer", "deid"])
    options = parser.parse_args()
    from environments import environment  # noqa: PLC0415  (it needs pip)
    from peers import REQUIREMENTS  # noqa: PLC0415

    sources = list(files_of(options.corpus, options.step))
    for name in options.names:
        if not python_of(options.cache, name).exists():
            environment(options.cache, name, REQUIREMENTS[name])
        with tempfile.TemporaryDirectory() as work:
            for label, found in compare(name, options.cache, sources, Path(work)).items():
                print_comparison(f"{name}, {label}", name, found)


def print_comparison(title: str, name: str, found: Comparison) -> None:
    """Print how many values are equal, and which are not."""
    total = found.equal + found.different.total()
    print(
        f"{title}: {found.files} files that both wrote, {found.only_own} that only the spec wrote, ", end=""
    )
    print(f"{found.only_peer} that only {name} wrote; {found.equal} of {total} values are equal")
    for (keyword, vr, peer, own), count in found.different.most_common(60):
        print(f"  {count:6} {keyword} ({vr}): {name} has {peer[:40]!r}, the spec {own[:40]!r}")


if __name__ == "__main__":
    main()
