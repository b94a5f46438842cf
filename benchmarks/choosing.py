"""What a condition costs: processor time for each file in a worker.

    python benchmarks/choosing.py [--corpus DIR] [--work DIR] [--repeats N] [TREE ...]

For each tree and each set of rules: a run without a condition, ``--where`` that every file passes,
``--where`` that none passes, and a ``when`` block that holds for every file. Files are processed once to warm
up; then in turns, and of each the quickest turn counts. Outputs go to a directory in memory and are removed
after each turn.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pfdicom_tagSub import api
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.condition_parsing import parse_condition

HERE = Path(__file__).resolve().parent
SPEC: dict[str, object] = {
    "PatientName": "%_name|patientID_PatientName",
    "PatientID": "%_md5|7_PatientID",
    "PatientBirthDate": "%_strmsk|******01_PatientBirthDate",
    "re:.*hysician": "%_md5|4_#tag",
    "re:.*stitution": "#tag",
    "re:.*ddress": "#tag",
}
EVERY = "Modality = 'MR' or Modality present"
NONE = "Modality = 'US' and Manufacturer contains 'GE' and not SeriesDescription matches '(?i)dose report'"
FLAT_FILES = 200
RULES = ("spec", "profile", "clean")
CASES = ("no condition", "all selected", "none selected", "when")


@dataclass(frozen=True)
class Case:
    """What is measured."""

    rules: str
    name: str

    def settings(self, root: Path) -> Settings:
        """What a worker does for it."""
        spec = dict(SPEC) if self.rules == "spec" else {}
        if self.name == "when":
            spec[f"when {EVERY}"] = {"StudyID": "1"}
        else:
            spec["StudyID"] = "1"
        profile = {"spec": "", "profile": "basic", "clean": "basic,cleanDescriptors"}[self.rules]
        where = {"all selected": EVERY, "none selected": NONE}.get(self.name, "")
        return Settings(
            api.compile_spec(spec, profile=profile, key=b"0123456789abcdef" if profile else None),
            output_root=str(root),
            where=parse_condition(where, "where") if where else None,
        )


def seconds_of(worker: Worker, files: list[Path], root: Path) -> float:
    """The processor time of one turn."""
    root.mkdir()
    jobs = [FileJob(str(path), str(root / str(number)), path.name) for number, path in enumerate(files)]
    started = time.process_time()
    for job in jobs:
        worker.process(job)
    taken = time.process_time() - started
    worker.outputs.close()
    shutil.rmtree(root)
    return taken


def measure(files: list[Path], work: Path, repeats: int, rules: str) -> dict[str, float]:
    """Seconds for each file, by case."""
    cases = [Case(rules, name) for name in CASES]
    root = work / "out"
    workers = {case: Worker(case.settings(root)) for case in cases}
    quickest = dict.fromkeys(CASES, float("inf"))
    for turn in range(repeats + 1):
        for case, worker in workers.items():
            taken = seconds_of(worker, files, root)
            if turn:
                quickest[case.name] = min(quickest[case.name], taken / len(files))
    return quickest


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=HERE.parent.parent / "shared" / "corpus")
    parser.add_argument("--work", type=Path, default=Path("/dev/shm"))  # noqa: S108
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("trees", nargs="*", default=["flat", "private", "epi", "xa30"])
    options = parser.parse_args()
    print(f"{'tree':8} {'rules':8} " + " ".join(f"{name:>14}" for name in CASES) + "   all   none   when")
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        work = Path(folder)
        for tree in options.trees:
            files = files_of(tree, options.corpus, work)
            for rules in RULES:
                found = measure(files, work, options.repeats, rules)
                plain = found["no condition"]
                times = "  ".join(f"{found[name] / plain:5.2f}" for name in CASES[1:])
                shown = " ".join(f"{found[name] * 1000:14.3f}" for name in CASES)
                print(f"{tree:8} {rules:8} {shown} {times}", flush=True)


def files_of(tree: str, corpus: Path, work: Path) -> list[Path]:
    """The files of a tree; those that are not of the corpus are made."""
    if tree in {"flat", "private", "small"}:
        root = work / tree
        subprocess.run(
            [sys.executable, str(HERE / "trees.py"), tree, str(root), str(FLAT_FILES)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    else:
        root = corpus / {"epi": "ge-siemens-epi", "xa30": "siemens-xa30"}[tree]
    return sorted(path for path in root.rglob("*") if path.suffix != "" and path.is_file())


if __name__ == "__main__":
    main()
