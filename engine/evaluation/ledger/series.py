"""Returns as bytes: small, exact, and nothing in them that could run."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from engine.errors import LedgerError

if TYPE_CHECKING:
    import pandas as pd

MAGIC = b"returns 1\n"
STAMP, VALUE = "<i8", "<f8"
ROW = 16
"""Bytes a bar before compression."""


def packed(returns: pd.Series[float]) -> bytes:
    """A line that names the format, then what zlib made of two arrays, one after the other.

    The first has int64 microseconds: since 1970 (UTC) of the first bar, then from bar to bar,
    which compress to almost nothing. The second has the values, float64. Both are little-endian.

    Args:
        returns: Index of UTC timestamps, ascending.
    """
    import numpy as np

    stamps = returns.index.as_unit("us").asi8  # type: ignore[attr-defined]
    steps = np.diff(stamps, prepend=0).astype(STAMP)
    values = returns.to_numpy().astype(VALUE)
    return MAGIC + zlib.compress(steps.tobytes() + values.tobytes())


def unpacked(held: bytes) -> pd.Series[float]:
    """The returns that were packed, bit for bit.

    Raises:
        LedgerError: The bytes are damaged.
    """
    import numpy as np
    import pandas as pd

    plain = _plain(held)
    bars = len(plain) // ROW
    stamps = np.frombuffer(plain, STAMP, bars).cumsum().astype("datetime64[us]")
    values = np.frombuffer(plain, VALUE, bars, offset=8 * bars).astype(np.float64)
    index = pd.DatetimeIndex(stamps, tz="UTC", name="timestamp")
    return pd.Series(values, index=index, name="returns")


def _plain(held: bytes) -> bytes:
    try:
        plain = zlib.decompress(held.removeprefix(MAGIC))
    except zlib.error as error:
        raise _damaged(str(error)) from error
    if not held.startswith(MAGIC) or len(plain) % ROW:
        raise _damaged(f"{len(held)} bytes of something else")
    return plain


def _damaged(found: str) -> LedgerError:
    return LedgerError(
        "returns in the trial ledger are damaged",
        expected="what `backtest run` wrote: timestamps and returns, compressed",
        found=found,
    )
