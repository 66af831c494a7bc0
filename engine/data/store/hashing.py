"""What bars hash to, whatever file or client they came from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import VALUE_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame

SHORT_HASH_LENGTH = 12
"""Hex digits of a name that people type."""


def utc_datetime64(bars: BarsFrame) -> npt.NDArray[np.datetime64]:
    """The timestamps of bars as microseconds of UTC, without a time zone."""
    stamps = bars["timestamp"].dt.tz_localize(None)
    return np.asarray(stamps.to_numpy(), dtype="datetime64[us]")


def hash_bars(bars: BarsFrame) -> str:
    """SHA-256 of the bars of one symbol, 64 hex digits.

    Over the timestamps as little-endian int64 microseconds since 1970, followed by open, high,
    low, close and volume as little-endian float64, each column whole and in that order; -0.0
    counts as 0.0.
    """
    made = hashlib.sha256(utc_datetime64(bars).astype("<i8").tobytes())
    for column in VALUE_COLUMNS:
        made.update((bars[column].to_numpy(dtype="<f8") + 0.0).tobytes())
    return made.hexdigest()
