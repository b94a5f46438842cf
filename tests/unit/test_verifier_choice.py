"""Which conditions hold for an input: remembered for files of which all that they depend on is the same."""

from __future__ import annotations

import json
import random
import struct

import pytest
from builders import EXPLICIT, Form, element, file_of, item, sequence

from pfdicom_tagSub.api import patch_bytes
from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.verify import conditional
from pfdicom_tagSub.verify.comparison import Verifier
from pfdicom_tagSub.verify.conditional import VerifierChoice

PATH = "a/b.dcm"
PRESENT = {"StationName": "X"}


def content(
    number: int = 1,
    *,
    charset: bytes = b"ISO_IR 100",
    description: bytes = b"M\xfcller",
    creator: bytes = b"MAKER ",
    private: bytes = b"P",
    order: bytes = b"ORDER-1 ",
    smallest: bytes = b"\xff\xff",
    signed: int = 0,
    pixels: bytes = bytes(64),
    syntax: Form = EXPLICIT,
) -> bytes:
    """A file of a series; all but the number and the pixels may be asked for."""
    uid = b"1.2.3.%d" % number
    data = b"".join(
        [
            element(0x00080005, "CS", charset, syntax),
            element(0x00080018, "UI", uid, syntax),
            element(0x00081010, "SH", b"SCANNER-", syntax),
            element(0x00081030, "LO", description, syntax),
            element(0x00090010, "LO", creator, syntax),
            element(0x00091001, "LO", private, syntax),
            element(0x00280103, "US", struct.pack("<H", signed), syntax),
            element(0x00280106, "UN", smallest, syntax),
            sequence(0x00400275, item(element(0x00080050, "SH", order, syntax), syntax), syntax),
            element(0x7FE00010, "OW", pixels, syntax),
        ]
    )
    return file_of(data, syntax, instance=uid.decode())


CASES = {
    "StudyDescription = 'Müller'": [content(), content(charset=b"ISO_IR 192"), content(description=b"Doe ")],
    "(0009,\"MAKER\",01) = 'P'": [content(), content(creator=b"OTHER "), content(private=b"Q")],
    "RequestAttributesSequence[0].AccessionNumber = 'ORDER-1'": [content(), content(order=b"ORDER-2 ")],
    "SmallestImagePixelValue < 0": [content(), content(signed=1), content(smallest=b"\1\0")],
    "path contains 'a/'": [content()],
    "MediaStorageSOPInstanceUID = '1.2.3.1'": [content(1), content(2)],
    "PatientAge absent": [content(), content(charset=b"ISO_IR 192")],
}


def rules_for(condition: str, *, remove_private: bool = False) -> RuleSet:
    """The rules of a spec with a pair that depends on a condition."""
    spec = json.dumps({"PatientComments": "", f"when {condition}": PRESENT})
    return compile_rules(parse_json(spec, "spec"), remove_private=remove_private)


def choice_of(rules: RuleSet) -> VerifierChoice:
    """A choice that has not met any file."""
    assert rules.variants is not None
    return VerifierChoice(Verifier(rules), rules.variants)


def held(choice: VerifierChoice, source: bytes, path: str = PATH) -> tuple[int, ...] | str:
    """The conditions that hold for a file, by the verifier that is chosen for it."""
    try:
        return choice.of(BytesSource(source), path).rules.held
    except FileError as error:
        return str(error)


@pytest.mark.parametrize("condition", CASES)
def test_answer_of_a_file_is_that_of_the_file_alone(condition: str) -> None:
    rules = rules_for(condition)
    files = [(file, path) for file in CASES[condition] for path in (PATH, "c/b.dcm")]
    alone = [held(choice_of(rules), *one) for one in files]
    choice = choice_of(rules)
    places = list(range(len(files))) * 4
    random.Random(1).shuffle(places)
    for place in places:
        assert held(choice, *files[place]) == alone[place]
    assert len(set(alone)) == (1 if condition == "PatientAge absent" else 2), "the files do not tell"


def test_files_of_a_series_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_for("StudyDescription = 'Müller'")
    choice = choice_of(rules)
    assert held(choice, content(0))
    for name in ("read_again", "PydicomFacts"):
        monkeypatch.setattr(conditional, name, None)
    for number in range(1, 20):
        assert held(choice, content(number, pixels=bytes([number]) * 64))


def test_input_that_was_proved_is_split_into_its_elements_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_for("StudyDescription = 'Müller'")
    choice = choice_of(rules)
    for number in range(9):
        if number == 5:
            monkeypatch.setattr(choice._series, "read", None)  # from now on that of the verifier has to do
        source = BytesSource(content(number))
        verifier = choice.of(source, PATH)
        reads = verifier.memory._read
        assert (reads is not None) == (number > 1)
        written = BytesSource(patch_bytes(source.data, verifier.rules))
        assert verifier.residuals(source, written, PATH) == ()
        assert verifier.memory._read is None, "the bytes of the file are kept"


def test_file_of_other_rules_leaves_no_bytes_with_the_verifier_before() -> None:
    choice = choice_of(rules_for("StudyDescription = 'Müller'"))
    for number in range(4):
        source = BytesSource(content(number))
        first = choice.of(source, PATH)
        first.residuals(source, BytesSource(patch_bytes(source.data, first.rules)), PATH)
    assert choice.of(BytesSource(content(5)), PATH) is first
    assert first.memory._read is not None
    assert choice.of(BytesSource(content(6, description=b"Doe ")), PATH) is not first
    assert first.memory._read is None


def test_element_whose_bytes_say_nothing_to_verification_is_asked_each_time() -> None:
    rules = rules_for("(0009,\"MAKER\",02) != '5'", remove_private=True)
    choice = choice_of(rules)
    values, answers = [1, 2, 3, 4, 1, 2, 5, 3, 5, 4], []
    for number, value in enumerate(values):
        own = element(0x00091002, "SS", struct.pack("<h", value), EXPLICIT)
        source = BytesSource(content(number).replace(element(0x00091001, "LO", b"P", EXPLICIT), own))
        verifier = choice.of(source, PATH)
        answers.append(bool(verifier.rules.held))
        written = BytesSource(patch_bytes(source.data, verifier.rules))
        verifier.residuals(source, written, PATH)
    assert answers == [value != 5 for value in values]


def test_element_that_is_too_long_to_be_remembered_is_asked_each_time() -> None:
    choice = choice_of(rules_for("PixelData present"))
    file = content(pixels=bytes(1 << 17))
    assert held(choice, file) == held(choice, file) != ()
