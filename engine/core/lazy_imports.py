"""Imports of large libraries: faster, without unused parts, and isolated from each other."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def relax_gc() -> None:
    """Makes the garbage collector run less often; for processes of the engine's own.

    By default it runs every 700 new objects, and an import creates a million that stay: this is a
    third of the time to load pandas and vectorbt. The thresholds are those of mypy.
    """
    gc.set_threshold(200_000, 30, 30)


def settle_gc() -> None:
    """Leaves what is in memory out of later collections; for processes of the engine's own.

    A process that lives long calls it once it has loaded what it keeps: a collection that goes
    through the objects of all libraries takes as long as hundreds of bars.
    """
    gc.collect()
    gc.freeze()


@contextmanager
def hide_modules(*names: str) -> Iterator[None]:
    """Within the context these modules cannot be imported, unless they are already loaded.

    Args:
        names: Optional dependencies, without which the imported library works.
    """
    absent = [name for name in names if name not in sys.modules]
    # To Python, None in sys.modules means that the module cannot be found.
    nothing: dict[str, Any] = dict.fromkeys(absent)
    sys.modules.update(nothing)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def deep_bind() -> Iterator[None]:
    """Libraries loaded within the context prefer their own symbols to earlier ones.

    TensorFlow exports its BoringSSL to every library loaded after it; curl_cffi, which contains
    its own, cannot connect with that one. This applies to Linux, and does nothing elsewhere; a
    library that was loaded before does not change.
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


def lazy_exports(package: str, exports: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package that loads each export at its first use.

    Args:
        package: Name of the package.
        exports: Exported name -> submodule that defines it.
    """

    def get_export(name: str) -> object:
        if name in exports:
            return getattr(import_module(f"{package}.{exports[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get_export
