"""The flags of a command line, as the report shows them: without secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ..core.options import Options
from .option import Kind, Option, Repeat, Shown
from .option_table import BY_NAME, OPTIONS

HIDDEN = "(given; not shown)"


def flags_of(options: Options) -> tuple[tuple[str, str], ...]:
    """The flags that were given or differ from their defaults.

    Args:
        options: of the command line.

    Returns:
        Each flag with what the report may say of its value, switches last; "" for these.
    """
    shown = [option for option in OPTIONS if option.shown is not Shown.NO and _has_effect(option, options)]
    shown.sort(key=lambda option: option.kind is Kind.SWITCH)
    return tuple((option.flag, text) for option in shown for text in _texts(option, options))


def _has_effect(option: Option, options: Options) -> bool:
    """Whether an option has an effect: it was given, or what it refines was."""
    if option.refines:
        return _is_given(BY_NAME[option.refines], options)
    return _is_given(option, options)


def _is_given(option: Option, options: Options) -> bool:
    value = option.of(options)
    return value is not None and value is not False and value not in ("", (), option.default)


def _texts(option: Option, options: Options) -> Iterator[str]:
    """What to show of an option, for each time that it was given."""
    value = option.of(options)
    if option.kind is Kind.SWITCH:
        yield ""
        return
    for one in value if option.repeat is Repeat.ADDS_UP and isinstance(value, tuple) else (value,):
        text = str(one)
        match option.shown:
            case Shown.PATH:
                yield os.path.abspath(text)
            case Shown.NAME:
                yield f"{text.partition('=')[0]}={HIDDEN}"
            case Shown.HIDDEN:
                yield HIDDEN
            case _:
                yield text
