"""The functions that a directive may name, each registered with all that the rest asks of it.

To add one, write a function that takes a :class:`~pfdicom_tagSub.spec.function_types.Call` in the
module of its kind and register it here; the manual and the error messages follow from the
registry. What is slow to load is imported where it is needed, since ``--man`` needs the registry
alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import ctp_functions as ctp
from . import date_functions as dates
from . import hash_functions as hashes
from . import text_functions as texts
from .function_types import Function, SecretUse


def prepare(names: Iterable[str]) -> None:
    """Load what functions need, so that forked workers need not each."""
    if "name" in names:
        texts.load_names()


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(
            "md5",
            "%_md5|n_Tag",
            "the first n hex digits of the MD5 of the value's text in UTF-8; all 32 without |n. Whoever "
            "can try all numbers of a hospital finds the one behind it; with hmac, nobody can",
            hashes.md5,
            hashes.check_digits,
        ),
        Function(
            "sha256",
            "%_sha256|n_Tag",
            "the first n hex digits of the SHA-256 of the value's text in UTF-8; all 64 without |n. It "
            "hides a number no better than md5",
            hashes.sha256,
            hashes.check_digest,
        ),
        Function(
            "hmac",
            "%_hmac|n_Tag",
            "the first n hex digits of the HMAC-SHA-256 of the value's text in UTF-8 with the secret key, "
            "which it needs; all 64 without |n. With 16 digits, millions of values have different results. "
            "Here and in sha256 another alphabet may follow n: base32 (at most 52 characters) or HEX, whose "
            "capital letters and digits may be in File IDs, as in %_hmac|8|base32_SOPInstanceUID, or digits "
            "(at most 32), as in %_hmac|12|digits_PatientID",
            hashes.hmac,
            hashes.check_digest,
            secret=SecretUse.REQUIRED,
            find_problem=hashes.find_missing_key,
        ),
        Function(
            "strmsk",
            "%_strmsk|mask_Tag",
            "the value seen through a mask: each * keeps the character at its place, and any other "
            "character replaces it; the result is as long as the shorter of the two",
            texts.mask,
            texts.check_mask,
        ),
        Function(
            "nospc",
            "%_nospc|c_Tag",
            "the words of the value joined with c (with nothing without |c); a word is a run of letters, "
            "digits and underscores",
            texts.join_words,
            texts.check_joiner,
        ),
        Function(
            "name",
            "%_name|seedTag_Tag",
            "a made-up name, LAST^FIRST^ANON, the same for the same value of the element seedTag, whose "
            "first letter is written small (patientID). Without |seedTag, or if the file lacks that "
            "element, it depends on the value of Tag itself",
            texts.name,
            texts.check_seed,
            seeded=True,
            keeps_empty=False,
        ),
        Function(
            "uid",
            "%_uid_Tag",
            "a new UID, the same for the same UID in every file, at most 64 characters long; UIDs that the "
            "standard registers, such as those of SOP classes, stay. It uses the secret key if one is "
            "given; without it, whoever has a UID can compute the new one",
            hashes.uid,
            hashes.check_nothing,
            secret=SecretUse.USED,
        ),
        Function(
            "dateshift",
            "%_dateshift|seedTag|days_Tag",
            "the date moved back by 1 to days (at most 36525) whole days, by the same number for the same "
            "value of the element seedTag (patientID), so that intervals stay. That value is the one at the "
            "top level of the data set, or in the patient's record of a DICOMDIR, whatever an item holds. "
            "DA, DT and a text that is wholly a date are moved; a DT keeps its precision, its time and its "
            "offset, a TM stays as it is, and what is not a valid date or time is emptied. It uses the "
            "secret key if one is given; without it, whoever has the value of seedTag can compute the number "
            "of days",
            dates.date_shift,
            dates.check_date_shift,
            seeded=True,
            seeded_on_file=True,
            secret=SecretUse.USED,
        ),
        Function(
            "shift",
            "%_shift|days_Tag",
            "the date moved by a number of days, to a later date, or with a minus to an earlier one, as in "
            "%_shift|-30_StudyDate; or by the days that a --lookupTable has for the PatientID, as in "
            "%_shift|table_StudyDate, or for another element, as in "
            "%_shift|table|accessionNumber_StudyDate. The same values as with dateshift are moved, stay or "
            "are emptied; --lookupMiss says what becomes of the dates of a patient who is not in the table",
            dates.shift,
            dates.check_shift,
            find_seed=dates.shift_seed,
            seeded_on_file=True,
            find_problem=dates.find_missing_days,
        ),
        Function(
            "datepart",
            "%_datepart|part_Tag",
            "the year, quarter or month of a date: in a DA or DT its first day, so "
            "%_datepart|month_StudyDate makes 20240501 of 20240517; elsewhere 2024, 2024-Q2 or 2024-05. What "
            "is not a date, or lacks that part, is emptied",
            dates.part_of_date,
            dates.check_part,
        ),
        Function(
            "agecap",
            "%_agecap|years_Tag",
            "the age; if it is greater than the years, one year more than these: %_agecap|89_PatientAge "
            "makes 090Y of all ages from 090Y on, as 45 CFR 164.514 (HIPAA Safe Harbor) requires. What is "
            "not an age is emptied",
            dates.cap_age,
            dates.check_age,
        ),
        Function(
            "regex",
            "%_regex|pattern|new_Tag",
            "the value with the replacement where the Python regular expression matches; \\1 "
            "is its first group. %_regex|^(....).*|\\1_AccessionNumber keeps four characters. The last "
            "argument is the replacement, so the pattern may hold a |, which is \\174 in the replacement; an "
            "underscore is written twice. "
            "A value in which nothing matches stays as it is",
            texts.rewrite,
            texts.check_pattern,
        ),
        Function(
            "lookup",
            "%_lookup|table_Tag",
            "the replacement of the value in the table with this name, which --lookupTable gives; "
            "--lookupMiss says what becomes of a value that the table lacks",
            texts.lookup,
            texts.check_table,
            find_problem=texts.find_missing_table,
        ),
        Function(
            "keep",
            "%_keep_#tag",
            "leaves the element as it is, and so exempts it from a profile or a pattern. It is the whole "
            "template. Keys that hit elements inside a kept sequence still work",
            texts.keep,
            hashes.check_nothing,
            takes_any=True,
            is_whole=True,
        ),
        Function(
            "empty",
            "%_empty_#tag",
            'empties the element if a file has it, and never inserts it, while "" does. It is the whole '
            "template",
            texts.empty,
            hashes.check_nothing,
            takes_any=True,
            is_whole=True,
        ),
        Function(
            "dummy",
            "%_dummy|seedTag_#tag",
            "a value that the VR allows and that is not the original; for a UID the same as uid. With the "
            "secret key it is the same if the value and that of the element seedTag (patientID) are the "
            "same, so it does not link one patient to another; without |seedTag, if the value is the same. "
            "Different values get different dummies as far as the VR has room. Without the key, or if the "
            "file lacks seedTag, it is a constant for each VR",
            texts.dummy,
            texts.check_seed,
            seeded=True,
            seeded_on_file=True,
            secret=SecretUse.USED,
            takes_any=True,
        ),
        Function(
            "clean",
            "%_clean_#tag",
            "the text without the values that the same file holds in elements which the spec removes or "
            "replaces (names by their parts, numbers, dates in the usual notations), and without ages over "
            "89. A sequence is kept, and keys that hit elements inside it still work; a private element that "
            "is not text is kept, too",
            texts.clean,
            hashes.check_nothing,
            takes_any=True,
        ),
        Function(
            "ctpHash",
            "%_ctpHash|n_Tag",
            "what CTP's @hash(Tag,n) gives: the first n digits of the MD5 as a decimal number",
            ctp.hash_text,
            ctp.check_length,
        ),
        Function(
            "ctpHashuid",
            "%_ctpHashuid|root_Tag",
            "what CTP's @hashuid(root,Tag) gives: the root, and the MD5 of the UID as a decimal number",
            ctp.hash_uid,
            ctp.check_root,
        ),
        Function(
            "ctpHashptid",
            "%_ctpHashptid|site|n_Tag",
            "what CTP's @hashptid(site,Tag,n) gives: the MD5 of site and value; |n may be left out",
            ctp.hash_patient,
            ctp.check_site,
        ),
        Function(
            "ctpHashname",
            "%_ctpHashname|n|words_Tag",
            "what CTP's @hashname(Tag,n,words) gives, for so many words of a name, or for all",
            ctp.hash_name,
            ctp.check_name,
        ),
        Function(
            "ctpIncrementdate",
            "%_ctpIncrementdate|days_Tag",
            "what CTP's @incrementdate(Tag,days) gives, in a time zone without summer time",
            ctp.increment_date,
            ctp.check_days,
        ),
        Function(
            "ctpModifydate",
            "%_ctpModifydate|year|month|day_Tag",
            "what CTP's @modifydate(Tag,year,month,day) gives; * keeps a part",
            ctp.modify_date,
            ctp.check_parts,
        ),
        Function(
            "ctpRound",
            "%_ctpRound|size_Tag",
            "what CTP's @round(Tag,size) gives: an age rounded to groups of that size",
            ctp.round_age,
            ctp.check_size,
        ),
        Function(
            "ctpInitials",
            "%_ctpInitials_Tag",
            "what CTP's @initials(Tag) gives: the initials of a name, that of the last name last",
            ctp.initials,
            hashes.check_nothing,
        ),
    )
}
