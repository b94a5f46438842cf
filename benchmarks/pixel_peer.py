"""Cleans the pixels of a folder with deid's DicomCleaner; runs in an environment of its own.

Use: ``python pixel_peer.py IN OUT``. Prints one JSON object: the seconds, and what failed.
"""

import json
import logging
import shutil
import sys
import time
from pathlib import Path

from deid.dicom.pixels import DicomCleaner


def main() -> None:
    source, output = map(Path, sys.argv[1:3])
    output.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    failed, flagged = [], 0
    start = time.process_time()
    for path in sorted(source.glob("*.dcm")):
        client = DicomCleaner(output_folder=str(output))
        try:
            found = client.detect(str(path))
            if not found.get("flagged"):
                shutil.copy(path, output / path.name)
                continue
            flagged += 1
            client.clean()
            made = client.save_dicom(output_folder=str(output))
            if Path(made) != output / path.name:
                shutil.move(made, output / path.name)
        except Exception as error:  # whatever it raises, the file has no output
            failed.append(f"{path.name}: {type(error).__name__}")
    print(
        "RESULT" + json.dumps({"seconds": time.process_time() - start, "failed": failed, "flagged": flagged})
    )


main()
