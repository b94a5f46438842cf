"""What the manual says after the options: exit codes, the record, examples."""

from __future__ import annotations

EPILOGUE = """
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
