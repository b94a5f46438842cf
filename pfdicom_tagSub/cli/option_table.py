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
            The input tree: every file in it, at any depth. If this is a file, that
            file alone. The first argument that belongs to no option is taken for
            it, and the second for the <outputDir>: pfdicom_tagSub IN OUT ...
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
            The output tree. It is created if absent, and so are the directories
            in it that get files. It may lie inside the <inputDir>, and is then not
            read as input; it cannot be the <inputDir> itself. A symbolic link
            below the <outputDir> is never written through.
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
            the text that is written (YES is not a truth value, 0010 not a number).
            In TOML, which has no null, { remove = true } removes an element.

            If the option is given more than once, the files are merged into one
            spec: what a later file says of a key replaces what the earlier ones
            say of the same key. The record names each file with its digest.
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
            The spec as delimited text, where JSON is hard to quote:

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
        help="the profile of PS3.15 Annex E to apply below the spec: basic, and its options",
        manual="""
            Apply a profile below the spec, which may then be left out: every key
            of the spec is stronger. The name is basic. The options, with the names
            of PS3.15 Annex E, keep or do more:

                retainSafePrivate               private elements known to be safe
                retainUIDs                      UIDs as they are
                retainDeviceIdentity            the device
                retainInstitutionIdentity       the institution
                retainPatientCharacteristics    age, sex, size, weight and others
                retainLongitudinalFullDates     dates and times as they are
                retainLongitudinalModifiedDates dates, moved by a number of days
                                                that differs between patients
                cleanDescriptors                descriptions without identifiers
                cleanStructuredContent          structured reports likewise
                cleanGraphics                   graphic annotations likewise
                cleanPixelData                  pixels, burned-in text blackened
                                                with all methods of --cleanPixels

            See PROFILES for what no option does.
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
        help="blacken burned-in text by these methods: regions, devices, text",
        manual="""
            Blacken text that is burned into the pixels. The methods:

                regions  in ultrasound, everything outside of the regions that
                         the file names (SequenceOfUltrasoundRegions)
                devices  the places where devices write, by the masks in the
                         package and those of --pixelMasks
                text     text that a detector finds on any frame, whatever it
                         says

            Only what is blackened changes, frame by frame. All other pixels stay
            the same to the bit; this is checked before the output gets its name,
            even without --verify. In JPEG baseline and extended (8 bits) the
            blocks under a mask are replaced without decoding; frames of RLE,
            JPEG 2000 and JPEG-LS are decoded and encoded again without loss.
            Lossless JPEG, JPEG of 12 bits and HTJ2K get another lossless transfer
            syntax; what none can be made for becomes Explicit VR Little Endian
            (JPEG 2000 of less than 32 pixels, RLE of 1 or 32 bits). A file with a
            mask fails if its pixels are compressed in another way, or are a video.

            Files that were cleaned say so: BurnedInAnnotation is NO, and the code
            113101 and a text are added to what says how they were de-identified.
            The record lists them under pixelsCleaned, and under pixelReview the
            files that a person still has to look at. No method finds handwriting,
            faces, or text that nobody foresaw. --cleanPixels needs numpy (the extra
            pixels). The option cleanPixelData of a profile means all methods.
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
            expression), missing, present and not. Case is ignored. A rectangle is
            x, y, width and height in pixels, from the top left. All masks that
            fit are applied together. "kind": "review" without rectangles names
            files that a person has to see. With "replaces": true beside "masks"
            the masks of the package are not used.
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
            Which files --cleanPixels cleans: review, the default, means those that
            the record would list under pixelReview; all means all.
            """,
    ),
    Option(
        name="maskAllFrames",
        field="mask_all_frames",
        kind=Kind.SWITCH,
        group=Group.SPEC,
        help="blacken text that --cleanPixels finds on one frame on all frames",
        manual="""
            What the method text of --cleanPixels finds on one frame is blackened
            on all frames of the file, and not only on those where it was found.
            """,
    ),
    Option(
        name="printSpec",
        field="print_spec",
        kind=Kind.SWITCH,
        group=Group.SPEC,
        shown=Shown.NO,
        help="print the resulting spec as JSON, and exit",
        manual="""
            Print the spec that results from --profile, --keepPrivate and the spec,
            as JSON, and exit. It can be edited and given back with --tagFile.
            """,
    ),
    Option(
        name="importRules",
        field="import_rules",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        shown=Shown.NO,
        help="print a spec made from another tool's rules (CTP, deid, dicom-anonymizer), and exit",
        manual="""
            Print a spec that is made from the rules in a file, and exit. The file
            is a script of the DicomAnonymizer of RSNA's CTP, a recipe of
            pydicom/deid, or a JSON dictionary of dicom-anonymizer. Rules without
            an equivalent are listed on standard error with their lines and
            reasons; the exit code is then 1. The other tools change the top level
            of a data set only, and a spec every depth.
            """,
    ),
    Option(
        name="importMasks",
        field="import_masks",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        shown=Shown.NO,
        help="with --importRules, write the masks of pixels in the rules to this file",
        manual="""
            With --importRules, write the masks of pixels that are in a recipe of
            deid to this file, in the form that --pixelMasks reads. Without this
            option they are listed among the rules that have no equivalent.
            """,
    ),
    Option(
        name="keyFile",
        field="key_file",
        kind=Kind.FILE,
        value="<file>",
        group=Group.SPEC,
        shown=Shown.HIDDEN,
        help="a file of at least 16 bytes, the secret key of pseudonyms",
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

            is used as %_shout|1_PatientComments. The Python file is run here and
            by every worker, so give only one that you trust. A function has to be
            pure, since its results are remembered. An exception fails the DICOM
            file; the record has its type and the function, and no value. The
            record (specParts) names the functions that the spec uses, each with
            the SHA-256 of its file. A package offers functions by entry points of
            the group pfdicom_tagSub.functions that have the functions' names.
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
            are ignored). The <name> consists of letters, digits, underscores and
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
            List all values of the files that the run opens and the lookup tables
            lack, in a CSV file with the columns table, original and replacement;
            the last is empty, to be filled in. The list is written when the run
            ends, also with --dryRun, and whatever --lookupMiss says. It holds
            originals, so only its owner can read it, and it has to lie outside of
            both trees.
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
            most 38 characters, instead of pydicom's. With another root, a UID
            becomes a different one.
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
            The character set of files that do not declare one: those without a
            Specific Character Set, or with one that is none of the standard's
            (such as 'Not Supplied'). Without this option such a file fails if it
            holds more than ASCII and a new or a cleaned text depends on it. Text
            that is not valid in the character set that its file declares is read
            in this one, too. The term is one of PS3.3 C.12.1.1.2, such as
            'ISO_IR 100' (Latin-1) or 'ISO_IR 192' (UTF-8), or several, separated
            by backslashes. The outputs of files that declare none declare it.
            Usual spellings of known terms, such as 'ISO IR 100' or 'utf8', are
            understood without this option.
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
            Name the outputs by a template in the language of the spec, which is
            evaluated on the original data set, such as

                --outputFileStem '%_md5|7_PatientID-%InstanceNumber'

            The extension of the input is kept if it is one of DICOM files (.dcm,
            .ima, .dicom, ...). The result is made safe as a file name, also on
            Windows and on a command line: no value can lead outside its output
            directory. If two inputs would get the same name, the second one
            fails, and nothing is overwritten.
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
            Name the directories of the outputs below the <outputDir> by a template
            in the language of the spec, which is evaluated on the original data
            set, such as

                --outputDirTemplate '%_hmac|8_PatientID/%StudyDate/%Modality'

            A '/' in the template separates directories, one in a value does not.
            Each part is made safe as with --outputFileStem. If two inputs would
            get the same path, the second one fails, and nothing is overwritten.
            It excludes --outputLeafDir.
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
            would be done: for each keyword how many elements at which depths of
            sequences, what is done to them, how many different values they have
            before and after, and an example of a result; the identifying
            attributes of PS3.15 Table E.1-1 that are present and stay as they
            are; the keys of the spec that hit nothing; modalities, SOP classes
            and transfer syntaxes. With --json only the record is printed, which
            then has all of this.

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
            Write a report when the run ends. If the name of the <file> ends in
            .html, it is a page for people, which needs nothing but a browser; if
            it ends in .json, it is the record with the survey of --dryRun. The
            option may be repeated. The file is written whole or not at all. Since
            it names files by their paths, only its owner can read it. It cannot
            lie in the <inputDir>. If it cannot be written there, the run ends
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
            When the run ends, write a page with the pictures of every file that
            was cleaned (--cleanPixels) or that the record lists under pixelReview:
            the first, the middle and the last frame and the maximum over all
            frames, windowed as the file asks, with the rectangles that were
            blackened and a switch between before and after. The page needs nothing
            but a browser. On it, files are marked as good or bad with the keyboard
            and rectangles drawn with the mouse. Both can be saved, the marks as a
            list of paths for --filesFrom, the rectangles as JSON for --pixelMasks.
            With --dryRun the page shows what would be blackened. It shows
            patients' pictures, so only its owner can read it, and it cannot lie in
            one of the trees. The option needs numpy and Pillow (the extra pixels).
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
            for each keyword, and results that are made of originals. The table and
            the reports are then patients' data; keep them where the originals are.
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
            Process the files that <file> lists, one on each line, instead of all
            below the <inputDir>; '-' reads standard input. Paths are relative to the
            <inputDir>, or absolute and below it:

                find /incoming -name '*.dcm' -newer stamp -print0 |
                    pfdicom_tagSub /incoming /anon --filesFrom - --null ...

            A file that does not exist fails. A file that is named twice is
            processed once. The option excludes the filters and --maxDepth.
            """,
    ),
    Option(
        name="null",
        field="null",
        kind=Kind.SWITCH,
        refines="filesFrom",
        help="a NUL ends each path of --filesFrom, as find -print0 writes them",
        manual="""
            The paths of --filesFrom are ended by NULs, and not by ends of lines.
            """,
    ),
    Option(
        name="archives",
        field="archives",
        kind=Kind.SWITCH,
        help="read the members of zip, tar (gz, bz2, xz) and .dcm.gz files as folders",
        manual="""
            Read archives as if they were folders of the same name: files that end
            in .zip, .tar, .tar.gz, .tgz, .tar.bz2, .tbz2, .tbz, .tar.xz, .txz and
            .dcm.gz. The output of the member s/1.dcm of in/a.zip is
            out/a.zip/s/1.dcm, a file in a directory. Nothing is unpacked to disk;
            a member is in memory while it is processed. Names are made safe, and
            none leads out of the folder. An archive fails if it has more than a
            million members, or if it unpacks to more than 256M and to more than
            200 times its size. A member fails if it has more than 1G (see
            --maxInflated) or is encrypted. Links in archives are skipped, and so
            are archives inside archives. Filters choose archives, not members.
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
            holds; the others are skipped, and counted as notSelected:

                --where "Modality = 'CT' and not SeriesDescription contains 'scout'"

            Operators are = != < <= > >= in contains startsWith endsWith matches,
            present absent empty, combined by and, or, not and brackets. Elements
            are named by keyword or tag; those in a sequence as Sequence[0].Element
            or, in any item, Sequence[*].Element. path is the path of the file
            relative to the <inputDir>. Numbers and dates are compared as such. An
            element with several values passes if one of them does.
            """,
    ),
    Option(
        name="outputLeafDir",
        field="tree.outputLeafDir",
        kind=Kind.TEXT,
        value="<template>",
        help="template of each output directory's last name; %s is the input's, e.g. 'anon-%s'",
        manual="""
            Rename the last component of each output directory by a pattern in
            which %s stands for the name of the input directory, so that

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
        help="accepted for 3.1.1; the paths in the --json record are always relative",
        manual="""
            Accepted, since commands for 3.1.1 have it, and has no effect. The
            paths in the record are always relative to the <inputDir>.
            """,
    ),
    Option(
        name="followLinks",
        field="tree.followLinks",
        kind=Kind.SWITCH,
        help="follow symbolic links to files and directories; they are skipped without it",
        manual="""
            Follow symbolic links to files and to directories. The files of a
            directory have outputs under each name that leads to it. A link to a
            directory above itself is reported and not followed. Without this flag
            links are skipped, and a warning tells of those to directories. FIFOs,
            sockets and devices are never opened.
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
            it the file fails. So the same command can run every night.
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
            replaced in it. report, the default, names the elements (never the
            values) in the record under residuals, and warns at the end. fail
            fails the file, so there is no output, not even one of an earlier run.
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
            What becomes of files whose pixels a person has to see, that is, those
            that the record lists under pixelReview. With list, the default, they
            are written like all others. With hold they are written below the
            --holdDir instead of the <outputDir>, under the same relative path, and
            count as held. With fail they fail, and have no output. With hold and
            fail an output of an earlier run is removed from the <outputDir> if the
            --ledger or --overwrite allows this; otherwise the file fails. hold and
            fail need a --profile or --cleanPixels, since without them no such file
            is looked for.
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
            How large a deflated data set, or a member of an archive, may become:
            in bytes, or with K, M, G or T, such as 8G. What becomes larger fails.
            Without this option the limit for data sets is 4G, and beyond 256M also
            200 times what is stored. A data set that does not fit into memory goes
            to a temporary directory (TMPDIR), or to the output directory if there
            is none.
            """,
    ),
    Option(
        name="threads",
        field="tree.threads",
        kind=Kind.WORKERS,
        value="<number>|auto",
        metavar="NUMBER",
        default=0,
        help="how many workers process files, or auto; with 0, the default, there are none",
        manual="""
            Process files with <number> workers, however the files are spread over
            directories. With 0, the default, the command does the work itself (on
            Linux, one worker does it where a detector looks for text, lest its
            crash end the run); auto means one worker for each CPU that the run may
            use. The workers are processes, or threads on a free-threaded Python.
            The outputs are the same bytes for every number.
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
            Process the files with the workers of a Dask cluster, and not on this
            machine. The <address> is that of its scheduler, HOST:PORT or
            tls://HOST:PORT. It needs the package distributed (the extra dask) here
            and on every worker, the same versions of pfdicom_tagSub, pydicom, Faker
            and Python everywhere, and the <inputDir> and the <outputDir> under the
            same paths on every worker. The outputs are the same bytes as without.

            The rules go to the workers with the work. The files of --keyFile and
            --lookupTable do not: every worker reads them itself, from the same
            paths. If a worker does not find them, or finds others, the run ends. If
            a worker is lost, others do its files again. If there is no worker, the
            run waits for 300 seconds (Dask's setting
            pfdicom-tagsub.workers-timeout).
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
            rules. They pass through the memory of the scheduler, and unencrypted
            over the network unless the <address> begins with tls://.
            """,
    ),
    Option(
        name="threadsSplit",
        field="tree.threadsSplit",
        kind=Kind.NUMBER,
        value="<level>",
        default=1,
        shown=Shown.NO,
        help="accepted, since other commands of the family have it; has no effect",
        manual="""
            Accepted, since other commands of the family have it. It has no effect,
            since the work is divided by file.
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
        help="an SQLite file that lists what is done, to be skipped next time",
        manual="""
            Keep a list of what is done in an SQLite file, and do not open again
            what is on it. An input is done if its path, size and time of last
            change are those of the list, and so are the rules (spec, profile,
            tables, templates of paths, --verify), the key and the tool, and its
            output is still there with the size and time with which it was left.
            Such a file counts as current; its elements are not counted. A file that
            is not DICOM is not opened again either, and counts as skipped.

            An input that changed is done again, and if the rules change, all inputs
            are. The output is replaced without --overwrite if the ledger lists it
            and nobody changed it since. An earlier output under another name (see
            --outputFileStem) stays where it is. If outputs are named by templates,
            a DICOMDIR is always done again.

            Outputs are on the disk before the ledger lists them. One run at a time
            uses a ledger; a second one ends at once with exit code 2, and so does a
            run whose ledger is damaged or cannot be written. If the ledger fails in
            the middle of a run, the run goes on without it, and the exit code is 1.
            The ledger holds the paths of inputs, so only its owner can read it, and
            it has to lie outside of both trees. A symbolic link, or a file that
            others may write to, is refused. With --dryRun the ledger is not
            written, and is read for --prune alone.
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
            When all else is done, remove the outputs whose inputs are gone, such
            as those of a patient who withdrew consent. An output is removed only
            if the --ledger lists it and it is as it was left. Directories that are
            empty afterwards are removed, too. The record lists the outputs under
            orphans. An output that was changed since stays, and the exit code is
            1. With --dryRun the outputs are listed and stay. Without --prune they
            are listed, with a warning. If the <inputDir> holds no file at all,
            nothing is removed: perhaps it is not mounted.
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
            ends in .csv or .sqlite, with the columns attribute, original and new.
            It has a row for each original PatientID, AccessionNumber,
            StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID, and for each
            path of an input (the attribute Path). What earlier runs wrote stays in
            it. If a value was removed or emptied, the new one is empty.

            Whoever has the table knows who the patients are. Only its owner can
            read it, and it has to lie outside of both trees. It is replaced as a
            whole when the run ends, even if the run was interrupted. There is a
            warning if different originals became the same new value. With --dryRun
            it is written, too, as the same run without --dryRun would write it.
            With a --ledger, all files are opened if the table does not exist yet.
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
            Append a line of JSON for each file, also for current ones:

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

            On SIGHUP the file is opened again, for logrotate. If the log cannot be
            opened, the run ends at the start with exit code 2; lines that cannot
            be written are counted and reported, with exit code 1. Only its owner
            can read the log, and it has to lie outside of both trees. A symbolic
            link is not followed, except /dev/stdout and the like; a file that
            others may write to is refused.
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
