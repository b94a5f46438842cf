"""What the manual says before the options: what the command does, the spec, the secret, the profiles."""

from __future__ import annotations

DESCRIPTION = """
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
        does the same to the values of a text. With {"each": {...}} the items
        stay, and the pairs of the object apply to what is in them, at every
        depth; they are stronger than all keys outside of the object.

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
