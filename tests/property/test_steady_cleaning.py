"""What a file's cleaner looks for in two parts is all that it would find at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfdicom_tagSub.engine.file_cleaner import FileCleaner
from pfdicom_tagSub.text.cleaning import cleaner_of
from pfdicom_tagSub.text.fleeting import Fleeting
from pfdicom_tagSub.text.identifiers import ADDRESS

IDENTIFIERS = [
    ("PN", "Doe^Jane^M"),
    ("PN", "Stone^Will"),
    ("PN", "Müller^Anna"),
    ("PN", "王^小明"),
    ("LO", "MRN-471122"),
    ("LO", "12"),
    ("SH", "T1-101530"),
    ("ST", "1 Mulberry Lane, Springfield 62704"),
    (ADDRESS, "1 Mulberry Lane, Springfield 62704"),
    ("LO", "jane.doe@example.org"),
    ("SH", "+49 30 1234567"),
    ("AS", "045Y"),
    ("DA", "19500307"),
    ("DA", "20240315"),
    ("TM", "101530.25"),
    ("TM", "0945"),
    ("TM", "120000"),
    ("DT", "20240316101530.5+0100"),
    ("DT", "20240315"),
    ("DT", "2024"),
    ("UI", "1.2.826.0.1.3680043.8.498.1"),
    ("UI", "1.2.3.4"),
    ("UI", "2.25.101530"),
]
FLEETING = [one for one in IDENTIFIERS if one[0] in {"UI", "TM"}]
WORDS = """
    Doe Jane M MM jane doe's Will Müller muller 王小明 MRN 471122 MRN471122 12 1 2 T1 101530 10 15 30 25
    1.2.3.4 1_2_3_4 1.2.826.0.1.3680043.8.498.1 1.2.3.4.5 2.25 0945 945 9 45 am PM 10:15 10:15:30 12:00 T
    1950 03 07 7 March Mar 19500307 20240315 20240316 2024 15 3 62704 45y 045 years old 97 year
    jane.doe@example.org http://janedoe.org +49 30 1234567 the id # case no brain t2 mm ids 10.5 0 00
    \uff11\uff10\uff1a\uff11\uff15 \uff11\uff0e\uff12\uff0e\uff13\uff0e\uff14
""".split()  # noqa: SIM905  (one would fill a page)
SIGNS = ["", " ", "_", "-", ".", ":", "/", ", ", "\n", "(", ")", "^", "T", "  "]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text made of parts of identifiers, and of what may stand between."""
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
    words = [draw(broken(word)) if draw(st.booleans()) else word for word in words]
    return "".join(word + draw(st.sampled_from(SIGNS)) for word in words)


def broken(word: str) -> st.SearchStrategy[str]:
    """A word that a hyphen divides at the end of a line."""
    return st.integers(0, len(word)).map(lambda place: f"{word[:place]}-\n{word[place:]}")


@settings(max_examples=600, deadline=None)
@given(st.frozensets(st.sampled_from(IDENTIFIERS)), texts())
def test_two_parts_clean_as_one(identifiers: frozenset[tuple[str, str]], text: str) -> None:
    cleaner = FileCleaner(identifiers, frozenset())
    assert cleaner.clean(text) == cleaner_of(identifiers).clean(text)
    of_places = frozenset(("ST" if vr == ADDRESS else vr, value) for vr, value in identifiers)
    assert cleaner.for_tag(0x00080080).clean(text) == cleaner_of(of_places).clean(text)


@settings(max_examples=600, deadline=None)
@given(st.frozensets(st.sampled_from(IDENTIFIERS)), st.frozensets(st.sampled_from(FLEETING)), texts())
def test_uids_and_times_that_cannot_be_in_a_text_do_not_matter_to_it(
    identifiers: frozenset[tuple[str, str]], fleeting: frozenset[tuple[str, str]], text: str
) -> None:
    cleaner = FileCleaner(identifiers | fleeting, frozenset())
    known = cleaner_of(cleaner.steady.identifiers)
    if cleaner.is_steady_in(text):
        assert cleaner.clean(text) == known.clean(text)
        assert cleaner_of(cleaner.identifiers).clean(text) == known.clean(text)
    assert not (
        cleaner_of(fleeting).find(text) and not Fleeting(fleeting).may_be_in(text) and not _ages(text)
    )


def _ages(text: str) -> bool:
    return bool(cleaner_of(frozenset()).find(text))


@pytest.mark.parametrize("vr", ["UI", "TM", "DT"])
def test_what_differs_from_file_to_file_is_cut_out(vr: str) -> None:
    value = {"UI": "1.2.3.4.5", "TM": "101530", "DT": "20240316101530"}[vr]
    cleaner = FileCleaner(frozenset({(vr, value), ("PN", "Doe^Jane")}), frozenset())
    assert cleaner.clean(f"scan {value} brain") == "scan brain"
    assert cleaner.clean(f"scan {value} of Doe") == "scan of"


@pytest.mark.parametrize(
    ("vr", "value", "text"),
    [
        ("TM", "101530.25", "seen 101-\n530 in bed"),
        ("TM", "114500", "seen 1145-\r\n 00 in bed"),
        ("UI", "1.2.826.0.1.3680043.8.498.1", "seen 1.2.826.0.1.36800-\n43.8.498.1 in bed"),
        ("UI", "1.2.826.0.1.3680043.8.498.1", "seen 1_2_826_0_1_3680043_8_498_1 in bed"),
    ],
)
def test_uids_and_times_of_other_spellings_are_cut_out(vr: str, value: str, text: str) -> None:
    assert FileCleaner(frozenset({(vr, value)}), frozenset()).clean(text) == "seen in bed"
