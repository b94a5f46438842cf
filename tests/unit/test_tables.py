"""Tables of replacements: what is read, and what is refused without quoting a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.spec.tables import load_tables

HEAD = b"original,replacement\n"


def load(content: bytes, folder: Path) -> dict[str, str]:
    path = folder / "table.csv"
    path.write_bytes(content)
    return load_tables([f"ids={path}"])["ids"]


@pytest.mark.parametrize(
    ("content", "table"),
    [
        (HEAD + b"4711,S01\n4712,S02\n", {"4711": "S01", "4712": "S02"}),
        (HEAD, {}),
        (HEAD + b"4711,S01", {"4711": "S01"}),
        (b"\xef\xbb\xbf" + HEAD + b"4711,S01\r\n", {"4711": "S01"}),
        (b"original,replacement\r\n4711,S01\r\n", {"4711": "S01"}),
        (b"replacement,note,original\nS01,a b,4711\n", {"4711": "S01"}),
        (b" original , replacement \n4711,S01\n", {"4711": "S01"}),
        (b"\n\n" + HEAD + b"\n4711,S01\n,\n\n", {"4711": "S01"}),
        (HEAD + b'"Doe^J, Dr",S01\n"a ""b""","c\nd"\n', {"Doe^J, Dr": "S01", 'a "b"': "c\nd"}),
        (HEAD + "Müller^Änne,山田^太郎\n".encode(), {"Müller^Änne": "山田^太郎"}),
        (HEAD + b"4711,\n", {"4711": ""}),
        (HEAD + b"4711,S01\n4711,S01\n", {"4711": "S01"}),
        (HEAD + b"4711,S01\n4712,S01\n", {"4711": "S01", "4712": "S01"}),
        (HEAD + b"4711  ,S01\n 4712, S02\n", {"4711": "S01", "4712": "S02"}),
        (HEAD + b'4711, "S,01"\n4712,\tS02 \n', {"4711": "S,01", "4712": "\tS02"}),
        (b"\xef\xbb\xbforiginal;replacement\n4711;S,01\n", {"4711": "S,01"}),
        (b"\noriginal; replacement\r\n4711; S01\r\n", {"4711": "S01"}),
    ],
)
def test_table_is_read(content: bytes, table: dict[str, str], tmp_path: Path) -> None:
    assert load(content, tmp_path) == table


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "line 1: no column original"),
        (b"Secret1,Secret2\n", "line 1: no column original"),
        (b"Original,Replacement\n", "line 1: no column original"),
        (b"original|replacement\nSecret1|x\n", "commas or semicolons separate them"),
        (b"original,other\nSecret1,x\n", "line 1: no column replacement"),
        (b"\n\noriginal,other\n", "line 3: no column replacement"),
        (b"original,replacement,original\n", "line 1: more than one column original"),
        (HEAD + b"Secret1,x\nSecret1,y\n", "line 3: the same original as in line 2"),
        (HEAD + b"Secret1,x\nSecret1 ,y\n", "line 3: the same original as in line 2"),
        (
            HEAD + b'"Secret1\nSecret2",x\nSecret3,x\nSecret3,Secret4\n',
            "line 5: the same original as in line 4",
        ),
        (HEAD + b"Secret1\n", "line 2: 1 fields where the first row has 2"),
        (HEAD + b"Secret1,x,Secret2\n", "line 2: 3 fields"),
        (HEAD + b'\n"Secret1\nSecret2"\n', "line 3: 1 fields"),
        (HEAD + b",Secret1\n", "line 2: the original is empty"),
        (HEAD + b'Secret1,"Secret2\n', "line 2: unexpected end of data"),
        (HEAD + b'"Secret1"x,y\n', "line 2: ',' expected after"),
        (HEAD + b"Secret1," + b"x" * 200_000 + b"\n", "line 2: field larger than field limit"),
        (HEAD + b"Secret1,\xe4\n", "not UTF-8 at byte 29"),
        (b"\xef\xbb\xbf" + HEAD + b"Secret1,\xe4\n", "not UTF-8 at byte 32"),
        ("original,replacement\n".encode("utf-16"), "not UTF-8 at byte 0"),
    ],
)
def test_table_that_is_none_is_an_error_without_its_values(content: bytes, part: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as stop:
        load(content, tmp_path)
    assert str(stop.value).startswith(f"--lookupTable {tmp_path / 'table.csv'}: ")
    assert part in str(stop.value)
    assert "Secret" not in str(stop.value)


def test_tables_have_names(tmp_path: Path) -> None:
    (tmp_path / "a=b.csv").write_bytes(HEAD + b"1,2\n")
    path = tmp_path / "a=b.csv"
    assert load_tables([f"a_1={path}", f"b-2={path}"]) == {"a_1": {"1": "2"}, "b-2": {"1": "2"}}
    assert load_tables([]) == {}


@pytest.mark.parametrize(
    "argument", ["", "ids", "ids=", "=x.csv", "i d=x.csv", "i|d=x.csv", "ä=x.csv", "a.b=x"]
)
def test_argument_that_names_no_table_is_an_error(argument: str) -> None:
    with pytest.raises(SpecError, match="write NAME=FILE"):
        load_tables([argument])


def test_name_given_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HEAD)
    with pytest.raises(SpecError, match="there is a table ids already"):
        load_tables([f"ids={tmp_path / 'a.csv'}", f"ids={tmp_path / 'b.csv'}"])


@pytest.mark.parametrize(
    ("name", "part"), [("missing", "No such file"), ("", "Is a directory"), ("a\0", "not a path")]
)
def test_file_that_cannot_be_read_is_an_error(name: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=part):
        load_tables([f"ids={tmp_path}/{name}"])
