"""pfdicom_tagSub: replace the values of DICOM elements over a tree of files."""

from __future__ import annotations

__version__ = "4.0.0"
