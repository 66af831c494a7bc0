"""Imports of large libraries without what they load for parts that nobody uses here."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
