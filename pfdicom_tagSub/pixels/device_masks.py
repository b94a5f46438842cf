"""Masks by device: the list in the package, and ``--pixelMasks FILE.json`` of the same form.

A list is a JSON object whose ``masks`` are objects with ``when`` (conditions that all have to hold),
``rectangles`` ([x, y, width, height] each), ``kind`` (``mask``, or ``review`` for files that are suspicious
though no place is known) and, if wanted, ``source``. ``"replaces": true`` beside ``masks`` leaves out the
list of the package. ``when`` may be a text in the language of ``--where`` instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Any, Protocol

from ..core.bounded import TooLargeError, read_path
from ..core.errors import SpecError
from ..core.system_reasons import why_unread
from ..dicom import dictionary
from .rectangles import Rectangle

FILE_MOST = 64 << 20
_LONGEST = 1 << 10
_OPERATORS = frozenset({"is", "contains", "startsWith", "endsWith", "matches"})
_FLAGS = frozenset({"missing", "present"})

ValuesOfFile = Callable[[int], tuple[str, ...] | None]
"""Gives the texts of an element, () for one that is empty or a sequence without items; None if absent."""


class TextCondition(Protocol):
    """A condition in the language of ``--where``."""

    @property
    def tags(self) -> tuple[int, ...]:
        """The tags that it asks for."""

    @property
    def inner(self) -> tuple[Any, ...]:
        """Always ()."""

    def holds(self, values: ValuesOfFile) -> bool:
        """Whether a file fulfils it."""


Parse = Callable[[str, str], TextCondition]
"""Makes one of a text; the second argument is what errors call it."""


@dataclass(frozen=True)
class MaskCondition:
    """One operator on one attribute.

    Attributes:
        tags: the tags of the attribute; those of a repeating group are many.
        operator: its name.
        texts: what it takes; () for ``missing`` and ``present``.
        inner: the conditions of ``not``, which fails where all of them hold.
    """

    tags: tuple[int, ...]
    operator: str
    texts: tuple[str, ...] = ()
    inner: tuple[MaskCondition, ...] = ()

    def holds(self, values: ValuesOfFile) -> bool:
        """Whether a file fulfils it."""
        if self.operator == "not":
            return not all(one.holds(values) for one in self.inner)
        found = [one for tag in self.tags if (one := values(tag)) is not None]
        text = "\\".join(found[0]).strip().casefold() if found else ""
        if self.operator == "missing":
            return not text
        if self.operator == "present":
            return bool(text)
        if not found:
            return False
        return any(_fits(self.operator, text, one) for one in self.texts)


@dataclass(frozen=True)
class DeviceMask:
    """Where a device writes what identifies.

    Attributes:
        conditions: all have to hold.
        rectangles: what is blackened; () where no place is known and a person has to look.
    """

    conditions: tuple[MaskCondition | TextCondition, ...]
    rectangles: tuple[Rectangle, ...]

    def fits(self, values: ValuesOfFile) -> bool:
        """Whether it is for a file."""
        return all(one.holds(values) for one in self.conditions)


def _fits(operator: str, text: str, given: str) -> bool:
    if operator == "matches":
        return re.search(given, text[:_LONGEST], re.IGNORECASE) is not None
    wanted = given.strip().casefold()
    if operator == "is":
        return text == wanted or _number(text) == _number(wanted) != None  # noqa: E711
    if operator == "contains":
        return wanted in text
    return text.startswith(wanted) if operator == "startsWith" else text.endswith(wanted)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def tags_of(masks: Iterable[DeviceMask]) -> frozenset[int]:
    """What has to be known of a file to tell which masks are for it."""
    return frozenset(
        tag for mask in masks for one in mask.conditions for part in (one, *one.inner) for tag in part.tags
    )


def load_masks(path: str = "", parse: Parse | None = None) -> tuple[DeviceMask, ...]:
    """The masks of the package, and those of a file.

    Args:
        path: ``--pixelMasks``; "" for none.
        parse: reads conditions that are texts; None where there are none.

    Raises:
        SpecError: the file is no list of masks; the text says where and why.
    """
    own: tuple[DeviceMask, ...] = ()
    replaces = False
    if path:
        origin = f"--pixelMasks {path}"
        try:
            data = read_path(path, FILE_MOST)
        except TooLargeError:
            raise SpecError(
                f"{origin}: it has more than {FILE_MOST >> 20} MB; is it a list of masks?"
            ) from None
        except OSError as error:
            raise SpecError(f"{origin}: {why_unread(error)}") from None
        own, replaces = parse_masks(data, origin, parse)
    if replaces:
        return own
    packaged = (resources.files(__package__) / "masks" / "devices.json").read_bytes()
    return parse_masks(packaged, "the list of devices")[0] + own


def parse_masks(data: bytes, origin: str, parse: Parse | None = None) -> tuple[tuple[DeviceMask, ...], bool]:
    """Read a list of masks.

    Args:
        data: JSON in UTF-8.
        origin: what errors call it.
        parse: reads conditions that are texts; None where there are none.

    Returns:
        The masks, and whether they replace those of the package.

    Raises:
        SpecError: it is none.
    """
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=lambda pairs: _object(pairs, origin))
    except json.JSONDecodeError as error:
        raise SpecError(f"{origin}: no JSON at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{origin}: not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise SpecError(f"{origin}: it is nested too deeply") from None
    if not isinstance(content, dict) or not isinstance(content.get("masks"), list):
        raise SpecError(f'{origin}: give an object with a list of masks, {{"masks": [...]}}')
    for key in content:  # which would leave in use what it was to leave out
        if key != "replaces" and key.casefold().startswith("replac"):
            raise SpecError(f'{origin}: unknown key {json.dumps(key)}; did you mean "replaces"?')
    if not isinstance(content.get("replaces", False), bool):
        raise SpecError(f'{origin}: "replaces" is true or false')
    masks = tuple(
        _mask(one, f"{origin}, mask {number}", parse) for number, one in enumerate(content["masks"], 1)
    )
    return masks, content.get("replaces", False)


def _object(pairs: list[tuple[str, Any]], origin: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise SpecError(f"{origin}: an object has the same key twice")
    return found


def _mask(content: object, origin: str, parse: Parse | None) -> DeviceMask:
    kinds = (dict, str) if parse is not None else dict
    if not isinstance(content, dict) or not isinstance(content.get("when"), kinds) or not content["when"]:
        raise SpecError(f'{origin}: give an object with "when", the conditions, and "rectangles"')
    for key in content:
        if key not in {"when", "rectangles", "kind", "source"}:
            raise SpecError(f"{origin}: unknown key {json.dumps(key)}")
    kind = content.get("kind", "mask")
    if kind not in ("mask", "review"):
        raise SpecError(f'{origin}: "kind" is "mask" or "review"')
    given = content.get("rectangles", [])
    if not isinstance(given, list) or bool(given) is (kind == "review"):
        raise SpecError(f'{origin}: a "mask" has a list of rectangles, a "review" has none')
    rectangles = tuple(_rectangle(one, origin) for one in given)
    if parse is not None and isinstance(content["when"], str):
        return DeviceMask((parse(content["when"], f"{origin}, when"),), rectangles)
    conditions = tuple(
        one for key, value in content["when"].items() for one in _conditions(key, value, f"{origin}, {key}")
    )
    return DeviceMask(conditions, rectangles)


def _rectangle(content: object, origin: str) -> Rectangle:
    is_four = isinstance(content, list) and len(content) == 4
    if not is_four or not all(type(one) is int and 0 <= one < 1 << 16 for one in content):  # type: ignore[attr-defined]
        raise SpecError(f"{origin}: a rectangle is [x, y, width, height], whole numbers from 0 to 65535")
    found = Rectangle(*content)  # type: ignore[misc]
    if not found.width or not found.height:
        raise SpecError(f"{origin}: a rectangle has a width and a height")
    return found


def _conditions(key: str, value: object, origin: str) -> tuple[MaskCondition, ...]:
    tags = dictionary.tags_of(key)
    if not tags and re.fullmatch(r"[0-9A-Fa-f]{8}", key):
        tags = (int(key, 16),)
    if not tags:
        near = dictionary.nearest_keyword(key)
        hint = f"did you mean {near}?" if near else "give a keyword, or 8 hex digits"
        raise SpecError(f"{origin}: no attribute has that name; {hint}")
    if not isinstance(value, Mapping):
        return (MaskCondition(tuple(tags), "is", _texts(value, origin)),)
    if not value:
        raise SpecError(f"{origin}: give a value or operators")
    found = []
    for operator, own in value.items():
        if operator == "not":
            found.append(MaskCondition(tuple(tags), "not", inner=_conditions(key, own, origin)))
        elif operator in _FLAGS:
            if own is not True:
                raise SpecError(f'{origin}: "{operator}" takes true')
            found.append(MaskCondition(tuple(tags), operator))
        elif operator in _OPERATORS:
            texts = _texts(own, origin)
            if operator == "matches":
                _check_patterns(texts, origin)
            found.append(MaskCondition(tuple(tags), operator, texts))
        else:
            raise SpecError(f"{origin}: unknown operator {json.dumps(operator)}")
    return tuple(found)


def _check_patterns(patterns: Iterable[str], origin: str) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern, re.IGNORECASE)
        except (re.error, RecursionError):
            raise SpecError(f"{origin}: {json.dumps(pattern)} is no regular expression") from None


def _texts(value: object, origin: str) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value]
    if not given or not all(
        isinstance(one, str | int | float) and not isinstance(one, bool) for one in given
    ):
        raise SpecError(f"{origin}: give a text, a number, or a list of these")
    return tuple(str(one) for one in given)
