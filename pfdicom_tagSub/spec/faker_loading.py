"""Faker, which makes the names, without its search for all languages that it has.

As it is imported, Faker loads all of its two dozen providers and looks through the folders of each for
languages: 30 ms, of which a name has no use, and in which no file is worked on yet. The result is its
module ``faker.config``, three public constants. One of the same name that says what is wanted here spares
the search; the names come from the same code and the same tables, and are the same.
"""

from __future__ import annotations

import sys
import threading
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faker import Faker

LANGUAGE = "en_US"
PROVIDER = "faker.providers.person"

_PACKAGE = "faker"
_CONFIG = "faker.config"


def new_faker() -> Faker:
    """A Faker that makes names and nothing else."""
    return _made_by(_class())


@cache
def _class() -> type[Faker]:
    kind = _quickly_loaded() if _may_be_quick() else None
    if kind is None:
        from faker import Faker  # noqa: PLC0415  (slow: only for specs that make names)

        return Faker
    return kind


def _made_by(kind: type[Faker]) -> Faker:
    return kind(LANGUAGE, providers=[PROVIDER])


def _may_be_quick() -> bool:
    """Whether nobody else has loaded Faker, or could come upon the one with a single language meanwhile."""
    return _PACKAGE not in sys.modules and threading.active_count() == 1


def _quickly_loaded() -> type[Faker] | None:
    """Faker's class; None where this Faker wants to know more of its languages.

    What was loaded for it is not left for others to find: functions of a user's own may want all of Faker.
    """
    config = ModuleType(_CONFIG)
    vars(config).update(DEFAULT_LOCALE=LANGUAGE, AVAILABLE_LOCALES=[LANGUAGE], PROVIDERS=[PROVIDER])
    sys.modules[_CONFIG] = config
    try:
        from faker import Faker  # noqa: PLC0415  (as above)

        _made_by(Faker)
    except (ImportError, AttributeError):
        return None
    else:
        return Faker
    finally:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{_PACKAGE}.")]:
            del sys.modules[name]
