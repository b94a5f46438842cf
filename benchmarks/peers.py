"""The commands that are compared: how each is installed, and what it is told to do.

The tool and 3.1.1 get the spec of the README. The others get replacements as near to it as they can be told:
the same elements of the patient, the physicians, the institutions and the addresses. What each does more,
or less, stands beside it.

In the sections of the profile each does its own full de-identification instead.
"""

import functools
import itertools
import json
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environments import SetupError, environment, first_line, tool_environment, versions_in

HERE = Path(__file__).resolve().parent

SPEC = {
    "PatientName": "%_name|patientID_PatientName",
    "PatientID": "%_md5|7_PatientID",
    "AccessionNumber": "%_md5|8_AccessionNumber",
    "PatientBirthDate": "%_strmsk|******01_PatientBirthDate",
    "re:.*hysician": "%_md5|4_#tag",
    "re:.*stitution": "#tag",
    "re:.*ddress": "#tag",
}

# What the spec's `re:` keys hit in the dictionary, without file meta, numbers and retired elements.
PHYSICIANS = ("00080090", "0008009C", "00081048", "00081050", "00081060", "00321032", "00400006")
PHYSICIANS_TEXT = ("00080092", "00080094")
PLACES = ("00080081", "00081040", "00101040", "00181803", "00380400", "00401102")
SEQUENCES = (
    "00080082",
    "00080096",
    "0008009D",
    "00081041",
    "00081049",
    "00081052",
    "00081062",
    "00321031",
    "0040000B",
)

REQUIREMENTS = {
    # pydicom of the trees' maker, not of any peer.
    "trees": ["pydicom>=3"],
    # 3.1.1 can't be imported beside pftree 4, and writes nothing beside pydicom 3.
    "3.1.1": ["pfdicom_tagSub==3.1.1", "pftree==3.4.2", "pydicom<3", "setuptools<81"],
    "dicognito": ["dicognito"],
    "dicom-anonymizer": ["dicom-anonymizer"],
    "deid": ["deid"],
    "dcmanon": ["dcmanon"],
    "fw-file-rs": ["fw-file-rs"],
}
REPORTED = {
    "tool": ["pfdicom_tagSub", "pydicom", "pftree", "Faker"],
    "3.1.1": ["pfdicom_tagSub", "pfdicom", "pftree", "pydicom", "Faker"],
    "dicognito": ["dicognito", "pydicom"],
    "dicom-anonymizer": ["dicom_anonymizer", "pydicom"],
    "dcmanon": ["dcmanon"],
    "fw-file-rs": ["fw-file-rs"],
}

TOOL = "pfdicom_tagSub"
PROFILE = "basic"
NIGHTLY = ("basic", "retainLongitudinalModifiedDates", "cleanDescriptors")
CLEANING = ("cleanDescriptors", "cleanStructuredContent", "cleanGraphics", "retainLongitudinalModifiedDates")


@dataclass(frozen=True)
class Peer:
    """A command to compare. `command` gives its arguments for an input and an output directory."""

    name: str
    versions: str
    command: Callable[[Path, Path], list[str]]
    slow: bool = False
    replaces: bool = True
    writes: bool = True


def tool_name(threads: int) -> str:
    """The name of the tool's row for a number of threads."""
    return f"{TOOL} --threads {threads}"


def profile_name(threads: int) -> str:
    """The name of the tool's row under the profile for a number of threads."""
    return f"{TOOL} --profile {PROFILE} --threads {threads}"


@functools.cache
def installed_tool(cache: Path, given: Path | None) -> tuple[Path, str]:
    """The tool's command and versions: installed from this repository, or the command `given`."""
    if given is None:
        commands = tool_environment(cache, HERE.parent)
        executable, versions = commands / TOOL, versions_in(commands, REPORTED["tool"])
    else:
        executable, versions = given, first_line(str(given), "--version")
    if subprocess.run([executable, "--version"], capture_output=True, check=False).returncode:
        raise SetupError(f"{TOOL} --version fails")
    return executable, versions


def tools(cache: Path, work: Path, given: Path | None) -> list[Peer]:
    """The tool with --threads 0 and 2."""
    executable, versions = installed_tool(cache, given)
    spec = work / "spec.json"
    spec.write_text(json.dumps(SPEC), "utf-8")
    how = ("--tagFile", str(spec))
    return [Peer(tool_name(threads), versions, tool_command(executable, how, threads)) for threads in (0, 2)]


def profile_tools(cache: Path, work: Path, given: Path | None) -> list[Peer]:
    """The tool under the profile, with a secret key; once with free text cleaned and dates shifted."""
    executable, versions = installed_tool(cache, given)
    key = work / "key"
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o600)
    how = ("--profile", PROFILE, "--keyFile", str(key))
    clean = ("--profile", ",".join((PROFILE, *CLEANING)), "--keyFile", str(key))
    name = f"{TOOL} --profile {PROFILE} and options, --threads 2"
    return [
        *(
            Peer(profile_name(threads), versions, tool_command(executable, how, threads))
            for threads in (0, 2)
        ),
        Peer(name, versions, tool_command(executable, clean, 2)),
    ]


def careful_tools(cache: Path, work: Path, given: Path | None) -> list[Peer]:
    """The tool with --threads 2 as a careful user runs it, the plain spec and the nightly command first."""
    executable, versions = installed_tool(cache, given)
    spec, key = work / "careful-spec.json", work / "careful-key"
    spec.write_text(json.dumps(SPEC), "utf-8")
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o600)
    plain = ("--tagFile", str(spec))
    profile = ("--profile", ",".join(NIGHTLY), "--keyFile", str(key))
    numbers = itertools.count()

    def nightly(source: Path, target: Path) -> list[str]:
        own = work / f"nightly-{next(numbers)}"  # a ledger that knows nothing yet
        flags = ("--verify", "--ledger", f"{own}.ledger", "--log", f"{own}.log")
        return tool_command(executable, (*profile, *flags), 2)(source, target)

    def tool(name: str, how: tuple[str, ...], *, writes: bool = True) -> Peer:
        return Peer(name, versions, tool_command(executable, how, 2), writes=writes)

    return [
        tool(CAREFUL_PLAIN, plain),
        Peer(CAREFUL_NIGHTLY, versions, nightly),
        tool("plain, --verify", (*plain, "--verify")),
        tool(CAREFUL_REPORT, (*plain, "--report", str(work / "report.html"))),
        tool(CAREFUL_DRY, (*plain, "--dryRun"), writes=False),
        tool(CAREFUL_PROFILE, profile),
        tool("profile, --verify", (*profile, "--verify")),
    ]


CAREFUL_PLAIN, CAREFUL_REPORT, CAREFUL_DRY = "plain", "plain, --report", "plain, --dryRun"
CAREFUL_PROFILE, CAREFUL_NIGHTLY = "profile with options", "nightly command"


def tool_command(executable: Path, how: tuple[str, ...], threads: int) -> Callable[[Path, Path], list[str]]:
    """How the tool is called."""
    return lambda source, target: [
        str(executable),
        *("--inputDir", str(source), "--outputDir", str(target), *how),
        *("--threads", str(threads), "--verbosity", "0"),
    ]


def old_tool(cache: Path) -> Peer:
    """3.1.1. It has no working --tagFile, and writes below the output and the input's own path."""
    commands = environment(cache, "3.1.1", REQUIREMENTS["3.1.1"])
    return Peer(
        "3.1.1",
        versions_in(commands, REPORTED["3.1.1"]),
        lambda source, target: [
            str(commands / TOOL),
            *("--inputDir", str(source), "--outputDir", str(target), "--tagStruct", json.dumps(SPEC)),
            *("--threads", "0", "--verbosity", "0"),
        ],
        slow=True,
    )


def dicognito(cache: Path) -> Peer:
    """Replaces its own fixed set of elements, at every depth: more (dates, UIDs), and it can't be told less.

    Started as a module, since the command that it installs fails in some versions.
    """
    commands = environment(cache, "dicognito", REQUIREMENTS["dicognito"])
    return Peer(
        "dicognito",
        versions_in(commands, REPORTED["dicognito"]),
        lambda source, target: [
            *(str(commands / "python"), "-I", "-m", "dicognito", "--quiet", "--seed", "bench"),
            *("--assume-burned-in-annotation", "never", "--output-directory", str(target), str(source)),
        ],
        slow=True,
    )


def dicom_anonymizer(cache: Path, work: Path) -> Peer:
    """Constants for the patient, text and emptied elements for the others, at the top level only.

    Its default actions, which are many more, are switched off, and private elements kept.
    """
    commands = environment(cache, "dicom-anonymizer", REQUIREMENTS["dicom-anonymizer"])
    actions: dict[str, object] = {
        "00100010": {"action": "replace_with_value", "value": "ANON^ANON"},
        "00100020": {"action": "replace_with_value", "value": "abcdefg"},
        "00100030": {"action": "regexp", "find": "..$", "replace": "01"},
        "00080050": {"action": "replace_with_value", "value": "12345678"},
        "00080080": {"action": "replace_with_value", "value": "InstitutionName"},
    }
    for tags, value in ((PHYSICIANS + PHYSICIANS_TEXT, "abcd"), (PLACES, "place")):
        actions |= {tag: {"action": "replace_with_value", "value": value} for tag in tags}
    actions |= dict.fromkeys(SEQUENCES, "empty")
    file = work / "dicom-anonymizer.json"
    file.write_text(
        json.dumps({f"(0x{tag[:4]}, 0x{tag[4:]})": action for tag, action in actions.items()}), "utf-8"
    )
    return Peer(
        "dicom-anonymizer",
        versions_in(commands, REPORTED["dicom-anonymizer"]),
        lambda source, target: driven(commands, "dicom-anonymizer", source, target, file),
        slow=True,
    )


def dicom_anonymizer_profile(cache: Path, work: Path) -> Peer:
    """Its default actions, which are those of the basic profile, with private elements deleted."""
    commands = environment(cache, "dicom-anonymizer", REQUIREMENTS["dicom-anonymizer"])
    file = work / "dicom-anonymizer-profile.json"
    file.write_text("{}", "utf-8")
    return Peer(
        "dicom-anonymizer",
        versions_in(commands, REPORTED["dicom-anonymizer"]),
        lambda source, target: driven(commands, "dicom-anonymizer-profile", source, target, file),
        slow=True,
    )


def dcmanon(cache: Path, work: Path) -> list[Peer]:
    """Hashes and texts as the spec, on top of its default actions, which can't be left out.

    So it also replaces UIDs and dates, and drops private elements: its outputs are smaller than the inputs.
    In one process, and, since the tool is measured with two workers, in two.
    """
    commands = environment(cache, "dcmanon", REQUIREMENTS["dcmanon"])
    actions: dict[str, dict[str, object]] = {
        "00100010": {"action": "replace", "value": "ANON^ANON"},
        "00100020": {"action": "hash", "length": 8},
        "00100030": {"action": "hashdate"},
        "00080050": {"action": "hash", "length": 8},
        "00080080": {"action": "replace", "value": "InstitutionName"},
    }
    actions |= {tag: {"action": "hash", "length": 8} for tag in PHYSICIANS + PHYSICIANS_TEXT}
    actions |= {tag: {"action": "replace", "value": "place"} for tag in PLACES}
    actions |= {tag: {"action": "empty"} for tag in SEQUENCES}
    file = work / "dcmanon.json"
    file.write_text(json.dumps(actions), "utf-8")
    versions = versions_in(commands, REPORTED["dcmanon"])

    def one(source: Path, target: Path) -> list[str]:
        return driven(commands, "dcmanon", source, target, file)

    def two(source: Path, target: Path) -> list[str]:
        return driven(commands, "dcmanon-2", source, target, file)

    return [Peer("dcmanon", versions, one), Peer("dcmanon, 2 processes", versions, two)]


def driven(commands: Path, driver: str, source: Path, target: Path, actions: Path) -> list[str]:
    """How a peer without a command for trees is called; see drivers.py."""
    return [
        *(str(commands / "python"), "-I", str(HERE / "drivers.py")),
        driver,
        str(source),
        str(target),
        str(actions),
    ]


def fw_file_rs(cache: Path, work: Path) -> Peer:
    """Constants for the same elements, in the header as it reads it (Rust); in one process."""
    commands = environment(cache, "fw-file-rs", REQUIREMENTS["fw-file-rs"])
    named = {"PatientName": "ANON^ANON", "PatientID": "abcdefg", "PatientBirthDate": "19000101"}
    named["AccessionNumber"] = "12345678"
    fields = [f"    - name: {name}\n      replace-with: '{text}'\n" for name, text in named.items()]
    patterns = {".*hysician.*": "abcd", ".*stitution.*": "place", ".*ddress.*": "place"}
    fields += [f"    - regex: '{name}'\n      replace-with: {text}\n" for name, text in patterns.items()]
    file = work / "fw-file-rs.yaml"
    file.write_text("version: 1\nname: bench\ndicom:\n  fields:\n" + "".join(fields), "utf-8")
    return Peer(
        "fw-file-rs",
        versions_in(commands, REPORTED["fw-file-rs"]),
        lambda source, target: driven(commands, "fw-file-rs", source, target, file),
    )


def gdcmanon() -> Peer:
    """Constants for the elements that every file here has, the others emptied, at the top level only.

    --replace would insert what a file lacks, --clear does not.
    """
    executable = shutil.which("gdcmanon")
    if executable is None:
        raise SetupError("gdcmanon is not installed (Debian: apt-get install libgdcm-tools)")
    replaced = {
        "00100010": "ANON^ANON",
        "00100020": "abcdefg",
        "00100030": "19000101",
        "00080050": "12345678",
        "00080080": "InstitutionName",
        "00080090": "abcd",
    }
    cleared = [tag for tag in PHYSICIANS + PHYSICIANS_TEXT + PLACES + SEQUENCES if tag not in replaced]
    options = [f"--replace={tag[:4]},{tag[4:]}={value}" for tag, value in replaced.items()]
    options += [f"--clear={tag[:4]},{tag[4:]}" for tag in cleared]

    def command(source: Path, target: Path) -> list[str]:
        return [
            *(executable, "--dumb", "--recursive", "--input", str(source), "--output", str(target)),
            *options,
        ]

    return Peer("gdcmanon", first_line(executable, "--version").partition(" $")[0], command)


def copying() -> Peer:
    """The floor: the same bytes, unchanged."""
    return Peer(
        "cp -r",
        first_line("cp", "--version"),
        lambda source, target: ["cp", "-r", f"{source}/.", str(target)],
        replaces=False,
    )
