"""What of a text is padding and tells nothing (PS3.5 6.2, 6.2.1).

Blanks around a value, NULs after it, and what is empty at the end of a PN do not make another
person of the one that it names.
"""

from __future__ import annotations

_PADDING = " \0\t\r\n\f\v\u00a0\u3000"
"""What stands around values without being of them: more than the standard's blanks, as files have it."""


def without_padding(vr: str, text: str) -> str:
    """The part of a value that tells it from others.

    Args:
        vr: its VR; "" where it is not known.
        text: one decoded value.

    Returns:
        The text without padding around it. Of a PN also without that around its component groups and
        components, and without the empty ones at the end: ``Doe^Jane`` of ``Doe ^Jane^^^=``.
    """
    text = text.strip(_PADDING)
    if vr != "PN":
        return text
    groups = [_without_empty("^", group.split("^")) for group in text.split("=")]
    return _without_empty("=", groups)


def _without_empty(delimiter: str, parts: list[str]) -> str:
    """Parts joined, each without padding, and without the empty ones at the end."""
    return delimiter.join(part.strip(_PADDING) for part in parts).rstrip(delimiter)
