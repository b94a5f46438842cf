"""Names of files and directories made of values: no value leads outside its directory.

A name is also safe where others take the outputs to: on Windows, and as an argument of a command.
"""

from __future__ import annotations

import os
import re

from ..core.errors import FileError

NAME_MAX = 255
"""The bytes that the usual file systems allow a name."""

EXTENSIONS = frozenset({".dcm", ".dcm30", ".dicom", ".dic", ".dc3", ".ima", ".img", ".acr"})
"""What DICOM files end in. Anything else behind the last dot of a name may be a part of it, such as
a patient's name."""

_UNSAFE = re.compile(r"""[/\\<>:"|?*$`;&!']+""")
"""Separators, what Windows allows in no name, and what a shell would act on."""

_LEADING = re.compile(r"^[-~#@=+]+")
"""What makes a command take a name for an option, a home, a comment or a list of arguments."""

_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\.|$)", re.IGNORECASE
)
"""Names that Windows takes for devices, whatever follows a dot in them."""


def safe_name(stem: str, input_name: str) -> str:
    """The name of an output.

    Args:
        stem: what the template gave.
        input_name: the name of the input, for its extension, if it is a known one of DICOM.

    Returns:
        The stem without separators, control characters, leading dots and what is not safe
        elsewhere, cut to what a file name may be long, and the extension.

    Raises:
        FileError: nothing is left of the stem.
    """
    extension = os.path.splitext(input_name)[1]
    if extension.lower() not in EXTENSIONS:
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
    """What of a text can be a visible, safe name of at most so many bytes; "" where nothing can."""
    # What does not print reorders text or hides in it: a name must be what it looks like.
    visible = "".join(char if char.isprintable() else "_" for char in text)
    clean = _UNSAFE.sub("_", visible).lstrip(". ").replace("..", "_")
    clean = _LEADING.sub("_", clean)
    if _DEVICE.match(clean):
        clean = "_" + clean
    clean = clean.encode("utf-8")[:room].decode("utf-8", "ignore").rstrip(". ")
    return clean if clean.strip("_") else ""


def safe_member(path: str) -> str:
    """The path of a member of an archive, which may hold anything, as one below the archive's folder.

    Args:
        path: as the archive has it; a backslash separates, too, as in archives of Windows.

    Returns:
        Its components made safe, each as far as that has to be: a DICOM file may be called anything.
    """
    parts = [part for part in re.split(r"[/\\]", path) if part not in {"", ".", ".."}]
    return "/".join(_member_part(part) for part in parts) or "_"


def _member_part(part: str) -> str:
    shown = "".join(char if char.isprintable() else "_" for char in part)
    if shown == part and not _UNSAFE.search(part) and not _LEADING.match(part) and not _DEVICE.match(part):
        trimmed = part.rstrip(". ")
        if trimmed == part and len(os.fsencode(part)) <= NAME_MAX:
            return part
    return _cleaned(part, NAME_MAX) or "_"
