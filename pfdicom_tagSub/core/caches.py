"""What was found out about values and the key, remembered by one worker and gone with it.

A result that is wanted again and again, such as the pseudonym of a name, is made once.
Functions say with :func:`remembered` that their results are worth that; where they are kept
is up to the worker that calls them. Nothing is kept in the process itself: a process
such as that of a Dask worker lives on after a run, and must not know whom it was about.

A function that is remembered is pure: its result depends on its arguments alone, so that
results never depend on what was asked before.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Caches:
    """The results of one worker; a context manager, within which its thread keeps them here.

    Not safe to share between threads.

    >>> @remembered(most=2)
    ... def doubled(number: int) -> int:
    ...     print("asked")
    ...     return 2 * number
    >>> with Caches():
    ...     doubled(1) + doubled(1)
    asked
    4
    """

    def __init__(self) -> None:
        self._results: dict[Callable[..., Any], dict[Hashable, Any]] = {}
        self._outer: list[Caches | None] = []
        # The re module keeps the patterns that it compiled, and those of dates are made of values.
        weakref.finalize(self, re.purge).atexit = False

    def __enter__(self) -> Caches:
        self._outer.append(_active.caches)
        _active.caches = self
        return self

    def __exit__(self, *exception: object) -> None:
        _active.caches = self._outer.pop()

    def of(self, function: Callable[..., Any]) -> dict[Hashable, Any]:
        """The results of a function by its arguments."""
        results = self._results.get(function)
        if results is None:
            results = self._results[function] = {}
        return results


class _Active(threading.local):
    """Where this thread keeps results; None while it works for no worker."""

    caches: Caches | None = None


_active = _Active()


def remembered(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let the worker at hand remember what a pure function makes of its arguments.

    Args:
        most: of how many arguments; then all are forgotten.

    Returns:
        A decorator. Outside of any ``Caches``, and with arguments by name, the function is
        called each time.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
            caches = _active.caches
            if caches is None or kwargs:
                return function(*args, **kwargs)
            results = caches.of(function)
            try:
                known: R = results[args]
            except KeyError:
                pass
            else:
                return known
            result = function(*args, **kwargs)
            if len(results) >= most:
                results.clear()
            results[args] = result
            return result

        return remembering

    return decorate
