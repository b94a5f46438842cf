"""Parts of known dates of birth, phone numbers, ages, days and times, beside a word that says so."""

from __future__ import annotations

import random

import pytest

from pfdicom_tagSub.engine.file_cleaner import FileCleaner
from pfdicom_tagSub.text.cleaning import cleaner_of

PERSON = frozenset(
    {
        ("PN", "Meier^Anna Maria^^Dr."),
        ("DA", "19310307"),
        ("DA", "20230412"),
        ("SH", "0309018203"),
        ("SH", "(617) 555-0123"),
        ("AS", "045Y"),
        ("TM", "101234"),
    }
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("born 1931, knee", "born, knee"),
        ("born in the year 1931", "born in the year"),
        ("born March 1931", "born"),
        ("born 03/1931", "born"),
        ("born 1931-03", "born"),
        ("born on March 7", "born on"),
        ("DOB 3/31", "DOB"),
        ("D.O.B. 1931", "D.O.B."),
        ("geb. 1931", "geb."),
        ("geb. 7.3.", "geb."),
        ("Geb.-Jahr: 1931", "Geb.-Jahr:"),
        ("Jg. 31, Knie", "Jg., Knie"),
        ("1931 geboren", "geboren"),
        ("Knie (* 1931)", "Knie (*)"),
        ("née en 1931", "née en"),
        ("Fecha de nacimiento: 7 de marzo", "Fecha de nacimiento:"),
        ("nascida em 1931", "nascida em"),
        ("nata a Roma nel 1931", "nata a Roma nel"),
        ("geboortejaar 1931", "geboortejaar"),
        ("1931年生まれ", "生まれ"),
        ("born 1929", "born"),
    ],
)
def test_cleaning_removes_what_is_said_of_a_birth(text: str, cleaned: str) -> None:
    assert cleaner_of(PERSON).clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Tel. 018203", "Tel."),
        ("ext. 203", "ext."),
        ("Durchwahl 8203", "Durchwahl"),
        ("Tel.-Nr.: 8203", "Tel.-Nr.:"),
        ("Tél : 90 18 203", "Tél :"),
        ("phone 030-18203", "phone"),
        ("ramal 0123", "ramal"),
        ("Rückruf unter 8203", "Rückruf unter"),
    ],
)
def test_cleaning_removes_parts_of_phone_numbers(text: str, cleaned: str) -> None:
    assert cleaner_of(PERSON).clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        *(
            "45 years",
            "45-year-old",
            "45 y/o",
            "45F",
            "F/45",
            "45 M",
            "F, 45",
            "aged 45",
            "45 Jahre",
            "45jährige",
        ),
        *("Alter: 45", "45 ans", "45 años", "edad 45", "45 anni", "45 anos", "45 jaar", "45歳"),
    ],
)
def test_cleaning_removes_the_age_that_the_file_holds(text: str) -> None:
    assert cleaner_of(PERSON).clean(f"knee, {text}, left") == "knee, left"
    others = cleaner_of(frozenset({("AS", "046Y")}))
    assert others.clean(f"knee, {text}, left") == f"knee, {text}, left"


@pytest.mark.parametrize(
    "text",
    [
        *("12 April", "April 12th", "12. April", "12 avril", "12 de abril", "12 aprile", "April 12"),
        *("10h12", "10 h 12", "10 Uhr 12", "10.12 Uhr", "10.12h"),
    ],
)
def test_cleaning_removes_days_without_year_and_times_with_a_word(text: str) -> None:
    assert cleaner_of(PERSON).clean(f"x {text}, y") == "x, y"


@pytest.mark.parametrize("text", ["vom 12.04.", "am 12.4.", "le 12/04", "on 4/12"])
def test_cleaning_removes_days_of_two_numbers_after_a_preposition(text: str) -> None:
    assert cleaner_of(PERSON).clean(text) == text.partition(" ")[0]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "T1 mprage 1mm",
            "CT Abdomen 5.0 B30f",
            "T2* 2023",
            "T2*1931",
            "ep2d b 1000 1931",
            "b=1931",
            "B45f",
        ),
        *(
            "B45a",
            "45 mm",
            "45 kV",
            "TI 45 ms",
            "FA 45",
            "kernel B 45 f",
            "45 w 90",
            "45th percentile",
            "L 45",
        ),
        *(
            "pH 6.17",
            "call 11",
            "ext rot 45",
            "call 123",
            "mobile 45",
            "tel: -",
            "born to run 1999",
            "nee 77",
        ),
        *("1931", "Series 1931", "image 1931 of 2023", "2023 protocol", "April 2023", "biopsy 12 April 2019"),
        *(
            "12 slices",
            "from 1.2 mm",
            "am 12.4 cm",
            "April 12, 2019",
            "10 h",
            "10.12 mm",
            "OCT 7",
        ),
        *("A P L", "R L S I", "a n n", "H F S", "a b c d e f", "i j k l m n", "T 1 A N", "D O E S"),
    ],
)
def test_cleaning_keeps_numbers_and_letters_that_say_something_else(text: str) -> None:
    assert cleaner_of(PERSON).clean(text) == text


@pytest.mark.parametrize(
    ("name", "text", "cleaned"),
    [
        ("Meier^Anna", "M E I E R Kopf", "Kopf"),
        ("Meier^Anna", "M.E.I.E.R. Kopf", "Kopf"),
        ("Meier^Anna", "m-e-i-e-r, a-n-n-a", ""),
        ("Meier^Anna", "Patientin M E I E R, A N N A, Kopf", "Patientin, Kopf"),
        ("Meier^Anna", "K O P F M E I E R", "K O P F"),
        ("Meier^Anna", "Ｍ Ｅ Ｉ Ｅ Ｒ", ""),
        ("Müller^Jörg", "M ü l l e r, knee", "knee"),
        ("Doe^Jane", "knee, D O E", "knee"),
        ("Doe^Jane", "knee D O E L", "knee D O E L"),
        ("Head^John", "H E A D", "H E A D"),
        ("Head^John", "J O H N  H E A D", ""),
        ("山田^太郎", "山 田 太 郎 MRI", "MRI"),
        ("山田^太郎", "頭部　山　田", "頭部"),
        ("Иванов^Пётр", "И в а н о в МРТ", "МРТ"),
    ],
)
def test_cleaning_finds_names_with_gaps_between_their_letters(name: str, text: str, cleaned: str) -> None:
    assert cleaner_of(frozenset({("PN", name)})).clean(text) == cleaned


def test_what_files_of_a_series_share_is_cleaned_as_for_each_file_alone() -> None:
    """Times with words are told from the text alone, as other times are (``fleeting``)."""
    text = "10 12 h Uhr . : 9 30 09 45 y F M E I E R 1931 born tel 8203 April 04 / , * 101234 1.2.3.4.5"
    words = text.split()
    identifiers = PERSON | {("TM", "0930"), ("DT", "20230412101500"), ("UI", "1.2.3.4.5")}
    cleaner = cleaner_of(identifiers)
    file_cleaner = FileCleaner(identifiers, frozenset())
    chosen = random.Random(7)
    for _ in range(2000):
        count = chosen.randint(2, 7)
        text = "".join(chosen.choice(words) + chosen.choice(["", " ", " ", "."]) for _ in range(count))
        assert file_cleaner.clean(text) == cleaner.clean(text), text
