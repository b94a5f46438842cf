"""The manual: complete, and true of this command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

import pytest
from pftree import manual_render

from pfdicom_tagSub.cli import manual
from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.cli.option_table import OPTIONS
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import Action, Stage, Status
from pfdicom_tagSub.report.record import to_json
from pfdicom_tagSub.report.totals import Totals
from pfdicom_tagSub.spec.function_types import SecretUse
from pfdicom_tagSub.spec.functions import FUNCTIONS
from pfdicom_tagSub.spec.secret import KEY_VARIABLE, LEAST_BYTES


@pytest.fixture(scope="module")
def page() -> str:
    return manual_render(manual.build_manual(), shortOnly=False, colour=False)


def test_manual_names_every_option(page: str) -> None:
    missing = [
        flag
        for action in cli.build_parser()._actions
        for flag in action.option_strings
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?!\w)", page)
    ]
    assert missing == []


def test_manual_has_a_section_for_every_option(page: str) -> None:
    args = page[page.index("\n    ARGS\n") : page.index("\n    EXIT CODES\n")]
    for option in OPTIONS:
        section = re.search(rf"^        {re.escape(option.syntax)}\n(?P<text>        \w.*\n)", args, re.M)
        assert section is not None, option.flag


def test_manual_takes_the_text_of_pftree_where_it_is_true(page: str) -> None:
    theirs = manual._pftree_texts()
    taken = [option for option in OPTIONS if option.text is None]
    assert taken
    for option in taken:
        assert indent(theirs[option.name], " " * 8) in page


def test_manual_says_nothing_that_is_true_of_pftree_alone(page: str) -> None:
    for untrue in ("each stage", "--test", "pfdo", "Analyze up to", "--json record", "each target once"):
        assert untrue not in page


def test_manual_fills_in_its_placeholders(page: str) -> None:
    for left_over in ("{functions}", "{version}", "``"):
        assert left_over not in page


def test_manual_documents_the_functions_that_the_spec_knows(page: str) -> None:
    words = " ".join(page.split())
    for function in FUNCTIONS.values():
        assert f"            {function.usage}\n" in page
        assert f"{function.usage} {function.meaning}" in words


def test_manual_documents_the_grammar_and_the_rules(page: str) -> None:
    for part in ("template  :=", "directive :=", "source    :=", "re:.*hysician", "(0010,0010)", "null"):
        assert part in page
    for part in ("at any depth", "the strongest decides", "stays empty", "value by value", "ISO_IR 192"):
        assert part in page


def test_manual_documents_the_keys_of_the_spec_from_the_weakest_to_the_strongest(page: str) -> None:
    keys = (
        "(60xx,3000)",
        "VR:PN  ",
        "private  ",
        "unknown  ",
        "rest  ",
        "text  ",
        "preamble  ",
        "when Modality",
    )
    for part in (*keys, "ContentSequence[", '"replace": [...]'):
        assert part in page
    order = ["1  keys of the profile", "2  keys with x digits, and by VR", "3  keys for one element"]
    order += ["4  re: keys", "5  keys of content items"]
    places = [page.index(part) for part in order]
    assert places == sorted(places)


def test_manual_documents_the_options_of_the_profile(page: str) -> None:
    profiles = Path(manual.__file__).parents[1] / "profiles"
    names = {path.stem for path in profiles.glob("*.json")}
    if not names:
        pytest.skip("no profiles here")
    assert all(re.search(rf"\b{name}\b", page) for name in names)


def test_manual_documents_the_secret_and_what_goes_without(page: str) -> None:
    section = page[page.index("    THE SECRET\n") : page.index("    PROFILES\n")]
    for part in (KEY_VARIABLE.decode(), "--keyFile", f"at least {LEAST_BYTES}", "fingerprint"):
        assert part in section
    using = section[: section.index(" use a secret key")]
    named = {name for name in FUNCTIONS if re.search(rf"\b{name}\b", using)}
    assert named == {name for name, it in FUNCTIONS.items() if it.secret is not SecretUse.NONE}


def test_manual_documents_the_exit_codes(page: str) -> None:
    section = page[page.index("EXIT CODES") : page.index("THE RECORD")]
    assert [int(code) for code in re.findall(r"^        (\d+) ", section, re.M)] == list(ExitCode)


def test_manual_documents_every_key_of_the_record(page: str) -> None:
    section = page[page.index("    THE RECORD\n") :]
    record = json.loads(to_json(Totals().finish(ExitCode.OK, 0.0, "")))
    for key in record:
        assert re.search(rf"^            {key} ", section, re.M), key
    for word in (*Action, *Status, *Stage, *record["versions"]):
        assert word in section


def test_manual_shows_the_three_forms_of_the_spec_cron_and_docker(page: str) -> None:
    examples = page[page.index("    EXAMPLES\n") :]
    for part in (
        "--tagStruct '",
        '--splitToken ","',
        '--splitKeyValue "="',
        "--tagInfo '",
        "--tagFile spec.json",
    ):
        assert part in examples
    assert "30 2 * * *" in examples
    assert "docker run --rm" in examples


def test_manual_lines_fit_a_terminal(page: str) -> None:
    assert max(map(len, page.splitlines())) <= 110


def test_synopsis_is_the_first_page() -> None:
    short = manual_render(manual.build_manual(), shortOnly=True, colour=False)
    assert "BRIEF EXAMPLE" in short
    assert "DESCRIPTION" not in short
    for option in OPTIONS:
        assert option.short_syntax in short


def test_manual_renders_in_colour() -> None:
    assert "\033[" in manual_render(manual.build_manual(), shortOnly=False, colour=True)
