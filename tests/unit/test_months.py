"""The table of months: whole, and used by cleaning, by moving dates and by verification."""

from __future__ import annotations

import calendar

import pytest

from pfdicom_tagSub.text.comparable import fold
from pfdicom_tagSub.text.date_texts import shift_text
from pfdicom_tagSub.text.months import ENGLISH, MORE, NAMES, NUMBERS
from pfdicom_tagSub.verify.search_terms import notations_of


def test_table_has_the_english_names_first() -> None:
    assert list(ENGLISH) == [name for name in calendar.month_name if name]
    assert [row[0][:3] for row in NAMES] == [name.lower() for name in calendar.month_abbr if name]


def test_table_gives_no_name_to_two_months() -> None:
    names = [fold(name)[0] for row in NAMES for name in row]
    assert {name: NUMBERS[name] for name in names} == {
        fold(name)[0]: str(month) for month, row in enumerate(NAMES, 1) for name in row
    }
    assert sum(len({fold(name)[0] for name in row}) for row in NAMES) == len(set(names))
    assert (NUMBERS["v"], NUMBERS["xii"]) == ("5", "12")


@pytest.mark.parametrize("month", range(1, 13))
def test_names_are_found_by_verification_and_moved_by_dateshift(month: int) -> None:
    pattern = notations_of(f"1958{month:02}07")
    for name in NAMES[month - 1]:
        assert pattern.search(f"on 7 {name} 1958".encode())
        if len(name) >= 3:
            assert shift_text(f"7 {name} 1958", 1).lower().startswith(("6 ", "06 "))


def test_names_that_are_only_read_are_of_one_month_and_moved_by_dateshift() -> None:
    named = [(fold(name)[0], str(month)) for month, row in enumerate(MORE, 1) for name in row]
    assert all(NUMBERS[name] == month for name, month in named)
    assert shift_text("7 października 1958", 7) == "30 september 1958"
    assert shift_text("7 марта 1958", 1) == "06 march 1958"
