"""Versions of installed packages."""

from __future__ import annotations


def version_of(package: str) -> str | None:
    """The version of an installed package; None where there is none."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  (slow: it reads mail headers)

    try:
        return version(package)
    except PackageNotFoundError:
        return None
