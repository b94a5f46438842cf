"""What a spec was put together from, for the record."""

from __future__ import annotations

from typing import NamedTuple


class SpecPart(NamedTuple):
    """A file that a spec, or a function in it, comes from.

    Attributes:
        option: what gave it, such as ``--tagFile``.
        name: its path as it was given, or the name of a function.
        digest: SHA-256, hex: of a spec its own digest, of a function that of the file that defines it.
    """

    option: str
    name: str
    digest: str
