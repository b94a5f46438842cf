"""How elements are called in reports."""

from __future__ import annotations

PRIVATE_LABEL = "private"
"""What the record calls the private elements removed by ``--removePrivateTags``."""


def element_label(tag: int) -> str:
    """What the record calls an element: its keyword, or "(gggg,eeee)" if it has none."""
    if tag == 0:
        return PRIVATE_LABEL
    from ..dicom.dictionary import label_of  # noqa: PLC0415 (imports pydicom, loaded once a file was patched)

    return label_of(tag)
