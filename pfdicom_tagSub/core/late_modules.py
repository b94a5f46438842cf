"""Libraries loaded without those of their modules that this command never uses.

pftree imports tqdm for bars that are not shown here. pydicom imports what finds and downloads its test data,
and with it urllib, tqdm and, where it is installed, requests. That is a tenth of a start. Stand-ins take
their places while the library is loaded: what it takes from one of them is a function that loads the real
module when it is called.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

PFTREE = ("pftree", ("tqdm",))
PYDICOM = ("pydicom", ("pydicom.data", "pydicom.examples"))
"""A library, and what it is loaded without."""


class LateModule(ModuleType):
    """Stands for a module: it gives functions that load it, or, once the library is loaded, what is in it."""

    def __getattr__(self, name: str) -> Any:
        """A name of the module.

        Raises:
            AttributeError: of the module, or one that Python itself asks a module for.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            return _later(self, name)
        return getattr(importlib.import_module(self.__name__), name)


def _later(stand_in: LateModule, name: str) -> Callable[..., Any]:
    """A function of a module that is loaded for the first call."""

    def call(*arguments: Any, **named: Any) -> Any:
        if sys.modules.get(stand_in.__name__) is stand_in:  # the library calls it as it is loaded
            del sys.modules[stand_in.__name__]
        return getattr(stand_in, name)(*arguments, **named)

    return call


def load(library: str, without: tuple[str, ...]) -> None:
    """Import a library without some modules; nothing of that is left for others to see.

    It is left alone where others have loaded it, or could come upon the stand-ins meanwhile, and is loaded as
    it is, later, where it wants more of those modules than functions.

    Args:
        library: its name.
        without: what it imports and hardly ever calls.
    """
    if library in sys.modules or threading.active_count() > 1:
        return
    stand_ins = {name: LateModule(name) for name in without if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        importlib.import_module(library)
    except Exception:  # of whatever kind: it is imported as it is later, which tells what is wrong
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{library}.")]:
            del sys.modules[name]
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
                above, _, own = name.rpartition(".")
                if above in sys.modules:
                    setattr(sys.modules[above], own, stand_in)
