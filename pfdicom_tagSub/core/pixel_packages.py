"""The packages that the cleaning of pixels needs, of the extra ``pixels``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from .options import PixelMethod

SHEET = {"numpy": "numpy", "PIL": "pillow"}
_PLUGINS = dict.fromkeys(("pylibjpeg", "libjpeg", "openjpeg", "rle"), "'pylibjpeg[all]'")
CODECS = {"numpy": "numpy", **_PLUGINS, "jpeg_ls": "pyjpegls"}
CLEANING = {**SHEET, **CODECS, "jpegio": "pyjpegio", "simplejpeg": "simplejpeg"}
"""Modules that the review sheet, compressed pixels and cleaning need, and the packages that have them.

Cleaning needs all from the start: what the files are compressed with is known when they are read.
"""

TEXT = {"cv2": "opencv-python-headless", "onnxruntime": "onnxruntime"}
"""Modules that the method ``text`` needs besides."""


def missing(modules: Mapping[str, str], find: Callable[[str], object]) -> str:
    """The packages of modules that are not installed, for pip; "" where all are.

    Args:
        modules: to their packages.
        find: gives None for a module that is not installed.
    """
    return " ".join(dict.fromkeys(package for module, package in modules.items() if find(module) is None))


def find_problem(flag: str, methods: Collection[str], find: Callable[[str], object]) -> str:
    """What has to be installed before pixels can be cleaned; "" where nothing has.

    Args:
        flag: what asked for it.
        methods: the names of the methods.
        find: as of ``missing``.
    """
    packages = missing({**CLEANING, **(TEXT if PixelMethod.TEXT in methods else {})}, find)
    return f"{flag} needs packages that are not installed: pip install {packages}" if packages else ""
