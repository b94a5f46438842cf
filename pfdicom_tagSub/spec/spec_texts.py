"""A spec as Python programs give it: a mapping, the text of one, or the path of a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from ..core.errors import SpecError
from ..text.quoting import shortened
from . import parsing
from .pairs import TagSpec

ORIGIN = "spec"


def load_spec(spec: Mapping[str, object] | str | os.PathLike[str]) -> TagSpec:
    """Read a spec, whatever it is given as.

    Args:
        spec: keys and values; or JSON, which begins with ``{``; or the path of a file.

    Raises:
        SpecError: it is none of these, or cannot mean what it says.
    """
    if isinstance(spec, Mapping):
        return parsing.parse_json(_json_of(spec), ORIGIN)
    if isinstance(spec, os.PathLike):
        return parsing.parse_file(os.fspath(spec), ORIGIN)
    if not isinstance(spec, str):
        raise SpecError(
            f"{ORIGIN}: a {type(spec).__name__} is none; give a mapping, its JSON, or the path of a file"
        )
    if spec.lstrip().startswith("{"):
        return parsing.parse_json(spec, ORIGIN)
    if not os.path.exists(spec):
        raise SpecError(
            f"{ORIGIN}: {shortened(spec)} is neither JSON, which begins with '{{', nor the path of a file"
        )
    return parsing.parse_file(spec, ORIGIN)


def _json_of(spec: Mapping[str, object]) -> str:
    try:
        return json.dumps(_plain(spec, ""), allow_nan=False)
    except (ValueError, RecursionError):
        raise SpecError(f"{ORIGIN}: it holds itself, or a number that is not finite") from None


def _plain(value: object, key: str) -> object:
    """A value as JSON knows it.

    Raises:
        SpecError: it has no such form.
    """
    if isinstance(value, Mapping):
        if other := [name for name in value if not isinstance(name, str)]:
            raise SpecError(
                f"{ORIGIN}: the key {shortened(repr(other[0]))} is a {type(other[0]).__name__}, not a text; "
                "write a keyword, a tag such as '(0010,0010)', or another key of the spec"
            )
        return {name: _plain(one, name) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, key) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise SpecError(
        f"{ORIGIN}: {shortened(key)}: a {type(value).__name__} is no value of a spec; write a text"
    )
