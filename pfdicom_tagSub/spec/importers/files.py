"""A file with rules of another tool: whose they are, and what they come to."""

from __future__ import annotations

import re

from ...core.bounded import SPEC_MOST, TooLargeError, read_path
from ...core.errors import SpecError
from ...core.system_reasons import why_unread
from .translation import Translation

OPTION = "--importRules"


def import_rules(path: str) -> Translation:
    """Translate a file.

    Raises:
        SpecError: it cannot be read, or is of no tool that is known.
    """
    try:
        text = read_path(path, SPEC_MOST).decode("utf-8-sig")
    except TooLargeError:
        raise SpecError(f"{OPTION} {path}: it has more than {SPEC_MOST >> 20} MB") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{OPTION} {path}: not UTF-8 at byte {error.start}") from None
    except (OSError, ValueError) as error:
        raise SpecError(f"{OPTION} {path}: {why_unread(error)}") from None
    head = text.lstrip()
    if head.startswith("<"):
        from .ctp import translate  # noqa: PLC0415  (each tool by itself)
    elif head.startswith("{"):
        from .dicom_anonymizer import translate  # noqa: PLC0415
    elif re.search(r"^\s*(FORMAT\s+dicom|%(header|filter))", text, re.MULTILINE | re.IGNORECASE):
        from .deid import translate  # noqa: PLC0415
    else:
        raise SpecError(
            f"{OPTION} {path}: neither a script of CTP (XML), nor a recipe of deid, nor a dictionary of "
            "dicom-anonymizer (JSON)"
        )
    return translate(text)
