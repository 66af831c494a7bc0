"""Exact, compressed bytes of a series of returns; a data format without code."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, cast

from engine.core.errors import LedgerError

if TYPE_CHECKING:
    import pandas as pd

FORMAT_HEADER = b"returns 1\n"
TIMESTAMP_DTYPE, RETURN_DTYPE = "<i8", "<f8"
BYTES_PER_BAR = 16
"""Bytes per bar before compression."""


def encode_returns(returns: pd.Series[float]) -> bytes:
    """Encodes returns as a format line and two zlib-compressed arrays, one after the other.

    The first array has int64 microseconds: since 1970 (UTC) for the first bar, then the
    differences from bar to bar, which compress well. The second has the values, float64. Both are
    little-endian.

    Args:
        returns: Index of UTC timestamps, ascending.
    """
    import numpy as np

    stamps = cast("pd.DatetimeIndex", returns.index).as_unit("us").asi8
    steps = np.diff(stamps, prepend=0).astype(TIMESTAMP_DTYPE)
    values = returns.to_numpy().astype(RETURN_DTYPE)
    return FORMAT_HEADER + zlib.compress(steps.tobytes() + values.tobytes())


def decode_returns(blob: bytes) -> pd.Series[float]:
    """Decodes returns, bit for bit.

    Raises:
        LedgerError: The bytes are damaged.
    """
    import numpy as np
    import pandas as pd

    data = _decompress(blob)
    bars = len(data) // BYTES_PER_BAR
    stamps = np.frombuffer(data, TIMESTAMP_DTYPE, bars).cumsum().astype("datetime64[us]")
    values = np.frombuffer(data, RETURN_DTYPE, bars, offset=8 * bars).astype(np.float64)
    index = pd.DatetimeIndex(stamps, tz="UTC", name="timestamp")
    return pd.Series(values, index=index, name="returns")


def _decompress(blob: bytes) -> bytes:
    try:
        data = zlib.decompress(blob.removeprefix(FORMAT_HEADER))
    except zlib.error as error:
        raise _damaged_error(str(error)) from error
    if not blob.startswith(FORMAT_HEADER) or len(data) % BYTES_PER_BAR:
        raise _damaged_error(f"{len(blob)} bytes in another format")
    return data


def _damaged_error(found: str) -> LedgerError:
    return LedgerError(
        "returns in the trial ledger are damaged",
        expected="compressed timestamps and returns, as `backtest run` writes them",
        found=found,
    )
