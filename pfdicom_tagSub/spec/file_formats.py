"""Specs in YAML and TOML, read as the JSON that they stand for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from importlib.util import find_spec
from typing import Any

from ..core.errors import SpecError

TOML_SUFFIX = ".toml"

REMOVE = {"remove": True}
"""What stands for null in TOML, which has none."""

MakeObject = Callable[[list[tuple[str, object]]], object]
"""Makes an object of JSON out of its pairs."""


def read_spec(text: str, path: str, origin: str, make_object: MakeObject) -> object:
    """The content of a file whose name says that it is YAML or TOML.

    Args:
        text: the content.
        path: the path of the file.
        origin: where it comes from, for messages.
        make_object: makes an object of JSON.

    Raises:
        SpecError: it is not what its name says, or says what JSON could not.
    """
    if path.lower().endswith(TOML_SUFFIX):
        return _read_toml(text, origin, make_object)
    return _read_yaml(text, origin, make_object)


def _read_toml(text: str, origin: str, make_object: MakeObject) -> object:
    try:
        content = tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin}: {error}") from None
    except RecursionError:
        raise SpecError(f"{origin}: nested too deep for a spec") from None

    def converted(value: object) -> object:
        if value == REMOVE:
            return None
        if isinstance(value, dict):
            return make_object([(key, converted(one)) for key, one in value.items()])
        if isinstance(value, list):
            return [converted(one) for one in value]
        if isinstance(value, date | datetime | time):
            raise SpecError(
                f"{origin}: a date or time without quotation marks; write it as DICOM does, in them"
            )
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return converted(content)


def _read_yaml(text: str, origin: str, make_object: MakeObject) -> object:
    if find_spec("yaml") is None:
        raise SpecError(f"{origin}: YAML needs a package that is not installed: pip install PyYAML")
    import yaml  # noqa: PLC0415  (for specs in YAML alone)

    class Loader(yaml.SafeLoader):
        """PyYAML's safe loader, for which every scalar but null is the text that is written.

        So YES is a text and no truth, and 0010 no number in octal.
        """

        yaml_implicit_resolvers: dict[Any, Any] = {  # noqa: RUF012  (PyYAML's own attribute)
            first: [pair for pair in pairs if pair[0] == "tag:yaml.org,2002:null"]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            """Take no alias: few of them may stand for a spec without end."""
            if self.check_event(yaml.AliasEvent):
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise SpecError(f"{origin}: an alias at line {mark.line + 1}, which a spec cannot have")
            return super().compose_node(parent, index)

    def constructed(loader: Loader, node: yaml.MappingNode) -> object:
        return make_object(
            [
                (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
                for key, value in node.value
            ]
        )

    Loader.add_constructor("tag:yaml.org,2002:map", constructed)
    try:
        return yaml.load(text, Loader)  # noqa: S506  (a safe loader, see above)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpecError(
            f"{origin}: no YAML{place}: {getattr(error, 'problem', None) or 'unreadable'}"
        ) from None
    except RecursionError:
        raise SpecError(f"{origin}: nested too deep for a spec") from None
