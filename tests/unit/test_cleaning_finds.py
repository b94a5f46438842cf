"""What cleaning finds beyond a value as it stands: names glued to anything, parts of IDs and addresses."""

from __future__ import annotations

import time

import pytest

from pfdicom_tagSub.text.cleaning import cleaner_of
from pfdicom_tagSub.text.common_words import COMMON, ORDINARY
from pfdicom_tagSub.text.comparable import fold
from pfdicom_tagSub.text.identifiers import ADDRESS


def clean(text: str, *identifiers: tuple[str, str]) -> str:
    return cleaner_of(frozenset(identifiers)).clean(text)


@pytest.mark.parametrize(
    "name",
    [
        *(f"Quibbleford{sign}Marigold" for sign in "^_./;:|+&2~#*@!\\-'(·・"),
        *("quibbleford.marigold", "QUIBBLEFORD/MARIGOLD", "QuibblefordMarigold", "Marigold123Quibbleford"),
        *(
            "Marigold_Quibbleford",
            "(Quibbleford) Marigold",
            "Dr.Quibbleford^Marigold",
            "Quibbleford^Marigold^^Dr",
        ),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        *(
            "CT of Quibbleford",
            "Marigold came late",
            "x_Quibbleford_Marigold_y",
            "DrQuibbleford",
            "MrsQuibbleford",
        ),
        *(
            "quibbleford@hospital.org",
            "marigold.quibbleford@h.org",
            "Quibblefords Kopf",
            "Quibbleford's head",
        ),
        *("Quibblefordi os", "see https://h.org/p/Quibbleford/ct", "HerrQuibbleford", "preQuibblefordpost"),
        *("QUIBBLEFORDMARIGOLD", "Quibbleford2", "quibbleford-marigold", "Quibbleford%20Marigold"),
    ],
)
def test_cleaning_finds_names_whatever_separates_their_parts(name: str, text: str) -> None:
    cleaned = clean(text, ("PN", name)).lower()
    assert "uibblefor" not in cleaned
    assert "arigold" not in cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("x DrDoe y", "x y"),
        ("x MrsDoe y", "x y"),
        ("x FrauDoe y", "x y"),
        ("x drdoe's y", "x y"),
        ("x doe@hospital.org y", "x y"),
        ("x jane.doe@hospital.org, y", "x, y"),
        ("x jdoe7@h.org y", "x y"),
        ("x janed@h.org y", "x y"),
        ("x nobody@h.org y", "x nobody@h.org y"),
        ("x https://h.org/doe/1 y", "x y"),
        ("x http://doe.example.org y", "x y"),
        ("x www.h.org/ct y", "x www.h.org/ct y"),
        ("x Does y", "x y"),
        ("what does y", "what does y"),
        ("x Doe's y", "x y"),
        ("x Jane2Doe y", "x 2 y"),
        ("x DoeJane2 y", "x 2 y"),
        ("T1 Doeskin y", "T1 Doeskin y"),
    ],
)
def test_cleaning_finds_short_names_with_something_glued_to_them(text: str, cleaned: str) -> None:
    assert clean(text, ("PN", "Doe^Jane")) == cleaned


@pytest.mark.parametrize(
    ("name", "text", "cleaned"),
    [
        ("Marcus^Anna", "caput Marci et Annae", "caput et"),
        ("Müller^Jörg", "Müllers Knie, Joergs Hand", "Knie, Hand"),
        ("Иванов^Пётр", "снимок Иванова Петра", "снимок"),
        ("Παπαδόπουλος^Νίκος", "του Παπαδόπουλου", "του"),
        ("Quibbleford^Marigold", "user MQUIBBLEFORD", "user"),
        ("山田_太郎", "山田さんの頭部 太郎", "さんの頭部"),
        ("山田・太郎", "太郎の頭部", "の頭部"),
        ("王/小明", "王小明 MRI", "MRI"),
        ("홍_길동", "홍길동님 MRI", "님 MRI"),
        ("Wang^XiaoMing", "Xiao Ming XIAOMING MRI", "MRI"),
        ("O'Brien^Liam", "Brien MRI", "MRI"),
        ("Jane Doe_1984", "jane MRI doe", "MRI"),
    ],
)
def test_cleaning_finds_names_in_their_cases_and_scripts(name: str, text: str, cleaned: str) -> None:
    assert clean(text, ("PN", name)) == cleaned


@pytest.mark.parametrize(
    ("name", "text", "cleaned"),
    [
        ("Head^John", "Head CT", "Head CT"),
        ("Head^John", "CT of Dr. Head", "CT of Dr."),
        ("Head^John", "John Head CT", "CT"),
        ("Head^John", "Head, J. CT", "CT"),
        ("Patient^Test", "test patient", "test patient"),
        ("White^Bob", "seen by White", "seen by"),
        ("PANCREAS_0001", "Pancreas 0001 is the pancreas", "is the pancreas"),
        ("Phantom_100", "phantom at 100 mm", "phantom at 100 mm"),
    ],
)
def test_cleaning_keeps_common_words_but_beside_a_title_or_a_name(name: str, text: str, cleaned: str) -> None:
    assert clean(text, ("PN", name)) == cleaned


@pytest.mark.parametrize(
    ("vr", "value", "text"),
    [
        ("SH", "WHITE", "white matter"),
        ("SH", "Asian", "asian flu"),
        ("LO", "BOLD", "func-bold_run-1"),
        ("LO", "Left Knee", "left knee, axial"),
        ("ST", "head and neck", "head and neck"),
    ],
)
def test_cleaning_keeps_common_words_of_other_values(vr: str, value: str, text: str) -> None:
    assert clean(text, (vr, value)) == text


def test_common_words_are_folded_and_one_list_within_the_other() -> None:
    assert COMMON < ORDINARY
    assert all(fold(word)[0] == word for word in ORDINARY)


@pytest.mark.parametrize(
    "value",
    [
        *("A1234567", "2020-1234567", "1234567-8", "P1234567X", "20201234567", "MRN-1234567", "1234567/19"),
        *("H 1234567", "SI1234567", "1234567", "0001234567", "2020/H/1234567-4", "12-34567-8"),
    ],
)
@pytest.mark.parametrize(
    "text", ["x 1234567 y", "x 1 234 567 y", "x_1234567_y", "x (1234567) y", "x #1234567: y"]
)
def test_cleaning_finds_the_number_of_an_id(value: str, text: str) -> None:
    assert "567" not in clean(text, ("LO", value))


def test_cleaning_finds_short_numbers_where_a_text_calls_them_an_id() -> None:
    assert clean("MRN 4711, TR 4711, #4711, id: 4711", ("LO", "P4711")) == "MRN, TR 4711, #, id:"
    assert clean("x 4711 y", ("LO", "P4711")) == "x 4711 y"
    assert clean("a MRN4711 pat4711, x id4711", ("LO", "4711")) == "a MRN pat, x id"
    assert clean("grid4711 2id4711 MRN47112", ("LO", "4711")) == "grid4711 2id4711 MRN47112"


@pytest.mark.parametrize(
    ("address", "text", "cleaned"),
    [
        ("4711 Mulberry Lane, Springfield, IL 62704", "lives in Springfield", "lives in"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "ZIP 62704", "ZIP"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "Mulberry Lane clinic", "clinic"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "home 4711 Mulberry", "home"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "memory lane, home 4711", "memory lane, home 4711"),
        ("Lindenstraße 17, 10115 Wolkenheim", "aus Wolkenheim", "aus"),
        ("Lindenstraße 17, 10115 Wolkenheim", "Lindenstr 17 rechts", "rechts"),
        ("Lindenstraße 17\r\n10115 Ulm", "10115 ULM rechts", "rechts"),
        ("10 Downing Street\\London SW1A 2AA", "sw1a2aa London left", "left"),
        ("12 rue de la Paix^75002 Paris", "Paris, rue de la Paix", ""),
        ("Calle Mayor 3, 28013 Madrid", "Madrid 28013 rodilla", "rodilla"),
        ("東京都千代田区霞ヶ関1-2-3", "千代田区 MRI", "MRI"),
        ("East Street, New Town", "east of the street", "east of the street"),
    ],
)
def test_cleaning_finds_the_parts_of_an_address(address: str, text: str, cleaned: str) -> None:
    assert clean(text, (ADDRESS, address)) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1950/03/07",
            "7.3.50",
            "07-Mar-1950",
            "March 7th 1950",
            "19500307T1012",
            "195003071012",
            "1950:03:07",
        ),
        *("1950-03-07T10:12:30Z", "7 de marzo de 1950", "07|03|1950", "7.III.1950", "7/3-1950", "1950 03 07"),
        *(
            "7mars1950",
            "07Mar50",
            "March the 7th, 1950",
            "1950_3_7",
            "19500307101230.123",
            "7 Mar '50",
            "7·3·1950",
        ),
        *("7 de março de 1950", "7 marca 1950 r.", "7 марта 1950", "7 März\r\n1950"),
        *("1950, March 7", "7 marzo 1950", "1950~03~07", "19500307T101230+0100", "7/Mar/1950", "03071950"),
    ],
)
def test_cleaning_finds_dates_with_any_separators_and_times_glued_to_them(text: str) -> None:
    assert clean(f"x {text} y", ("DA", "19500307")).replace(" r.", "") == "x y"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a 93-year-old woman", "a woman"),
        ("93 y/o f", "f"),
        ("92yo male", "male"),
        ("she is 95 years of age, well", "she is, well"),
        ("aged 91, left", "left"),
        ("Age: 94 left", "left"),
        ("ninety-two year old man", "man"),
        ("one hundred and two years old man", "man"),
        ("age ninety-one left", "left"),
        ("93jährige Patientin", "Patientin"),
        ("93 Jahre alt, links", "links"),
        ("dreiundneunzigjährige Frau", "Frau"),
        ("zweiundneunzig Jahre, links", "links"),
        ("Alter: 95 links", "links"),
        ("93 ans, gauche", "gauche"),
        ("quatre-vingt-douze ans, gauche", "gauche"),
        ("quatre-vingt-dix-sept ans, gauche", "gauche"),
        ("nonante-deux ans, gauche", "gauche"),
        ("93 años, mano", "mano"),
        ("noventa y dos años de edad, mano", "mano"),
        ("edad 97 mano", "mano"),
        ("nonagenarian lady", "lady"),
        ("093Y left", "left"),
        ("F, 93 y, left", "F, left"),
    ],
)
def test_cleaning_finds_ages_over_89_in_four_languages(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        *(
            "95F",
            "95M",
            "95/F",
            "M/95",
            "F95",
            "m95",
            "95 jr",
            "95yF",
            "pt 95 F",
            "95yof",
            "95 yom",
            "95 J.",
            "W 95 J",
            "95 LJ",
            "95. Lebensjahr",
        ),
        *(
            "95.5 years",
            "95th birthday",
            "her nineties",
            "age in years: 95",
            "Alter (J): 95",
            "Alter in Jahren: 95",
        ),
        *(
            "95 лет",
            "возраст: 95",
            "95-летняя",
            "95-letnia",
            "wiek 95",
            "pacjent, 95 lat",
            "95 jaar",
            "95-jarige",
        ),
        *(
            "leeftijd 95",
            "95 anni",
            "età 95",
            "95 anos de idade",
            "idade 95",
            "95 år",
            "95-årig",
            "95歳",
            "95岁",
            "年龄95",
        ),
        *("95세", "95 let", "95 vuotta", "95 yaşında"),
    ],
)
def test_cleaning_finds_ages_over_89_by_a_letter_and_beside_words_of_more_languages(text: str) -> None:
    left = clean(f"x {text}, end")
    assert not any(map(str.isdigit, left))
    assert "nineties" not in left
    assert left.endswith("end")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "TE 95 ms",
            "95 y axis",
            "age 45",
            "45-year-old",
            "100 mm",
            "90 degrees",
            "Patient (93)",
            "100 kV 95 mA",
        ),
        *(
            "temp 102F",
            "95.5F",
            "98.6 F",
            "100 J",
            "Tc-99m",
            "99mTc MDP",
            "100W",
            "AP 90 lat",
            "a95f-11",
            "95 y2",
        ),
        *("M95.2", "M95-B", "t1M95", "M120", "F95_2"),
        *("image 95F3", "120/80 M", "matrix 128 F"),
        *("image 95", "89 years old", "neunzig Grad", "cent images", "quatre coupes", "one hundred slices"),
    ],
)
def test_cleaning_keeps_numbers_that_are_no_age_over_89(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("gap", ["-\n", "-\r\n", "- \r\n  "])
@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        (("PN", "Quibbleford^Marigold"), "x quibble{}FORD y"),
        (("PN", "Müller^Jörg"), "x Mül{}ler y"),
        (("PN", "Müller^Jörg"), "x Muel{}ler y"),
        (("LO", "ZQ4711220"), "x ZQ47{}11220 y"),
    ],
)
def test_cleaning_finds_what_a_line_end_divides(identifier: tuple[str, str], text: str, gap: str) -> None:
    assert clean(text.format(gap), identifier) == "x y"


def test_cleaning_keeps_lines_and_their_hyphens() -> None:
    text = "Quibbleford saw T1-\nweighted con-\ntrast of Doe-\nhead"
    assert clean(text, ("PN", "Quibbleford^M")) == "saw T1-\nweighted con-\ntrast of Doe-\nhead"
    assert clean("ÄÖ: Quibble-\nford\nsaw", ("PN", "Quibbleford^M")) == "ÄÖ:\nsaw"


@pytest.mark.parametrize("garbled", ["M?ller", "M??ller", "M\ufffdller", "Mller", "MÃ¼ller"])
def test_cleaning_finds_names_whose_letters_were_garbled(garbled: str) -> None:
    assert clean(f"x {garbled} y", ("PN", "Müller^Jo")).rstrip("s y") == "x"


@pytest.mark.parametrize("name", ["Groß^Ann", "Weiß^Ann", "André^Ann", "Peña^Ann"])
def test_cleaning_keeps_short_rests_of_names(name: str) -> None:
    assert clean("gro wei pea, and r", ("PN", name)) == "gro wei pea, and r"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "x 1_2_826_0_1_77 y",
            "x CT_1_2_826_0_1_77_9 y",
            "x CT.1.2.826.0.1.77.dcm y",
            "x CT.1_2_826_0_1_77.3 y",
        ),
    ],
)
def test_cleaning_finds_uids_of_file_names(text: str) -> None:
    assert "826" not in clean(text, ("UI", "1.2.826.0.1.77"))
    assert clean(text, ("UI", "1.2.826.0.1.7")) == text


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "Quibbleford@",
            "a@b ",
            "http://x/ ",
            "doe does Does ",
            "1.2.3.4.",
            "nonagenarian ",
            "quatre-vingt-",
            "@",
        ),
        *("a-\n", "1_2_3_4_", "95F ", "Quibble-\n"),
        *("www.", "://", "ninety one ", "DrDr", "7 de ", "1950-", "4711 ", "IL ", "x_", "QUIBBLEFOR"),
    ],
)
def test_cleaning_takes_linear_time(piece: str) -> None:
    identifiers = [
        ("PN", "Quibbleford^Doe"),
        ("DA", "19500307"),
        ("UI", "1.2.3.4.5"),
        ("LO", "P4711-1234567"),
    ]
    cleaner = cleaner_of(frozenset([*identifiers, (ADDRESS, "4711 Mulberry Lane, Springfield, IL 62704")]))
    cleaner.clean("warm")
    took = []
    for size in (20_000, 80_000):
        text = (piece * size)[:size]
        start = time.process_time()
        cleaner.clean(text)
        took.append(time.process_time() - start)
    assert took[1] < 12 * took[0] + 0.2
