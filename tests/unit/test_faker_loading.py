"""Faker is loaded for one language alone, makes the same names, and is whole for whoever wants it whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from installed import output_of

NAMES = """
import json, sys, threading
from pfdicom_tagSub.spec.text_functions import load_names, pseudonym
{before}
load_names()
found = sorted({{name.partition(".")[0] for name in sys.modules}} & {{"faker", "zoneinfo"}})
names = [pseudonym(str(number).encode()) for number in range(400)]
from faker import Faker
from faker.config import AVAILABLE_LOCALES
assert len(AVAILABLE_LOCALES) > 50 and Faker("de_DE").city()
import faker.providers
assert faker.providers.BaseProvider
other = Faker("en_US")
for number, name in enumerate(names):
    other.seed_instance(int.from_bytes(str(number).encode(), "little"))
    first, last = other.name().split()[:2]
    assert name == f"{{last.upper()}}^{{first.upper()}}^ANON"
print(json.dumps([found, len(set(names))]))
"""

OTHER_FAKER = """
from .config import CONSTANT_OF_TOMORROW
class Faker:
    def __init__(self, language, providers):
        self.language = language
"""


def test_names_are_those_of_a_whole_faker_which_is_there_for_others() -> None:
    found, different = json.loads(output_of(NAMES.format(before="")))
    assert found == []  # neither Faker nor what its provider of dates and times would load
    assert different > 350


@pytest.mark.parametrize(
    "before", ["import faker", "threading.Thread(target=threading.Event().wait, daemon=True).start()"]
)
def test_faker_that_others_have_or_could_see_is_loaded_whole(before: str) -> None:
    found, _ = json.loads(output_of(NAMES.format(before=before)))
    assert "faker" in found


def test_faker_that_wants_to_know_more_of_its_languages_is_loaded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "faker").mkdir()
    (tmp_path / "faker" / "__init__.py").write_text(OTHER_FAKER)
    (tmp_path / "faker" / "config.py").write_text("CONSTANT_OF_TOMORROW = 1")
    code = (
        "from pfdicom_tagSub.spec.faker_loading import new_faker; "
        "print(type(new_faker()).__module__, new_faker().language, new_faker().__class__.__name__)"
    )
    assert output_of(code, tmp_path).split() == ["faker", "en_US", "Faker"]
