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
            (60xx,3000) or (0029,xxxx)        tags in which x is any digit; in
                                              the group only the last two may
                                              be, and stand for even groups
                                              (never pixel data or file meta)
            VR:PN                             each element of a VR, private ones
                                              too where their VR is known
                                              (never pixel data or file meta)
            private                           every private element that no
                                              other key names; its value is
                                              null or %_keep_#tag
            unknown                           every element of an even group
                                              that no dictionary knows and no
                                              other key names; its value is
                                              null or %_keep_#tag
            rest                              every element, at every depth, that
                                              no other key names and that an
                                              object can be read without; its
                                              value is null
            ContentSequence[121022,DCM]       content items of structured
                                              documents, by the code and coding
                                              scheme of their concept and, as
                                              a third word, their value type;
                                              null removes the item, a template
                                              is applied to its value
            text                              every free text that no other key
                                              names; its value is
                                              %_clean_#tag or %_keep_#tag
            preamble                          the 128 bytes at the beginning of
                                              the file; its value is "", which
                                              makes them zeros
            when Modality = 'US'              a block: its value is an object of
                                              pairs that apply to the files for
                                              which the condition holds (see
                                              --where), or "%_skip_", or
                                              "%_fail|reason_"

        A value is a template; "" empties the element and null (in JSON)
        removes it. A number is taken as its text. A sequence that a key hits
        is emptied, or removed with null. Group 0002 is the file meta.

        For a sequence a value may also be a list of items (in JSON):

            "ReferencedStudySequence": [{"ReferencedSOPInstanceUID": "1.2.3"}]

        The items have keywords as keys and texts, numbers or again lists as
        values. They replace those of the sequence. A file that lacks the
        sequence gets it at the top level, unless the list is written as
        {"replace": [...]}. With {"add": [...]} the items of the sequence stay,
        and those of the list that it lacks come after them; {"add": "text"}
        does the same to the values of a text.

        The grammar of a template:

            template  := ( text | "#tag" | directive | "%%" )*
            directive := "%" [ "_" function ( "|" argument )* "_" ] source
            source    := keyword | "#tag"

        ``#tag`` by itself becomes the keyword of the element that is hit; as
        a source it stands for the value of that element. ``%%`` is a percent sign. A
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
        * If several keys hit an element, the strongest decides. From the
          weakest to the strongest:

              1  keys of the profile, which rank among themselves as below
              2  keys with x digits, and by VR
              3  keys for one element (keyword, tag, private element)
              4  re: keys
              5  keys of content items; one with a value type is stronger

          and of those in one line, the last. The keys private, unknown, text
          and rest are weaker than every other key. The keys in a block that
          holds are stronger than all keys outside of it. A warning names a
          key that can never win.
        * Values come from the original file, never from a substituted one.
        * What looks like a directive but is none is taken as text, with a
          warning.
        * A key by keyword or tag whose element a file lacks inserts it at the
          top level, if the file has all sources of the template. A template
          whose source is #tag inserts nothing.
        * An empty value stays empty under every function but name.
        * Elements of several values are substituted value by value.
        * A text that is too long for its VR is cut to the VR's maximum. A result
          that its VR does not allow (hex digits in a date, letters in a
          number) leaves the element empty. Both are counted in the record.
        * If a new text does not fit the character set of its file, and the
          file uses nothing but ASCII, the file is switched to UTF-8 (ISO_IR
          192); any other file fails.
        * If other readers (pydicom, dcmtk, gdcm, dcm4che) would read the bytes
          in another way, what any of them would show of a replaced element is
          gone, or the file fails.
        * Whenever SOPInstanceUID is written, MediaStorageSOPInstanceUID gets
          the same value. In a DICOMDIR the record offsets are corrected.
        * File meta that contradicts itself (group length, padding, an element
          twice) fails the file.

    THE SECRET

        hmac, uid, dateshift and dummy use a secret key: the bytes of the file
        that --keyFile names or, without this option, the value of the
        environment variable PFDICOM_TAGSUB_KEY; at least 16 bytes. Make one
        with

            head -c 32 /dev/urandom > study.key && chmod 600 study.key

        The same key gives the same results on every host, on every day and
        with any number of workers; another key gives others. Whoever has the
        key can find out which pseudonym belongs to which patient. Keep it as
        you keep the originals, or destroy it when nobody should be able to.

        Each function derives a key of its own from it, so knowing the results
        of one function is no help with another. The record has a fingerprint
        of the key, and never the key.

        Without a key hmac is an error in the spec. uid, dateshift and dummy
        then give the same results for everybody, and a warning says so.

    PROFILES

        --profile basic applies the Basic Application Level Confidentiality
        Profile of DICOM PS3.15 Annex E: Tables E.1-1 and E.3.4-1. It is
        written in the language of the spec, and --printSpec shows it.

        Without the option cleanPixelData no profile looks at pixels. Under
        pixelReview the record lists files whose pixels may show who the
        patient is. BurnedInAnnotation is set only where pixels were cleaned.

    ERRORS IN A SPEC

        Each of these ends the command with exit code 2 before any file is
        opened, and names the key: an unknown keyword (with the nearest known
        spelling), a regular expression that does not compile or matches no
        keyword, an unknown function, a wrong argument, hmac without a secret
        key, an unknown lookup table, a literal that its VR does not allow, a
        key given twice, an element that says how the file itself is encoded,
        no spec and no profile, more than one of --tagStruct, --tagFile and
        --tagInfo, invalid JSON (with line and column) or another format in its
        place, a --tagInfo pair without its separator.
"""

_EPILOGUE = """
        Any option may be abbreviated as long as it stays unambiguous
        (--splitKey for --splitKeyValue). -e <ext> and --extension <ext> mean
        --fileFilter <ext>, as in the README of 3.1.1.

    EXIT CODES

        0     no file failed: each one is written, unchanged, current, held or
              skipped
        1     at least one file failed, or a directory could not be read; all
              others were written. Or the ledger, the log or the record could
              not be written to its end
        2     bad usage, spec or environment; nothing was written
        130   interrupted (SIGINT); no partial file is left
        143   terminated (SIGTERM); no partial file is left

    THE RECORD

        --json prints one object:

            status            "ok", "failed", "interrupted", "terminated" or
                              "error"
            exitCode          the exit code
            version           of pfdicom_tagSub
            dryRun            whether nothing was written
            counts            found, written, unchanged, current (see
                              --ledger), skipped, notSelected (see --where),
                              held (see --pixelReview) and failed; found is
                              the sum of the others
            elements          for each keyword (or tag, where it has no keyword):
                              how many were substituted, removed, emptied,
                              inserted, cut (too long for the VR) and invalid
                              (emptied because the VR does not allow the
                              result); "private" counts what
                              --removePrivateTags removed
            failures          a list of path (relative to the <inputDir>),
                              output (the path of the output, relative to
                              the <outputDir>; null if it got none, or is
                              named after something that may be
                              replaced), stage (read, name, pixels,
                              substitute, write or verify) and reason
            skipped           a list of path and reason
            skippedNotListed  how many more there are than fit into 30 MB
            archives          a list of path and kind (zip, tar, gz, ...): the
                              skipped files in which there may be DICOM
            orphans           outputs in the --ledger whose inputs are gone:
                              how many were pruned and left, and files, a
                              list of path, output, outcome (pruned or left)
                              and reason
            warnings          all warnings, whatever the verbosity is
            runTime           in seconds
            versions          of pydicom, Faker and python
            specDigest        the SHA-256 of the spec
            specParts         a list of option, name and digest: the files of
                              --tagFile, and the functions of --functions
            profile           the profile and its options; "" for none
            profileEdition    the edition of the standard that its tables
                              are from
            keyFingerprint    16 hex digits that tell one secret key from
                              another; "" without one
            pixelReview       a list of path, output, held (whether it is in
                              the --holdDir) and reason: the files whose
                              pixels a person should look at, because they
                              claim burned-in annotation or are of a kind that
                              often has it
            pixelsCleaned     a list of path, methods, rectangles (x, y, width,
                              height, and the number of the frame, null for
                              all), frames, bits and blocks: the files whose
                              pixels were blackened and read again
            pathsWithValues   how many outputs have a path that holds a value
                              that was replaced in them
            unknownCharsets   a list of path and terms: the files whose Specific
                              Character Set is none of the standard's, and
                              whose text is all ASCII
            residuals         a list of path, output and elements: the outputs in
                              which --verify found values that were replaced
            survey            with --dryRun or --report: for each keyword what
                              is done, what identifies and stays, keys that
                              hit nothing, what the files are; else null
            error             what ended the run with exit code 2, or what went
                              wrong with the ledger or the log; else ""

        No message and no record holds a value that a spec replaces, except
        the examples of --showValues. --crosswalk and --lookupMissing write
        originals to files of their own.

    EXAMPLES

    De-identify a tree with the profile, a secret key and verification. To see
    first what would happen, give --dryRun in place of --verify and
    --onResidual:

        head -c 32 /dev/urandom > project.key && chmod 600 project.key
        pfdicom_tagSub                                                          \\
                --inputDir /incoming                                            \\
                --outputDir /anon                                               \\
                --profile basic,retainLongitudinalModifiedDates,cleanDescriptors \\
                --keyFile project.key                                           \\
                --outputDirTemplate '%_hmac|8_PatientID/%Modality'              \\
                --outputFileStem '%_hmac|16_SOPInstanceUID'                     \\
                --verify --onResidual fail --threads 2

    Replace some elements, as with 3.1.1. (Whoever can list all patient IDs can
    undo an MD5; and what the spec does not name stays.)

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

    Every night from cron, which mails what is printed, here only errors. (A %
    is special in a crontab, so the spec is in a file.)

        PATH=/usr/local/bin:/usr/bin:/bin
        30 2 * * *  pfdicom_tagSub -I /in -O /anon -F /etc/anon.json -v 0 --ledger /var/lib/anon.db

    In a container:

        docker run --rm --init -v /incoming:/in:ro -v /anon:/out IMAGE          \\
                --inputDir /in --outputDir /out --tagFile /in/spec.json

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
