"""The packages that the cleaning of pixels needs, of the extra ``pixels``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from .options import PixelMethod

CLEANING = {"numpy": "numpy"}
SHEET = {"numpy": "numpy", "PIL": "pillow"}
CODECS = {"numpy": "numpy", "pylibjpeg": "'pylibjpeg[all]'", "jpeg_ls": "pyjpegls"}
"""Modules that cleaning, the review sheet and compressed pixels need, and the packages that have them."""

_TEXT_MODULE = "rapidocr_onnxruntime"


def missing(modules: Mapping[str, str], find: Callable[[str], object]) -> str:
    """The packages of modules that are not installed, for pip; "" where all are.

    Args:
        modules: to their packages.
        find: gives None for a module that is not installed.
    """
    return " ".join(package for module, package in modules.items() if find(module) is None)


def find_problem(flag: str, methods: Collection[str], find: Callable[[str], object]) -> str:
    """What has to be installed before pixels can be cleaned; "" where nothing has.

    Args:
        flag: what asked for it.
        methods: the names of the methods.
        find: as of ``missing``.
    """
    if packages := missing(CLEANING, find):
        return f"{flag} needs packages that are not installed: pip install {packages}"
    if PixelMethod.TEXT in methods and find(_TEXT_MODULE) is None:
        return (
            f"{flag} text needs a package that is not installed: "
            "pip install rapidocr-onnxruntime==1.4.4 with a Python before 3.13, or name other methods"
        )
    return ""
