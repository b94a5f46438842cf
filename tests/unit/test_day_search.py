"""The search for many dates at once finds what the search for each finds, and looks for few of them."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selection import Selection

from pfdicom_tagSub.text.months import NAMES
from pfdicom_tagSub.verify import day_search
from pfdicom_tagSub.verify.day_search import NEAR, days_in, is_day_in, likely_days
from pfdicom_tagSub.verify.search_terms import first_texts_of, notations_of

DAYS = [f"{date(1958, 1, 1) + timedelta(days=number):%Y%m%d}" for number in range(0, 4000, 9)]

NUMBERS = ("{y}{m}{d}", "{d}{m}{y}", "{m}{d}{y}", "{d}.{m}.{s}", "{y}年{i}月{j}日")
SIGNS = ("{y}{g}{m}{g}{d}", "{y}{g}{i}{g}{j}", "{d}{g}{m}{g}{y}", "{i}{g}{j}{g}{y}", "{d}{g}{m}{g}{s}")
NAMED = (
    "{j}. {n} {y}",
    "{d}{n}{y}",
    "{j}th {n}, {y}",
    "{n} {j}th, {y}",
    "{n}-{d} {y}",
    "{y} {n} {d}",
    "{d}-{n}-{s}",
)


def written(form: str, day: str, name: str = "", sign: str = "") -> bytes:
    year, month, number = day[:4], day[4:6], day[6:]
    parts = {"y": year, "s": year[2:], "m": month, "d": number, "i": int(month), "j": int(number)}
    return form.format(n=name, g=sign, **parts).lower().encode()


def all_notations(day: str) -> list[bytes]:
    signs = [written(form, day, sign=sign) for form in SIGNS for sign in "-./_ :"]
    names = [written(form, day, name=name) for form in NAMED for name in NAMES[int(day[4:6]) - 1]]
    return [written(form, day) for form in NUMBERS] + signs + names


@pytest.mark.parametrize("day", DAYS[::40])
def test_day_in_any_notation_is_likely(day: str) -> None:
    found = 0
    for notation in all_notations(day):
        data = b"on " + notation + b", well"
        if is_day_in(day, data):
            found += 1
            assert day in likely_days(DAYS, data), notation
            assert days_in(DAYS, data) == [one for one in DAYS if is_day_in(one, data)]
    assert found > 40


@given(st.lists(st.sampled_from(DAYS), max_size=4), st.data())
def test_many_days_are_found_as_each_of_them_is(written_days: list[str], data: st.DataObject) -> None:
    notations = [data.draw(st.sampled_from(all_notations(day))) for day in written_days]
    between = data.draw(
        st.lists(st.sampled_from([b"", b" ", b"1", b"\0", b"a", b"12"]), min_size=5, max_size=5)
    )
    text = between[0] + b"".join(a + b for a, b in zip(notations, between[1:], strict=False))
    assert days_in(DAYS, text) == [day for day in DAYS if is_day_in(day, text)]


def test_few_of_many_days_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(day_search, "is_day_in", lambda day, data: asked.append(day) or True)
    text = b"1958 1959 19600000 visits 1 to 1961\0\0 and " + DAYS[7].encode() + b"; "
    assert DAYS[7] in days_in(DAYS, text * 100)
    assert len(asked) < 20


def test_year_that_is_passed_over_is_of_no_notation() -> None:
    """By what is beside it; held against the look at each place where a year is."""
    rng = random.Random(7)
    signs = [*"-./_ :,\\^\n\0\1x", "月", "日", "年", "st", "th", "of", "\u00a0", "2", "03", "12", "20"]
    found = 0
    for _ in range(20_000 if Selection.everything else 4_000):
        day = rng.choice(["20120312", "20120103", "20120130", "19580307"])
        year, month, number = day[:4], day[4:6], day[6:]
        parts = [*[year] * 6, *[month, number] * 3, str(int(month)), str(int(number)), year[2:]]
        parts += [year + month + number, *NAMES[int(month) - 1]]
        data = "".join(rng.choices(signs + parts, k=rng.randint(3, 12))).encode().lower()
        firsts, pattern = first_texts_of(day), notations_of(day)
        places = [at for first in firsts for at in range(len(data)) if data.startswith(first, at)]
        expected = any(pattern.search(data[max(at - NEAR, 0) : at + NEAR]) for at in places)
        assert is_day_in(day, data) == expected
        found += expected
    assert found > 100
