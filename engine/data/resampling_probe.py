"""Proves at sampled bars that a resampled bar is known from base bars up to its close."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import LookaheadError
from engine.core.types import PRICE_COLUMNS
from engine.data.bars import VALUE_COLUMNS, format_timestamp, utc_datetime64
from engine.data.intervals import bar_ends

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import BarsFrame, IntVector
    from engine.data.calendar import BarInterval

_EVEN_CUTS, _LARGEST_MOVES, _LONGEST_GAPS = 16, 4, 4
# Coarse bars that are made again before each cut, of which the later half is compared: the first
# may lack its beginning.
_REBUILT, _COMPARED = 20, 10
_DAY = np.timedelta64(1, "D")
# What comes after a cut is another price and another volume.
_PRICE_FACTOR, _VOLUME_FACTOR = 1.07, 3.0


@dataclass(frozen=True)
class ResamplingProbe:
    """What was compared of the resampled bars of one symbol.

    Attributes:
        symbol: The symbol.
        base: Interval of the bars they are made of.
        interval: Their own.
        cuts: Coarse bars after whose end the base bars were replaced.
        values: Values that were equal, over all cuts.
    """

    symbol: str
    base: str
    interval: str
    cuts: int
    values: int

    def as_json(self) -> dict[str, Any]:
        """Every attribute, for a manifest."""
        return asdict(self)


def probe_resampling(
    fine: BarsFrame,
    coarse: BarsFrame,
    resample: Callable[[BarsFrame], BarsFrame],
    intervals: tuple[BarInterval, BarInterval],
) -> ResamplingProbe:
    """Makes coarse bars again from base bars that end with them, and compares.

    For up to 24 coarse bars (evenly spaced, at the largest moves and before the longest gaps) the
    base bars after the end of the coarse bar are those of at most two more coarse bars, with other
    prices and volumes: where bars are missing, a later one shows that the coarse bar is over. The
    coarse bar and the nine before it have to be there and equal bit for bit.

    Args:
        fine: Base bars of one symbol, ascending.
        coarse: What was made of all of them.
        resample: Makes coarse bars of base bars.
        intervals: Length of a base bar and of a coarse one.

    Raises:
        LookaheadError: A coarse bar is another one, or missing, where base bars after its end are
            other ones.
    """
    base, interval = intervals
    opens, labels = utc_datetime64(fine), utc_datetime64(coarse)
    ends = bar_ends(labels.astype(np.int64), interval).astype("datetime64[us]")
    following = np.searchsorted(opens, ends)
    probed = _choose(coarse, labels, np.flatnonzero(following < len(fine)))
    count = 0
    for bar in probed.tolist():
        begin = np.searchsorted(opens, labels[max(bar - _REBUILT, 0)] - _DAY)
        end = np.searchsorted(opens, labels[bar + 2]) if bar + 2 < len(coarse) else len(fine)
        known = _altered_from(fine.iloc[begin:end], following[bar] - begin)
        expected = coarse.iloc[max(bar - _COMPARED + 1, 0) : bar + 1]
        _require_equal(expected, resample(known), intervals)
        count += expected[list(VALUE_COLUMNS)].size
    return ResamplingProbe(str(fine["symbol"].iloc[0]), base, interval, len(probed), count)


def _choose(coarse: BarsFrame, labels: np.ndarray, usable: IntVector) -> IntVector:
    """Positions of the coarse bars after which base bars are cut."""
    if not usable.size:
        return usable
    even = usable[np.linspace(0, usable.size - 1, min(_EVEN_CUTS, usable.size)).astype(int)]
    moves = np.abs(np.diff(np.log(coarse["close"].to_numpy()), prepend=np.nan))
    gaps = np.diff(labels.astype(np.int64), append=labels[-1:].astype(np.int64))
    special = [
        usable[np.argsort(-np.nan_to_num(each[usable]), kind="stable")[:most]]
        for each, most in ((moves, _LARGEST_MOVES), (gaps, _LONGEST_GAPS))
    ]
    return np.unique(np.concatenate([even, *special]))


def _altered_from(bars: BarsFrame, row: int) -> BarsFrame:
    """The bars with other values from a row on."""
    altered = bars.reset_index(drop=True)
    later = altered.index[row:]
    altered.loc[later, list(PRICE_COLUMNS)] *= _PRICE_FACTOR
    altered.loc[later, "volume"] *= _VOLUME_FACTOR
    return altered


def _require_equal(
    expected: BarsFrame, rebuilt: BarsFrame, intervals: tuple[BarInterval, BarInterval]
) -> None:
    columns = list(VALUE_COLUMNS)
    found = rebuilt.set_index("timestamp")[columns].reindex(expected["timestamp"])
    present = expected["timestamp"].isin(rebuilt["timestamp"]).to_numpy()
    ours, theirs = expected[columns].to_numpy(), found.to_numpy()
    equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs) & present[:, None])
    if equal.all():
        return
    row, column = np.argwhere(~equal)[0].tolist()
    base, interval = intervals
    symbol, name = expected["symbol"].iloc[row], columns[column]
    bar = format_timestamp(expected["timestamp"].iloc[row], interval)
    value = f"{theirs[row, column]:.10g}" if present[row] else "no such bar"
    raise LookaheadError(
        f"Look-ahead: the bar of {interval} of {symbol} at {bar} knows what comes after its end",
        expected=f"{name} {ours[row, column]:.10g}, as from the real bars of {base}",
        found=f"{value} with other bars of {base} after its end",
        where=f"resampling of {symbol} from {base} to {interval}: {name} at {bar}",
        fix="make a coarser bar of the bars that open in it alone; no result is kept of a run "
        "that knows the future",
    )
