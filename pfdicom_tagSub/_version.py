"""The version and the name of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


__version__ = "4.2.0"

COMMAND = "pfdicom_tagSub"
