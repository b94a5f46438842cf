"""The tool for Python: compile a spec once; patch bytes, a file or a tree with it.

>>> rules = compile_spec({"PatientID": "%_md5|7_PatientID", "PatientName": "ANON"})
>>> rules.warnings
()
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from .core.caches import Caches
from .core.errors import SpecError
from .core.options import (
    LookupMiss,
    PixelMethod,
    PixelSelection,
)
from .core.outcome import FileOutcome
from .core.pixel_packages import find_problem
from .core.plan import FileJob
from .dicom.edits import pieces
from .dicom.elements import Element
from .dicom.file import DicomFile, parse
from .dicom.inflating import DEFAULT_LIMIT
from .dicom.sources import BytesSource
from .engine.patcher import Output, Patcher
from .engine.pixel_edits import NO_PIXEL_EDITS
from .run.file_tools import PixelWork, check_frames
from .run.worker import Worker
from .run.worker_settings import Settings
from .spec.building import build_rules
from .spec.function_types import Resources
from .spec.hash_functions import check_uid_root
from .spec.profile import PIXEL_OPTION
from .spec.rules import PixelRules, RuleSet
from .spec.secret import Secret
from .spec.spec_texts import load_spec
from .tree_run import PathLike, run_tree

if TYPE_CHECKING:
    from .engine.conditional import PatcherChoice

__all__ = ["PathLike", "compile_spec", "patch_bytes", "patch_file", "run_tree"]


class _KeptWorkers(threading.local):
    """What a thread patched with last: to make it anew for each file takes longer than the file."""

    def __init__(self) -> None:
        self.patcher: Patcher | None = None
        self.choice: PatcherChoice | None = None
        self.caches = Caches()
        self.worker: Worker | None = None
        self.pixels: PixelWork | None = None

    def patcher_of(self, rules: RuleSet, file: DicomFile) -> tuple[Patcher, list[Element] | None]:
        if self.patcher is None or self.patcher.rules is not rules:
            self.patcher = Patcher(rules)
            self.caches = Caches()
            self.pixels = None
            if rules.pixels is not None:
                self.pixels = PixelWork(Settings(rules), rules.pixels)
            self.choice = None
            if rules.variants is not None:
                from .engine.conditional import PatcherChoice  # noqa: PLC0415  (for conditions alone)

                self.choice = PatcherChoice(self.patcher, Patcher, rules.variants)
        return (self.patcher, None) if self.choice is None else self.choice.of(file, "")

    def worker_of(self, rules: RuleSet, *, overwrite: bool, verify: bool) -> Worker:
        settings = Settings(rules, overwrite=overwrite, follow_links=True, verify=verify)
        kept = self.worker
        if kept is None or kept.settings.rules is not rules or kept.settings != settings:
            kept = self.worker = Worker(settings)
        return kept


_kept = _KeptWorkers()


def compile_spec(
    spec: Mapping[str, object] | str | os.PathLike[str],
    *,
    remove_private_tags: bool = False,
    profile: str = "",
    keep_private: Sequence[str] = (),
    key: bytes | None = None,
    lookup_tables: Mapping[str, Mapping[str, str]] | None = None,
    lookup_miss: Literal["fail", "empty", "keep"] = "fail",
    uid_root: str = "",
    assume_character_set: str = "",
    output_file_stem: str = "",
    output_dir_template: str = "",
    clean_pixels: Sequence[str] = (),
    pixel_masks: PathLike = "",
    clean_pixels_of: Literal["review", "all"] = "review",
    mask_all_frames: bool = False,
    functions: Sequence[PathLike] = (),
) -> RuleSet:
    """Compile a spec.

    Args:
        spec: keys and templates as in ``--tagStruct``, where None removes an element; or the text of one in
            JSON, which begins with ``{``; or the path of a file with one in JSON, YAML or TOML.
        remove_private_tags: remove every private element at every depth.
        profile: the profile below the spec, ``basic[,option...]``.
        keep_private: keys of private elements that are kept all the same.
        key: the secret of pseudonyms, at least 16 bytes.
        lookup_tables: name to table of ``%_lookup``, each original to replacement.
        lookup_miss: what becomes of a value that its table lacks: it fails its file, is
            emptied, or stays.
        uid_root: what new UIDs begin with; "" for pydicom's root.
        assume_character_set: the Specific Character Set of files that declare none, or one that nobody
            knows, such as ``ISO_IR 100``; "" for none.
        output_file_stem: the template that names the outputs of ``run_tree``.
        output_dir_template: the template that names their directories.
        clean_pixels: how to find burned-in text that is blackened: ``regions``, ``devices``, ``text``. The
            option cleanPixelData of a profile means all three where none is given.
        pixel_masks: a file with more masks of devices; "" for none.
        clean_pixels_of: clean the files that a person would have to look at, or all.
        mask_all_frames: blacken text that is found on one frame on all frames.
        functions: files with functions of your own, each with the decorator ``spec_function``.

    Returns:
        The rules, to be used for any number of files, also in other processes. They hold
        the key and the tables.

    Raises:
        SpecError: the spec cannot mean what it says, or a package is missing; the text names key and cure.
        ValueError: ``lookup_miss``, a method or ``clean_pixels_of`` is none of these.
    """
    is_option = PIXEL_OPTION in [part.strip() for part in profile.split(",")[1:]]
    methods = [PixelMethod(name) for name in clean_pixels] or (list(PixelMethod) if is_option else [])
    if pixel_masks and PixelMethod.DEVICES not in methods:
        raise SpecError("pixel_masks is for the method devices; add it to clean_pixels")
    if methods and (problem := find_problem("clean_pixels", methods, find_spec)):
        raise SpecError(problem)
    check_uid_root(uid_root)
    if functions:
        from .spec.own_functions import load_files  # noqa: PLC0415  (where there are any)

        load_files([os.fspath(path) for path in functions])
    parsed = load_spec(spec)
    tables = {name: dict(table) for name, table in (lookup_tables or {}).items()}
    resources = Resources(
        None if key is None else Secret(key),
        tables,
        LookupMiss(lookup_miss),
        uid_root,
    )

    def build(*, is_cleaned: bool) -> RuleSet:
        return build_rules(
            parsed,
            profile=profile,
            keep_private=keep_private,
            remove_private=remove_private_tags,
            output_stem=output_file_stem,
            output_dir=output_dir_template,
            resources=resources,
            assumed=assume_character_set,
            is_cleaned=is_cleaned,
        ).rules

    rules = build(is_cleaned=False)
    if not methods:
        return rules
    from .pixels.settings import PixelSettings  # noqa: PLC0415  (only where it was asked for)
    from .spec.mask_conditions import mask_test  # noqa: PLC0415  (likewise)

    settings = PixelSettings.of(
        ",".join(methods),
        os.fspath(pixel_masks),
        PixelSelection(clean_pixels_of),
        all_frames=mask_all_frames,
        parse=mask_test,
    )
    return replace(rules, pixels=PixelRules(settings, build(is_cleaned=True)))


def patch_bytes(data: bytes, rules: RuleSet) -> bytes:
    """Patch a DICOM file in memory.

    Args:
        data: the bytes of the file.
        rules: the compiled spec.

    Returns:
        The bytes of the patched file; equal to ``data`` where nothing was hit.

    Raises:
        NotDicomError: it is not DICOM.
        SkippedError: a condition of the spec skips it; in conditions the ``path`` is empty.
        FileError: it is, but cannot be processed with certainty. The text quotes no value.
    """
    source = BytesSource(data)
    file = parse(source)
    patcher, elements = _kept.patcher_of(rules, file)
    pixels, cleaning, edits = _kept.pixels, None, NO_PIXEL_EDITS
    with _kept.caches:
        if pixels is not None:
            cleaning = pixels.cleaner.clean(file)
            edits = cleaning.edits
            if (tools := pixels.tools_for(cleaning)) is not None:
                patcher, elements = tools.choose(file, "")
        elements = patcher.scan(file) if elements is None else elements
        patched = patcher.patch(file, elements, None, edits)
        made = b"".join(pieces(source, Output(file, patched).chunks()))
        if patched.frames is not None:
            check_frames(source, BytesSource(made), patched.frames, DEFAULT_LIMIT, lambda: None)
        elif pixels is not None and cleaning is not None and edits:
            pixels.check(source, BytesSource(made), cleaning, patched, lambda: None)
        return made


def patch_file(
    source: PathLike, target: PathLike, rules: RuleSet, *, overwrite: bool = False, verify: bool = False
) -> FileOutcome:
    """Patch one file.

    Args:
        source: the input; symbolic links are followed.
        target: the output; its directory exists. It is written whole or not at all.
        rules: the compiled spec.
        overwrite: replace a target that exists and differs.
        verify: read the target again and compare it with the source. A difference that no rule
            explains fails the file; ``residuals`` names elements that hold a replaced value.

    Returns:
        How it ended. A failure or a skip is a result, too; nothing is raised for it.
    """
    path = os.fspath(source)
    output = os.path.abspath(os.fspath(target))
    worker = _kept.worker_of(rules, overwrite=overwrite, verify=verify)
    try:
        return worker.process(FileJob(path, output, os.path.basename(path)))
    finally:
        worker.outputs.close()
