"""pfdicom_tagSub: replace the values of DICOM elements over a tree of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .api import compile_spec, patch_bytes, patch_file
    from .core.errors import (
        FileError,
        NotDicomError,
        PlanError,
        SkippedError,
        SpecError,
        TagSubError,
    )
    from .core.outcome import FileOutcome
    from .report.record import RunReport
    from .spec.own_functions import spec_function
    from .spec.rules import RuleSet
    from .tree_run import run_tree

__all__ = [
    "FileError",
    "FileOutcome",
    "NotDicomError",
    "PlanError",
    "RuleSet",
    "RunReport",
    "SkippedError",
    "SpecError",
    "TagSubError",
    "__version__",
    "compile_spec",
    "patch_bytes",
    "patch_file",
    "run_tree",
    "spec_function",
]

_HOMES = {
    "RuleSet": "spec.rules",
    "RunReport": "report.record",
    "FileOutcome": "core.outcome",
    "spec_function": "spec.own_functions",
    "run_tree": "tree_run",
    **dict.fromkeys(("compile_spec", "patch_bytes", "patch_file"), "api"),
}


def __getattr__(name: str) -> object:
    """The public names, imported when first asked for: pydicom is slow to import."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    from .core.platforms import find_problem  # noqa: PLC0415

    if problem := find_problem():
        raise ImportError(problem)

    return getattr(import_module(f".{_HOMES.get(name, 'core.errors')}", __name__), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
