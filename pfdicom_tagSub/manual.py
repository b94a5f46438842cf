"""The ``--man`` and ``--synopsis`` pages, on pftree's ``Manual``.

pftree's own text is taken for every option that it describes truly for this command;
``_OPTIONS`` holds the text of the others and of the command's own options.
"""

from __future__ import annotations

import re

from pftree import Manual
from pftree.__main__ import ARGS_SYNOPSIS_CORE, CLI_CORE

from . import __version__
from .models import COMMAND

FUNCTIONS: tuple[tuple[str, str], ...] = (
    ("%_md5|n_Tag", "the first n hex digits of the MD5 of the value's text in UTF-8; all 32 without |n"),
    (
        "%_strmsk|mask_Tag",
        "the value through a mask: each * keeps the character at its place, any other character "
        "replaces it; the result is as long as the shorter of the two",
    ),
    (
        "%_nospc|c_Tag",
        "the words of the value joined with c (with nothing without |c); a word is a run of letters, "
        "digits and underscores",
    ),
    (
        "%_name|seedTag_Tag",
        "a made-up name, LAST^FIRST^ANON, the same for the same value of the element seedTag, whose "
        "first letter is written small (patientID); seeded on the value of Tag itself without "
        "|seedTag or where the file lacks that element",
    ),
)
"""(usage, meaning) of each function that a template may use."""

_ART = r"""

            __    _ _                       _               _____       _
           / _|  | (_)                     | |             /  ___|     | |
     _ __ | |_ __| |_  ___  ___  _ __ ___  | |_  __ _  __ _\ `--. _   _| |__
    | '_ \|  _/ _` | |/ __|/ _ \| '_ ` _ \ | __|/ _` |/ _` |`--. \ | | | '_ \
    | |_) | || (_| | | (__| (_) | | | | | || |_| (_| | (_| /\__/ / |_| | |_) |
    | .__/|_| \__,_|_|\___|\___/|_| |_| |_| \__|\__,_|\__, \____/ \__,_|_.__/
    | |                                 ______         __/ |
    |_|                                |______|       |___/

"""

_TITLE = "Path-File DICOM tag substitution"

_TEXT = """
                        Path-File DICOM tag substitution

        Walk an input tree of DICOM files, replace the values of the elements
        that a spec names, and write each file to the same relative path of
        an output tree. It is used to anonymize headers.

                             -- version {version} --

            * It patches: only the bytes of the elements that change are new;
              every other byte of a file is copied as it was.
            * It fails closed: a spec that cannot mean what it says is an
              error before the first file is opened, and a file that cannot
              be processed with certainty is not written.

"""

_NAME = """
    NAME

        pfdicom_tagSub - Replace the values of DICOM elements over a tree of files.

    SYNOPSIS

        pfdicom_tagSub \\"""

_CLI_IO = """
        --inputDir <inputDir>                                                   \\
        --outputDir <outputDir>                                                 \\"""

_CLI_SELF = """
        --tagStruct <JSON> | --tagFile <file> | --tagInfo <pairs>               \\
        [--splitToken <token>]                                                  \\
        [--splitKeyValue <token>]                                               \\
        [--removePrivateTags]                                                   \\
        [--outputFileStem <template>]                                           \\
        [--syslog]                                                              \\"""

_BRIEF = """
    BRIEF EXAMPLE

        pfdicom_tagSub                                                          \\
                --inputDir /incoming                                            \\
                --outputDir /anon                                               \\
                --fileFilter dcm                                                \\
                --threads 2                                                     \\
                --tagStruct '
                {
                    "PatientName":         "%_name|patientID_PatientName",
                    "PatientID":           "%_md5|7_PatientID",
                    "PatientBirthDate":    "%_strmsk|******01_PatientBirthDate",
                    "re:.*hysician":       "%_md5|4_#tag"
                }
                '

"""

_DESCRIPTION = """
    DESCRIPTION

        ``pfdicom_tagSub`` replaces the values of the elements that a spec
        names in every DICOM file below an input directory. Elements inside
        sequences are replaced like those at the top level. The output tree
        mirrors the input tree below ``--inputDir``; the input is never
        written.

        A file that is not DICOM is skipped: it is not copied, and it does
        not make the run fail. A file that cannot be read, parsed or written
        fails; the others are written all the same.

        Outputs are written under a temporary name in their own directory and
        renamed when they are whole, so an interrupted run leaves no partial
        file.

    THE SPEC

        A spec is a list of <key, value> pairs, as a JSON object or in the
        delimited form of --tagInfo. A key given twice is an error. A key is
        one of:

            PatientName                       a DICOM keyword
            re:.*hysician                     a Python regular expression,
                                              matched from the start of each
                                              keyword (never pixel data,
                                              private elements or file meta)
            (0010,0010) or 00100010           a tag
            (0029,"SIEMENS CSA HEADER",10)    a private element: group,
                                              private creator, and the last
                                              two hex digits of the element

        A value is a template; "" empties the element and null (in JSON)
        removes it. Numbers are taken as their text. A sequence that a key
        hits is emptied, or removed with null. Group 0002 is the file meta.

        The grammar of a template:

            template  := ( text | "#tag" | directive | "%%" )*
            directive := "%" [ "_" function ( "|" argument )* "_" ] source
            source    := keyword | "#tag"

        ``#tag`` by itself becomes the keyword of the element hit; as a source
        it stands for the value of that element. ``%%`` is a percent sign. A
        ``%`` that begins no directive is plain text. ``%keyword`` is the value
        of that element; it takes the longest known keyword that the text
        begins with. Within an argument, write ``__`` for an underscore. So

            sub-%_md5|4_PatientID_ses-%StudyDate

        becomes, for PatientID DEV and StudyDate 20180918,

            sub-bfed_ses-20180918

        The functions:

{functions}
    RULES OF APPLICATION

        * A substitution applies wherever its element occurs, at any depth.
          A source inside a sequence item is looked up in that item, then
          outwards to the root of the data set.
        * Explicit keys come first, then re: keys in their order; the last
          that hits an element wins. A key that never wins is warned of.
        * Values come from the original file, never from a substituted one.
        * A literal for an element that a file holds nowhere is inserted at
          the top level. A template whose source the file lacks inserts
          nothing.
        * An empty value stays empty under md5, strmsk and nospc.
        * Multi-valued elements are substituted value by value.
        * A result too long for its VR is cut to the VR's maximum. A result
          that its VR does not allow (hex digits in a date, letters in a
          number) leaves the element empty. Both are counted in the record.
        * A text that the file's character set cannot hold: a file with no
          Specific Character Set, or with only ASCII in use, is switched to
          UTF-8 (ISO_IR 192); any other such file fails.
        * When SOPInstanceUID changes, MediaStorageSOPInstanceUID changes with
          it. In a DICOMDIR the record offsets are kept true.

    ERRORS IN A SPEC

        Each of these ends the command with exit code 2 before any file is
        opened, and names the key: an unknown keyword (with the nearest known
        spelling), a regular expression that does not compile or matches no
        keyword, an unknown function, a wrong argument, a literal that its VR
        does not allow, a key given twice, an element that says how the file
        itself is encoded, no spec or more than one, invalid JSON (with line
        and column), a --tagInfo pair without its separator.
"""

# Options in the order of the page. A None takes pftree's text.
_OPTIONS: dict[str, str | None] = {
    "inputDir": """
        -I|--inputDir|--inputdir <inputDir>
        The input tree. Every file in it and below it, at any depth, is a
        candidate.
""",
    "outputDir": """
        -O|--outputDir|--outputdir <outputDir>
        The output tree; created if absent. It may lie inside the <inputDir>,
        and is then not read as input. It cannot be the <inputDir> itself. A
        symbolic link below the <outputDir> is never written through.
""",
    "tagStruct": """
        [-T|--tagStruct <JSON>]
        The spec as a JSON object on the command line.
""",
    "tagFile": """
        [-F|--tagFile <file>]
        The spec as a JSON object in a file. '-' reads standard input.
""",
    "tagInfo": """
        [--tagInfo <pairs>]
        The spec as delimited text, for where JSON is hard to quote:

            <key><splitKeyValue><value><splitToken><key><splitKeyValue>...

        Each pair is split at the first <splitKeyValue> after a leading 're:',
        and blanks around keys and values are dropped, so

            --tagInfo 'PatientName:anon ++ re:.*hysician:%_md5|4_#tag'

        holds two pairs. A pair without <splitKeyValue> is an error.
""",
    "splitToken": """
        [-s|--splitToken <token>]
        What separates the pairs of --tagInfo; '++' by default.
""",
    "splitKeyValue": """
        [-k|--splitKeyValue <token>]
        What separates the key of a pair from its value; ':' by default.
""",
    "removePrivateTags": """
        [--removePrivateTags]
        Remove every private element, at every depth.
""",
    "outputFileStem": """
        [-o|--outputFileStem <template>]
        Name the outputs: a template in the language of the spec, evaluated
        on the original data set, so

            --outputFileStem '%_md5|7_PatientID-%InstanceNumber'

        The extension of the input is kept. The result is made safe for a
        file name: no value can lead outside its output directory. Of two
        inputs that would take one name the second fails, and nothing is
        overwritten.
""",
    "maxDepth": None,
    "inputFile": """
        [-i|--inputFile <inputFile>]
        Consider only files whose names contain this substring; every other
        file is ignored before the filters apply.
""",
    "fileFilter": None,
    "fileFilterLogic": None,
    "dirFilter": None,
    "dirFilterLogic": None,
    "outputLeafDir": """
        [--outputLeafDir <outputLeafDirFormat>]
        Rename the last component of each output directory with a pattern
        in which %s stands for the input directory's name, so that

            --outputLeafDir 'anon-%s'

        writes the files of /incoming/sub-01 to /outgoing/anon-sub-01. The
        pattern contains exactly one %s and no path separator. The files of
        the <inputDir> itself go to the <outputDir> itself.
""",
    "relativeDir": """
        [--relativeDir]
        Accepted as in 3.1.1. The paths in the record are always relative to
        the <inputDir>.
""",
    "followLinks": """
        [--followLinks]
        Follow symbolic links to files and to directories, each directory
        once. Without it they are skipped. FIFOs, sockets and devices are
        never opened.
""",
    "overwrite": """
        [--overwrite]
        Replace existing outputs. An output that exists and equals what would
        be written is left as it is and counts as unchanged, with or without
        this flag. One that differs is replaced only with this flag; without
        it that file fails. So the same command can run every night.
""",
    "threads": """
        [--threads <numThreads>]
        Process files with <numThreads> workers at one time, whatever the
        directories look like; 0, the default, works in line. The workers
        are processes, or threads on a free-threaded Python. The outputs are
        the same bytes for every number.
""",
    "threadsSplit": """
        [--threadsSplit <level>]
        Accepted for the sake of other commands built on pftree; it has no
        effect, since the work is divided by file.
""",
    "verbosity": """
        [-v|--verbosity <level>]
        How much to say, on standard error:

            0   errors only
            1   the default: warnings, a progress bar on a terminal, and one
                summary line
            2   the plan and the files that are skipped
            3   every directory of the plan
            5   one line per file read, substituted and written
""",
    "syslog": """
        [--syslog]
        Begin each message with the date and the host, as syslog does.
""",
    "json": """
        [--json]
        Print the record of the run on standard output when it ends; see THE
        RECORD.
""",
    "printElapsedTime": None,
    "man": """
        [-x|--man]
        Print this manual and exit.
""",
    "synopsis": """
        [-y|--synopsis]
        Print the manual's NAME, SYNOPSIS and brief example and exit.
""",
    "version": None,
    "help": """
        [-h|--help]
        Print a list of the options and exit.
""",
}

_EPILOGUE = """
        Any option may be abbreviated as long as it stays unambiguous
        (--splitKey for --splitKeyValue). -e <ext> and --extension <ext> are
        --fileFilter <ext>, as the README of 3.1.1 has it.

    EXIT CODES

        0     every file found was processed (written, unchanged or skipped)
        1     at least one file failed or a directory could not be read; all
              others were written
        2     bad usage, spec or environment; nothing was written
        130   interrupted (SIGINT); no partial file is left
        143   terminated (SIGTERM); no partial file is left

    THE RECORD

        --json prints one object:

            status        "ok", "failed", "interrupted", "terminated" or
                          "error"
            exitCode      the exit code
            version       of pfdicom_tagSub
            counts        found, written, unchanged, skipped, failed; found is
                          the sum of the others
            elements      per keyword (or tag, where it has no keyword): how
                          many were substituted, removed, emptied, inserted,
                          cut (too long for the VR) and invalid (emptied
                          because the VR does not allow the result); "private"
                          counts what --removePrivateTags removed
            failures      a list of path (relative to the <inputDir>), stage
                          (read, name, substitute or write) and reason
            skipped       a list of path and reason
            runTime       in seconds
            versions      of pydicom, Faker and python
            specDigest    the SHA-256 of the spec
            error         what ended the run with exit code 2, else ""

        No message and no record holds a value that a spec replaces.

    EXAMPLES

    Anonymize by processing specific tags:

        pfdicom_tagSub                                                          \\
                --fileFilter dcm                                                \\
                --inputDir /var/www/html/normsmall                              \\
                --outputDir /var/www/html/anon                                  \\
                --tagStruct '
                {
                    "PatientName":         "%_name|patientID_PatientName",
                    "PatientID":           "%_md5|7_PatientID",
                    "AccessionNumber":     "%_md5|8_AccessionNumber",
                    "PatientBirthDate":    "%_strmsk|******01_PatientBirthDate",
                    "re:.*hysician":       "%_md5|4_#tag",
                    "re:.*stitution":      "#tag",
                    "re:.*ddress":         "#tag"
                }
                ' --threads 0 --printElapsedTime

    -- OR equivalently --

        pfdicom_tagSub                                                          \\
                --fileFilter dcm                                                \\
                --inputDir /var/www/html/normsmall                              \\
                --outputDir /var/www/html/anon                                  \\
                --splitToken ","                                                \\
                --splitKeyValue "="                                             \\
                --tagInfo '
                    PatientName         =  %_name|patientID_PatientName,
                    PatientID           =  %_md5|7_PatientID,
                    AccessionNumber     =  %_md5|8_AccessionNumber,
                    PatientBirthDate    =  %_strmsk|******01_PatientBirthDate,
                    re:.*hysician       =  %_md5|4_#tag,
                    re:.*stitution      =  #tag,
                    re:.*ddress         =  #tag
                ' --threads 0 --printElapsedTime

    -- OR with the spec in a file --

        pfdicom_tagSub                                                          \\
                --fileFilter dcm                                                \\
                --inputDir /var/www/html/normsmall                              \\
                --outputDir /var/www/html/anon                                  \\
                --tagFile spec.json                                             \\
                --threads 0 --printElapsedTime

    each of which replaces the PatientName with a made-up name seeded on the
    PatientID, the PatientID and the AccessionNumber with the first 7 and 8
    digits of their MD5, the day of birth with 01, the elements whose keyword
    contains "hysician" with 4 digits of their MD5, and those of institutions
    and addresses with the keyword itself.

    Every night from cron, which mails what is printed: errors only. (A % is
    special in a crontab, so the spec is in a file.)

        30 2 * * *  pfdicom_tagSub --inputDir /in --outputDir /anon --tagFile /etc/anon.json --verbosity 0

    In a container:

        docker run --rm -v /incoming:/in:ro -v /anon:/out IMAGE                 \\
                --inputDir /in --outputDir /out --tagFile /in/spec.json

"""

_PFTREE_SECTION = re.compile(r"^        \[--(\w+)\b", re.M)


def _pftree_sections() -> dict[str, str]:
    """pftree's text of each of its options."""
    starts = list(_PFTREE_SECTION.finditer(ARGS_SYNOPSIS_CORE))
    ends = [match.start() for match in starts[1:]] + [len(ARGS_SYNOPSIS_CORE)]
    return {
        match[1]: "\n" + ARGS_SYNOPSIS_CORE[match.start() : end].rstrip() + "\n"
        for match, end in zip(starts, ends, strict=True)
    }


def _function_table() -> str:
    lines: list[str] = []
    for usage, meaning in FUNCTIONS:
        lines += [f"            {usage}", *_wrap(meaning, " " * 16), ""]
    return "\n".join(lines)


def _wrap(text: str, indent: str, width: int = 78) -> list[str]:
    """Break a text into lines; textwrap would cost the start-up an import."""
    lines = [indent]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append(indent)
        lines[-1] += word + " "
    return [line.rstrip() for line in lines]


def build_manual() -> Manual:
    """The manual page of this command."""
    short = _NAME + _CLI_IO + _CLI_SELF + CLI_CORE + _BRIEF
    theirs = _pftree_sections()
    args = "".join(theirs.get(name, "") if text is None else text for name, text in _OPTIONS.items())
    description = _DESCRIPTION.replace("{functions}", _function_table())
    return Manual(
        command=COMMAND,
        art=_ART,
        title=_TITLE,
        text=_TEXT,
        version=__version__,
        synopsisShort=short,
        synopsisFull=short + description + "\n    ARGS\n" + args + _EPILOGUE,
    )
