"""Keeps what native libraries print while they are loaded away from the terminal."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR = 2


@contextmanager
def mute_native_stderr() -> Iterator[None]:
    """Discards what is written to the file descriptor of stderr, by Python or by C++.

    TensorFlow prints lines about oneDNN and CUDA while it is imported, whatever its log level.
    """
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, _STDERR)
        os.close(nowhere)
        os.close(kept)
