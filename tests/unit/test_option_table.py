"""The table of options: whole, and the one source of parser, report and ledger's identity."""

from __future__ import annotations

from dataclasses import fields

import pytest
from pftree import TreeOptions
from pftree.__main__ import parserCore_build, parserIO_build

from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.cli.given_flags import HIDDEN, flags_of
from pfdicom_tagSub.cli.option import Kind, Need, Option, Repeat, Shown
from pfdicom_tagSub.cli.option_table import BY_NAME, OPTIONS
from pfdicom_tagSub.core.options import LookupMiss, OnResidual, Options

PAIRS = ["--inputDir", "in", "--outputDir", "out", "--tagInfo", "PatientName:anon"]


def ids(option: object) -> str:
    return option.name if isinstance(option, Option) else ""


def test_table_has_every_field_of_the_options_once() -> None:
    own = [option.field for option in OPTIONS if option.is_own]
    assert sorted(own) == sorted(field.name for field in fields(Options) if field.name != "tree")


def test_table_has_only_fields_that_are_there() -> None:
    options = cli.parse(PAIRS)
    for option in OPTIONS:
        if option.kind is not Kind.PAGE:
            option.of(options)


def test_table_has_no_flag_twice() -> None:
    flags = [flag for option in OPTIONS for flag in option.flags]
    assert len(flags) == len(set(flags))


def test_table_has_the_options_of_pftree_with_its_flags_defaults_and_choices() -> None:
    for action in [*parserIO_build()._actions, *parserCore_build()._actions]:
        option = BY_NAME[action.dest]
        assert set(action.option_strings) <= set(option.flags)
        assert tuple(action.choices or ()) == option.choices
        if option.kind not in {Kind.PAGE, Kind.SWITCH} and option.need is not Need.ALWAYS:
            assert action.default == option.default
        assert option.field in {"", "print_elapsed_time", f"tree.{action.dest}"}
    tree = {field.name for field in fields(TreeOptions)}
    assert {option.name for option in OPTIONS if option.field.startswith("tree.")} <= tree


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.kind is not Kind.PAGE], ids=ids)
def test_parser_gives_the_default_of_the_table(option: Option) -> None:
    got = option.of(Options(TreeOptions.fromDict({"inputDir": "", "outputDir": ""})))
    parsed = option.of(cli.parse(["--printSpec", "--tagInfo", "PatientName:anon"]))
    if option.name not in {"printSpec", "tagInfo"}:
        assert parsed == got


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.refines], ids=ids)
def test_table_refines_options_that_are_there(option: Option) -> None:
    assert option.refines in BY_NAME


def test_table_says_of_all_that_takes_something_what_it_takes() -> None:
    for option in OPTIONS:
        assert bool(option.takes) == (option.kind not in {Kind.SWITCH, Kind.PAGE}), option.flag
        assert bool(option.choices) == (option.kind is Kind.CHOICE), option.flag
        assert not (option.joined and option.repeat is not Repeat.REFUSED), option.flag


def test_help_shows_every_flag() -> None:
    text = cli.build_parser().format_help()
    for option in OPTIONS:
        assert all(flag in text for flag in option.flags)


def test_options_with_choices_become_members_of_their_enum() -> None:
    options = cli.parse([*PAIRS, "--verify", "--onResidual", "fail", "--lookupMiss", "empty"])
    assert options.on_residual is OnResidual.FAIL
    assert options.lookup_miss is LookupMiss.EMPTY


def test_parse_of_a_wrong_choice_names_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(cli.UsageExit):
        cli.parse([*PAIRS, "--lookupMiss", "skip"])
    assert "'skip' (choose from 'fail', 'empty', 'keep')" in capsys.readouterr().err.replace(
        "(choose from fail, empty, keep)", "(choose from 'fail', 'empty', 'keep')"
    )


# --- what the report shows


def shown(*flags: str) -> dict[str, str]:
    return dict(flags_of(cli.parse([*PAIRS, *flags])))


def test_flags_of_hide_the_secrets() -> None:
    made = flags_of(
        cli.parse(
            [
                *PAIRS,
                "--keyFile",
                "SECRET.key",
                "--lookupTable",
                "ids=SECRET.csv",
                "--lookupTable",
                "b=SECRET",
            ]
        )
    )
    assert "SECRET" not in str(made)
    assert ("--keyFile", HIDDEN) in made
    assert [text for flag, text in made if flag == "--lookupTable"] == [f"ids={HIDDEN}", f"b={HIDDEN}"]
    assert BY_NAME["dask"].shown is Shown.HIDDEN


def test_flags_of_show_what_was_given_and_nothing_else() -> None:
    assert list(shown()) == ["--inputDir", "--outputDir", "--tagInfo"]
    assert all(shown()[flag].startswith("/") for flag in ("--inputDir", "--outputDir"))
    assert shown("--maxDepth", "0")["--maxDepth"] == "0"
    assert shown("--threads", "3", "-v", "0", "--json") == shown() | {"--threads": "3"}
    assert list(shown("--overwrite", "--profile", "basic"))[-1] == "--overwrite"


def test_flags_of_show_what_refines_another_only_with_that() -> None:
    assert "--lookupMiss" not in shown("--lookupMiss", "empty")
    assert shown("--lookupTable", "a=b")["--lookupMiss"] == "fail"
    assert shown("--verify")["--onResidual"] == "report"
    assert shown("-e", "dcm")["--fileFilterLogic"] == "OR"
    assert "--dirFilterLogic" not in shown("-e", "dcm")


def test_ledger_depends_on_what_changes_outputs_beside_the_rules() -> None:
    names = {option.name for option in OPTIONS if option.identifies_outputs}
    assert names == {
        "lookupMiss",
        "uidRoot",
        "where",
        "assumeCharacterSet",
        "outputFileStem",
        "outputDirTemplate",
        "verify",
        "onResidual",
        "crosswalk",
        "pixelReview",
        "holdDir",
    }
