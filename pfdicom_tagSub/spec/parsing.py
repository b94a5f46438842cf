"""``--tagStruct``, ``--tagFile`` and ``--tagInfo`` to one checked list of pairs."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from ..core.bounded import SPEC_MOST, TooLargeError, read_path
from ..core.errors import SpecError
from ..core.options import Options
from ..text.quoting import quoted, shortened
from .forms import JSON_FLAG, hint_for_json, hint_for_pairs, hint_for_path
from .keys import PATTERN_PREFIX, Key, PatternKey, resolve

STANDARD_INPUT = "-"

NESTED_MOST = 64
"""How deep the items of sequences may be nested; no object of PS3.3 comes near it."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

REPLACE = "replace"
"""Stands before items that a file gets only where it has the sequence."""

ADD = "add"
"""Stands before items or a text that an element gets beside what it holds."""


class Layer(IntEnum):
    """Who wrote a pair; the greater one is the stronger."""

    PROFILE = 0
    SPEC = 1


@dataclass(frozen=True, slots=True)
class Items:
    """The value of a sequence: a list of items, each a list of keywords and literals.

    Attributes:
        items: the items.
        inserts: whether a file that lacks the sequence gets it.
        adds: whether the items that are there stay.
    """

    items: tuple[tuple[tuple[str, str | Items], ...], ...]
    inserts: bool = True
    adds: bool = False

    def plain(self) -> list[object]:
        """The items as JSON has them."""
        return [
            {key: value.plain() if isinstance(value, Items) else value for key, value in item}
            for item in self.items
        ]


@dataclass(frozen=True, slots=True)
class Added:
    """Values that an element gets beside those that it has, in the form that a file has them in."""

    text: str


SpecValue = str | Items | Added | None
"""A template, the items of a sequence, what is added, or None, which removes the element."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One key of a spec and its value.

    Attributes:
        text: the key as written, for messages.
        key: the key, resolved.
        value: the template as written, or items; None removes the element.
        layer: who wrote it.
    """

    text: str
    key: Key
    value: SpecValue
    layer: Layer = Layer.SPEC


@dataclass(frozen=True, slots=True)
class TagSpec:
    """A spec: its pairs in the order of writing."""

    pairs: tuple[Pair, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over keys and values in their order, hex: the same for every form."""
        canonical = json.dumps([[pair.text, _plain(pair.value)] for pair in self.pairs], ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: SpecValue) -> object:
    """A value as JSON has it."""
    match value:
        case Added(text):
            return {ADD: text}
        case Items(adds=True):
            return {ADD: value.plain()}
        case Items(inserts=False):
            return {REPLACE: value.plain()}
        case Items():
            return value.plain()
        case _:
            return value


def to_json(spec: TagSpec) -> str:
    """A spec as a JSON object, a pair a line; ``parse_json`` reads it."""
    lines = (f"    {json.dumps(pair.text)}: {json.dumps(_plain(pair.value))}" for pair in spec.pairs)
    return "{\n" + ",\n".join(lines) + "\n}"


def load(options: Options) -> TagSpec:
    """Read the spec that the command line gives; an empty one where a profile stands alone.

    Raises:
        SpecError: none or more than one was given, or it cannot mean what it says.
    """
    given = [
        flag
        for flag, value in (
            ("--tagStruct", options.tag_struct),
            ("--tagFile", options.tag_file),
            ("--tagInfo", options.tag_info),
        )
        if value is not None
    ]
    if not given and options.profile:
        return TagSpec(())
    if not given:
        raise SpecError("no spec: give one of --tagStruct, --tagFile or --tagInfo, or a --profile")
    if len(given) > 1:
        raise SpecError(f"more than one spec: {' and '.join(given)}; give one of them")
    if options.tag_struct is not None:
        spec = parse_json(options.tag_struct, "--tagStruct")
    elif options.tag_file is not None:
        spec = _parse_file(options.tag_file)
    else:
        spec = parse_info(options.tag_info or "", options.split_token, options.split_key_value)
    if not spec.pairs and not options.remove_private_tags and not options.profile:
        raise SpecError(f"{given[0]} names no element: nothing would be replaced")
    return spec


_OTHER_FORMATS = (".yaml", ".yml", ".toml")


def _parse_file(path: str) -> TagSpec:
    """The spec of a file: YAML or TOML where its name says so, JSON otherwise.

    Raises:
        SpecError: it cannot be read, or is no spec.
    """
    text, origin = _read(path), f"--tagFile {path}"
    if not path.lower().endswith(_OTHER_FORMATS):
        return parse_json(text, origin)
    from .file_formats import read_spec  # noqa: PLC0415  (for specs in these formats alone)

    content = read_spec(text, path, origin, _Object)
    if not isinstance(content, _Object):
        raise SpecError(f"{origin}: a spec is a list of keys with their values")
    if other := [key for key, _ in content if not isinstance(key, str)]:
        raise SpecError(f"{origin}: a key that is no text: {shortened(str(other[0]))}")
    return from_pairs([(key, _value(value, key, origin)) for key, value in content], origin)


def _read(path: str) -> str:
    origin = f"--tagFile {shortened(path)}"
    try:
        if path == STANDARD_INPUT and sys.stdin is None:
            raise SpecError(f"{origin}: standard input is closed")
        if path == STANDARD_INPUT:
            data = sys.stdin.buffer.read(SPEC_MOST + 1)
            if len(data) > SPEC_MOST:
                raise TooLargeError
        else:
            data = read_path(path, SPEC_MOST)
    except TooLargeError:
        raise SpecError(f"{origin}: it has more than {SPEC_MOST >> 20} MB; is it a spec?") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or "it is not a path"
        hint = hint_for_path(path)
        raise SpecError(f"{origin}: {reason}" + (f"; {hint}" if hint else "")) from None
    if data.startswith(_UTF_16):
        raise SpecError(f"{origin}: it is UTF-16; save it as UTF-8")
    if data[128:132] == b"DICM":
        raise SpecError(f"{origin}: it is a DICOM file; give the file with the spec")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{origin}: not UTF-8 at byte {error.start}") from None


_OBJECTS = (
    'for the items of a sequence give a list of objects, {"replace": [...]} where a file that lacks it '
    "gets none, "
    '{"add": [...]} where those that are there stay; {"add": "text"} adds values to a text'
)


class _NumberText(str):
    """A JSON number, kept as it is written."""


class _Object(list[tuple[str, object]]):
    """A JSON object: its pairs, a key that is given twice included."""


def parse_json(text: str, origin: str, layer: Layer = Layer.SPEC) -> TagSpec:
    """Parse a spec in JSON: an object of texts, numbers, nulls and items of sequences.

    Args:
        text: the JSON.
        origin: where it comes from, for messages.
        layer: who wrote it.

    Raises:
        SpecError: bad JSON (with line and column), a key twice, a value of another type,
            a key that is none.
    """

    def no_constant(name: str) -> object:
        raise SpecError(f"{origin}: {name} is not a value of a spec")

    try:
        content = json.loads(
            text,
            object_pairs_hook=_Object,
            parse_int=_NumberText,
            parse_float=_NumberText,
            parse_constant=no_constant,
        )
    except json.JSONDecodeError as error:
        hint = hint_for_json(text, origin.partition(" ")[0])
        reason = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise SpecError(f"{origin}: {reason}" + (f": {hint}" if hint else "")) from None
    except RecursionError:
        raise SpecError(f"{origin}: nested too deep for a spec") from None
    if not isinstance(content, _Object):
        hint = hint_for_json(str(content), JSON_FLAG) if isinstance(content, str) else ""
        raise SpecError(
            f'{origin}: a spec is a JSON object, {{"Keyword": "value", ...}}' + (f"; {hint}" if hint else "")
        )
    return from_pairs([(key, _value(value, key, origin)) for key, value in content], origin, layer)


def _value(value: object, key: str, origin: str) -> SpecValue:
    """A value of JSON as a value of a spec."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, _Object):
        match value:
            case [(str(word), list(items))] if word == REPLACE and not isinstance(items, _Object):
                return Items(_items(items, key, origin), inserts=False)
            case [(str(word), list(items))] if word == ADD and not isinstance(items, _Object):
                return Items(_items(items, key, origin), adds=True)
            case [(str(word), str(text))] if word == ADD:
                return Added(str(text))
        raise SpecError(f"{origin}: the value of {shortened(key)} is an object; {_OBJECTS}")
    if isinstance(value, list):
        return Items(_items(value, key, origin))
    raise SpecError(
        f"{origin}: the value of {shortened(key)} is true or false; "
        "it takes a text, a number, null or a list of items"
    )


def _items(
    items: list[object], key: str, origin: str, depth: int = 1
) -> tuple[tuple[tuple[str, str | Items], ...], ...]:
    """The items of a sequence.

    Raises:
        SpecError: they are none, or nested too deep.
    """
    if depth > NESTED_MOST:
        raise SpecError(f"{origin}: items of more than {NESTED_MOST} sequences in each other")
    found = []
    for item in items:
        if not isinstance(item, _Object):
            raise SpecError(
                f"{origin}: an item of {shortened(key)} is no object; a sequence takes a list of objects"
            )
        pairs: list[tuple[str, str | Items]] = []
        for inner, value in item:
            if inner in dict(pairs):
                raise SpecError(f"{origin}: {shortened(inner)} is given twice in an item of {shortened(key)}")
            if isinstance(value, str):
                pairs.append((inner, str(value)))
            elif isinstance(value, list) and not isinstance(value, _Object):
                pairs.append((inner, Items(_items(value, inner, origin, depth + 1))))
            else:
                raise SpecError(
                    f"{origin}: {shortened(inner)} in an item of {shortened(key)} "
                    "takes a text, a number or a list of items"
                )
        found.append(tuple(pairs))
    return tuple(found)


def parse_info(text: str, split_token: str, split_key_value: str) -> TagSpec:
    """Parse a spec in the delimited form of ``--tagInfo``.

    Args:
        text: pairs such as ``PatientName:anon``.
        split_token: what separates the pairs.
        split_key_value: what separates a key from its value, at its first occurrence
            after a leading ``re:``.

    Raises:
        SpecError: a pair without its separator, a key twice, a key that is none.
    """
    if not split_token or not split_key_value:
        raise SpecError("--splitToken and --splitKeyValue cannot be empty")
    if split_token not in text and (hint := hint_for_pairs(text)):
        raise SpecError(f"--tagInfo: {hint}")
    pairs: list[tuple[str, SpecValue]] = []
    for part in (piece.strip() for piece in text.split(split_token)):
        if not part:
            continue  # a separator after the last pair
        start = len(PATTERN_PREFIX) if part.startswith(PATTERN_PREFIX) else 0
        place = part.find(split_key_value, start)
        if place < 0:
            raise SpecError(
                f"--tagInfo: no {split_key_value!r} in {quoted(part)}; a pair is written "
                f"Keyword{split_key_value}value (see --splitKeyValue), and {split_token!r} separates pairs"
            )
        pairs.append((part[:place].strip(), part[place + len(split_key_value) :].strip()))
    return from_pairs(pairs, "--tagInfo")


def from_pairs(
    pairs: Sequence[tuple[str, SpecValue]], origin: str = "spec", layer: Layer = Layer.SPEC
) -> TagSpec:
    """Resolve the keys of a spec.

    Args:
        pairs: keys and values in the order of writing; a None removes the element.
        origin: where they come from, for messages.
        layer: who wrote them.

    Raises:
        SpecError: a key twice, or one that names no element.
    """
    resolved: list[Pair] = []
    seen: dict[object, str] = {}
    for text, value in pairs:
        key = resolve(text, origin)
        identity: object = text if isinstance(key, PatternKey) else key
        if identity in seen:
            raise SpecError(
                f"{origin}: {shortened(text)} and {shortened(seen[identity])} are the same key, given twice"
            )
        seen[identity] = text
        resolved.append(Pair(text, key, value, layer))
    return TagSpec(tuple(resolved))
