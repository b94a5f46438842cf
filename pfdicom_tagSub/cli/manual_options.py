"""The text of each option on the ``--man`` page."""

from __future__ import annotations

OPTIONS: dict[str, str | None] = {
    "inputDir": """
        -I|--inputDir|--inputdir <inputDir>
        The input tree. Every file in it and below it, at any depth, is a
        candidate. If it is a file, that file alone is.
""",
    "outputDir": """
        -O|--outputDir|--outputdir <outputDir>
        The output tree; created if absent, and directories in it when
        something is written to them. It may lie inside the <inputDir>,
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
    "profile": """
        [--profile <name>[,<option>...]]
        Apply a profile below the spec, which may then be left out: every key
        of the spec is stronger. The name is basic; the options, as PS3.15
        Annex E names them:

            retainSafePrivate               private elements known to be safe
            retainUIDs                      UIDs as they are
            retainDeviceIdentity            the device
            retainInstitutionIdentity       the institution
            retainPatientCharacteristics    age, sex, size, weight and others
            retainLongitudinalFullDates     dates and times as they are
            retainLongitudinalModifiedDates dates moved by days, for each
                                            patient by another number
            cleanDescriptors                descriptions without identifiers
            cleanStructuredContent          structured reports likewise
            cleanGraphics                   graphics, annotations and overlays
                                            likewise

        See PROFILES for what none of them does.
""",
    "keepPrivate": """
        [--keepPrivate <key>]
        Keep a private element that a profile would remove, such as

            --keepPrivate '(0019,"SIEMENS MR HEADER",0C)'

        It may be repeated. '@FILE' reads a key from each line of a file. The
        private creator of what is kept is kept as well, and keys that hit
        elements inside a kept sequence still work.
""",
    "printSpec": """
        [--printSpec]
        Print the spec that --profile, --keepPrivate and the spec come to, as
        JSON, and exit. It can be edited and given back with --tagFile.
""",
    "keyFile": """
        [--keyFile <file>]
        The secret key of pseudonyms, UIDs and dates: the bytes of the file as
        they are, at least 16. Others who can read the file are warned of.
        Without it the environment variable PFDICOM_TAGSUB_KEY is the key. See
        THE SECRET.
""",
    "lookupTable": """
        [--lookupTable <name>=<file>]
        A table of replacements for the function lookup: a CSV file in UTF-8,
        whose first row names the columns original and replacement (others
        are ignored). The name consists of letters, digits, underscores and
        hyphens; an underscore is written '__' in a template:

            --lookupTable ids=ids.csv --tagInfo 'PatientID:%_lookup|ids_PatientID'

        It may be repeated.
""",
    "lookupMiss": """
        [--lookupMiss fail|empty]
        What becomes of a value that its table lacks: 'fail', the default,
        fails its file; 'empty' leaves the value empty.
""",
    "assumeCharacterSet": """
        [--assumeCharacterSet <term>]
        How to read text of files that do not say: those without a Specific
        Character Set, or with one that is none of the standard's (such as
        'Not Supplied'), which fail without this where they hold more than
        ASCII and a new text or a cleaned one depends on it. Text that is not
        valid in the character set that its file declares is read so, too. The
        term is one of PS3.3 C.12.1.1.2, such as 'ISO_IR 100' (Latin-1),
        'ISO_IR 192' (UTF-8), or several with backslashes between. Outputs of
        files that do not say declare it. Spellings of known terms, such as
        'ISO IR 100' or 'utf8', are taken without it.
""",
    "outputFileStem": """
        [-o|--outputFileStem <template>]
        Name the outputs: a template in the language of the spec, evaluated
        on the original data set, so

            --outputFileStem '%_md5|7_PatientID-%InstanceNumber'

        The extension of the input is kept if DICOM files have it (.dcm, .ima,
        .dicom, ...). The result is made safe for a file name, on Windows and
        on a command line too: no value can lead outside its output
        directory. Of two
        inputs that would take one name the second fails, and nothing is
        overwritten.
""",
    "outputDirTemplate": """
        [--outputDirTemplate <template>]
        Name the directories of the outputs below the <outputDir>: a template
        in the language of the spec, evaluated on the original data set, so

            --outputDirTemplate '%_hmac|8_PatientID/%StudyDate/%Modality'

        A '/' in the template separates directories, one in a value does not;
        each part is made safe as that of --outputFileStem is. Of two inputs
        that would take one path the second fails, and nothing is
        overwritten. It excludes --outputLeafDir.
""",
    "dryRun": """
        [--dryRun]
        Do everything but the writing, and print on standard output what
        would be done: per keyword how many elements at which depths of
        sequences, what is done to them, how many different values they have
        before and after, and an example of a result; the identifying
        attributes of PS3.15 Table E.1-1 that are present and stay as they
        are; the keys of the spec that hit nothing; modalities, SOP classes
        and transfer syntaxes. With --json only the record is printed, and
        all this is in it.

        No file and no directory is made. Existing outputs are compared as
        in a real run, and the exit code is that of a real run. It excludes
        --verify; with --ledger it neither reads nor writes the ledger.
""",
    "report": """
        [--report <file>]
        When the run ends, write a report: to a <file> that ends in .html a
        page for people, which needs nothing but a browser; to one that ends
        in .json the record with the survey of --dryRun in it. It may be
        repeated. The file is written whole or not at all, can be read by its
        owner only, since it names files by their paths, and cannot lie in
        the <inputDir>. A report that could not be written ends the run
        before the first file is read.
""",
    "showValues": """
        [--showValues]
        Show original values in the table of --dryRun and in reports: an
        example for each keyword, and results that are made of originals.
        Without it neither holds any of them. Then they are patients' data,
        to be kept where the originals are.
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
        Follow symbolic links to files and to directories. A directory has
        outputs under each name that leads to it; one that leads to a
        directory above itself is told of and not followed. Without this flag
        links are skipped. FIFOs, sockets and devices are never opened.
""",
    "overwrite": """
        [--overwrite]
        Replace existing outputs. An output that exists and equals what would
        be written is left as it is and counts as unchanged, with or without
        this flag. One that differs is replaced only with this flag; without
        it that file fails. So the same command can run every night.
""",
    "verify": """
        [--verify]
        Read each output again before it gets its name, with pydicom's own
        reader, and hold it against the input: what no key hits has to be the
        same bytes in the same order; what a key removes or empties must be
        gone. A difference fails the file, and no output is left. Then the
        output and its path are searched for the values that were replaced,
        removed or emptied in this file: texts of 4 characters or more, names
        also by their parts, dates in the usual notations, in the character
        sets of the file, UTF-8, Latin-1 and UTF-16. Words such as BRAIN or
        UNKNOWN, code strings (CS), short numbers and times, and values that
        are also a result are not looked for; in pixels and other binary
        values only texts of 8 characters or more. A short text inside a
        longer word or number does not count.
""",
    "onResidual": """
        [--onResidual report|fail]
        What --verify does with an output that still holds a value that was
        replaced in it: report it, the default, in the record under residuals
        (the elements, never the values) and in a warning at the end; or fail
        the file, which leaves no output, not even one of an earlier run.
""",
    "maxInflated": """
        [--maxInflated SIZE]
        How large a deflated data set may become, in bytes or with K, M, G or
        T: 8G. A file whose data set becomes larger fails. Without this option
        the limit is 4G, and beyond 256M also 200 times what is stored. What
        does not fit into memory goes to a temporary directory (TMPDIR), or
        to the output directory where there is none.
""",
    "threads": """
        [--threads <numThreads>]
        Process files with <numThreads> workers at one time, whatever the
        directories look like; 0, the default, works in line. The workers
        are processes, or threads on a free-threaded Python. The outputs are
        the same bytes for every number.
""",
    "dask": """
        [--dask <address>]
        Process the files with the workers of a Dask cluster, whose scheduler
        is at the <address>, HOST:PORT or tls://HOST:PORT, instead of any
        here. It needs pip install 'pfdicom_tagSub[dask]', here and on every
        worker, the same versions of pfdicom_tagSub, pydicom, Faker and
        Python everywhere, and the <inputDir> and the <outputDir> under the
        same paths on every worker. The outputs are the same bytes as
        without.

        The rules go to the workers with the work. The files of --keyFile
        and --lookupTable do not: every worker reads them itself, from the
        same paths, and a worker that finds none, or others, ends the run.
        The files of a worker that is lost are done again by others. Without
        any worker a run waits for 300 seconds (the setting
        pfdicom-tagsub.workers-timeout of Dask).
""",
    "daskSendKey": """
        [--daskSendKey]
        Send the secret key and the lookup tables to the workers with the
        rules. They pass through the memory of the scheduler, and over the
        network as they are unless the <address> begins with tls://.
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
    "ledger": """
        [--ledger <file>]
        Keep a list of what is done in an SQLite file, and do not open again
        what it names: an input whose path, size and time of last change, and
        whose rules (spec, profile, tables, templates of paths, --verify),
        key and tool are those of an output that is still there with the size
        and time that it was left with. Such a file counts as current; its
        elements are not counted. What is no DICOM is not opened again either
        and counts as skipped.

        A changed input, or all of them when the rules change, is done again,
        and the output that this ledger knows to be its own, and that nobody
        touched since, is replaced without --overwrite. An earlier output
        under another name (see --outputFileStem) stays where it is. Where
        outputs get other names, a DICOMDIR is always done again.

        Outputs are on the disk before they are on record. One run at a time
        uses a ledger; a second one ends at once with exit code 2, and so
        does one whose ledger is damaged or cannot be written. A ledger that
        fails in the middle of a run is told of with exit code 1; the run
        goes on without it. It holds the paths of inputs: it is made for its
        owner alone, and has to lie outside of both trees. A symbolic link,
        or a file that others may write to, is refused. With --dryRun it is
        neither read nor written.
""",
    "log": """
        [--log <file>]
        Append a line of JSON for each file, current ones too:

            time            UTC, in ISO 8601
            path            relative to the <inputDir>
            outcome         written, unchanged, current, skipped or failed
            stage, reason   of a file that failed or was skipped
            actions         how many elements were substituted, removed, ...
            pixelReview     why a person should look at its pixels
            pathHoldsValue  whether the output's path holds a replaced value
            residuals       what --verify found
            milliseconds    what the file took

        SIGHUP has the file opened anew, for logrotate. A log that cannot be
        opened ends the run at the start with exit code 2; lines that cannot
        be written are counted and told of with exit code 1. It is made for
        its owner alone and has to lie outside of both trees. A symbolic link
        is not followed, but for /dev/stdout and the like; a file that others
        may write to is refused.
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
"""Option to its section, in the order of the page; a None takes pftree's text."""
