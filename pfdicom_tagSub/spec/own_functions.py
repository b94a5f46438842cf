"""Functions that users write themselves: in a file (``--functions``), or in a package with an entry point.

A worker that is told of rules with own functions loads them as it is told: what travels is the text of a
file, or the name of an entry point, with the digest of what is behind it.
"""

from __future__ import annotations

import copyreg
import hashlib
import inspect
import types
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..core.bounded import SPEC_MOST, TooLargeError, read_path
from ..core.errors import FileError, SpecError
from ..core.system_reasons import why_unread
from ..dicom.dictionary import ALL_VRS
from ..text.quoting import quoted, shortened
from .function_types import Call, Function, Origin, Resources, SecretUse
from .functions import FUNCTIONS
from .own_output import nothing_printed

GROUP = "pfdicom_tagSub.functions"
"""The entry points of packages."""

OPTION = "--functions"

Argument = str | int | float
ValueFunction = Callable[[str, tuple[Argument, ...], bytes | None], str]
"""A value, the arguments and the secret key to another value."""

F = TypeVar("F", bound=ValueFunction)

_MARK = "_pfdicom_tagSub_function"


class OtherFunctionsError(SpecError):
    """The functions of rules are others where these are unpacked."""


@dataclass(frozen=True, slots=True)
class _Described:
    """What the decorator says of a function."""

    name: str
    arguments: tuple[type[Argument], ...]
    optional: int
    vrs: frozenset[str]
    needs_secret: bool


def spec_function(
    name: str,
    *,
    arguments: Sequence[type[Argument]] = (),
    optional: int = 0,
    vrs: Collection[str] = (),
    needs_secret: bool = False,
) -> Callable[[F], F]:
    """Make a function of the spec out of one that takes a value, the arguments and the secret key.

    It has to be pure: it has the same result for the same arguments, whatever came before and wherever
    it runs, since results are remembered. An exception fails the file, and the record has its type and
    the function's name.

    Args:
        name: how a spec names it: a letter, then letters and digits.
        arguments: the kinds of its arguments, ``str``, ``int`` or ``float``.
        optional: how many of these, from the last, may be left out.
        vrs: the VRs that it is for; () for all. A key that names only elements of others is an error, and a
            file whose value has another fails.
        needs_secret: whether it needs the secret key. With a key, it gets 32 bytes that are derived from
            the key and its name; without one, it gets None if it does not need the key.

    Raises:
        SpecError: an argument of the decorator is wrong.

    >>> @spec_function("shout", arguments=(int,), vrs={"LO"})
    ... def shout(value, arguments, secret):
    ...     return value.upper() + "!" * arguments[0]
    """
    described = _Described(name, tuple(arguments), optional, frozenset(vrs), needs_secret)
    if not (name.isascii() and name.isalnum() and name[:1].isalpha()):
        raise SpecError(f"spec_function: {shortened(name)} is no name: a letter, then letters and digits")
    if unknown := described.vrs - ALL_VRS:
        raise SpecError(f"spec_function {name}: unknown VR: {', '.join(sorted(unknown))}")
    if any(kind not in (str, int, float) for kind in described.arguments):
        raise SpecError(f"spec_function {name}: arguments are of the kinds str, int and float")
    if not 0 <= optional <= len(described.arguments):
        raise SpecError(f"spec_function {name}: {optional} of {len(arguments)} arguments cannot be left out")

    def mark(function: F) -> F:
        setattr(function, _MARK, described)
        return function

    return mark


def load_files(paths: Sequence[str]) -> None:
    """Load the functions of files.

    Raises:
        SpecError: one cannot be read or run, has no function, or one of a name that is taken.
    """
    for path in paths:
        try:
            data = read_path(path, SPEC_MOST)
            text = data.decode("utf-8-sig")
        except TooLargeError:
            raise SpecError(f"{OPTION} {path}: it has more than {SPEC_MOST >> 20} MB") from None
        except UnicodeDecodeError as error:
            raise SpecError(f"{OPTION} {path}: not UTF-8 at byte {error.start}") from None
        except (OSError, ValueError) as error:
            reason = why_unread(error)
            raise SpecError(f"{OPTION} {path}: {reason}") from None
        _load_text(Origin(OPTION, path, hashlib.sha256(data).hexdigest(), text))


def load_entry_point(name: str) -> Function | None:
    """The function of an installed package with this name; None where there is none.

    Raises:
        SpecError: it cannot be loaded, or is no function of a spec.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415  (where a spec names an unknown function)

    for point in entry_points(group=GROUP, name=name):
        where = f"entry point {name} of {GROUP}"
        try:
            with nothing_printed():
                found = point.load()
            data = inspect.getsource(inspect.getmodule(found) or types).encode()
        except Exception as error:
            raise SpecError(f"{where}: {type(error).__name__}") from None
        described = getattr(found, _MARK, None)
        if not isinstance(described, _Described) or described.name != name:
            raise SpecError(f"{where}: it is no spec_function of that name")
        _register(Origin(GROUP, name, hashlib.sha256(data).hexdigest()), [(described, found)])
        return FUNCTIONS[name]
    return None


def forget(kept: Collection[Origin]) -> None:
    """Forget the functions of users but for those that come from these origins."""
    for name, function in list(FUNCTIONS.items()):
        if function.origin is not None and function.origin not in kept:
            del FUNCTIONS[name]


def _loaded(option: str, name: str, digest: str, text: str) -> Origin:
    """An origin where rules are unpacked, its functions loaded.

    Raises:
        SpecError: they are not there, or others.
    """
    origin = Origin(option, name, digest, text)
    if text:
        _load_text(origin)
        return origin
    known = FUNCTIONS.get(name) or load_entry_point(name)
    if known is None or known.origin != origin:
        raise OtherFunctionsError(f"the function {name} is missing, or another one")
    return origin


def _packed(origin: Origin) -> tuple[Callable[..., Origin], tuple[str, ...]]:
    """How an origin travels to another process: unpickled, it loads its functions there."""
    return _loaded, (origin.option, origin.name, origin.digest, origin.text)


copyreg.pickle(Origin, _packed)


def _load_text(origin: Origin) -> None:
    """Run the text of a file and take its functions."""
    module = types.ModuleType(f"pfdicom_tagSub_functions_{origin.digest[:12]}")
    where = f"{origin.option} {origin.name}"
    try:
        with nothing_printed():
            exec(compile(origin.text, origin.name, "exec"), module.__dict__)  # noqa: S102  (the user's code)
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else _line_of(error, origin.name)
        raise SpecError(f"{where}: {type(error).__name__}" + (f" in line {line}" if line else "")) from None
    found = list(_decorated(module))
    if not found:
        raise SpecError(f"{where}: it has no function with the decorator spec_function")
    _register(origin, found)


def _line_of(error: Exception, path: str) -> int:
    """The line of a file at which an exception left it; 0 where it did not."""
    line, frames = 0, error.__traceback__
    while frames is not None:
        if frames.tb_frame.f_code.co_filename == path:
            line = frames.tb_lineno
        frames = frames.tb_next
    return line


def _decorated(module: types.ModuleType) -> Iterator[tuple[_Described, ValueFunction]]:
    for value in vars(module).values():
        described = getattr(value, _MARK, None)
        if isinstance(described, _Described):
            yield described, value


def _register(origin: Origin, found: Sequence[tuple[_Described, ValueFunction]]) -> None:
    """Let specs name functions.

    Raises:
        SpecError: a name is taken.
    """
    for described, function in found:
        known = FUNCTIONS.get(described.name)
        if known is not None and known.origin == origin:
            continue
        if known is not None:
            whose = "another one of this process has" if known.origin else "one of the tool's has"
            raise SpecError(f"{origin.option} {origin.name}: {described.name}: {whose} this name")
        FUNCTIONS[described.name] = _function_of(described, function, origin)


def _function_of(described: _Described, function: ValueFunction, origin: Origin) -> Function:
    name, kinds = described.name, described.arguments
    usage = f"%_{name}{''.join(f'|{kind.__name__}' for kind in kinds)}_Tag"

    def check(arguments: tuple[str, ...]) -> str:
        if not len(kinds) - described.optional <= len(arguments) <= len(kinds):
            return f"it takes {_number(len(kinds) - described.optional, len(kinds))}"
        for kind, argument in zip(kinds, arguments, strict=False):
            try:
                kind(argument)
            except ValueError:
                return f"{quoted(argument)} is no {kind.__name__}"
        return ""

    def find_problem(arguments: tuple[str, ...], resources: Resources) -> str:  # noqa: ARG001
        if described.needs_secret and resources.secret is None:
            return "it needs a secret key: give one with --keyFile or PFDICOM_TAGSUB_KEY"
        return ""

    def run(call: Call) -> str:
        if described.vrs and call.vr not in described.vrs:
            raise FileError(f"the function {name} is not for the VR {call.vr or 'unknown'}")
        arguments = tuple(kind(one) for kind, one in zip(kinds, call.arguments, strict=False))
        secret = call.resources.secret
        key = None if secret is None else secret.subkey(f"own/{name}")
        try:
            with nothing_printed():
                result: Any = function(call.text, arguments, key)
        except (Exception, SystemExit) as error:
            raise FileError(f"the function {name} failed: {type(error).__name__}") from None
        if not isinstance(result, str):
            raise FileError(f"the function {name} gave no text but {type(result).__name__}")
        return result

    use = SecretUse.REQUIRED if described.needs_secret else SecretUse.NONE
    meaning = inspect.getdoc(function) or "a function of the user"
    vrs = described.vrs
    return Function(
        name, usage, meaning, run, check, secret=use, find_problem=find_problem, origin=origin, vrs=vrs
    )


def _number(least: int, most: int) -> str:
    count = str(most) if least == most else f"{least} to {most}"
    return f"{count} argument{'s' * (most != 1)}"
