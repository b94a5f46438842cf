"""The functions that a directive may name, each registered with all that the rest asks of it.

To add one, write a function that takes a :class:`Call` and register it in ``FUNCTIONS``;
the manual and the error messages follow from the registry. What is slow to load is
imported where it is needed, since ``--man`` needs the registry alone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from ..core.caches import remembered
from ..core.errors import FileError, SpecError
from ..text.age_limits import limit_age
from ..text.alphabets import HEX, MOST, write_digest
from ..text.date_parts import PARTS, date_part
from ..text.dates import keep_time, shift_date, shift_date_time
from ..text.dummies import NUMBER_BITS, dummy_of
from ..text.padding import without_padding
from ..text.quoting import quoted, shortened

if TYPE_CHECKING:
    from faker import Faker

    from .secret import Secret

MOST_DAYS = 36525
"""By how much ``dateshift`` may move a date: a century."""

STANDARD_ROOT = "1.2.840.10008."
"""What the UIDs that the standard registers begin with (PS3.5 9.1)."""

NOTHING_LEFT = "REMOVED"

_DOMAIN = b"pfdicom_tagSub/"


class Cleaner(Protocol):
    """Takes the identifiers of one file out of its texts."""

    def clean(self, text: str) -> str:
        """The text without them."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What functions use besides the file; the same for a whole run.

    Attributes:
        secret: the secret key; None without one.
        tables: the tables of ``lookup``: name to original to replacement.
        empties_misses: whether a value that its table lacks is emptied; else its file fails.
        uid_root: what new UIDs begin with; "" for pydicom's root.
        keeps_misses: whether a value that its table lacks stays instead.
    """

    secret: Secret | None = field(default=None, repr=False)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    empties_misses: bool = False
    uid_root: str = ""
    keeps_misses: bool = False
    _by_person: dict[str, dict[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, table in self.tables.items():
            self._by_person[name] = _by_significance(table)

    def replacement(self, name: str, vr: str, text: str) -> str | None:
        """What a table has for a value, whatever padding either of the two has; None for nothing.

        Args:
            name: the table.
            vr: the VR of the value.
            text: the value.
        """
        table = self.tables.get(name, {})
        for spelling in dict.fromkeys((text, without_padding("", text), without_padding(vr, text))):
            if (found := table.get(spelling)) is not None:
                return found
        return self._by_person.get(name, {}).get(without_padding(vr, text)) if text else None


def _by_significance(table: Mapping[str, str]) -> dict[str, str]:
    """The rows of a table that have padding, or empty components of a PN, by what is left without it.

    Rows that would be one then, and replace by different texts, are left to their exact spelling.
    """
    found: dict[str, str | None] = {}
    for original, replacement in table.items():
        for vr in ("", "PN"):
            spelling = without_padding(vr, original)
            if spelling != original and found.setdefault(spelling, replacement) != replacement:
                found[spelling] = None
    return {spelling: replacement for spelling, replacement in found.items() if replacement is not None}


NO_RESOURCES = Resources()


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a function on one value.

    Attributes:
        text: the value to transform; "" when it is empty or its element is absent, or
            when its VR holds no text.
        stored: the same value's bytes, see :class:`~pfdicom_tagSub.dicom.values.Value`.
        arguments: the arguments as the spec has them, ``__`` undone.
        seed: the value of the element that an argument names; None when there is none
            or the file lacks it.
        seed_text: all of that element's text without padding; None likewise.
        vr: the VR of the value; "" where it is not known.
        resources: the secret key and the tables.
        cleaner: knows the identifiers of the file; None where nothing is cleaned.
        lossless: the text with bytes kept that have no character, see ``Value``; "" without such bytes.
        target: the VR that the dictionary has for the element hit; "" where there is none.
    """

    text: str
    stored: bytes
    arguments: tuple[str, ...]
    seed: bytes | None = None
    seed_text: str | None = None
    vr: str = ""
    resources: Resources = NO_RESOURCES
    cleaner: Cleaner | None = None
    lossless: str = ""
    target: str = ""

    @property
    def significant(self) -> str:
        """The text without what is padding: values that differ in that alone are one, and no others.

        The functions of 3.1.1 take the text as it is, for studies depend on their results.
        """
        return without_padding(self.vr, self.lossless or self.text)


class SecretUse(Enum):
    """Whether a function uses the secret key; one that is ``USED`` does less without it."""

    NONE = auto()
    USED = auto()
    REQUIRED = auto()


def _no_problem(arguments: tuple[str, ...], resources: Resources) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a directive may name.

    Attributes:
        name: how a spec names it.
        usage: how a directive with it looks, for the manual and messages.
        meaning: what it does, for the manual.
        run: the function itself. Raises FileError where the file must not be written.
        check: says what is wrong with the arguments; "" if nothing is.
        seeded: whether its first argument names the element that seeds it.
        find_seed: finds the name of the element that seeds it elsewhere in the arguments; "" for none.
        seeded_on_file: whether that is the element of the whole file, and not the nearest.
        keeps_empty: whether an empty value stays empty without a call.
        secret: whether it uses the secret key.
        find_problem: says what of the resources it misses, and the cure; "" if nothing.
        takes_any: whether its source may be a sequence or hold no text.
        is_whole: whether it is only ever the whole template, on the element hit.
    """

    name: str
    usage: str
    meaning: str
    run: Callable[[Call], str]
    check: Callable[[tuple[str, ...]], str]
    seeded: bool = False
    seeded_on_file: bool = False
    keeps_empty: bool = True
    secret: SecretUse = SecretUse.NONE
    find_problem: Callable[[tuple[str, ...], Resources], str] = _no_problem
    takes_any: bool = False
    is_whole: bool = False
    find_seed: Callable[[tuple[str, ...]], str] | None = None

    def seed_of(self, arguments: tuple[str, ...]) -> str:
        """The element that arguments name as the seed; "" for none."""
        if self.find_seed is not None:
            return self.find_seed(arguments)
        return arguments[0] if self.seeded and arguments else ""


# --- hashes


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _check_nothing(arguments: tuple[str, ...]) -> str:
    return "it takes no argument" if arguments else ""


def _check_digits(arguments: tuple[str, ...], most: int = 32) -> str:
    numbers = {str(number) for number in range(1, most + 1)}
    fits = not arguments or (len(arguments) == 1 and arguments[0].lstrip("0") in numbers)
    return "" if fits else f"it takes one number from 1 to {most}"


def _check_digest(arguments: tuple[str, ...]) -> str:
    alphabet = arguments[1] if len(arguments) > 1 else HEX
    if len(arguments) > 2 or alphabet not in MOST:
        return f"it takes one number from 1 to {MOST[HEX]}, and perhaps an alphabet: {', '.join(MOST)}"
    has_number = len(arguments) == 1 or (len(arguments) == 2 and bool(arguments[0]))
    return _check_digits(arguments[:1], MOST[alphabet]) if has_number else ""


def _written(digest: bytes, call: Call) -> str:
    """A digest as the arguments ask for: how many characters, in which alphabet."""
    number = call.arguments[0] if call.arguments else ""
    alphabet = call.arguments[1] if len(call.arguments) > 1 else HEX
    return write_digest(digest, alphabet, int(number or 0))


def _cut(digits: str, call: Call) -> str:
    return digits[: int(call.arguments[0])] if call.arguments else digits


def _sha256_of(data: bytes) -> bytes:
    from hashlib import sha256  # noqa: PLC0415  (see the top)

    return sha256(data).digest()


def _md5(call: Call) -> str:
    from hashlib import md5  # noqa: PLC0415  (see the top)

    return _cut(md5(_bytes(call.text), usedforsecurity=False).hexdigest(), call)


def _sha256(call: Call) -> str:
    text = call.significant
    return _written(_sha256_of(_bytes(text)), call) if text else ""


NO_KEY = "it needs the secret key; give it with --keyFile FILE or in the variable PFDICOM_TAGSUB_KEY"


def _find_missing_key(arguments: tuple[str, ...], resources: Resources) -> str:  # noqa: ARG001
    return "" if resources.secret else NO_KEY


def _hmac(call: Call) -> str:
    secret = call.resources.secret
    if secret is None:
        raise FileError("the function hmac has no secret key")
    text = call.significant
    return _written(secret.digest("hmac", _bytes(text)), call) if text else ""


def _digest(secret: Secret | None, use: str, text: str) -> bytes:
    """32 bytes for a text: under the subkey of the use, or without a key but for this use alone."""
    if secret is not None:
        return secret.digest(use, _bytes(text))
    return _sha256_of(_DOMAIN + use.encode() + b"\0" + _bytes(text))


# --- UIDs


@remembered(most=1 << 14)
def _new_uid(secret: Secret | None, text: str, root: str) -> str:
    """The UID for another; those of a study are in each of its files, so they are kept."""
    from pydicom.uid import generate_uid  # noqa: PLC0415  (see the top)

    if text.startswith(STANDARD_ROOT):  # SOP classes and the like (PS3.6 annex A) name nobody
        return text
    sources = [_digest(secret, "uid", text).hex()]
    return str(generate_uid(f"{root}.", sources) if root else generate_uid(entropy_srcs=sources))


def _uid(call: Call) -> str:
    uid = call.significant  # a reference to it may lack the padding
    return _new_uid(call.resources.secret, uid, call.resources.uid_root) if uid else ""


ROOT_MOST = 38
"""With a longer root too few digits would be left for UIDs to differ: 64 may a UID have (PS3.5 9.1)."""

_ROOT = re.compile(r"(0|1|2)(\.(0|[1-9][0-9]*))+")


def check_uid_root(root: str) -> None:
    """Check what new UIDs shall begin with; "" is pydicom's root.

    Raises:
        SpecError: it is no root of UIDs.
    """
    if not root:
        return
    origin = f"--uidRoot {shortened(root)}"
    if not _ROOT.fullmatch(root):
        raise SpecError(f"{origin}: a root is numbers with dots between, such as 1.2.826.0.1.3680043.8.498")
    if len(root) > ROOT_MOST:
        raise SpecError(
            f"{origin}: it has more than {ROOT_MOST} characters, which leaves too few for the rest"
        )
    if f"{root}.".startswith(STANDARD_ROOT):
        raise SpecError(f"{origin}: below it are the UIDs of the standard itself; give a root of your own")


# --- dates


def _check_shift(arguments: tuple[str, ...]) -> str:
    days = arguments[1].lstrip("0") if len(arguments) == 2 and arguments[0] else ""
    if days.isascii() and days.isdigit() and len(days) <= 5 and int(days) <= MOST_DAYS:
        return ""
    return f"it takes an element that seeds it and a number of days from 1 to {MOST_DAYS}"


def _date_shift(call: Call) -> str:
    digest = _digest(call.resources.secret, "dateshift", call.seed_text or "")
    return _moved_back(call, 1 + int.from_bytes(digest, "big") % int(call.arguments[1]))


def _moved_back(call: Call, days: int) -> str:
    """A date by so many days earlier, in the form that it has."""
    match call.vr:
        case "DA":
            return shift_date(call.text, days)
        case "DT":
            return shift_date_time(call.text, days)
        case "TM":
            return keep_time(call.text)
        case "" | "UN":
            return shift_date(call.text, days) or shift_date_time(call.text, days) or _shift_text(call, days)
        case _:
            return _shift_text(call, days)


def _shift_text(call: Call, days: int) -> str:
    """A date or a time under a VR that has none by itself, as LO; "" where the text is more than that."""
    from ..text.date_texts import is_time, shift_text  # noqa: PLC0415  (its patterns are for odd files alone)

    return call.text if is_time(call.text) else shift_text(call.text, days)


_DAYS = re.compile(r"[+-]?[0-9]{1,5}")


def _days_of(text: str) -> int | None:
    """A number of days by which ``shift`` may move a date; None where a text is none."""
    text = text.strip()
    days = int(text) if _DAYS.fullmatch(text) else MOST_DAYS + 1
    return days if abs(days) <= MOST_DAYS else None


def _check_fixed_shift(arguments: tuple[str, ...]) -> str:
    is_number = bool(arguments) and _DAYS.fullmatch(arguments[0])
    if len(arguments) == 1 and (_days_of(arguments[0]) is not None if is_number else arguments[0]):
        return ""
    if len(arguments) == 2 and all(arguments) and not is_number:
        return ""
    return (
        f"it takes a number of days from -{MOST_DAYS} to {MOST_DAYS}, or the name of a table and perhaps the "
        "element that is looked up in it"
    )


def _shift_seed(arguments: tuple[str, ...]) -> str:
    if len(arguments) > 1:
        return arguments[1]
    return "" if _DAYS.fullmatch(arguments[0]) else "patientID"


def _find_missing_days(arguments: tuple[str, ...], resources: Resources) -> str:
    name = arguments[0]
    if _DAYS.fullmatch(name):
        return ""
    if problem := _find_missing_table(arguments, resources):
        return problem
    if any(_days_of(days) is None for days in resources.tables[name].values()):
        return (
            f"in the table {name} some replacement is no number of days from -{MOST_DAYS} to {MOST_DAYS}; "
            "their unit is the day, and a plus or minus may stand before them"
        )
    return ""


def _fixed_shift(call: Call) -> str:
    name = call.arguments[0]
    if _DAYS.fullmatch(name):
        return _moved_back(call, -int(name))
    found = call.resources.replacement(name, "", call.seed_text) if call.seed_text else None
    if found is None:
        if call.resources.empties_misses or call.resources.keeps_misses:
            return call.text if call.resources.keeps_misses else ""
        raise FileError(f"the lookup table {name}, which has the days of dates, lacks a value of the file")
    return _moved_back(call, -int(found))


def _check_part(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) == 1 and arguments[0] in PARTS else f"it takes one of {', '.join(PARTS)}"


def _date_part(call: Call) -> str:
    return date_part(call.text, call.arguments[0], is_date=call.target in {"DA", "DT"})


def _check_age(arguments: tuple[str, ...]) -> str:
    is_age = len(arguments) == 1 and re.fullmatch("[0-9]{1,3}", arguments[0]) and int(arguments[0]) < 999
    return "" if is_age else "it takes one age in years, such as 89"


def _age_cap(call: Call) -> str:
    return limit_age(call.text, int(call.arguments[0]))


# --- tables


def _check_table(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) == 1 and arguments[0] else "it takes the name of one table"


def _find_missing_table(arguments: tuple[str, ...], resources: Resources) -> str:
    name = arguments[0]
    if name in resources.tables:
        return ""
    known = f"the tables are {', '.join(resources.tables)}" if resources.tables else "no table is given"
    return f"unknown table {quoted(name)}: {known}; give it with --lookupTable {name}=FILE.csv"


def _lookup(call: Call) -> str:
    name = call.arguments[0]
    if not call.significant:
        return ""
    replacement = call.resources.replacement(name, call.vr, call.lossless or call.text)
    if replacement is None:
        if call.resources.empties_misses or call.resources.keeps_misses:
            return call.text if call.resources.keeps_misses else ""
        raise FileError(f"the lookup table {name} lacks a value of the file")
    return replacement


# --- texts


def _mask(call: Call) -> str:
    return "".join(
        own if mask == "*" else mask for own, mask in zip(call.text, call.arguments[0], strict=False)
    )


def _check_mask(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) == 1 and arguments[0] else "it takes one mask, such as ******01"


def _join_words(call: Call) -> str:
    words = re.sub(r"\W+", " ", call.text).split()
    return (call.arguments[0] if call.arguments else "").join(words)


def _check_joiner(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) <= 1 else "it takes at most one text to join the words with"


def _split_pattern(arguments: tuple[str, ...]) -> tuple[str, str]:
    """The pattern, in which the sign between arguments may stand, and the replacement."""
    return "|".join(arguments[:-1]), arguments[-1]


def _check_pattern(arguments: tuple[str, ...]) -> str:
    from ..text.patterns import find_problem  # noqa: PLC0415  (for specs with patterns alone)

    if len(arguments) < 2 or not arguments[0]:
        return "it takes a pattern and a replacement"
    return find_problem(*_split_pattern(arguments))


def _rewrite(call: Call) -> str:
    from ..text.patterns import PatternError, rewrite  # noqa: PLC0415  (as above)

    try:
        return rewrite(call.text, *_split_pattern(call.arguments))
    except PatternError as error:
        raise FileError(f"the function regex failed: {error}") from None


def _keep(call: Call) -> str:
    return call.text


def _empty(call: Call) -> str:  # noqa: ARG001
    return ""


def _clean(call: Call) -> str:
    """The cleaned text; a constant where nothing is left, as the element may have to hold something."""
    if call.cleaner is None or not call.text:
        return ""
    return call.cleaner.clean(call.text) or NOTHING_LEFT


def _dummy(call: Call) -> str:
    if call.vr == "UI":
        return _uid(call)  # what refers to it has to find it
    secret = call.resources.secret
    number = 0
    is_seeded = bool(call.arguments)
    if secret is not None and (call.seed_text or not is_seeded):
        # What is equal in two patients must not be equal afterwards; no single value holds a backslash.
        told = f"{call.seed_text}\\{call.significant}" if is_seeded else call.significant
        digest = secret.digest("dummy", _bytes(told))
        number = int.from_bytes(digest[: NUMBER_BITS // 8], "big")
    return dummy_of(call.vr, call.text, number)


# --- names

_local = threading.local()


def _faker() -> Faker:
    """One Faker per thread: an instance is not safe to share, and the global seed less so."""
    if not hasattr(_local, "faker"):
        from faker import Faker  # noqa: PLC0415  (slow: only for specs that make names)

        # With its names alone it is made at once; all its providers take a while.
        _local.faker = Faker("en_US", providers=["faker.providers.person"])
    faker: Faker = _local.faker
    return faker


@remembered(most=4096)
def pseudonym(seed: bytes) -> str:
    """The made-up name of a seed, ``LAST^FIRST^ANON``, as 3.1.1 made it (behaviour-3.1.1 A.5).

    Args:
        seed: the bytes of the seed value; they are read as a little-endian number.
    """
    faker = _faker()
    faker.seed_instance(int.from_bytes(seed, "little"))
    first, last = faker.name().split()[:2]
    return f"{last.upper()}^{first.upper()}^ANON"


def _name(call: Call) -> str:
    return pseudonym(call.stored if call.seed is None else call.seed)


def _check_seed(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) <= 1 else "it takes at most one element to seed the name with"


def prepare(names: Iterable[str]) -> None:
    """Load what functions need, so that forked workers need not each."""
    if "name" in names:
        _faker()


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(
            "md5",
            "%_md5|n_Tag",
            "the first n hex digits of the MD5 of the value's text in UTF-8; all 32 without |n. Whoever "
            "can try all numbers of a hospital finds the one behind it: hmac keeps them out",
            _md5,
            _check_digits,
        ),
        Function(
            "sha256",
            "%_sha256|n_Tag",
            "the first n hex digits of the SHA-256 of the value's text in UTF-8; all 64 without |n. It "
            "hides a number no better than md5",
            _sha256,
            _check_digest,
        ),
        Function(
            "hmac",
            "%_hmac|n_Tag",
            "the first n hex digits of the HMAC-SHA-256 of the value's text in UTF-8 under the secret key; "
            "all 64 without |n. It needs the key. With 16 digits, no two of millions of values meet. Another "
            "alphabet is written after n, here and for sha256: base32 (at most 52 characters) or HEX, whose "
            "capital letters and digits may be File IDs, as in %_hmac|8|base32_SOPInstanceUID, or digits "
            "(at most 32), as in %_hmac|12|digits_PatientID",
            _hmac,
            _check_digest,
            secret=SecretUse.REQUIRED,
            find_problem=_find_missing_key,
        ),
        Function(
            "strmsk",
            "%_strmsk|mask_Tag",
            "the value through a mask: each * keeps the character at its place, any other character "
            "replaces it; the result is as long as the shorter of the two",
            _mask,
            _check_mask,
        ),
        Function(
            "nospc",
            "%_nospc|c_Tag",
            "the words of the value joined with c (with nothing without |c); a word is a run of letters, "
            "digits and underscores",
            _join_words,
            _check_joiner,
        ),
        Function(
            "name",
            "%_name|seedTag_Tag",
            "a made-up name, LAST^FIRST^ANON, the same for the same value of the element seedTag, whose "
            "first letter is written small (patientID); seeded on the value of Tag itself without "
            "|seedTag or where the file lacks that element",
            _name,
            _check_seed,
            seeded=True,
            keeps_empty=False,
        ),
        Function(
            "uid",
            "%_uid_Tag",
            "a new UID, the same for the same UID in every file, at most 64 characters long; UIDs that the "
            "standard registers, such as those of SOP classes, stay. It uses the secret key where one is "
            "given; without it, whoever has a UID can find its new one",
            _uid,
            _check_nothing,
            secret=SecretUse.USED,
        ),
        Function(
            "dateshift",
            "%_dateshift|seedTag|days_Tag",
            "the date moved back by 1 to days (at most 36525) whole days, by the same number for the same "
            "value of the element seedTag (patientID), so that intervals stay. That value is the one of the "
            "data set itself, or of the patient's record in a DICOMDIR, whatever an item holds. DA, DT and a "
            "text that is wholly a date are moved; a DT keeps its precision, its time and its offset, a TM "
            "stays as it is, and what is no valid date or time is emptied. It uses the secret key where one "
            "is given; without it, whoever has the value of seedTag can find the number of days",
            _date_shift,
            _check_shift,
            seeded=True,
            seeded_on_file=True,
            secret=SecretUse.USED,
        ),
        Function(
            "shift",
            "%_shift|days_Tag",
            "the date moved by days, later or with a minus earlier, as in %_shift|-30_StudyDate; "
            "or by the days that a --lookupTable has for the PatientID, as in %_shift|table_StudyDate, "
            "or for another element, as in %_shift|table|accessionNumber_StudyDate. What is a date, and "
            "what becomes of all else, is as with dateshift; --lookupMiss says what becomes of dates of whom "
            "the table lacks",
            _fixed_shift,
            _check_fixed_shift,
            find_seed=_shift_seed,
            seeded_on_file=True,
            find_problem=_find_missing_days,
        ),
        Function(
            "datepart",
            "%_datepart|part_Tag",
            "the year, quarter or month of a date: in a DA or DT its first day, so that "
            "%_datepart|month_StudyDate makes 20240501 of 20240517; elsewhere 2024, 2024-Q2 or 2024-05. What "
            "is no date, or does not say, is emptied",
            _date_part,
            _check_part,
        ),
        Function(
            "agecap",
            "%_agecap|years_Tag",
            "the age, but one year more than the years where it is greater: %_agecap|89_PatientAge makes "
            "090Y of all from 090Y on, as 45 CFR 164.514 (HIPAA Safe Harbor) asks for. What is no age is "
            "emptied",
            _age_cap,
            _check_age,
        ),
        Function(
            "regex",
            "%_regex|pattern|new_Tag",
            "the value with the replacement where the Python regular expression matches; \\1 "
            "is its first group. %_regex|^(....).*|\\1_AccessionNumber keeps four characters. The last "
            "argument is the replacement, so a | may stand in the pattern; an underscore is written twice. "
            "A value in which nothing matches stays as it is",
            _rewrite,
            _check_pattern,
        ),
        Function(
            "lookup",
            "%_lookup|table_Tag",
            "the replacement of the value in the table that --lookupTable names so; --lookupMiss says what "
            "becomes of a value that the table lacks",
            _lookup,
            _check_table,
            find_problem=_find_missing_table,
        ),
        Function(
            "keep",
            "%_keep_#tag",
            "leaves the element as it is: the way to exempt one from a profile or from a pattern. It "
            "stands alone, on the element hit. Keys that hit elements inside a kept sequence still work",
            _keep,
            _check_nothing,
            takes_any=True,
            is_whole=True,
        ),
        Function(
            "empty",
            "%_empty_#tag",
            'empties the element where a file has it and never inserts it, as "" does. It stands alone, '
            "on the element hit",
            _empty,
            _check_nothing,
            takes_any=True,
            is_whole=True,
        ),
        Function(
            "dummy",
            "%_dummy|seedTag_#tag",
            "a value that the VR allows and that is not the original; for a UID the same as uid. With the "
            "secret key it is the same for the same value and the same value of the element seedTag "
            "(patientID), so that it links no two patients; without |seedTag, the same for the same value. "
            "It differs between values as far as the VR has room. Without the key, or where the file lacks "
            "seedTag, it is one constant per VR",
            _dummy,
            _check_seed,
            seeded=True,
            seeded_on_file=True,
            secret=SecretUse.USED,
            takes_any=True,
        ),
        Function(
            "clean",
            "%_clean_#tag",
            "the text without the values that the same file holds in elements which the spec removes or "
            "replaces: names by their parts, numbers, dates in the usual notations; and without ages over "
            "89. A sequence is kept, and keys that hit elements inside it still work; a private element that "
            "is no text is kept, too",
            _clean,
            _check_nothing,
            takes_any=True,
        ),
    )
}
