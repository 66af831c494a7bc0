"""Imports of large libraries: in less time, without unused parts, out of each other's way."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def relax_gc() -> None:
    """For a process of our own: lets garbage in cycles wait longer than Python would.

    By default every 700 new objects are looked through, and an import makes a million that stay:
    a third of what it takes to load pandas and vectorbt. The numbers are those of mypy.
    """
    gc.set_threshold(200_000, 30, 30)


@contextmanager
def hide_modules(*names: str) -> Iterator[None]:
    """What is imported inside finds these modules missing; those loaded already stay.

    Args:
        names: Extras that the imported library does without where they are not installed.
    """
    absent = [name for name in names if name not in sys.modules]
    # None there is Python's own way of saying that a module is not to be found.
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def deep_bind() -> Iterator[None]:
    """What is loaded inside uses its own copy of what an earlier library exports as well.

    TensorFlow lends its BoringSSL to every library loaded after it; curl_cffi, which brings one of
    its own, can make no connection with that. Only Linux mixes symbols so, and only there is
    anything done; a library that was loaded before stays as it is.
    """
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))
    try:
        yield
    finally:
        sys.setdlopenflags(flags)
