"""Verification of sequences and items of stored and of undefined length, in each other."""

from __future__ import annotations

import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    SOP_CLASS,
    Form,
    Spec,
    element,
    file_of,
    item,
    process,
    rules_of,
    sequence,
    tag_bytes,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from selection import examples

from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

SPECS: tuple[Spec, ...] = (
    {"PatientName": None},
    {"PatientName": "ANON"},
    {"PatientName": "", "Modality": None},
    {"PatientName": None, "Modality": None, "Rows": None},
    {"PatientName": "X", "ReferencedSeriesSequence": None},
)
SEQUENCES = (0x00081032, 0x00081110, 0x00081115, 0x00081140, 0x00189239, 0x00291005, 0x0040A730)
FORMS = (EXPLICIT, IMPLICIT, BIG)
FEW = st.sampled_from([0, 1, 1, 2])
RARELY = st.integers(0, 7).map(lambda number: not number)


@st.composite
def data_sets(draw: st.DrawFn, form: Form, depth: int = 0) -> bytes:
    """Elements and sequences in the order of their tags; some items and sequences are closed twice."""
    found = {}
    if draw(st.booleans()):
        found[0x00100010] = element(0x00100010, "PN", b"Doe^Jane", form)
    if draw(RARELY):
        found[0x00080060] = element(0x00080060, "CS", b"MR", form)
    if draw(RARELY):
        found[0x00280010] = element(0x00280010, "US", struct.pack(form.order + "H", 512), form)
    for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2, unique=True)) if depth < 3 else ():
        in_un = form is EXPLICIT and draw(RARELY)  # PS3.5 6.2.2: then in implicit VR
        inner, is_defined = (IMPLICIT, True) if in_un else (form, draw(st.booleans()))
        items = b""
        for _ in range(draw(FEW)):
            is_long = draw(st.booleans())
            items += item(draw(data_sets(inner, depth + 1)), inner, defined=is_long)
            items += (tag_bytes(0xFFFEE00D, inner) + bytes(4)) * (is_long and draw(RARELY))
        items += (tag_bytes(0xFFFEE0DD, inner) + bytes(4)) * (is_defined and draw(RARELY))
        found[tag] = sequence(tag, items, form, defined=is_defined, vr="UN" if in_un else "SQ")
    return b"".join(found[tag] for tag in sorted(found))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@settings(max_examples=examples(100), deadline=None)
@given(st.data())
def test_items_of_any_length_are_verified(form: Form, data: st.DataObject) -> None:
    made = data.draw(data_sets(form))
    content = file_of(element(0x00080016, "UI", SOP_CLASS.encode(), form) + made, form)
    verifying = Settings(rules_of(data.draw(st.sampled_from(SPECS))), verify=True)
    with TemporaryDirectory() as folder:
        result = process(Worker(verifying), content, Path(folder))
        assume("some readers see" not in result.outcome.reason)  # for what is closed twice
        assert result.outcome.status is Status.WRITTEN, result.outcome.reason
        assert b"Doe^Jane" not in result.content
        if b"Doe^Jane" in made:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Patcher, "patch", lambda *_: Patched([], [], ()))
                result = process(Worker(verifying), content, Path(folder))
            assert (result.outcome.status, result.outcome.stage) == (Status.FAILED, Stage.VERIFY)
