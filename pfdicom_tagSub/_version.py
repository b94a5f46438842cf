"""The version and the name of the command."""

from __future__ import annotations

__version__ = "4.2.0"

COMMAND = "pfdicom_tagSub"
