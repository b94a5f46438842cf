"""``--profile`` and ``--keepPrivate`` to the pairs that lie below the spec.

A profile is data: JSON files in ``profiles/``, in the language of the spec, one for the
profile itself and one for each option; ``tables/content-items.json`` has those of all for content items, and
``tables/edition.json`` says which edition of PS3.15 they are. ``tools/make_profiles.py`` makes them.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from importlib import resources

from .._version import COMMAND, __version__
from ..core.bounded import SPEC_MOST, TooLargeError, read_path
from ..core.errors import SpecError
from ..core.system_reasons import why_unread
from ..dicom import dictionary
from ..dicom.free_text import FREE_TEXT_VRS
from ..text.quoting import quoted, shortened
from .keys import TEXT_KEY, KeywordKey, PrivateKey, resolve
from .pairs import Added, Items, Layer, SpecValue, TagSpec
from .parsing import from_pairs, parse_json
from .rules import RuleSet

BASIC = "basic"

OPTIONS: dict[str, tuple[str, str]] = {
    "retainSafePrivate": ("113111", "Retain Safe Private Option"),
    "retainUIDs": ("113110", "Retain UIDs Option"),
    "retainDeviceIdentity": ("113109", "Retain Device Identity Option"),
    "retainInstitutionIdentity": ("113112", "Retain Institution Identity Option"),
    "retainPatientCharacteristics": ("113108", "Retain Patient Characteristics Option"),
    "retainLongitudinalFullDates": (
        "113106",
        "Retain Longitudinal Temporal Information Full Dates Option",
    ),
    "retainLongitudinalModifiedDates": (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    "cleanDescriptors": ("113105", "Clean Descriptors Option"),
    "cleanStructuredContent": ("113104", "Clean Structured Content Option"),
    "cleanGraphics": ("113103", "Clean Graphics Option"),
    "cleanPixelData": ("113101", "Clean Pixel Data Option"),
}
"""Option to its code of PS3.16 CID 7050 and what that means. The order is that in which the
options apply: where one cleans what another keeps, it is cleaned."""

CONTENT_OPTION = "cleanStructuredContent"
"""The option under which Table E.3.4-1 applies."""

PIXEL_OPTION = "cleanPixelData"
"""The option that is no table: a file is stamped with it where its pixels were cleaned."""

TABLE_OPTIONS = tuple(option for option in OPTIONS if option != PIXEL_OPTION)
"""The options that are columns of Table E.1-1."""

BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")
_EXCLUDE = ("retainLongitudinalFullDates", "retainLongitudinalModifiedDates")
_KEEP = "%_keep_#tag"
_CLEAN = "%_clean_#tag"
_FILE_MARK = "@"


@dataclass(frozen=True)
class Profile:
    """A profile and its options.

    Attributes:
        name: as the command line has it, the options in their order; "" for none.
        spec: its pairs, and those of ``--keepPrivate``.
        kept: the keys of ``--keepPrivate``.
        edition: of which edition of the standard its tables are, ``PS3.15 2026d``; "" for none.
    """

    name: str
    spec: TagSpec
    kept: tuple[str, ...] = ()
    edition: str = ""


@dataclass(frozen=True)
class Edition:
    """What the tables of the profile are.

    Attributes:
        name: the part of the standard and its edition, ``PS3.15 2026d``.
        attributes: how many rows Table E.1-1 has.
        content_items: how many Table E.3.4-1 has.
    """

    name: str
    attributes: int
    content_items: int


def edition() -> Edition:
    """The edition of the tables that are in the package."""
    found = json.loads(_read("tables/edition.json"))
    name = f"{found['standard']} {found['edition']}"
    return Edition(name, found["attributes"], found["contentItems"])


def _read(name: str) -> str:
    return (resources.files(COMMAND) / "profiles" / name).read_text("utf-8")


def load(text: str, keep_private: tuple[str, ...] = (), *, is_cleaned: bool = False) -> Profile:
    """Read a profile.

    Args:
        text: ``basic[,option...]``; "" for none.
        keep_private: keys of private elements to keep, or ``@FILE`` with one a line.
        is_cleaned: whether it is for files whose pixels are cleaned.

    Raises:
        SpecError: an unknown profile or option, options that exclude each other, a key
            that is none of a private element.
    """
    own = tuple(_private_keys(keep_private))
    kept: list[tuple[str, SpecValue]] = [(key, _KEEP) for key in own]
    if not text:
        pairs: list[tuple[str, SpecValue]] = (
            [*(_pairs_of_cleaned_pixels() | _private_pictures() | _pixel_stamps()).items()]
            if is_cleaned
            else []
        )
        return Profile("", from_pairs([*pairs, *kept], "--keepPrivate", Layer.PROFILE), own)
    name = ",".join((BASIC, *_options(text)))
    options = tuple(option for option in _options(text) if option != PIXEL_OPTION)
    values: dict[str, SpecValue] = {}
    for part in (BASIC, *options):
        for pair in parse_json(_read(f"{part}.json"), part, Layer.PROFILE).pairs:
            values[pair.text] = pair.value
    if CONTENT_OPTION in options:
        values |= _content_items(options)
    tables = edition().name
    values |= _stamps((*options, *([PIXEL_OPTION] if is_cleaned else [])), tables)
    if is_cleaned:
        values |= _pairs_of_cleaned_pixels()
    values.update(dict.fromkeys((key for key, _ in kept), _KEEP))
    if values.get(TEXT_KEY) == _CLEAN:
        values |= {key: _CLEAN for key, value in values.items() if value == _KEEP and _may_be_text(key)}
    spec = from_pairs(list(values.items()), "--profile", Layer.PROFILE)
    return Profile(name, spec, own, tables)


def _content_items(options: tuple[str, ...]) -> dict[str, SpecValue]:
    """The pairs for content items (PS3.15 Table E.3.4-1), those of later options being stronger."""
    tables: dict[str, dict[str, str | None]] = json.loads(_read("tables/content-items.json"))
    values: dict[str, SpecValue] = {}
    for name in (BASIC, *options):
        values |= tables.get(name, {})
    return values


def find_overridden_keeps(profile: Profile, rules: RuleSet) -> tuple[str, ...]:
    """What to warn of keys of ``--keepPrivate`` that stronger ones of the spec win over."""
    kept = {private.key for private in rules.private if private.rule.walks}
    return tuple(
        f"--keepPrivate {shortened(key)} has no effect: a key of the spec is stronger"
        for key in profile.kept
        if resolve(key, "--keepPrivate") not in kept
    )


def _options(text: str) -> tuple[str, ...]:
    """The options of a profile in the order in which they apply."""
    name, *given = (part.strip() for part in text.split(","))
    if name != BASIC:
        hint = (
            f"did you mean {BASIC},{name}?" if name in OPTIONS else f"there is {BASIC}, with options after it"
        )
        raise SpecError(f"--profile {shortened(text)}: unknown profile {quoted(name)}; {hint}")
    for option in given:
        if option not in OPTIONS:
            near = difflib.get_close_matches(option, OPTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(OPTIONS)}"
            raise SpecError(f"--profile {shortened(text)}: unknown option {quoted(option)}; {hint}")
    if all(option in given for option in _EXCLUDE):
        raise SpecError(f"--profile {shortened(text)}: {' and '.join(_EXCLUDE)} exclude each other")
    return tuple(option for option in OPTIONS if option in given)


def _stamps(options: tuple[str, ...], tables: str) -> dict[str, SpecValue]:
    """What says how a file was de-identified (PS3.15 E.1.1, PS3.3 C.7.1.1).

    What says how it was before stays: all that was done has been done.
    """
    codes = (BASIC_CODE, *(OPTIONS[option] for option in options))
    items = tuple(
        (("CodeValue", code), ("CodingSchemeDesignator", "DCM"), ("CodeMeaning", meaning))
        for code, meaning in codes
    )
    return {
        "DeidentificationMethod": Added(
            "\\".join((f"{COMMAND} {__version__}", f"{tables} {BASIC}", *options))
        ),
        "DeidentificationMethodCodeSequence": Items(items, adds=True),
    }


def _pairs_of_cleaned_pixels() -> dict[str, SpecValue]:
    """What else changes in a file whose pixels are cleaned: its icon shows what they showed."""
    return {"BurnedInAnnotation": "NO", "IconImageSequence": None}


def _private_pictures() -> dict[str, SpecValue]:
    """Private icons and copies of the picture, as the dictionaries of dcmtk and pydicom name them."""
    return dict.fromkeys(
        (
            '(0009,"GEIIS",10)',  # GE IIS Thumbnail Sequence
            '(0037,"MAROTECH Inc.",23)',  # JPEG Compressed Icon
            '(0045,"GEMS_SENO_02",3f)',  # Vignette Pixel Data
            '(0055,"VEPRO VIF 3.0 DATA",30)',  # Icon data
            '(0055,"VEPRO VIM 5.0 DATA",30)',
            '(0089,"DIDI TO PCR 1.1",10)',  # Stamp Image Sequence
            '(0089,"PMS-THORA-5.1",20)',
            '(07a1,"ELSCINT1",0a)',  # Tamar Compressed Pixel Data
            '(1135,"Voxar 2.16.124.113543.6003.1999.12.20.12.5.0",02)',  # Icon Image Sequence
            '(7fe1,"SIEMENS MED NM",10)',  # Compressed Pixel Data
        )
    )


def _pixel_stamps() -> dict[str, SpecValue]:
    """What says of a file without a profile that its pixels were cleaned (PS3.15 E.3.1)."""
    code, meaning = OPTIONS[PIXEL_OPTION]
    item = (("CodeValue", code), ("CodingSchemeDesignator", "DCM"), ("CodeMeaning", meaning))
    return {
        "DeidentificationMethod": Added(f"{COMMAND} {__version__}\\{PIXEL_OPTION}"),
        "DeidentificationMethodCodeSequence": Items((item,), adds=True),
    }


def _may_be_text(key: str) -> bool:
    """Whether a key names an element that may hold free text."""
    resolved = resolve(key, "--profile")
    if isinstance(resolved, KeywordKey):
        # People write into a CS, too, whatever the standard has there.
        return any(dictionary.vr_of(tag) in FREE_TEXT_VRS | {"CS"} for tag in resolved.tags)
    return isinstance(resolved, PrivateKey)


def _private_keys(arguments: tuple[str, ...]) -> list[str]:
    """The keys that ``--keepPrivate`` gives, each once.

    In a file, blank lines and lines that begin with # are comments.
    """
    keys: dict[str, None] = {}
    for argument in arguments:
        if not argument.startswith(_FILE_MARK):
            keys[_checked(argument, "--keepPrivate")] = None
            continue
        path = argument[len(_FILE_MARK) :]
        try:
            lines = read_path(path, SPEC_MOST).decode("utf-8-sig").splitlines()
        except TooLargeError:
            raise SpecError(
                f"--keepPrivate {argument}: it has more than {SPEC_MOST >> 20} MB; is it a list of keys?"
            ) from None
        except OSError as error:
            raise SpecError(f"--keepPrivate {argument}: {why_unread(error)}") from None
        except UnicodeDecodeError as error:
            raise SpecError(f"--keepPrivate {argument}: not UTF-8 at byte {error.start}") from None
        for number, line in enumerate(lines, 1):
            key = line.strip()
            if key and not key.startswith("#"):
                keys[_checked(key, f"--keepPrivate {argument}, line {number}")] = None
    return list(keys)


def _checked(key: str, origin: str) -> str:
    (pair,) = from_pairs([(key, _KEEP)], origin).pairs
    if not isinstance(pair.key, PrivateKey):
        raise SpecError(
            f"{origin}: {key} names no private element by its creator; write "
            f"(gggg,{json.dumps('CREATOR')},ee)"
        )
    return pair.text
