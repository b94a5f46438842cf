"""Show what differs between the files of two trees, element by element at every depth.

Use: ``python examples/show_changes.py IN OUT``
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

LONGEST = 40
ABSENT = "(absent)"

Place = tuple[int, ...]
"""Where an element stands: a tag, or tag, number of the item, tag, and so on."""


def flatten(data_set: Dataset, outer: Place = ()) -> dict[Place, object]:
    """The value of every element at every depth; that of a sequence says how long it is."""
    found: dict[Place, object] = {}
    for element in data_set:
        place = (*outer, int(element.tag))
        if element.VR != "SQ":
            found[place] = element.value
            continue
        found[place] = f"(items: {len(element.value)})"
        for number, item in enumerate(element.value, 1):
            found |= flatten(item, (*place, number))
    return found


def describe(value: object) -> str:
    """A value in a few characters."""
    if isinstance(value, bytes) and len(value) > LONGEST:
        return f"(bytes: {len(value)})"
    text = str(value) if value is not None else ""
    return f"{text[:LONGEST]}..." if len(text) > LONGEST else text or "(empty)"


def path_of(place: Place) -> str:
    """A place for people: ``(0040,0275)[1](0008,0050) AccessionNumber``."""
    parts = [
        f"[{part}]" if index % 2 else f"({part >> 16:04X},{part & 0xFFFF:04X})"
        for index, part in enumerate(place)
    ]
    return "".join(parts) + f" {keyword_for_tag(place[-1])}".rstrip()


def read(path: Path) -> dict[Place, object]:
    """Every element of a file, those of its meta information too."""
    data_set = pydicom.dcmread(path, force=True)
    return flatten(data_set.file_meta) | flatten(data_set)


def differences(before: Path, after: Path) -> list[str]:
    """One line for each element that differs between two files."""
    if before.read_bytes() == after.read_bytes():
        return []
    old, new = read(before), read(after)
    return [
        f"{path_of(place)}: {describe(old.get(place, ABSENT))} -> {describe(new.get(place, ABSENT))}"
        for place in sorted(old.keys() | new.keys())
        if old.get(place) != new.get(place)
    ]


def main() -> None:
    """Print the differences of every file of the first tree."""
    if len(sys.argv) != 3:
        sys.exit("use: show_changes.py IN OUT")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    before, after = Path(sys.argv[1]), Path(sys.argv[2])
    for path in sorted(path for path in before.rglob("*") if path.is_file()):
        name = path.relative_to(before)
        if not (after / name).is_file():
            print(f"{name}: not in {after}")
            continue
        lines = differences(path, after / name)
        print(f"{name}: elements that differ: {len(lines)}")
        for line in lines:
            print(f"    {line}")


if __name__ == "__main__":
    main()
