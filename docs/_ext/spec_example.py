"""The command applied to a small data set, for the examples of the pages."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from pfdicom_tagSub.cli.command import main

KEY = bytes(range(32))
"""The secret key of the examples, which is none: it is printed here."""


def data_set(values: dict[str, Any]) -> Dataset:
    """A data set of keywords and values; a list of objects is a sequence."""
    made = Dataset()
    for keyword, value in values.items():
        is_items = isinstance(value, list) and all(isinstance(item, dict) for item in value)
        setattr(made, keyword, [data_set(item) for item in value] if is_items else value)
    return made


def texts(whole: Dataset, path: str = "") -> dict[str, str]:
    """The values of a data set by the path of their keywords, those in sequences too."""
    found: dict[str, str] = {}
    for element in whole:
        name = path + (element.keyword or str(element.tag))
        if element.VR == "SQ":
            found[name] = f"{len(element.value)} item{'s' * (len(element.value) != 1)}"
            for number, item in enumerate(element.value):
                found |= texts(item, f"{name}[{number}].")
        elif element.VM > 1:
            found[name] = "\\".join(map(str, element.value))
        else:
            found[name] = str(element.value if element.value is not None else "")
    return found


def run_example(
    spec: str, values: dict[str, Any], *, has_key: bool = False, profile: str = "", table: Path | None = None
) -> list[tuple[str, str, str]]:
    """What the command makes of a data set.

    Args:
        spec: the spec in JSON.
        values: the data set, as keywords and values.
        has_key: whether the run has a secret key.
        profile: the profile below the spec.
        table: a CSV file, the lookup table ``ids``.

    Returns:
        Each element that is in one of both, with its value before and after.

    Raises:
        ValueError: the command fails or warns; the text says of what.
    """
    whole = data_set(values)
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole.file_meta.MediaStorageSOPClassUID = MRImageStorage
    whole.file_meta.MediaStorageSOPInstanceUID = whole.get("SOPInstanceUID", "1.2.3")
    with TemporaryDirectory() as place:
        inputs, outputs, key = Path(place, "in"), Path(place, "out"), Path(place, "key")
        inputs.mkdir()
        whole.save_as(inputs / "example.dcm", enforce_file_format=True)
        key.touch(mode=0o600)
        key.write_bytes(KEY)
        words = ["--inputDir", str(inputs), "--outputDir", str(outputs), "--tagStruct", spec]
        words += ["--keyFile", str(key)] * has_key
        words += ["--profile", profile] * bool(profile)
        words += ["--lookupTable", f"ids={table}"] * bool(table)
        said = StringIO()
        with redirect_stderr(said):
            code = main(words)
        if code or "warning" in said.getvalue().lower():
            raise ValueError(said.getvalue() or f"exit code {code}")
        before, after = (texts(dcmread(tree / "example.dcm")) for tree in (inputs, outputs))
    names = [*before, *(name for name in after if name not in before)]
    return [(name, _shown(before.get(name)), _shown(after.get(name))) for name in names]


def _shown(text: str | None) -> str:
    return "*absent*" if text is None else text or "*empty*"
