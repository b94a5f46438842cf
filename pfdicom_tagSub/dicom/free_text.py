"""Which elements hold free text: what the key ``text`` stands for."""

from __future__ import annotations

import re

FREE_TEXT_VRS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""VRs in which people write what they like (PS3.5 6.2)."""

_CODE_STRING = re.compile(rb"[A-Z0-9 _]{0,16}")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


def is_free_text(vr: str, raw: bytes) -> bool:
    """Whether a value is free text.

    Args:
        vr: its VR. A CS is text where it is no Code String, and a UN where nothing in it is binary.
        raw: its bytes.
    """
    if vr in FREE_TEXT_VRS:
        return True
    if vr == "CS":
        return any(not _CODE_STRING.fullmatch(part.strip(b" \0")) for part in raw.split(b"\\"))
    return vr == "UN" and not _NO_TEXT.search(raw.rstrip(b" \0"))
