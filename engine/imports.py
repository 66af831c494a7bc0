"""Imports of large libraries in less time, and without parts that nobody uses here."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def collect_rarely() -> None:
    """For a process of our own: lets garbage in cycles wait longer than Python would.

    By default every 700 new objects are looked through, and an import makes a million that stay:
    a third of what it takes to load pandas and vectorbt. The numbers are those of mypy.
    """
    gc.set_threshold(200_000, 30, 30)


@contextmanager
def without(*names: str) -> Iterator[None]:
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
