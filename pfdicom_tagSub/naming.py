"""File names made of values: no value leads outside its directory."""

from __future__ import annotations

import os
import re

from .models import FileError

NAME_MAX = 255
"""The bytes that the usual file systems allow a name."""

_SEPARATORS = re.compile(r"[/\\]+")
_EXTENSION = re.compile(r"\.(?=[^.]*[A-Za-z])[A-Za-z0-9_]{1,16}")


def safe_name(stem: str, input_name: str) -> str:
    """The name of an output.

    Args:
        stem: what the template gave.
        input_name: the name of the input, for its extension. What follows its last dot
            is one only if it has a letter: that of ``1.2.840.5`` is part of a UID.

    Returns:
        The stem without separators, control characters and leading dots, cut to what a
        file name may be long, and the extension.

    Raises:
        FileError: nothing is left of the stem.
    """
    extension = os.path.splitext(input_name)[1]
    if not _EXTENSION.fullmatch(extension):
        extension = ""
    # What does not print reorders text or hides in it: a name must be what it looks like.
    visible = "".join(char if char.isprintable() else "_" for char in stem)
    clean = _SEPARATORS.sub("_", visible).lstrip(". ").replace("..", "_")
    room = NAME_MAX - len(os.fsencode(extension))
    clean = clean.encode("utf-8")[:room].decode("utf-8", "ignore").rstrip(". ")
    if not clean.strip("_"):
        raise FileError("--outputFileStem gives no name for it: the values that it asks for are empty")
    return clean + extension
