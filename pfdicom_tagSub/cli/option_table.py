"""The table of options: the one place where an option of the command is described.

The parser, the manual, the documentation, the list of flags in the HTML report and the ledger's
identity are made from it. Its order is the order of the manual.
"""

from __future__ import annotations

from ..core.options import LookupMiss, OnResidual, PixelSelection, ReviewPolicy
from .option import Group, Kind, Need, Option, Repeat, Shown, named

OPTIONS: tuple[Option, ...] = (
    Option(
        name="inputDir",
        field="tree.inputDir",
        kind=Kind.DIRECTORY,
        value="<inputDir>",
        metavar="DIR",
        short="-I",
        aliases=("--inputdir",),
        need=Need.ALWAYS,
        shown=Shown.PATH,
        help="the directory to read (required)",
        manual="""
            The input tree: every file in it, at any depth. If it is a file, that
            file alone. The first argument that belongs to no option stands for it,
            and the second for the <outputDir>: pfdicom_tagSub IN OUT ...
            """,
    ),
    Option(
        name="outputDir",
        field="tree.outputDir",
        kind=Kind.DIRECTORY,
        value="<outputDir>",
        metavar="DIR",
        short="-O",
        aliases=("--outputdir",),
        need=Need.ALWAYS,
        shown=Shown.PATH,
        help="the directory to write, created if absent (required)",
        manual="""
            The output tree. It is created if absent, and so are directories in it
            in which something is written. It may lie inside the <inputDir>, and is
            then not read as input; it cannot be the <inputDir> itself. A symbolic
            link below the <outputDir> is never written through.
            """,
    ),
    Option(
        name="tagStruct",
        field="tag_struct",
        kind=Kind.TEXT,
        value="<JSON>",
        default=None,
        short="-T",
        group=Group.SPEC,
        need=Need.ONE_SPEC,
        help='the spec as JSON: \'{"PatientName": "anon"}\'',
        manual="""
            The spec as a JSON object on the command line.
            """,
    ),
    Option(
        name="tagFile",
        field="tag_files",
        kind=Kind.FILE,
        value="<file>",
        short="-F",
        group=Group.SPEC,
        need=Need.ONE_SPEC,
        repeat=Repeat.ADDS_UP,
        help="a file with the spec: JSON, or YAML or TOML by its suffix; - reads standard input",
        manual="""
            The spec as a JSON object in a file; '-' reads standard input. A file
            that ends in .yaml or .yml is YAML, which needs PyYAML (the extra
            yaml), and one that ends in .toml is TOML. In YAML a plain value is
            the text that is written (YES is no truth value, 0010 no number). In
            TOML, which has no null, { remove = true } removes an element.

            Given more than once, the files are merged to one spec: what a later
            file says of a key replaces what the earlier ones say of the same key.
            The record names each file with its digest.
            """,
    ),
    Option(
        name="tagInfo",
        field="tag_info",
        kind=Kind.TEXT,
        value="<pairs>",
        default=None,
        group=Group.SPEC,
        need=Need.ONE_SPEC,
        joined="join the pairs with the --splitToken",
        help="the spec as text: 'PatientName:anon ++ PatientAge:'",
        manual="""
            The spec as delimited text, for where JSON is hard to quote:

                <key><splitKeyValue><value><splitToken><key><splitKeyValue>...

            Each pair is split at the first <splitKeyValue> after a leading 're:',
            and blanks around keys and values are dropped, so

                --tagInfo 'PatientName:anon ++ re:.*hysician:%_md5|4_#tag'

            holds two pairs. A pair without <splitKeyValue> is an error.
            """,
    ),
    Option(
        name="splitToken",
        field="split_token",
        kind=Kind.TEXT,
        value="<token>",
        default="++",
        short="-s",
        group=Group.SPEC,
        shown=Shown.NO,
        help="what separates the pairs of --tagInfo (default ++)",
        manual="""
            What separates the pairs of --tagInfo; '++' by default.
            """,
    ),
    Option(
        name="splitKeyValue",
        field="split_key_value",
        kind=Kind.TEXT,
        value="<token>",
        default=":",
        short="-k",
        group=Group.SPEC,
        shown=Shown.NO,
        help="what separates key and value in --tagInfo (default :)",
        manual="""
            What separates the key of a pair from its value; ':' by default.
            """,
    ),
    Option(
        name="removePrivateTags",
        field="remove_private_tags",
        kind=Kind.SWITCH,
        group=Group.SPEC,
        help="remove every private element",
        manual="""
            Remove every private element, at every depth, except those that
            --keepPrivate or %_keep_ spares.
            """,
    ),
    Option(
        name="profile",
        field="profile",
        kind=Kind.TEXT,
        value="<name>[,<option>...]",
        group=Group.SPEC,
        need=Need.SPEC,
        joined="join the options with commas",
        help="the profile of PS3.15 Annex E to apply below the spec: basic, and options of it",
        manual="""
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
                cleanPixelData                  burned-in text, with all methods of
                                                --cleanPixels

            See PROFILES for what none of them does.
            """,
    ),
    Option(
        name="keepPrivate",
        field="keep_private",
        kind=Kind.TEXT,
        value="<key>",
        group=Group.SPEC,
        repeat=Repeat.ADDS_UP,
        help='keep this private element, (gggg,"CREATOR",ee); @FILE: one a line; may be repeated',
        manual="""
            Keep a private element that a profile would remove, such as

                --keepPrivate '(0019,"SIEMENS MR HEADER",0C)'

            It may be repeated. '@FILE' reads a key from each line of a file. The
            private creator of what is kept is kept as well, and keys that hit
            elements inside a kept sequence still work.
            """,
    ),
    Option(
        name="cleanPixels",
        field="clean_pixels",
        kind=Kind.TEXT,
        value="<method>[,<method>...]",
        metavar="METHODS",
        group=Group.SPEC,
        joined="join the methods with commas",
        help="blacken burned-in text where these tell: regions, devices, text",
        manual="""
            Blacken text that is burned into the pixels. The methods:

                regions  in ultrasound, all that is outside of the regions that
                         the file names (SequenceOfUltrasoundRegions)
                devices  the places where devices write, by a list of masks in
                         the package and that of --pixelMasks
                text     text that a detector finds on any frame, whatever it
                         reads

            Only what is blackened changes, frame by frame; everything else of
            the pixels stays to the bit, which is checked before the output gets
            its name, also without --verify. Of JPEG baseline and extended (8 bits)
            the blocks under a mask are replaced without decoding; frames of RLE,
            JPEG 2000 and JPEG-LS are decoded and encoded again without a loss.
            Lossless JPEG, JPEG of 12 bits and HTJ2K become another lossless
            transfer syntax. A file with a mask and pixels that are compressed
            otherwise, or a video, fails. Files that were cleaned say
            so: BurnedInAnnotation is NO, and the code 113101 and a text are added
            to what says how they were de-identified. The record lists them under
            pixelsCleaned, and what a person still has to look at under
            pixelReview. No method finds handwriting, faces, or text that nobody
            foresaw. It needs numpy (the extra pixels). The option cleanPixelData of
            a profile means all methods.
            """,
    ),
    Option(
        name="pixelMasks",
        field="pixel_masks",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        help="more masks of devices for --cleanPixels, a JSON file",
        manual="""
            More masks for the method devices of --cleanPixels, as JSON:

                {"masks": [{"when": {"Modality": "US", "Rows": 480,
                                     "Manufacturer": {"contains": "ACME"}},
                            "rectangles": [[0, 0, 640, 60]]}]}

            Every attribute under "when" has to fit: a value, a list of values, or
            the operators is, contains, startsWith, endsWith, matches (a regular
            expression), missing, present and not; case does not count. A
            rectangle is x, y, width, height in pixels from the top left. All
            masks that fit add up. "kind": "review" with no rectangles names files
            that a person has to see. With "replaces": true beside "masks" the
            list of the package is not used.
            """,
    ),
    Option(
        name="cleanPixelsOf",
        field="clean_pixels_of",
        kind=Kind.CHOICE,
        choices=tuple(PixelSelection),
        default=PixelSelection.REVIEW,
        group=Group.SPEC,
        refines="cleanPixels",
        help="which files --cleanPixels cleans: those for review (default) or all",
        manual="""
            Which files --cleanPixels cleans: those that pixelReview of the record
            would list, the default, or all.
            """,
    ),
    Option(
        name="maskAllFrames",
        field="mask_all_frames",
        kind=Kind.SWITCH,
        group=Group.SPEC,
        help="blacken text that --cleanPixels finds on one frame on all frames",
        manual="""
            Blacken what the method text of --cleanPixels finds on one frame on
            all frames of the file, not on those alone where it was found.
            """,
    ),
    Option(
        name="printSpec",
        field="print_spec",
        kind=Kind.SWITCH,
        group=Group.SPEC,
        shown=Shown.NO,
        help="print the spec that results, as JSON, and do nothing else",
        manual="""
            Print the spec that --profile, --keepPrivate and the spec come to, as
            JSON, and exit. It can be edited and given back with --tagFile.
            """,
    ),
    Option(
        name="importRules",
        field="import_rules",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        shown=Shown.NO,
        help="print the spec that another tool's rules come to (CTP, deid, dicom-anonymizer), and exit",
        manual="""
            Print the spec that the rules in a file come to, and exit: a script of
            the DicomAnonymizer of RSNA's CTP, a recipe of pydicom/deid, or a JSON
            dictionary of dicom-anonymizer. Rules without an equivalent are listed
            on standard error with their lines and reasons; the exit code is then
            1. The other tools work on the data set alone, and a spec at every
            depth.
            """,
    ),
    Option(
        name="keyFile",
        field="key_file",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        shown=Shown.HIDDEN,
        help="a file of at least 16 bytes, the secret of pseudonyms",
        manual="""
            The secret key of pseudonyms, UIDs and dates: the bytes of the file as
            they are, at least 16. There is a warning if others can read the file.
            Without this option the environment variable PFDICOM_TAGSUB_KEY is the
            key. See THE SECRET.
            """,
    ),
    Option(
        name="functions",
        field="functions",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        repeat=Repeat.ADDS_UP,
        shown=Shown.PATH,
        help="a Python file with functions of your own for the spec; may be repeated",
        manual="""
            A Python file with functions for templates, each with the decorator
            spec_function of pfdicom_tagSub:

                @spec_function("shout", arguments=(int,), vrs={"LO"})
                def shout(value, arguments, secret):
                    return value.upper() + "!" * arguments[0]

            is used as %_shout|1_PatientComments. The file is run here and by
            every worker, so give only one that you trust. A function has to be
            pure, as results are remembered. An exception fails the file; the
            record tells its type and the function, and no value. The record
            (specParts) names the functions that the spec uses, each with the
            SHA-256 of its file. A package has functions with entry points of
            the group pfdicom_tagSub.functions, named as the functions are.
            """,
    ),
    Option(
        name="lookupTable",
        field="lookup_tables",
        kind=Kind.TEXT,
        value="<name>=<file>",
        group=Group.SPEC,
        repeat=Repeat.ADDS_UP,
        shown=Shown.NAME,
        help="a CSV file with the columns original,replacement for %_lookup|NAME_; may be repeated",
        manual="""
            A table of replacements for the function lookup: a CSV file in UTF-8,
            whose first row names the columns original and replacement (others
            are ignored). The name consists of letters, digits, underscores and
            hyphens; an underscore is written '__' in a template:

                --lookupTable ids=ids.csv --tagInfo 'PatientID:%_lookup|ids_PatientID'

            It may be repeated.
            """,
    ),
    Option(
        name="lookupMiss",
        field="lookup_miss",
        kind=Kind.CHOICE,
        choices=tuple(LookupMiss),
        default=LookupMiss.FAIL,
        group=Group.SPEC,
        refines="lookupTable",
        identifies_outputs=True,
        help="what to do with a value that its table lacks: fail its file (default), empty or keep it",
        manual="""
            What becomes of a value that its table lacks: 'fail', the default,
            fails its file; 'empty' leaves the value empty; 'keep' leaves it as it is.
            """,
    ),
    Option(
        name="lookupMissing",
        field="lookup_missing",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        refines="lookupTable",
        shown=Shown.HIDDEN,
        help="list the values that the lookup tables lack in FILE.csv, for you alone",
        manual="""
            List all values that the lookup tables lack, of the files that the run
            opens, in a CSV file with the columns table, original and an empty
            replacement to be filled in. It is written when the run ends, with
            --dryRun, too, whatever --lookupMiss says. It holds originals: it is
            readable by its owner alone and has to lie outside of both trees.
            """,
    ),
    Option(
        name="uidRoot",
        field="uid_root",
        kind=Kind.TEXT,
        value="<root>",
        group=Group.SPEC,
        identifies_outputs=True,
        help="what the UIDs that the run makes begin with, e.g. 1.2.826.0.1.3680043.8.498",
        manual="""
            What the UIDs that %_uid_ makes begin with: a root of your own, of at
            most 38 characters, instead of pydicom's. The same UID becomes another
            one under another root.
            """,
    ),
    Option(
        name="assumeCharacterSet",
        field="assume_character_set",
        kind=Kind.TEXT,
        value="<term>",
        group=Group.SPEC,
        identifies_outputs=True,
        help="the Specific Character Set of files that declare none, or an unknown one, e.g. ISO_IR 100",
        manual="""
            How to read the text of files that do not say: those without a Specific
            Character Set, or with one that is none of the standard's (such as 'Not
            Supplied'). Without this option such a file fails where it holds more
            than ASCII and a new or a cleaned text depends on it. Text that is not
            valid in the character set that its file declares is read so, too. The
            term is one of PS3.3 C.12.1.1.2, such as 'ISO_IR 100' (Latin-1) or
            'ISO_IR 192' (UTF-8), or several with backslashes between. Outputs of
            files that do not say declare it. Spellings of known terms, such as
            'ISO IR 100' or 'utf8', are understood without it.
            """,
    ),
    Option(
        name="outputFileStem",
        field="output_file_stem",
        kind=Kind.TEXT,
        value="<template>",
        short="-o",
        group=Group.SPEC,
        identifies_outputs=True,
        help="template that names the outputs, e.g. %PatientID",
        manual="""
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
    ),
    Option(
        name="outputDirTemplate",
        field="output_dir_template",
        kind=Kind.TEXT,
        value="<template>",
        group=Group.SPEC,
        identifies_outputs=True,
        help="template of the directories of the outputs, e.g. %_hmac|8_PatientID/%Modality",
        manual="""
            Name the directories of the outputs below the <outputDir>: a template
            in the language of the spec, evaluated on the original data set, so

                --outputDirTemplate '%_hmac|8_PatientID/%StudyDate/%Modality'

            A '/' in the template separates directories, one in a value does not;
            each part is made safe as that of --outputFileStem is. Of two inputs
            that would take one path the second fails, and nothing is
            overwritten. It excludes --outputLeafDir.
            """,
    ),
    Option(
        name="dryRun",
        field="dry_run",
        kind=Kind.SWITCH,
        group=Group.OPERATION,
        help="do all but the writing; print what would be done",
        manual="""
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
            --verify; every file counts as new to a --ledger.
            """,
    ),
    Option(
        name="report",
        field="reports",
        kind=Kind.FILE,
        value="<file>",
        group=Group.OPERATION,
        repeat=Repeat.ADDS_UP,
        shown=Shown.NO,
        help="write a report to FILE.html or FILE.json; may be repeated",
        manual="""
            When the run ends, write a report: to a <file> that ends in .html a
            page for people, which needs nothing but a browser; to one that ends
            in .json the record with the survey of --dryRun in it. It may be
            repeated. The file is written whole or not at all, can be read by its
            owner only, since it names files by their paths, and cannot lie in
            the <inputDir>. A report that could not be written ends the run
            before the first file is read.
            """,
    ),
    Option(
        name="reviewSheet",
        field="review_sheet",
        kind=Kind.FILE,
        value="<file>",
        group=Group.OPERATION,
        shown=Shown.NO,
        help="write a page with the pictures that a person has to look at, FILE.html",
        manual="""
            When the run ends, write one page with the pictures of every file that
            was cleaned (--cleanPixels) or that pixelReview of the record lists:
            first, middle and last frame and the maximum over all frames, windowed
            as the file asks, with the rectangles that were blackened and a switch
            between before and after. It needs nothing but a browser. Files are
            marked good or bad with the keyboard, rectangles are drawn, and both
            can be saved: a list of paths as --filesFrom reads it, and JSON as
            --pixelMasks reads it. It works with --dryRun. The page shows patients'
            pictures: it is readable by its owner alone and cannot lie in one of
            the trees. It needs numpy and Pillow (the extra pixels).
            """,
    ),
    Option(
        name="showValues",
        field="show_values",
        kind=Kind.SWITCH,
        group=Group.OPERATION,
        help="show original values in --dryRun's table and in reports",
        manual="""
            Show original values in the table of --dryRun and in reports: an example
            for each keyword, and results that are made of originals. Table and
            reports are then patients' data, to be kept where the originals are.
            Without this option they hold no original.
            """,
    ),
    Option(
        name="maxDepth",
        field="tree.maxDepth",
        kind=Kind.NUMBER,
        value="<levels>",
        default=-1,
        help="levels to descend; -1 for all",
        manual=None,
    ),
    Option(
        name="inputFile",
        field="tree.inputFile",
        kind=Kind.TEXT,
        value="<text>",
        short="-i",
        help="read only the files whose name contains this",
        manual="""
            Consider only files whose names contain this substring; every other
            file is ignored before the filters apply.
            """,
    ),
    Option(
        name="fileFilter",
        field="tree.fileFilter",
        kind=Kind.TEXT,
        value="<tokens>",
        short="-e",
        aliases=("--extension",),
        joined="join the tokens with commas",
        help="comma-separated file tokens (see --man)",
        manual=None,
    ),
    Option(
        name="fileFilterLogic",
        field="tree.fileFilterLogic",
        kind=Kind.CHOICE,
        value="AND|OR",
        choices=("AND", "OR", "and", "or"),
        default="OR",
        refines="fileFilter",
        help="combine file tokens with AND or OR (default OR)",
        manual=None,
    ),
    Option(
        name="dirFilter",
        field="tree.dirFilter",
        kind=Kind.TEXT,
        value="<tokens>",
        joined="join the tokens with commas",
        help="comma-separated directory tokens (see --man)",
        manual=None,
    ),
    Option(
        name="dirFilterLogic",
        field="tree.dirFilterLogic",
        kind=Kind.CHOICE,
        value="AND|OR",
        choices=("AND", "OR", "and", "or"),
        default="OR",
        refines="dirFilter",
        help="combine directory tokens with AND or OR (default OR)",
        manual=None,
    ),
    Option(
        name="filesFrom",
        field="files_from",
        kind=Kind.FILE,
        value="<file>",
        shown=Shown.PATH,
        help="process the files that this one lists, one a line; - reads standard input",
        manual="""
            Process the files that <file> lists, one a line, instead of all below
            the <inputDir>; '-' reads standard input. Paths are relative to the
            <inputDir>, or absolute and below it:

                find /incoming -name '*.dcm' -newer stamp -print0 |
                    pfdicom_tagSub /incoming /anon --filesFrom - --null ...

            A file that is not there fails. Files that are named twice are done
            once. It excludes the filters and --maxDepth.
            """,
    ),
    Option(
        name="null",
        field="null",
        kind=Kind.SWITCH,
        refines="filesFrom",
        help="a NUL ends each path of --filesFrom, as find -print0 writes them",
        manual="""
            A NUL ends each path of --filesFrom, not the end of a line.
            """,
    ),
    Option(
        name="archives",
        field="archives",
        kind=Kind.SWITCH,
        help="read the members of zip, tar (gz, bz2, xz) and .dcm.gz files as folders",
        manual="""
            Read archives as folders of the archive's name: files that end in
            .zip, .tar, .tar.gz, .tgz, .tar.bz2, .tbz2, .tbz, .tar.xz, .txz and
            .dcm.gz. The output of the member s/1.dcm of in/a.zip is
            out/a.zip/s/1.dcm, a file in a directory. Nothing is unpacked to disk;
            a member is in memory while it is processed. Names are made safe, and
            none leads out of the folder. An archive with more than a million
            members fails, a member with more than 1G (see --maxInflated), and an
            archive that becomes larger than 256M and than 200 times its size.
            Encrypted members fail; links in archives are skipped, and so are
            archives in archives. Filters choose archives, not members.
            """,
    ),
    Option(
        name="where",
        field="where",
        kind=Kind.TEXT,
        value="<condition>",
        identifies_outputs=True,
        help="process only files for which this holds, e.g. \"Modality in ('CT', 'MR')\"",
        manual="""
            Process only the files for which a condition on their original values
            holds; the others are skipped and counted as notSelected:

                --where "Modality = 'CT' and not SeriesDescription contains 'scout'"

            Operators are = != < <= > >= in contains startsWith endsWith matches,
            present absent empty, and or not, and brackets. Elements are named by
            keyword or tag, inside of sequences as Sequence[0].Element or, in
            whichever item, Sequence[*].Element; path is the path of the file
            relative to the <inputDir>. Numbers and dates are compared as such. An
            element with several values passes where one of them does.
            """,
    ),
    Option(
        name="outputLeafDir",
        field="tree.outputLeafDir",
        kind=Kind.TEXT,
        value="<template>",
        help="template of each output directory's last name; %s is the input's, e.g. 'anon-%s'",
        manual="""
            Rename the last component of each output directory with a pattern
            in which %s stands for the input directory's name, so that

                --outputLeafDir 'anon-%s'

            writes the files of /incoming/sub-01 to /outgoing/anon-sub-01. The
            pattern contains exactly one %s and no path separator. The files of
            the <inputDir> itself go to the <outputDir> itself.
            """,
    ),
    Option(
        name="relativeDir",
        field="tree.relativeDir",
        kind=Kind.SWITCH,
        shown=Shown.NO,
        help="accepted as in 3.1.1; the paths in the --json record are always relative",
        manual="""
            Accepted as in 3.1.1. The paths in the record are always relative to
            the <inputDir>.
            """,
    ),
    Option(
        name="followLinks",
        field="tree.followLinks",
        kind=Kind.SWITCH,
        help="follow symbolic links to files and directories; they are skipped without it",
        manual="""
            Follow symbolic links to files and to directories. A directory has
            outputs under each name that leads to it; one that leads to a
            directory above itself is reported and not followed. Without this flag
            links are skipped. FIFOs, sockets and devices are never opened.
            """,
    ),
    Option(
        name="overwrite",
        field="tree.overwrite",
        kind=Kind.SWITCH,
        help="replace existing outputs that differ; without it such a file fails",
        manual="""
            Replace existing outputs. An output that exists and equals what would
            be written is left as it is and counts as unchanged, with or without
            this flag. One that differs is replaced only with this flag; without
            it that file fails. So the same command can run every night.
            """,
    ),
    Option(
        name="verify",
        field="verify",
        kind=Kind.SWITCH,
        group=Group.OPERATION,
        identifies_outputs=True,
        help="read each output again and check it",
        manual="""
            Read each output again before it gets its name, with pydicom's own
            reader, and compare it with the input. What no key hits has to be the
            same bytes in the same order; what a key removes or empties has to be
            gone. A difference fails the file, and no output is left.

            Then the output and its path are searched for the values that were
            replaced, removed or emptied in this file: texts of 4 characters or
            more, names also by their parts, dates in the usual notations, in the
            character sets of the file, UTF-8, Latin-1 and UTF-16. Not looked for
            are words such as BRAIN or UNKNOWN, code strings (CS), short numbers and
            times, and values that are also a result. In pixels and other binary
            values only texts of 8 characters or more are looked for. A short text
            inside a longer word or number does not count.
            """,
    ),
    Option(
        name="onResidual",
        field="on_residual",
        kind=Kind.CHOICE,
        choices=tuple(OnResidual),
        default=OnResidual.REPORT,
        group=Group.OPERATION,
        refines="verify",
        identifies_outputs=True,
        help="what --verify does with an output that holds a replaced value (default: report)",
        manual="""
            What --verify does with an output that still holds a value that was
            replaced in it. report, the default: name the elements (never the
            values) in the record under residuals, and warn at the end. fail: fail
            the file, which leaves no output, not even one of an earlier run.
            """,
    ),
    Option(
        name="pixelReview",
        field="pixel_review",
        kind=Kind.CHOICE,
        choices=tuple(ReviewPolicy),
        default=ReviewPolicy.LIST,
        group=Group.OPERATION,
        identifies_outputs=True,
        help="what becomes of files whose pixels a person has to see: listed (default), held, or failed",
        manual="""
            What becomes of files whose pixels a person has to see, those that the
            record lists under pixelReview. list, the default: they are written as
            all others. hold: they are written below the --holdDir instead of the
            <outputDir>, under the same relative path, and count as held. fail:
            they fail, and have no output. With hold and fail an output of an
            earlier run is removed from the <outputDir> if the --ledger or
            --overwrite allows it; else the file fails. Nothing is looked for
            without a --profile or --cleanPixels, so hold and fail need one.
            """,
    ),
    Option(
        name="holdDir",
        field="hold_dir",
        kind=Kind.DIRECTORY,
        value="<directory>",
        group=Group.OPERATION,
        shown=Shown.PATH,
        refines="pixelReview",
        identifies_outputs=True,
        help="the directory of the files that --pixelReview hold keeps back",
        manual="""
            Where --pixelReview hold puts files. It has to lie apart from both
            trees, and is created for its owner alone if absent.
            """,
    ),
    Option(
        name="maxInflated",
        field="max_inflated",
        kind=Kind.SIZE,
        value="<size>",
        default=0,
        group=Group.OPERATION,
        help="how large a deflated data set may become, such as 8G (default 4G)",
        manual="""
            How large a deflated data set, or a member of an archive, may become,
            in bytes or with K, M, G or T: 8G. A file whose data set becomes larger fails. Without this option
            the limit is 4G, and beyond 256M also 200 times what is stored. What
            does not fit into memory goes to a temporary directory (TMPDIR), or
            to the output directory where there is none.
            """,
    ),
    Option(
        name="threads",
        field="tree.threads",
        kind=Kind.WORKERS,
        value="<number>|auto",
        metavar="NUMBER",
        default=0,
        help="how many workers process files at a time, or auto; 0, the default, is none",
        manual="""
            Process files with <number> workers at a time, whatever the directories
            look like. With 0, the default, the command does the work itself; auto
            is one worker for each CPU that the run may use. The workers are
            processes, or threads on a free-threaded Python. The outputs are the
            same bytes for every number.
            """,
    ),
    Option(
        name="dask",
        field="dask",
        kind=Kind.TEXT,
        value="<address>",
        group=Group.OPERATION,
        shown=Shown.HIDDEN,
        help="work on the Dask cluster at ADDRESS",
        manual="""
            Process the files with the workers of a Dask cluster, whose scheduler is
            at the <address>, HOST:PORT or tls://HOST:PORT, and not with any here.
            It needs the package distributed (the extra dask) here and on every
            worker, the same versions of pfdicom_tagSub, pydicom, Faker and Python
            everywhere, and the <inputDir> and the <outputDir> under the same paths
            on every worker. The outputs are the same bytes as without.

            The rules go to the workers with the work. The files of --keyFile and
            --lookupTable do not: every worker reads them itself, from the same
            paths, and a worker that finds none, or others, ends the run. The files
            of a worker that is lost are done again by others. Without any worker a
            run waits for 300 seconds (the setting pfdicom-tagsub.workers-timeout of
            Dask).
            """,
    ),
    Option(
        name="daskSendKey",
        field="dask_send_key",
        kind=Kind.SWITCH,
        group=Group.OPERATION,
        help="send the secret key to the Dask workers with the work",
        manual="""
            Send the secret key and the lookup tables to the workers with the
            rules. They pass through the memory of the scheduler, and over the
            network as they are unless the <address> begins with tls://.
            """,
    ),
    Option(
        name="threadsSplit",
        field="tree.threadsSplit",
        kind=Kind.NUMBER,
        value="<level>",
        default=1,
        shown=Shown.NO,
        help="accepted for commands that pass it to all tools of the family; has no effect",
        manual="""
            Accepted as other commands of the family have it; it has no effect, since
            the work is divided by file.
            """,
    ),
    Option(
        name="verbosity",
        field="tree.verbosity",
        kind=Kind.NUMBER,
        value="<level>",
        default=1,
        short="-v",
        repeat=Repeat.LAST_COUNTS,
        shown=Shown.NO,
        help="0 errors; 1 (default) also warnings, progress, a summary; 2, 3 the plan; 5 every file",
        manual="""
            How much to say, on standard error:

                0   errors only
                1   the default: warnings, a progress bar on a terminal, and one
                    summary line
                2   the plan and the files that are skipped
                3   every directory of the plan
                5   one line per file read, substituted and written
            """,
    ),
    Option(
        name="quiet",
        field="quiet",
        kind=Kind.SWITCH,
        short="-q",
        shown=Shown.NO,
        help="errors only",
        manual="""
            Errors only: --verbosity 0.
            """,
    ),
    Option(
        name="ledger",
        field="ledger",
        kind=Kind.FILE,
        value="<file>",
        group=Group.OPERATION,
        help="an SQLite file of what is done, to be skipped next time",
        manual="""
            Keep a list of what is done in an SQLite file, and do not open again
            what is on it. An input is done if its path, size and time of last
            change are those of the list, and so are the rules (spec, profile,
            tables, templates of paths, --verify), the key and the tool, and its
            output is still there with the size and time with which it was left.
            Such a file counts as current; its elements are not counted. A file that
            is not DICOM is not opened again either, and counts as skipped.

            A changed input, or all of them when the rules change, is done again.
            Its output is replaced without --overwrite if this ledger knows it to be
            its own and nobody touched it since. An earlier output under another
            name (see --outputFileStem) stays where it is. Where outputs get other
            names, a DICOMDIR is always done again.

            Outputs are on the disk before they are on record. One run at a time
            uses a ledger; a second one ends at once with exit code 2, and so does
            one whose ledger is damaged or cannot be written. A ledger that fails in
            the middle of a run is reported with exit code 1, and the run goes on
            without it. The ledger holds the paths of inputs, so it is made for its
            owner alone, and has to lie outside of both trees. A symbolic link, or a
            file that others may write to, is refused. With --dryRun it is not
            written, and read for --prune alone.
            """,
    ),
    Option(
        name="prune",
        field="prune",
        kind=Kind.SWITCH,
        group=Group.OPERATION,
        refines="ledger",
        help="remove the outputs of the --ledger whose inputs are gone",
        manual="""
            When all else is done, remove the outputs whose inputs are gone, as
            those of a patient who withdrew consent. Only outputs that the --ledger
            has, and that are as they were left, are removed, and directories that
            hold nothing afterwards. The record lists them under orphans; an output
            that was changed since stays, and the exit code is 1. With --dryRun
            they are listed and stay. Without --prune they are listed and warned
            of. If the <inputDir> holds no file at all, nothing is removed: perhaps
            it is not mounted.
            """,
    ),
    Option(
        name="crosswalk",
        field="crosswalk",
        kind=Kind.FILE,
        value="<file>",
        group=Group.OPERATION,
        shown=Shown.HIDDEN,
        identifies_outputs=True,
        help="a table of original and new identifiers, FILE.csv or FILE.sqlite, for you alone",
        manual="""
            Keep a table of which original became which new value, in a <file> that
            ends in .csv or .sqlite, with the columns attribute, original and new:
            a row for each pair of PatientID, AccessionNumber, StudyInstanceUID,
            SeriesInstanceUID and SOPInstanceUID, and of the paths of input and
            output (the attribute Path). What earlier runs wrote stays in it. A
            value that was removed or emptied has an empty new one.

            Whoever has it knows who the patients are. It is readable by its owner
            alone, has to lie outside of both trees, and is replaced as a whole
            when the run ends, also one that was interrupted. Different originals
            that became one are warned of. It is written with --dryRun, too, and
            holds what the same run without would write. With a --ledger, all
            files are opened where it does not exist yet.
            """,
    ),
    Option(
        name="log",
        field="log",
        kind=Kind.FILE,
        value="<file>",
        group=Group.OPERATION,
        help="append a JSON line for each file to FILE",
        manual="""
            Append a line of JSON for each file, current ones too:

                time            UTC, in ISO 8601
                path            relative to the <inputDir>
                output          the path of the output, as in the record
                outcome         written, unchanged, current, skipped,
                                notSelected, held (see --pixelReview), failed,
                                or pruned (see --prune)
                stage, reason   of a file that failed or was skipped
                actions         how many elements were substituted, removed, ...
                pixelReview     why a person should look at its pixels
                pathHoldsValue  whether the output's path holds a replaced value
                residuals       what --verify found
                milliseconds    what the file took

            On SIGHUP the file is opened again, for logrotate. A log that cannot be
            opened ends the run at the start with exit code 2; lines that cannot be
            written are counted and reported with exit code 1. It is made for
            its owner alone and has to lie outside of both trees. A symbolic link
            is not followed, except /dev/stdout and the like; a file that others
            may write to is refused.
            """,
    ),
    Option(
        name="syslog",
        field="syslog",
        kind=Kind.SWITCH,
        shown=Shown.NO,
        help="begin each message as syslog does",
        manual="""
            Begin each message with the date and the host, as syslog does.
            """,
    ),
    Option(
        name="json",
        field="tree.json",
        kind=Kind.SWITCH,
        shown=Shown.NO,
        help="print the record of the run as one JSON object",
        manual="""
            Print the record of the run on standard output when it ends; see THE
            RECORD.
            """,
    ),
    Option(
        name="printElapsedTime",
        field="print_elapsed_time",
        kind=Kind.SWITCH,
        shown=Shown.NO,
        help="print how long the run took",
        manual=None,
    ),
    Option(
        name="man",
        kind=Kind.PAGE,
        short="-x",
        shown=Shown.NO,
        help="print the manual and exit",
        manual="""
            Print this manual and exit.
            """,
    ),
    Option(
        name="synopsis",
        kind=Kind.PAGE,
        short="-y",
        shown=Shown.NO,
        help="print the beginning of the manual and exit",
        manual="""
            Print the manual's NAME, SYNOPSIS and brief example and exit.
            """,
    ),
    Option(
        name="version",
        kind=Kind.PAGE,
        shown=Shown.NO,
        help="print the name and the version and exit",
        manual=None,
    ),
    Option(
        name="help",
        kind=Kind.PAGE,
        short="-h",
        shown=Shown.NO,
        help="print a list of the options and exit",
        manual="""
            Print a list of the options and exit.
            """,
    ),
)

BY_NAME = named(OPTIONS)
