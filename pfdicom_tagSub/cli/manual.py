"""The ``--man`` and ``--synopsis`` pages, on pftree's ``Manual``.

The synopsis and the sections of the options are made from the table of options. pftree's own
text is taken for every option that it describes truly for this command.
"""

from __future__ import annotations

import re
from functools import cache
from inspect import cleandoc

from pftree import Manual
from pftree.__main__ import ARGS_SYNOPSIS_CORE

from .._version import COMMAND, __version__
from ..spec.functions import FUNCTIONS
from .manual_end import EPILOGUE
from .manual_spec import DESCRIPTION
from .option import Need, Option
from .option_table import BY_NAME, OPTIONS

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
        an output tree. It de-identifies headers, by a spec of yours or by
        the Basic Profile of PS3.15. It looks at pixels only if asked to.

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

_PFTREE_SECTION = re.compile(r"^        \[--(\w+)\b.*\n", re.M)


@cache
def _pftree_texts() -> dict[str, str]:
    """pftree's text of each of its options, without the line that names it."""
    starts = list(_PFTREE_SECTION.finditer(ARGS_SYNOPSIS_CORE))
    ends = [match.start() for match in starts[1:]] + [len(ARGS_SYNOPSIS_CORE)]
    return {
        match[1]: cleandoc("\n" + ARGS_SYNOPSIS_CORE[match.end() : end])
        for match, end in zip(starts, ends, strict=True)
    }


def option_text(name: str) -> str:
    """The manual's text of an option, by its long name: a line with its flags, then what it does.

    Raises:
        KeyError: there is no such option.
    """
    option = BY_NAME[name]
    return f"{option.syntax}\n{_pftree_texts()[name] if option.text is None else option.text}"


def _synopsis() -> str:
    """How to write each option, a line for each; of those that exclude each other one for all."""
    specs = [option for option in OPTIONS if option.need is Need.ONE_SPEC]
    lines: list[str] = []
    for option in OPTIONS:
        if option is specs[0]:
            lines.append(" | ".join(spec.short_syntax for spec in specs))
        elif option not in specs:
            lines.append(option.short_syntax)
    return "\n" + " \\\n".join(f"        {line:<71}" for line in lines).rstrip() + "\n"


def _section(option: Option) -> str:
    """The section of an option."""
    lines = [f"        {line}".rstrip() for line in option_text(option.name).splitlines()]
    return "\n" + "\n".join(lines) + "\n"


def _function_table() -> str:
    lines: list[str] = []
    for function in FUNCTIONS.values():
        lines += [f"            {function.usage}", *_wrap(function.meaning, " " * 16), ""]
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
    short = _NAME + _synopsis() + _BRIEF
    args = "".join(map(_section, OPTIONS))
    description = DESCRIPTION.replace("{functions}", _function_table())
    return Manual(
        command=COMMAND,
        art=_ART,
        title=_TITLE,
        text=_TEXT,
        version=__version__,
        synopsisShort=short,
        synopsisFull=short + description + "\n    ARGS\n" + args + EPILOGUE,
    )
