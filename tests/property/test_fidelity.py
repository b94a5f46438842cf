"""Properties that hold for every file and spec: what is not hit is untouched, what is hit is exact."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import oracle
import pydicom
import pytest
import strategies
from builders import DEFLATED, FORMS, Form, process, read, rules_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from selection import examples

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
many = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
fewer = settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def rewritten(content: bytes, rules: oracle.Rules) -> bytes:
    """What pydicom writes when it decodes a file and the expected values are set."""
    tree, meta = oracle.expected(read(content), rules)
    data_set = oracle.applied(read(content), tree)
    oracle.applied(data_set.file_meta, meta)
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        pydicom.dcmwrite(buffer, data_set, enforce_file_format=False)
    return buffer.getvalue()


@forms
@many
@given(st.data())
def test_patched_is_decoded_changed_and_encoded(
    form: Form, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = data.draw(strategies.files(form))
    rules = data.draw(strategies.rules())
    try:
        worker = Worker(Settings(rules_of(oracle.spec_of(rules))))
    except SpecError:
        return
    result = process(worker, content, _folder(tmp_path_factory))
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert result.content == rewritten(content, rules)


@fewer
@given(st.data())
def test_patched_deflated_file_reads_as_expected(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = data.draw(strategies.files(DEFLATED))
    rules = data.draw(strategies.rules())
    try:
        worker = Worker(Settings(rules_of(oracle.spec_of(rules))))
    except SpecError:
        return
    result = process(worker, content, _folder(tmp_path_factory))
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    tree, meta = oracle.expected(read(content), rules)
    assert oracle.differences(tree, read(result.content)) == []
    assert oracle.differences(meta, read(result.content).file_meta) == []


@forms
@fewer
@given(st.data())
def test_what_no_rule_hits_is_the_same_file(
    form: Form, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = data.draw(strategies.files(form))
    spec = {"PatientInsurancePlanCodeSequence": None, "re:Waveform.*": "%#tag", '(0029,"NOBODY",08)': ""}
    result = process(Worker(Settings(rules_of(spec))), content, _folder(tmp_path_factory))
    assert (result.content, result.outcome.elements) == (content, ())


@forms
@fewer
@given(st.data())
def test_values_that_stay_equal_change_no_byte(
    form: Form, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = data.draw(strategies.files(form))
    spec = {"re:(?!SOP|FrameInc).*(Name|ID|IDs|Number|Comments|Date|Time|Weight|Rows)$": "%#tag"}
    result = process(Worker(Settings(rules_of(spec))), content, _folder(tmp_path_factory))
    assert result.content == content


@many
@given(st.data())
def test_result_does_not_depend_on_files_before_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One worker for many files gives what a worker for each would give, in any order."""
    rules = data.draw(strategies.rules())
    try:
        compiled = rules_of(oracle.spec_of(rules), remove_private=data.draw(st.booleans()))
    except SpecError:
        return
    form = data.draw(st.sampled_from(FORMS))
    contents = data.draw(st.lists(strategies.files(form), min_size=2, max_size=4))
    folder = _folder(tmp_path_factory)
    fresh = {content: process(Worker(Settings(compiled)), content, folder) for content in contents}
    shared = Worker(Settings(compiled))
    for content in [*contents, *contents[::-1]]:
        assert process(shared, content, folder) == fresh[content]


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "fidelity"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder
