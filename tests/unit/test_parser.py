"""The command line: what it accepts, what it refuses and how it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from installed import patience
from support import run_command

from pfdicom_tagSub import __version__
from pfdicom_tagSub.cli import parser as cli

DIRECTORIES = ["--inputDir", "in", "--outputDir", "out"]
SPEC = ["--tagInfo", "PatientName:anon"]
GOOD = [*DIRECTORIES, *SPEC]


def refuse(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The message with which a command line is refused."""
    with pytest.raises(cli.UsageExit) as stop:
        cli.parse(argv)
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.splitlines()[-1]
    assert last == f"pfdicom_tagSub: error: {stop.value.message}"
    return last


def test_parse_takes_the_defaults_of_the_documentation() -> None:
    options = cli.parse(GOOD)
    assert options.tree.inputDir == Path("in")
    assert options.tree.outputDir == Path("out")
    assert (options.tree.threads, options.tree.verbosity, options.tree.maxDepth) == (0, 1, -1)
    assert not any((options.tree.overwrite, options.tree.followLinks, options.tree.json))
    assert options.tag_info == "PatientName:anon"
    assert (options.tag_struct, options.tag_files) == (None, ())
    assert (options.split_token, options.split_key_value) == ("++", ":")
    assert options.output_file_stem == ""
    assert not any((options.remove_private_tags, options.syslog, options.print_elapsed_time))


def test_parse_takes_every_option() -> None:
    options = cli.parse(
        [
            *DIRECTORIES,
            *("--inputFile", "IM", "--fileFilter", "dcm", "--fileFilterLogic", "and"),
            *("--dirFilter", "a,b", "--dirFilterLogic", "AND", "--maxDepth", "2"),
            *("--outputLeafDir", "anon-%s", "--relativeDir", "--followLinks", "--overwrite"),
            *("--threads", "3", "--verbosity", "5", "--json", "--printElapsedTime", "--syslog"),
            *("--tagFile", "-", "--splitToken", ",", "--splitKeyValue", "="),
            *("--outputFileStem", "%PatientID", "--removePrivateTags"),
        ]
    )
    tree = options.tree
    assert (tree.inputFile, tree.fileFilter, tree.fileFilterLogic) == ("IM", "dcm", "and")
    assert (tree.dirFilter, tree.dirFilterLogic, tree.maxDepth) == ("a,b", "AND", 2)
    assert (tree.outputLeafDir, tree.threads, tree.verbosity) == ("anon-%s", 3, 5)
    assert tree.relativeDir
    assert tree.followLinks
    assert tree.overwrite
    assert tree.json
    assert (options.tag_files, options.split_token, options.split_key_value) == (("-",), ",", "=")
    assert options.output_file_stem == "%PatientID"
    assert options.remove_private_tags
    assert options.syslog
    assert options.print_elapsed_time


@pytest.mark.parametrize(
    ("argv", "flag"),
    [
        (SPEC, "--inputDir is required"),
        (["--inputDir", "in", *SPEC], "--outputDir is required"),
        (["--outputDir", "out", *SPEC], "--inputDir is required"),
        (["--inputDir", "", "--outputDir", "out", *SPEC], "--inputDir is required"),
        (["--inputDir", "in", "--outputDir", "", *SPEC], "--outputDir is required"),
    ],
)
def test_parse_without_a_directory_is_an_error(
    argv: list[str], flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flag in refuse(argv, capsys)


def test_parse_without_a_spec_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    message = refuse([*DIRECTORIES, "--removePrivateTags"], capsys)
    assert "no spec" in message
    assert "--tagFile" in message


@pytest.mark.parametrize(
    "flags",
    [("--tagStruct", "--tagInfo"), ("--tagFile", "--tagStruct"), ("--tagStruct", "--tagFile", "--tagInfo")],
)
def test_parse_with_several_specs_is_an_error(
    flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    message = refuse([*DIRECTORIES, *(word for flag in flags for word in (flag, "{}"))], capsys)
    assert "more than one spec" in message
    assert all(flag in message for flag in flags)


def test_parse_takes_an_empty_spec_as_given() -> None:
    assert cli.parse([*DIRECTORIES, "--tagStruct", ""]).tag_struct == ""


@pytest.mark.parametrize(
    ("template", "cure"),
    [
        ("anon", "exactly one %s"),
        ("%s-%s", "exactly one %s"),
        ("%d-%s", "no other %"),
        ("%s%%", "no other %"),
        ("%(x)s-%s", "no other %"),
        ("../%s", "no path separator"),
        ("a/%s", "no path separator"),
        ("%s\\b", "no path separator"),
        ("a\0%s", "no path separator"),
        ("..%s", "not a name"),
        ("__import__('os').system('true')", "exactly one %s"),
    ],
)
def test_parse_refuses_an_output_leaf_that_could_lead_astray(
    template: str, cure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cure in refuse([*GOOD, "--outputLeafDir", template], capsys)


@pytest.mark.parametrize("template", ["%s", "anon-%s", "%s.anon", ".%s", "%s ({0})"])
def test_parse_takes_an_output_leaf_with_one_placeholder(template: str) -> None:
    assert cli.parse([*GOOD, "--outputLeafDir", template]).tree.outputLeafDir == template


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (["--threads", "-1"], "--threads -1"),
        (["--threads", "two"], "--threads"),
        (["--maxDepth", "-2"], "--maxDepth -2"),
        (["--verbosity", "loud"], "--verbosity"),
        (["--fileFilter", "a,,b"], "empty filter token"),
        (["--fileFilter", "re:("], "bad regular expression"),
        (["--dirFilter", "!"], "empty filter token"),
        (["--fileFilterLogic", "XOR"], "--fileFilterLogic"),
        (["--splitToken", ""], "--splitToken"),
        (["--splitKeyValue", ""], "--splitKeyValue"),
        (["--nosuch"], "--nosuch"),
        (["stray"], "stray"),
        (["--output", "x"], "ambiguous"),
    ],
)
def test_parse_refuses_bad_values(argv: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert part in refuse([*GOOD, *argv], capsys)


@pytest.mark.parametrize(
    "flag",
    [
        "--where",
        "--filesFrom",
        "--profile",
        "--keyFile",
        "--cleanPixels",
        "--pixelMasks",
        "--crosswalk",
        "--lookupMissing",
        "--ledger",
        "--log",
        "--uidRoot",
        "--dask",
        "--reviewSheet",
        "--outputFileStem",
        "--outputDirTemplate",
        "--outputLeafDir",
        "--assumeCharacterSet",
        "--importRules",
        "--importMasks",
        "--holdDir",
    ],
)
def test_parse_refuses_an_option_that_protects_or_chooses_and_is_empty(
    flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{flag} is given and empty" in refuse([*GOOD, flag, ""], capsys)


def test_parse_takes_empty_filters_as_none() -> None:
    empty = [word for flag in ("--fileFilter", "--dirFilter", "--inputFile") for word in (flag, "")]
    assert cli.parse([*GOOD, *empty]).tree.fileFilter == ""


def test_parse_takes_abbreviations_and_aliases() -> None:
    options = cli.parse(
        ["--inputdir", "in", "--outputdir", "out", "--tagI", "PatientName=x", "--splitKey", "=", "--printE"]
    )
    assert options.tree.inputDir == Path("in")
    assert options.tree.outputDir == Path("out")
    assert options.split_key_value == "="
    assert options.print_elapsed_time


def test_parse_takes_the_short_flags_of_the_readme_of_3_1_1() -> None:
    options = cli.parse(
        [
            "-e",
            "dcm",
            "-I",
            "in",
            "-O",
            "out",
            "-T",
            "{}",
            "-s",
            ",",
            "-k",
            "=",
            "-o",
            "x",
            "-v",
            "3",
            "-i",
            "a",
        ]
    )
    tree = options.tree
    assert (tree.fileFilter, tree.inputDir, tree.outputDir) == ("dcm", Path("in"), Path("out"))
    assert (tree.verbosity, tree.inputFile, options.output_file_stem) == (3, "a", "x")
    assert (options.tag_struct, options.split_token, options.split_key_value) == ("{}", ",", "=")
    assert cli.parse([*DIRECTORIES, "-F", "spec.json"]).tag_files == ("spec.json",)
    assert cli.parse([*GOOD, "--extension", "dcm"]).tree.fileFilter == "dcm"


@pytest.mark.parametrize("flag", ["--version", "--man", "--synopsis", "-x", "-y", "--help"])
def test_parse_of_a_page_prints_it_and_exits_0(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.parse([flag])
    assert stop.value.code == 0
    assert "pfdicom_tagSub" in capsys.readouterr().out


def test_parse_of_version_prints_name_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(["--version"])
    assert capsys.readouterr().out == f"pfdicom_tagSub {__version__}\n"


def test_parse_error_is_one_safe_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(cli.UsageExit):
        cli.parse([*GOOD, "--tagStruc\x1b[31m\nx\udcff", "y"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("pfdicom_tagSub: error: unrecognized arguments")
    assert "\\x1b[31m\\nx\\xff" in last


@pytest.mark.parametrize(
    "argv",
    [
        ["in", "out", *SPEC],
        ["in", *SPEC, "out"],
        [*SPEC, "--", "in", "out"],
        ["in", "-O", "out", *SPEC],
        ["out", "--inputDir", "in", *SPEC],
    ],
    ids=" ".join,
)
def test_parse_takes_what_has_no_flag_for_the_directories(argv: list[str]) -> None:
    tree = cli.parse(argv).tree
    assert (tree.inputDir, tree.outputDir) == (Path("in"), Path("out"))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["in", "out", "more", *SPEC], "'more' belongs to no option; two directories can be"),
        ([*GOOD, "more"], "'more' belongs to no option; both directories are named by flags"),
        (["in", *SPEC], "--outputDir is required"),
    ],
    ids=str,
)
def test_parse_refuses_words_too_many_or_too_few(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refuse(argv, capsys)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--dry-run", "--dryRun"),
        ("--dry_run=1", "--dryRun"),
        ("--keyfiel", "--keyFile"),
        ("--output-file-stem", "--outputFileStem"),
        ("--veryfy", "--verify"),
    ],
)
def test_parse_points_a_misspelt_option_at_the_nearest(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refuse([*GOOD, word], capsys).endswith(f"did you mean {meant}?")


def test_parse_of_an_option_that_is_like_none_points_at_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse([*GOOD, "--zzz"], capsys).endswith("--help lists the options")


def test_parse_of_q_says_errors_only() -> None:
    assert cli.parse([*GOOD, "-q"]).tree.verbosity == 0


@pytest.mark.parametrize(("count", "workers"), [(1, 0), (2, 2), (8, 8)])
def test_parse_of_threads_auto_is_a_worker_for_each_cpu(
    count: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.os, "sched_getaffinity", lambda _: set(range(count)), raising=False)
    assert cli.parse([*GOOD, "--threads", "auto"]).tree.threads == workers


def test_parse_error_with_stderr_closed_does_not_print_to_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(cli.UsageExit):
        cli.parse([])
    assert capsys.readouterr().out == ""


def test_help_says_nothing_that_is_true_of_pftree_alone() -> None:
    text = cli.build_parser().format_help()
    for untrue in ("free-threaded", "key the tree", "scan's threads", "full result as JSON", "analyze"):
        assert untrue not in text


@pytest.mark.parametrize("flag", ["--version", "--man", "--synopsis", "--nosuch"])
def test_start_needs_neither_pydicom_nor_faker_nor_pfmisc(flag: str) -> None:
    code = (
        "import sys\nfrom pfdicom_tagSub.cli.command import main\n"
        f"main([{flag!r}])\n"
        "print('loaded:', sorted({'pydicom', 'faker', 'pfmisc'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=patience(60))
    assert done.stdout.splitlines()[-1] == "loaded: []"


# --- options given twice


@pytest.mark.parametrize(
    ("flags", "first", "second"),
    [
        (["--keyFil", "one", "--keyFile=two"], "'one'", "'two'"),
        (["-I", "a", "-I", "b"], "'a'", "'b'"),
        (["-Ia", "--inputDir", "b"], "'a'", "'b'"),
        (["--inputdir", "a", "--inputD", "a"], "'a'", "'a'"),
        (["-O", "a", "--outputdir", "b"], "'a'", "'b'"),
        (["-T", "{}", "--tagStruct", "{" * 70], "'{}'", "'" + "{" * 60 + "'..."),
        (["-k", ":", "-k", ":"], "':'", "':'"),
        (["-s", "", "-s", "++"], "''", "'++'"),
        (["--threads", "1", "--threads", "2"], "'1'", "'2'"),
        (["--profile", "basic", "--profile", "basic,cleanDesc"], "'basic'", "'basic,cleanDesc'"),
        (["-e", "a", "--extension", "b"], "'a'", "'b'"),
        (["--keyFile", "a", "--keyFile", "b"], "'a'", "'b'"),
        (["-o", "a", "--outputFileStem", "b"], "'a'", "'b'"),
    ],
    ids=str,
)
def test_parse_refuses_an_option_given_twice_and_names_both_values(
    flags: list[str], first: str, second: str
) -> None:
    with pytest.raises(cli.UsageExit) as stop:
        cli.parse(flags)
    assert stop.value.code == 2
    assert "is given twice" in stop.value.message
    assert f"as {first} and as {second}" in stop.value.message


def test_parse_of_a_filter_given_twice_names_the_cure() -> None:
    with pytest.raises(cli.UsageExit) as stop:
        cli.parse([*GOOD, "--fileFilter", "a", "--fileFilter", "b"])
    assert "join the tokens with commas" in stop.value.message


def test_parse_takes_twice_what_adds_up_or_changes_no_output() -> None:
    options = cli.parse(
        [
            *GOOD,
            *("--report", "a.html", "--report", "b.json", "--lookupTable", "a=b", "--lookupTable", "c=d"),
            *("--keepPrivate", "x", "--keepPrivate", "y", "--overwrite", "--overwrite", "-v", "0", "-v", "2"),
        ]
    )
    assert options.reports == ("a.html", "b.json")
    assert options.lookup_tables == ("a=b", "c=d")
    assert options.keep_private == ("x", "y")
    assert options.tree.verbosity == 2


def test_parse_takes_a_default_that_is_given() -> None:
    options = cli.parse([*GOOD, "-k", ":", "-s", "++", "-e", "", "--onResidual", "report"])
    assert (options.split_key_value, options.split_token, options.tree.fileFilter) == (":", "++", "")


@pytest.mark.parametrize("flag", ["--threads", "--maxInflated", "--fileFilterLogic", "--unheardOf"])
def test_message_about_a_long_value_stays_short(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    message = refuse([*GOOD, flag, "y" * 70000], capsys)
    assert len(message.rpartition("error: ")[2]) < 500


@pytest.mark.parametrize(
    "arguments",
    [
        ["--keyFile", "{}"],
        ["--lookupTable", "{}"],
        ["--lookupTable", "A={}"],
        ["--functions", "{}"],
        ["--filesFrom", "{}"],
        ["--ledger", "{}"],
        ["--log", "{}"],
        ["--inputFile", "{}"],
    ],
    ids=" ".join,
)
def test_message_about_a_long_path_stays_short(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    filled = [argument.format("y" * 70000) for argument in arguments]
    done = run_command(tmp_path / "in", tmp_path / "out", *filled)
    assert arguments[0] in done.err
    assert len(done.err) < 2000
