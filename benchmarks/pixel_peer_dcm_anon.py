"""Runs dcm-anonymizer over a folder, and lets it read its outputs; runs in an environment of its own.

Use: ``python pixel_peer_dcm_anon.py IN OUT``. Prints one JSON object: the seconds, what failed, and the files
in which it read text that looks like a date or a number. It changes no pixels. The environment has
dcm-anonymizer[ocr], pylibjpeg with its packages, and Debian's tesseract-ocr.
"""

import json
import os
import sys
import time
from pathlib import Path

from dcm_anon.cli import main as anonymize
from dcm_anon.verify_output import scan_outputs


def main() -> None:
    source, output = map(Path, sys.argv[1:3])
    start = time.process_time()
    anonymize([str(source), str(output), "--continue-on-error", "--quiet"])
    made = {path.name for path in output.rglob("*.dcm")}
    found = scan_outputs(output, sample_size=len(made), pixel_ocr=True)
    read = sorted({Path(one.file).name for one in found.residuals if one.layer == "pixel"})
    seconds = time.process_time() - start + os.times().children_user  # tesseract is a process of its own
    failed = sorted({path.name for path in source.glob("*.dcm")} - made)
    print("RESULT" + json.dumps({"seconds": seconds, "failed": failed, "read": read}))


main()
