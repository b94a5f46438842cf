"""Names of files and directories made of values: no value leads outside its directory."""

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
    name = _cleaned(stem, NAME_MAX - len(os.fsencode(extension)))
    if not name:
        raise FileError("--outputFileStem gives no name for it: the values that it asks for are empty")
    return name + extension


def safe_component(text: str) -> str:
    """The name of an output directory.

    Args:
        text: what one component of the template gave.

    Returns:
        The text made safe as that of a file name, without an extension of its own.

    Raises:
        FileError: nothing is left of it.
    """
    name = _cleaned(text, NAME_MAX)
    if not name:
        raise FileError(
            "--outputDirTemplate gives no name for one of its directories: "
            "the values that it asks for are empty"
        )
    return name


def _cleaned(text: str, room: int) -> str:
    """What of a text can be a visible name of at most so many bytes; "" where nothing can."""
    # What does not print reorders text or hides in it: a name must be what it looks like.
    visible = "".join(char if char.isprintable() else "_" for char in text)
    clean = _SEPARATORS.sub("_", visible).lstrip(". ").replace("..", "_")
    clean = clean.encode("utf-8")[:room].decode("utf-8", "ignore").rstrip(". ")
    return clean if clean.strip("_") else ""
