"""DICOM bytes made by hand, and the engine run over them; for the tests of the engine."""

from __future__ import annotations

import io
import json
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence

from pfdicom_tagSub.core.outcome import Action, FileOutcome, Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.rules import RuleSet

Spec = Mapping[str, str | None]

LONG_VRS = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
UNDEFINED = 0xFFFFFFFF
SOP_CLASS = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True)
class Form:
    """How a data set is written.

    Attributes:
        name: what the tests' ids call it.
        syntax: its transfer syntax.
        implicit: whether VRs are left out.
        little: whether it is little endian.
    """

    name: str
    syntax: str
    implicit: bool
    little: bool

    @property
    def order(self) -> str:
        """The sign of the byte order for ``struct``."""
        return "<" if self.little else ">"


IMPLICIT = Form("implicit", uid.ImplicitVRLittleEndian, implicit=True, little=True)
EXPLICIT = Form("explicit", uid.ExplicitVRLittleEndian, implicit=False, little=True)
BIG = Form("big", uid.ExplicitVRBigEndian, implicit=False, little=False)
DEFLATED = Form("deflated", uid.DeflatedExplicitVRLittleEndian, implicit=False, little=True)
FORMS = (IMPLICIT, EXPLICIT, BIG)


def tag_bytes(tag: int, form: Form) -> bytes:
    """A tag as it is stored."""
    return struct.pack(form.order + "HH", tag >> 16, tag & 0xFFFF)


def element(tag: int, vr: str, value: bytes, form: Form, length: int | None = None) -> bytes:
    """One element.

    Args:
        tag: its tag.
        vr: its VR; left out in implicit VR.
        value: its value, padded to an even length with a blank or, for a VR that is not
            text, a NUL.
        form: how it is written.
        length: what its length field says; the truth if None.
    """
    if len(value) % 2:
        value += b"\0" if vr in {"OB", "UI", "UN"} else b" "
    size = len(value) if length is None else length
    head = tag_bytes(tag, form)
    if form.implicit:
        head += struct.pack(form.order + "I", size)
    elif vr in LONG_VRS:
        head += vr.encode() + b"\0\0" + struct.pack(form.order + "I", size)
    else:
        head += vr.encode() + struct.pack(form.order + "H", size)
    return head + value


def item(content: bytes, form: Form, *, defined: bool = True) -> bytes:
    """An item of a sequence, or a fragment of an encapsulated value."""
    head = tag_bytes(0xFFFEE000, form)
    if defined:
        return head + struct.pack(form.order + "I", len(content)) + content
    end = tag_bytes(0xFFFEE00D, form) + b"\0\0\0\0"
    return head + struct.pack(form.order + "I", UNDEFINED) + content + end


def sequence(tag: int, items: bytes, form: Form, *, defined: bool = True, vr: str = "SQ") -> bytes:
    """A sequence of items that are already written."""
    if defined:
        return element(tag, vr, items, form)
    return element(tag, vr, items + tag_bytes(0xFFFEE0DD, form) + b"\0\0\0\0", form, UNDEFINED)


def file_of(data_set: bytes, form: Form = EXPLICIT, *, instance: str = "1.2.3", extra: bytes = b"") -> bytes:
    """A file with preamble and file meta.

    Args:
        data_set: the bytes of its data set, already deflated if the form says so.
        form: how they are written.
        instance: the Media Storage SOP Instance UID.
        extra: more elements of the file meta, in explicit VR little endian.
    """
    meta = element(0x00020001, "OB", b"\0\1", EXPLICIT)
    meta += element(0x00020002, "UI", SOP_CLASS.encode(), EXPLICIT)
    meta += element(0x00020003, "UI", instance.encode(), EXPLICIT)
    meta += element(0x00020010, "UI", form.syntax.encode(), EXPLICIT)
    meta += element(0x00020012, "UI", b"1.2.826.0.1.3680043.8.498.1", EXPLICIT)
    meta += extra
    head = element(0x00020000, "UL", struct.pack("<I", len(meta)), EXPLICIT)
    return bytes(128) + b"DICM" + head + meta + data_set


def written(data_set: Dataset, form: Form = EXPLICIT, *, undefined: bool = False) -> bytes:
    """A data set as pydicom writes it.

    Args:
        data_set: the data set; its file meta is made here.
        form: how to write it.
        undefined: leave the lengths of all sequences and items undefined.
    """
    if undefined:
        _leave_undefined(data_set)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = data_set.get("SOPClassUID") or uid.UID(SOP_CLASS)
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.get("SOPInstanceUID") or uid.UID("1.2.3")
    data_set.file_meta.TransferSyntaxUID = uid.UID(form.syntax)
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        pydicom.dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()


def _leave_undefined(data_set: Dataset) -> None:
    for one in data_set:
        if one.VR == "SQ":
            one.is_undefined_length = True
            for part in one.value:
                part.is_undefined_length_sequence_item = True
                _leave_undefined(part)


def data_set(**values: Any) -> Dataset:
    """A data set with these values."""
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def nested(*items: Dataset, keyword: str = "RequestAttributesSequence", **values: Any) -> Dataset:
    """A data set with a sequence of these items, and these values."""
    made = data_set(**values)
    setattr(made, keyword, Sequence(items))
    return made


def read(content: bytes) -> Dataset:
    """What pydicom reads, without its warnings."""
    with warnings.catch_warnings(action="ignore"):
        return pydicom.dcmread(io.BytesIO(content), force=True)


def rules_of(spec: Spec, *, remove_private: bool = False, stem: str = "") -> RuleSet:
    """A spec compiled."""
    return compile_rules(
        parse_json(json.dumps(dict(spec)), "spec"), remove_private=remove_private, output_stem=stem
    )


@dataclass(frozen=True)
class Substituted:
    """What became of a file.

    Attributes:
        outcome: as the worker tells it.
        content: the output; b"" where there is none.
    """

    outcome: FileOutcome
    content: bytes

    @property
    def data_set(self) -> Dataset:
        """What pydicom reads of the output."""
        assert self.outcome.status is Status.WRITTEN, self.outcome.reason
        return read(self.content)

    @property
    def actions(self) -> dict[int, dict[Action, int]]:
        """Per tag what was done how often."""
        found: dict[int, dict[Action, int]] = {}
        for tag, action, count in self.outcome.elements:
            found.setdefault(tag, {})[action] = count
        return found


def process(worker: Worker, content: bytes, folder: Path, name: str = "a.dcm") -> Substituted:
    """Write a file, have a worker process it and collect the output, but not the time it took."""
    source, target = folder / f"in-{name}", folder / f"out-{name}"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    outcome = replace(worker.process(FileJob(str(source), str(target), name)), seconds=0.0)
    left = sorted(path.name for path in folder.iterdir())
    expected = [source.name, target.name] if target.exists() else [source.name]
    assert left == sorted(expected), "something was left behind"
    return Substituted(outcome, target.read_bytes() if target.exists() else b"")


def substitute(
    content: bytes, spec: Spec, folder: Path, *, remove_private: bool = False, name: str = "a.dcm"
) -> Substituted:
    """Process one file with a worker of its own."""
    worker = Worker(Settings(rules_of(spec, remove_private=remove_private)))
    result = process(worker, content, folder, name)
    (folder / f"in-{name}").unlink()
    (folder / f"out-{name}").unlink(missing_ok=True)
    return result


def patched(made: Dataset, spec: Spec, folder: Path, form: Form = EXPLICIT, **options: bool) -> Dataset:
    """A data set written, patched and read again."""
    return substitute(written(made, form, **options), spec, folder).data_set
