"""Run a peer that has no command for a whole tree, as one process, in the way kindest to it.

Runs as a script under the interpreter that the peer is installed for:

    drivers.py PEER INPUT OUTPUT ACTIONS.json

* dcmanon's wheel is a library alone. `dcmanon` walks the tree and calls it for each file;
  `dcmanon-2` does so in two processes, as the example in its repository does.
* fw-file-rs is a library that de-identifies the bytes of a header. `fw-file-rs` walks the tree, and writes
  what it makes of each header with the rest of the file after it. ACTIONS.json is a profile in YAML then.
* dicom-anonymizer has a command, but one that takes a single directory. `dicom-anonymizer` calls
  the same function for each directory of the tree, so that it starts only once;
  `dicom-anonymizer-profile` does so with its default actions below those of ACTIONS.json.

ACTIONS.json is what the peer's own documentation calls its tag actions, or dictionary.
"""

import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

BATCH = 16


def files_below(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    """Every file below `source` with its place below `target`, whose directories are made."""
    for directory, _, names in os.walk(source):
        place = target / Path(directory).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            yield os.path.join(directory, name), str(place / name)


@cache
def dcmanon_anonymizer(actions: Path) -> Any:
    """An anonymizer of dcmanon's with `actions` on top of its default ones, which can't be left out."""
    return importlib.import_module("dcmanon").Anonymizer(tag_actions=json.loads(actions.read_text("utf-8")))


def write_anonymized(anonymizer: Any, source: str, target: str) -> None:
    """Write the file that `anonymizer` makes of `source` to `target`."""
    content = anonymizer.anonymize(source)
    with open(target, "wb") as file:
        file.write(content)


def dcmanon_batch(actions: Path, batch: list[tuple[str, str]]) -> None:
    """Do one batch of files in a worker."""
    anonymizer = dcmanon_anonymizer(actions)
    for source, target in batch:
        write_anonymized(anonymizer, source, target)


def run_dcmanon(source: Path, target: Path, actions: Path) -> None:
    """One process, one file after the other."""
    dcmanon_batch(actions, list(files_below(source, target)))


def run_dcmanon_2(source: Path, target: Path, actions: Path) -> None:
    """Two processes, which take the files in batches."""
    files = list(files_below(source, target))
    batches = [files[first : first + BATCH] for first in range(0, len(files), BATCH)]
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(partial(dcmanon_batch, actions), batches))


def run_dicom_anonymizer(source: Path, target: Path, actions: Path) -> None:
    """Each directory in turn, keeping whatever `actions` does not name, private elements too."""
    simple = importlib.import_module("dicomanonymizer.simpledicomanonymizer")
    rules = dict.fromkeys(simple.initialize_actions(), simple.keep)
    call_dicom_anonymizer(source, target, actions, rules, delete_private=False)


def run_dicom_anonymizer_profile(source: Path, target: Path, actions: Path) -> None:
    """Each directory in turn, with its default actions and without private elements, as its command does."""
    call_dicom_anonymizer(source, target, actions, {}, delete_private=True)


def call_dicom_anonymizer(
    source: Path, target: Path, actions: Path, rules: dict[Any, Any], *, delete_private: bool
) -> None:
    """Let it do each directory of `source`, with `actions` on top of `rules`."""
    package = importlib.import_module("dicomanonymizer.anonymizer")
    package.parse_dictionary_argument(str(actions), rules)
    for directory in sorted({Path(name).parent for name, _ in files_below(source, target)}):
        package.anonymize(str(directory), str(target / directory.relative_to(source)), rules, delete_private)


def run_fw_file_rs(source: Path, target: Path, profile: Path) -> None:
    """One process, one file after the other."""
    context = importlib.import_module("fw_file_rs.dcm").Context()
    context = context.deid_profile(profile.read_text("utf-8"))
    for name, place in files_below(source, target):
        header = context.read_until_pixels(name)
        with open(name, "rb") as file, open(place, "wb") as made:
            made.write(context.deid_header(header))
            file.seek(len(header))
            shutil.copyfileobj(file, made, 1 << 20)


DRIVERS: dict[str, Callable[[Path, Path, Path], None]] = {
    "dcmanon": run_dcmanon,
    "dcmanon-2": run_dcmanon_2,
    "dicom-anonymizer": run_dicom_anonymizer,
    "fw-file-rs": run_fw_file_rs,
    "dicom-anonymizer-profile": run_dicom_anonymizer_profile,
}


if __name__ == "__main__":
    peer, *places = sys.argv[1:]
    DRIVERS[peer](*map(Path, places))
