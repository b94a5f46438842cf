"""Ages in a text, those over 89 and those that a file holds elsewhere: numbers beside a word that says so.

So old people are few: an age over 89 identifies by itself (45 CFR 164.514(b)(2)(i)(C)), whether or not the
file holds it elsewhere. In English, German, French and Spanish it is found in words,
too. A number alone is no age.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

LEAST = 90
"""So many years identify."""
_MOST = 129
_NEAREST = 3  # characters between a number and the word beside it
_LONGEST_NUMBER = 6  # tokens, as in quatre-vingt-dix-sept

_UNIT_WORDS = (
    "year years yr yrs yo yearold yearsold jahr jahre jahren jhr ans annees ano anos jahrig jahrige jahriger "
    "jahriges jahrigen jahrigem jaehrig jaehrige jaehriger jaehriges jaehrigen jaehrigem yom yof "
    "yf ym anni год года jaar jr jaren jarig jarige ar arig arige arigt let vuotta vuotias yas yasinda tahun "
    "letni letnia letniego letniej лет летнии летняя летнего "
    "летнеи 歳 才 岁 歲 세"
)
_UNITS = frozenset(_UNIT_WORDS.split())
_LETTERS = frozenset({"y", "j", "a"})
_PART_LETTERS = frozenset({"a"})
_BEFORE_STOP = frozenset({"y", "j", "л"})  # units where nothing more is said
_SEXES = frozenset({"f", "m", "w"})
_GLUED_SEXES = frozenset({"f", "m"})  # F95
_MOST_AFTER_SEX = 109  # M120 is no age, nor is F110
_TEMPERATURES = frozenset({"t", "temp", "temperature", "fever", "febrile"})
_POLISH = frozenset("pacjent pacjentka pacjentki chory chora kobieta mezczyzna".split())  # noqa: SIM905
"""Beside one of these "95 lat" is an age; elsewhere it is a lateral view."""
_IN_A_YEAR = frozenset({"birthday", "geburtstag", "lebensjahr", "lj"})  # after an ordinal number
_ORDINALS = frozenset({"th", "st", "nd", "rd"})
_AFTER_WORDS = "old olds o of age alt alte alter alten de d edad idade di eta oud"
_AFTER = frozenset(_AFTER_WORDS.split())
_LAST = _AFTER - {"of", "de", "d", "di"}
_BEFORE_WORDS = (
    "age aged alter edad agee agees ages idade eta leeftijd wiek wieku возраст возрасте alder 龄 齢 齡"
)
_BEFORE = frozenset(_BEFORE_WORDS.split())
_BETWEEN = frozenset(
    {"is", "of", "von", "ist", "de", "d", "di", "at", "approx", "ca", "in"}
    | {"years", "yrs", "y", "jahren", "j"}
)
_PERSONS = frozenset({"f", "m", "w", "female", "male", "woman", "man", "lady", "patient"})
_PATIENTS = frozenset({"pt", "pat", "patient", "patientin", "patiente", "paciente"})
_NINETIES = "nineties"
_WHOSE = frozenset({"her", "his", "their"})
_OLD_PEOPLE = (
    "nonagenarian nonagenarians centenarian centenarians nonagenaire nonagenaires centenaire centenaires "
    "nonagenario nonagenaria nonagenarios centenario centenaria centenarios"
)
_OLD = frozenset(_OLD_PEOPLE.split())
_OLD_WORDS = _OLD | {_NINETIES}
_GERMAN_ENDINGS = ("jahrig", "jaehrig")
_ENDING = "hrig"


_ENGLISH = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_GERMAN = "ein zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn"
_FRENCH = "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
_SPANISH = "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"


def _numbers() -> frozenset[str]:
    """The numbers from 90 to 129 as words without gaps, folded."""
    english, german, french, spanish = (words.split() for words in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH))
    found = {"ninety", "neunzig", "nonante", "noventa", "quatrevingtdix", "cent", "cien"}
    found |= {"hundred", "onehundred", "ahundred", "hundert", "einhundert"}
    for words, before in ((english, "ninety"), (french, "nonante"), (french, "nonanteet")):
        found |= {before + word for word in words[:9]}
    found |= {f"noventay{word}" for word in [*spanish[:9], "un"]}
    found |= {f"{word}undneunzig" for word in [*german[:9], "fuenf"]}
    found |= {f"quatrevingt{word}" for word in french[10:]}
    found |= {f"quatrevingtdix{word}" for word in french[6:9]}
    for one in ("hundred", "onehundred", "ahundred"):
        found |= {one + joint + word for joint in ("", "and") for word in english}
    for one in ("hundert", "einhundert"):
        found |= {
            one + joint + word for joint in ("", "und") for word in [*german, "eins", "fuenf", "zwoelf"]
        }
    found |= {f"cent{word}" for word in french} | {f"ciento{word}" for word in spanish}
    return frozenset(found)


_NUMBERS = _numbers()
_STARTS = frozenset({number[:4] for number in _NUMBERS})
_AGE_WORDS = _UNITS | _LETTERS | _BEFORE_STOP | _BEFORE | _SEXES | _IN_A_YEAR | {"lat"}


def may_have_ages(tokens: Sequence[str], compact: str) -> bool:
    """Whether a text may state an age; False is certain, and soon found.

    Args:
        tokens: those of a folded text.
        compact: the same without gaps.
    """
    return not _AGE_WORDS.isdisjoint(tokens) or not _OLD_WORDS.isdisjoint(tokens) or _ENDING in compact


def find_ages(
    tokens: Sequence[str], gaps: Sequence[str], known: Container[str] = ()
) -> Iterator[tuple[int, int]]:
    """The tokens of ages over 89 and of known ones, each as its first and the one after its last.

    Args:
        tokens: those of a folded text.
        gaps: what is between them: tokens[i] is between gaps[i] and gaps[i + 1].
        known: ages in years that the file holds.
    """
    has_age_word = not _AGE_WORDS.isdisjoint(tokens)
    for at, token in enumerate(tokens):
        if token[:1].isdigit():
            is_number = has_age_word and len(token) in (2, 3) and LEAST <= int(token) <= _MOST
            is_fraction = gaps[at] in (".", ",") and at > 0 and tokens[at - 1].isdigit()
            if has_age_word and token in known and not is_number and not is_fraction:
                if found := _known_age(tokens, gaps, at):
                    yield found
                continue
            end = _after_fraction(tokens, gaps, at + 1) if is_number and not is_fraction else 0
        elif token in _OLD or (token == _NINETIES and at and tokens[at - 1] in _WHOSE):
            yield at, at + 1
            continue
        elif token[:4] in _STARTS or token in ("a", "one"):
            if _is_german_age(token):
                yield at, at + 1
                continue
            end = _number_end(tokens, gaps, at) if has_age_word else 0
        else:
            continue
        if end and (found := _age(tokens, gaps, at, end)):
            yield found


def _known_age(tokens: Sequence[str], gaps: Sequence[str], at: int) -> tuple[int, int] | None:
    """An age around a number that is a known one; in B30f and 5a it is none, though 30F may be."""
    found = _age(tokens, gaps, at, at + 1) or _alone_with_letter(tokens, gaps, at)
    if found is None:
        return None
    first, end = found
    beside = tokens[first] if first < at else tokens[at + 1]
    if first == at and at and not gaps[at] and tokens[at - 1].isalpha():
        return None
    if beside in _PART_LETTERS and first == at and not _is_delimited(gaps, at, end):
        return None
    return None if beside in _SEXES and len(tokens[at]) == 1 else (first, end)


def _alone_with_letter(tokens: Sequence[str], gaps: Sequence[str], at: int) -> tuple[int, int] | None:
    """A number and the letter of a sex or a unit, if all of a part of a text, as in "Doe, 45 F, knee"."""
    for first in (at, at - 1):
        if 0 <= first < len(tokens) - 1 and gaps[first + 1] in (" ", ", ", ","):
            letter = tokens[first + (first == at)]
            if letter in _SEXES | _LETTERS and _is_delimited(gaps, first, first + 2):
                return first, first + 2
    return None


def _is_delimited(gaps: Sequence[str], first: int, end: int) -> bool:
    """Whether tokens are all of a part of a text between its signs."""
    is_start = first == 0 or gaps[first].rstrip()[-1:] in (*",;(|/",)
    return is_start and (end == len(gaps) - 1 or gaps[end].lstrip()[:1] in (*",;)|/",))


def _is_german_age(token: str) -> bool:
    """Whether a token is such as neunzigjahrige."""
    for ending in _GERMAN_ENDINGS:
        place = token.find(ending)
        if place > 0 and len(token) - place - len(ending) <= 2 and token[:place] in _NUMBERS:
            return True
    return False


def _number_end(tokens: Sequence[str], gaps: Sequence[str], at: int) -> int:
    """The token after the longest number in words that starts at a token, or 0."""
    joined = ""
    found = 0
    for end in range(at, min(at + _LONGEST_NUMBER, len(tokens))):
        if end > at and not _is_near(gaps[end]):
            break
        joined += tokens[end]
        if joined in _NUMBERS or joined.replace("vingts", "vingt") in _NUMBERS:
            found = end + 1
    return found


def _is_near(gap: str) -> bool:
    return len(gap) <= _NEAREST and "\n" not in gap


def _after_fraction(tokens: Sequence[str], gaps: Sequence[str], end: int) -> int:
    """The token after the fraction of a year that a number may have, as in 95.5."""
    has_one = (
        end < len(tokens) and gaps[end] in (".", ",") and len(tokens[end]) == 1 and tokens[end].isdigit()
    )
    return end + has_one


def _age(tokens: Sequence[str], gaps: Sequence[str], at: int, end: int) -> tuple[int, int] | None:
    """An age around a number; None where no word beside it says so."""
    if last := _unit_end(tokens, gaps, at, end) or _sex_end(tokens, gaps, at, end):
        return at, last
    if at and tokens[at - 1] in _SEXES and gaps[at].strip() == "/" and end == at + 1:
        return at - 1, end
    if _follows_sex(tokens, gaps, at, end):
        return at - 1, end
    before = at
    while before and tokens[before - 1] in _BETWEEN and _is_near(gaps[before]):
        before -= 1
    if before and tokens[before - 1] in _BEFORE and _is_near(gaps[before]):
        return before - 1, end
    return None


def _unit_end(tokens: Sequence[str], gaps: Sequence[str], at: int, end: int) -> int:
    """The token after the unit that follows a number, or 0."""
    count = len(tokens)
    if end < count and tokens[end] in _ORDINALS and not gaps[end]:
        end += 1
    if end >= count or not _is_near(gaps[end]):
        return 0
    unit = tokens[end]
    if unit in _IN_A_YEAR:
        return end + 1
    is_glued = gaps[end] == ""
    following = tokens[end + 1] if end + 1 < count and len(gaps[end + 1]) <= 1 else ""
    if unit in _UNITS or (unit in _LETTERS and (is_glued or following in ("o", "old"))):
        return _last(tokens, gaps, end + 1)
    if end + 1 == count and not gaps[end + 1].strip():
        stops = unit == "y" or (at > 0 and tokens[at - 1] in _SEXES)  # 95 J may be an energy, too
    else:
        stops = gaps[end + 1][:1] in (*".,;:)/",)
    if unit in _BEFORE_STOP and (following in _PERSONS or stops):
        return end + 1
    return end + 1 if unit == "lat" and not _POLISH.isdisjoint(tokens) else 0


def _sex_end(tokens: Sequence[str], gaps: Sequence[str], at: int, end: int) -> int:
    """The token after the letter of a sex that follows a number, as in 95F, 95/M and pt 95 F, or 0."""
    count = len(tokens)
    if end != at + 1 or end >= count or tokens[end] not in _SEXES:
        return 0
    is_part = (at > 0 and not gaps[at]) or (end + 1 < count and not gaps[end + 1])
    before = tokens[at - 1] if at else ""
    if is_part or before in _TEMPERATURES:
        return 0
    is_said = gaps[end].strip() == "/" or (gaps[end] == " " and before in _PATIENTS)
    is_said |= gaps[end] == "" and tokens[end] != "w" and (tokens[at], tokens[end]) != ("99", "m")  # 99mTc
    return end + 1 if is_said else 0


def _follows_sex(tokens: Sequence[str], gaps: Sequence[str], at: int, end: int) -> bool:
    """Whether a number follows the letter of a sex at once, as in F95; in M95.2 and t1M95 it is no age."""
    if not at or gaps[at] or end != at + 1 or tokens[at - 1] not in _GLUED_SEXES:
        return False
    is_part = (at > 1 and not gaps[at - 1]) or (end < len(tokens) and gaps[end] in ("", ".", "-", "_"))
    return not is_part and tokens[at].isdigit() and int(tokens[at]) <= _MOST_AFTER_SEX


def _last(tokens: Sequence[str], gaps: Sequence[str], end: int) -> int:
    """The token after what belongs to a unit, such as old."""
    following = end
    while following < min(end + 3, len(tokens)) and tokens[following] in _AFTER:
        if not _is_near(gaps[following]):
            break
        following += 1
        if tokens[following - 1] in _LAST:
            end = following
    return end
