"""``--tagStruct``, ``--tagFile`` and ``--tagInfo`` to one checked list of pairs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace

from ..core.bounded import SPEC_MOST, TooLargeError, read_path
from ..core.errors import SpecError
from ..core.options import Options
from ..core.spec_parts import SpecPart
from ..core.system_reasons import why_unread
from ..text.quoting import quoted, shortened
from .forms import JSON_FLAG, hint_for_json, hint_for_pairs, hint_for_path
from .keys import PATTERN_PREFIX, PatternKey, resolve
from .pairs import (
    ADD,
    BLOCKS_MOST,
    EACH,
    OUTSIDE,
    REPLACE,
    WHEN_PREFIX,
    Added,
    Block,
    Each,
    Items,
    Layer,
    Nested,
    Pair,
    SpecValue,
    TagSpec,
    plain_of,
)

STANDARD_INPUT = "-"

NESTED_MOST = 64
"""How deep the items of sequences may be nested; no object of PS3.3 comes near it."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def to_json(spec: TagSpec) -> str:
    """A spec as a JSON object, a pair a line; ``parse_json`` reads it."""
    if spec.blocks:
        from .when_blocks import lines_of  # noqa: PLC0415  (for specs with blocks alone)

        return "\n".join(lines_of(spec))
    lines = (f"    {json.dumps(pair.text)}: {json.dumps(plain_of(pair.value))}" for pair in spec.pairs)
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
            ("--tagFile", options.tag_files or None),
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
    elif options.tag_files:
        spec = _parse_files(options.tag_files)
    else:
        spec = parse_info(options.tag_info or "", options.split_token, options.split_key_value)
    if not spec.pairs and not spec.blocks and not options.remove_private_tags and not options.profile:
        raise SpecError(f"{given[0]} names no element: nothing would be replaced")
    return spec


_OTHER_FORMATS = (".yaml", ".yml", ".toml")


def _parse_files(paths: Sequence[str]) -> TagSpec:
    """The spec of one file, or of several that are merged.

    Raises:
        SpecError: one of them cannot be read, or is no spec.
    """
    found = [parse_file(path) for path in paths]
    parts = tuple(SpecPart("--tagFile", path, one.digest) for path, one in zip(paths, found, strict=True))
    spec = found[0]
    if len(found) > 1:
        from .layers import merged, origin_of  # noqa: PLC0415  (for specs of several files alone)

        spec = from_pairs(merged(found), origin_of(paths))
    return replace(spec, parts=parts)


def parse_file(path: str, what: str = "--tagFile") -> TagSpec:
    """The spec of a file: YAML or TOML where its name says so, JSON otherwise.

    Args:
        path: the file; ``-`` is standard input.
        what: what named it, for messages.

    Raises:
        SpecError: it cannot be read, or is no spec.
    """
    text, origin = _read(path, what), f"{what} {path}"
    if not path.lower().endswith(_OTHER_FORMATS):
        return parse_json(text, origin)
    from .file_formats import read_spec  # noqa: PLC0415  (for specs in these formats alone)

    content = read_spec(text, path, origin, _Object)
    if not isinstance(content, _Object):
        raise SpecError(f"{origin}: a spec is a list of keys with their values")
    if other := [key for key, _ in content if not isinstance(key, str)]:
        raise SpecError(f"{origin}: a key that is no text: {shortened(str(other[0]))}")
    return from_pairs([(key, _value(value, key, origin)) for key, value in content], origin)


def _read(path: str, what: str = "--tagFile") -> str:
    origin = f"{what} {shortened(path)}"
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
        reason = why_unread(error)
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
    '{"add": [...]} where those that are there stay; {"add": "text"} adds values to a text; '
    '{"each": {...}} holds the pairs for what is in the items that a file has'
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


def _value(value: object, key: str, origin: str, depth: int = 0) -> SpecValue | Nested:
    """A value of JSON as a value of a spec."""
    if key.startswith(WHEN_PREFIX) and isinstance(value, _Object):
        if depth >= BLOCKS_MOST:
            raise SpecError(f"{origin}: {shortened(key)}: blocks are nested more than {BLOCKS_MOST} deep")
        return Nested(tuple((inner, _value(one, inner, origin, depth + 1)) for inner, one in value))
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
            case [(str(word), _Object() as inner)] if word == EACH:
                return _each(inner, key, origin, depth)
        raise SpecError(f"{origin}: the value of {shortened(key)} is an object; {_OBJECTS}")
    if isinstance(value, list):
        return Items(_items(value, key, origin))
    raise SpecError(
        f"{origin}: the value of {shortened(key)} is true or false; "
        "it takes a text, a number, null or a list of items"
    )


def _each(pairs: _Object, key: str, origin: str, depth: int) -> Each:
    """Pairs for what is in the items of a sequence."""
    from .item_pairs import each_of  # noqa: PLC0415  (for specs with these alone)

    if depth >= BLOCKS_MOST:
        raise SpecError(f"{origin}: {shortened(key)}: nested more than {BLOCKS_MOST} deep")
    found: list[tuple[str, SpecValue]] = []
    for inner, value in pairs:
        made = None if inner.startswith(WHEN_PREFIX) else _value(value, inner, origin, depth + 1)
        assert not isinstance(made, Nested)
        found.append((inner, made))
    return each_of(found, key, origin)


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
                f"--tagInfo: no {quoted(split_key_value)} in {quoted(part)}; a pair is written "
                f"Keyword{split_key_value}value (see --splitKeyValue), and {quoted(split_token)} separates "
                "pairs"
            )
        pairs.append((part[:place].strip(), part[place + len(split_key_value) :].strip()))
    return from_pairs(pairs, "--tagInfo")


def from_pairs(
    pairs: Sequence[tuple[str, SpecValue | Nested]], origin: str = "spec", layer: Layer = Layer.SPEC
) -> TagSpec:
    """Resolve the keys of a spec.

    Args:
        pairs: keys and values in the order of writing; a None removes the element.
        origin: where they come from, for messages.
        layer: who wrote them.

    Raises:
        SpecError: a key twice, one that names no element, or a ``when`` block that is none.
    """
    resolved: list[Pair] = []
    blocks: list[Block] = []
    _resolve(pairs, origin, layer, OUTSIDE, (resolved, blocks))
    return TagSpec(tuple(resolved), tuple(blocks))


def _resolve(
    pairs: Sequence[tuple[str, SpecValue | Nested]],
    origin: str,
    layer: Layer,
    block: int,
    found: tuple[list[Pair], list[Block]],
) -> None:
    """Resolve the pairs that stand in a block or outside of all, and those of the blocks among them."""
    seen: dict[object, str] = {}
    for text, value in pairs:
        is_block = text.startswith(WHEN_PREFIX)
        key = None if is_block else resolve(text, origin)
        identity: object = text if key is None or isinstance(key, PatternKey) else key
        if identity in seen:
            raise SpecError(
                f"{origin}: {shortened(text)} and {shortened(seen[identity])} are the same key, given twice"
            )
        seen[identity] = text
        if key is not None:
            assert not isinstance(value, Nested)
            found[0].append(Pair(text, key, value, layer, block))
            continue
        from .when_blocks import block_of  # noqa: PLC0415  (for specs with blocks alone)

        depth = found[1][block].depth + 1 if block != OUTSIDE else 0
        own, inner = block_of(text, value, block, origin, depth)
        found[1].append(own)
        _resolve(inner, origin, layer, len(found[1]) - 1, found)
