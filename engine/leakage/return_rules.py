"""What is made of the bars by a rule: returns, coarser bars, and which of these are complete.

Each is made again here from the bars that the rule names and no later one, at every bar. A value
that is another one is suspected of look-ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data import VALUE_COLUMNS
from engine.data.intervals import bar_ends
from engine.features.cross_section import transform_returns
from engine.leakage.rounding import ROUNDING

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, WideFrame
    from engine.data import Market
    from engine.features.cross_section import TargetTransform
    from engine.features.resolutions import CoarseFeatures


def suspected_labels(
    close: Matrix, ahead: WideFrame, bars: int, transform: TargetTransform = "raw"
) -> IntVector:
    """Rows of labels that are not the return over the next `bars` bars; it is known so much later.

    Args:
        close: (n, k) closes.
        ahead: (n, k) the labels.
        bars: Their horizon.
        transform: How the labels relate the returns of a row to each other.
    """
    known = ahead.to_numpy()[: len(close) - bars]
    return _differing_rows(known, _returns_over(close, bars, transform))


def suspected_trailing_returns(
    close: Matrix, behind: WideFrame, bars: int, transform: TargetTransform = "raw"
) -> IntVector:
    """Rows of trailing returns that are not the return over the last `bars` bars."""
    return bars + _differing_rows(behind.to_numpy()[bars:], _returns_over(close, bars, transform))


def _returns_over(close: Matrix, bars: int, transform: TargetTransform) -> Matrix:
    """(n - bars, k), each row made by itself from two rows of closes."""
    returns = close[bars:] / close[:-bars] - 1.0
    if transform == "raw":
        return returns
    return np.vstack([transform_returns(row[None], transform) for row in returns] or [returns[:0]])


def suspected_completions(market: Market, coarse: CoarseFeatures) -> IntVector:
    """Rows at which another coarse bar is known than the last that has ended at the close."""
    opens, labels = _microseconds(_stamps(market)), _microseconds(coarse.features.timestamps)
    ended = bar_ends(labels, coarse.interval).searchsorted(
        bar_ends(opens, market.interval), side="right"
    )
    return np.flatnonzero(ended - 1 != coarse.latest)


def aggregate_coarse_bars(market: Market, coarse: CoarseFeatures) -> Market | None:
    """The complete coarse bars, each of the bars that open in it, and the last of them again.

    None where one has no bar, or bars stand elsewhere than in theirs.

    Args:
        market: The bars.
        coarse: Says when the coarse bars begin.
    """
    opens, labels = _microseconds(_stamps(market)), _microseconds(coarse.features.timestamps)
    starts = opens.searchsorted(labels)
    stops = opens.searchsorted(bar_ends(labels, coarse.interval))
    if not len(labels) or (stops <= starts).any() or (starts[1:] != stops[:-1]).any():
        return None
    shape = (-1, len(market.symbols), len(VALUE_COLUMNS))
    bars = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64).reshape(shape)
    opened, high, low, close, volume = np.moveaxis(bars[: stops[-1]], -1, 0)
    columns = np.stack(
        [
            opened[starts],
            np.maximum.reduceat(high, starts),
            np.minimum.reduceat(low, starts),
            close[stops - 1],
            np.add.reduceat(volume, starts),
        ]
    )
    columns = np.concatenate([columns, columns[:, -1:]], axis=1)
    last = pd.DatetimeIndex(
        bar_ends(labels[-1:], coarse.interval).astype("datetime64[us]"), tz="UTC"
    )
    stamps = pd.DatetimeIndex(coarse.features.timestamps.append(last), name="timestamp")
    return market.at_times(stamps, columns.reshape(len(VALUE_COLUMNS), -1))


def _differing_rows(one: Matrix, two: Matrix) -> IntVector:
    """Rows that differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        near: npt.NDArray[np.bool_] = np.abs(one - two) <= ROUNDING * (np.abs(two) + ROUNDING)
    return np.flatnonzero(~near.all(axis=1))


def _stamps(market: Market) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(market.wide("close").index)


def _microseconds(stamps: pd.DatetimeIndex) -> IntVector:
    return stamps.tz_convert(None).to_numpy().astype("datetime64[us]").astype(np.int64)
