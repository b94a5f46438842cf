"""The profile against pydicom and its own JSON, over every DICOM file at hand and in every encoding."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
import test_differential as differential
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, Form, process, read, written
from profile_oracle import CODES, Profile, check
from selection import first_of_each
from support import ROOT

from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import load

pytestmark = pytest.mark.filterwarnings("ignore")

SAMPLE = differential.SAMPLE
SHIPPED = [one for one in SAMPLE if one.path.is_relative_to(differential.PYDICOM_DATA)]
MOST = tuple(option for option in CODES if option != "retainLongitudinalFullDates")
SETS: dict[str, Profile] = {
    "basic": Profile(),
    "every option": Profile(MOST),
    "retained": Profile(
        (
            "retainUIDs",
            "retainDeviceIdentity",
            "retainInstitutionIdentity",
            "retainPatientCharacteristics",
            "retainLongitudinalFullDates",
            "retainSafePrivate",
        )
    ),
    "cleaned": Profile(("cleanDescriptors", "cleanStructuredContent", "cleanGraphics")),
    "private kept": Profile(
        (),
        (
            '(0029,"SIEMENS CSA HEADER",08)',
            '(0021,"SIEMENS MR SDS 01",FE)',
            '(0021,"SIEMENS MR SDR 01",FE)',
            '(0051,"SIEMENS MR HEADER",0F)',
            '(0043,"GEMS_PARM_01",01)',
            '(0019,"GEMS_ACQU_01",9C)',
        ),
    ),
}


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """pydicom's remarks on odd files are not the matter here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def workers() -> dict[str, Worker]:
    """One worker per profile for all files, as in a run."""
    return {
        name: Worker(Settings(compile_rules(load(",".join(("basic", *profile.options)), profile.keep).spec)))
        for name, profile in SETS.items()
    }


def _demand(name: str, content: bytes, workers: dict[str, Worker], folder: Path) -> bytes:
    result = process(workers[name], content, folder)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert check(SETS[name], content, result.content, read) == []
    return result.content


@differential.sample_files
def test_basic_does_what_its_pairs_say(
    file: differential.File, workers: dict[str, Worker], tmp_path: Path
) -> None:
    _demand("basic", file.path.read_bytes(), workers, tmp_path)
    dumped = _dump(file.path), _dump(tmp_path / "out-a.dcm")
    if dumped[0] is None:
        return  # dcmdump is not installed, or does not parse the input either
    assert dumped[1] is not None
    odd = re.findall(r"^ *\([0-9a-f]{3}[13579bdf],[0-9a-f]{4}\)", dumped[1], re.MULTILINE)
    assert odd == []


@pytest.mark.parametrize("name", [name for name in SETS if name != "basic"])
@pytest.mark.parametrize(
    "file", first_of_each(SAMPLE[::4], differential.structure), ids=lambda file: file.label
)
def test_options_do_what_their_pairs_say(
    name: str, file: differential.File, workers: dict[str, Worker], tmp_path: Path
) -> None:
    _demand(name, file.path.read_bytes(), workers, tmp_path)


def _dump(path: Path) -> str | None:
    if shutil.which("dcmdump") is None:
        return None
    done = subprocess.run(["dcmdump", "-q", path], capture_output=True, timeout=60)
    return done.stdout.decode("latin-1") if done.returncode == 0 else None


RICH = (
    "rtplan.dcm",
    "test-SR.dcm",
    "nested_priv_SQ.dcm",
    "UN_sequence.dcm",
    "priv_SQ.dcm",
    "MR_small.dcm",
    "rtdose.dcm",
    "reportsi.dcm",
    "CT_small.dcm",
    "waveform_ecg.dcm",
)


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG, DEFLATED], ids=lambda form: form.name)
@pytest.mark.parametrize("name", RICH)
def test_every_encoding_gives_what_the_pairs_say(
    name: str, form: Form, undefined: bool, workers: dict[str, Worker], tmp_path: Path
) -> None:
    (path,) = [one.path for one in SHIPPED if one.path.name == name][:1]
    data_set = pydicom.dcmread(path)
    data_set.decode()
    content = written(data_set, form, undefined=undefined)
    for profile in ("basic", "every option"):
        _demand(profile, content, workers, tmp_path)


def test_the_options_of_the_oracle_are_all_there_are() -> None:
    names = {path.stem for path in (ROOT / "pfdicom_tagSub" / "profiles").glob("*.json")}
    assert names == {"basic", *CODES}


@pytest.mark.parametrize("broken", ["kept", "private", "pixels", "uid", "order"])
def test_oracle_sees_what_is_wrong(broken: str, workers: dict[str, Worker], tmp_path: Path) -> None:
    """An oracle that finds nothing is worth nothing."""
    (path,) = [one.path for one in SHIPPED if one.path.name == "CT_small.dcm"][:1]
    content = path.read_bytes()
    output = _demand("basic", content, workers, tmp_path)
    wrong = read(output)
    if broken == "kept":
        wrong.PatientName = str(read(content).PatientName)
    elif broken == "private":
        wrong.private_block(0x0029, "ACME", create=True).add_new(1, "LO", "x")
    elif broken == "pixels":
        wrong.PixelData = bytes(len(wrong.PixelData))
    elif broken == "uid":
        wrong.StudyInstanceUID = "1.2.3"
        assert SETS["basic"].uids
    else:
        del wrong.Modality
    assert check(SETS["basic"], content, written(wrong), read) != []


DIRECTORIES = [one for one in SHIPPED if "DICOMDIR" in one.path.name]


@pytest.mark.parametrize("name", ["basic", "every option", "cleaned", "private kept"])
def test_result_does_not_depend_on_files_before_it(name: str, tmp_path: Path) -> None:
    """What a worker learnt, remembered and cleaned with must be as if each file were its first."""
    chosen = [*SAMPLE[::12], *DIRECTORIES, *SAMPLE[-6:]]
    profile = SETS[name]
    rules = compile_rules(load(",".join(("basic", *profile.options)), profile.keep).spec)
    contents = [one.path.read_bytes() for one in chosen if one.path.stat().st_size < 1 << 21]
    fresh = [process(Worker(Settings(rules)), content, tmp_path) for content in contents]
    shared = Worker(Settings(rules))
    for order in (1, -1, 1):
        for content, alone in [*zip(contents, fresh, strict=True)][::order]:
            again = process(shared, content, tmp_path)
            assert again.outcome == alone.outcome
            assert again.content == alone.content


@pytest.mark.parametrize("name", ["basic", "every option"])
def test_profile_leaves_alone_what_it_has_treated(name: str, tmp_path: Path) -> None:
    """A second pass changes nothing but UIDs, shifted dates and dummies: no element comes or goes."""
    profile = SETS[name]
    rules = compile_rules(load(",".join(("basic", *profile.options)), profile.keep).spec)
    worker = Worker(Settings(rules))
    for one in SHIPPED[::5]:
        first = process(worker, one.path.read_bytes(), tmp_path).content
        second = process(worker, first, tmp_path).content
        assert _shape(read(first)) == _shape(read(second)), one.label


def _shape(data_set: pydicom.Dataset) -> list[object]:
    return [
        (int(one.tag), [_shape(item) for item in one.value or []] if one.VR == "SQ" else None)
        for one in data_set
    ]
