"""What several test modules share: running the command in process, and the shared folder."""

from __future__ import annotations

import contextlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pfdicom_tagSub.cli.command import main

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"

README_SPEC = {
    "PatientName": "%_name|patientID_PatientName",
    "PatientID": "%_md5|7_PatientID",
    "AccessionNumber": "%_md5|8_AccessionNumber",
    "PatientBirthDate": "%_strmsk|******01_PatientBirthDate",
    "re:.*hysician": "%_md5|4_#tag",
    "re:.*stitution": "#tag",
    "re:.*ddress": "#tag",
}


@dataclass(frozen=True)
class Result:
    """What a run of the command came to."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The record of ``--json``."""
        record: dict[str, Any] = json.loads(self.out)
        return record

    @property
    def shown(self) -> str:
        """All that it said but the time it took, whose digits may be those of any value."""
        return self.err + re.sub(r'"runTime": [\d.e-]+', "", self.out)


def run_command(inputs: Path, outputs: Path, *flags: str) -> Result:
    """Run the command in this process.

    Args:
        inputs: ``--inputDir``.
        outputs: ``--outputDir``.
        flags: all other arguments; ``--tagStruct`` with the README's spec if none of them
            gives a spec.
    """
    arguments = ["--inputDir", str(inputs), "--outputDir", str(outputs), *flags]
    if not any(flag in {"--tagStruct", "--tagFile", "--tagInfo"} for flag in flags):
        arguments += ["--tagStruct", json.dumps(README_SPEC)]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return Result(code, out.getvalue(), err.getvalue())
