"""The options of the cleaning of pixels, and that nothing is loaded without them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pictures import file_bytes, picture

from pfdicom_tagSub.cli import argument_checks
from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.cli.argument_checks import pixel_methods
from pfdicom_tagSub.core.options import PixelSelection
from pfdicom_tagSub.pixels.settings import PixelSettings
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.building import build_rules
from pfdicom_tagSub.spec.function_types import NO_RESOURCES, Resources
from pfdicom_tagSub.spec.parsing import from_pairs
from pfdicom_tagSub.spec.rules import PixelRules
from pfdicom_tagSub.spec.secret import Secret

PAIRS = ["--inputDir", "in", "--outputDir", "out", "--tagInfo", "PatientName:anon"]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--cleanPixels", "region"], "give regions, devices, text"),
        (["--cleanPixels", "regions,regions"], "twice"),
        (["--pixelMasks", "m.json"], "--cleanPixels"),
        (["--cleanPixelsOf", "all"], "--cleanPixels"),
        (["--maskAllFrames"], "--cleanPixels"),
        (["--cleanPixels", "regions", "--pixelMasks", "m.json"], "devices"),
    ],
)
def test_options_that_cannot_be_worked_on_end_the_run(
    flags: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(cli.UsageExit) as stop:
        cli.parse([*PAIRS, *flags])
    assert stop.value.code == 2
    assert reason in capsys.readouterr().err


CODECS = "numpy pillow 'pylibjpeg[all]' pyjpegls pyjpegio simplejpeg"


@pytest.mark.parametrize(
    ("methods", "installed", "command"),
    [
        ("regions", (), f"pip install {CODECS}\n"),
        ("regions", ("numpy", "PIL", "jpegio", "simplejpeg", "jpeg_ls"), "pip install 'pylibjpeg[all]'\n"),
        ("text", (), f"pip install {CODECS} opencv-python-headless onnxruntime\n"),
    ],
)
def test_packages_that_are_not_installed_are_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    methods: str,
    installed: tuple[str, ...],
    command: str,
) -> None:
    monkeypatch.setattr(argument_checks, "find_spec", lambda name: name if name in installed else None)
    with pytest.raises(cli.UsageExit) as stop:
        cli.parse([*PAIRS, "--cleanPixels", methods])
    assert stop.value.code == 2
    assert command in capsys.readouterr().err


def test_option_of_the_profile_means_all_methods_unless_some_are_named() -> None:
    assert pixel_methods("", "basic, cleanPixelData") == "regions,devices,text"
    assert pixel_methods("regions", "basic,cleanPixelData") == "regions"
    assert pixel_methods("", "basic") == ""


def test_settings_are_told_apart_by_their_digest() -> None:
    one = PixelSettings.of("regions,devices", "", PixelSelection.REVIEW)
    assert one == PixelSettings.of("devices,regions", "", PixelSelection.REVIEW)
    assert one.digest != PixelSettings.of("regions,devices", "", PixelSelection.ALL).digest
    assert one.digest != PixelSettings.of("regions", "", PixelSelection.REVIEW).digest
    assert pickle.loads(pickle.dumps(one)).digest == one.digest


def test_settings_without_the_key_hold_it_nowhere() -> None:
    resources = Resources(Secret(b"0123456789abcdef-key"))
    spec = from_pairs([("PatientID", "%_hmac|8_PatientID")])
    rules = build_rules(spec, resources=resources).rules
    cleaned = build_rules(spec, resources=resources, is_cleaned=True).rules
    pixels = PixelRules(PixelSettings.of("regions", "", PixelSelection.REVIEW), cleaned)
    settings = Settings(replace(rules, pixels=pixels))
    assert b"0123456789abcdef-key" in pickle.dumps(settings)
    assert b"0123456789abcdef-key" not in pickle.dumps(settings.with_resources(NO_RESOURCES))


def test_nothing_of_it_is_loaded_without_the_option(tmp_path: Path) -> None:
    # pydicom itself loads numpy and Pillow where these are installed.
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(file_bytes(picture()))
    script = (
        "import sys; from pfdicom_tagSub.cli.command import main; "
        f"code = main(['--inputDir', {str(tmp_path / 'in')!r}, '--outputDir', {str(tmp_path / 'out')!r}, "
        "'--tagInfo', 'PatientName:x', '--verify', '-v', '0']); "
        "print(code, [name for name in sys.modules if name.partition('.')[0] in "
        "{'cv2', 'onnxruntime', 'jpegio'} or name.startswith('pfdicom_tagSub.pixels')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "0 []", done.stdout + done.stderr
