"""Bars that can be trusted: the one shape they have, and the rules they must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import interval_length, is_daily
from engine.errors import BadBarsError
from engine.types import BAR_COLUMNS, PRICE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.data.spec import Interval
    from engine.types import BarsFrame, Matrix

    Mask = npt.NDArray[np.bool_]

VALUE_COLUMNS = (*PRICE_COLUMNS, "volume")

# Vendors keep prices as 32-bit floats and adjust them afterwards, which can push a close that was
# the day's high past it by a unit or two in the last place: 2**-22 is two such units.
ROUNDING = 2.0**-22

_SHOWN = 3


@dataclass(frozen=True)
class Defect:
    """One rule that bars of one symbol break.

    Attributes:
        rule: Its name.
        complaint: What is wrong with these bars, to follow "12 of 4000 bars".
        rows: Positions of the bars that break it, ascending.
        repair: What the user can do, where cutting the bars off is not the way.
    """

    rule: str
    complaint: str
    rows: npt.NDArray[np.int64]
    repair: str = ""


def normalise(raw: pd.DataFrame, symbol: str) -> BarsFrame:
    """The columns of bars in their order and types; rows, their order and values unchanged.

    Args:
        raw: Columns timestamp (aware, or naive in UTC) and float-like open, high, low, close,
            volume; others are dropped.
        symbol: Written into every row.
    """
    bars = pd.DataFrame({"timestamp": pd.to_datetime(raw["timestamp"], utc=True)})
    bars["timestamp"] = bars["timestamp"].astype("datetime64[us, UTC]")
    bars["symbol"] = pd.Series(symbol, index=bars.index, dtype="str")
    for column in VALUE_COLUMNS:
        bars[column] = raw[column].astype("float64")
    return bars[list(BAR_COLUMNS)].reset_index(drop=True)


def drop_unfinished(bars: BarsFrame, interval: Interval, now: pd.Timestamp) -> BarsFrame:
    """The bars without the newest one if that is not over yet at `now`.

    Only one bar can be unfinished; any other that ends after `now` is left for `defects` to find.
    """
    if bars.empty:
        return bars
    newest = bars["timestamp"].max()
    if newest + interval_length(interval) <= now:
        return bars
    finished: BarsFrame = bars[bars["timestamp"] != newest].reset_index(drop=True)
    return finished


def defects(bars: BarsFrame, interval: Interval, now: pd.Timestamp) -> tuple[Defect, ...]:
    """Every rule that the bars of one symbol break; none means they can be trusted.

    A bar whose values break two rules is told under the first only: a missing open written as 0
    is a price of 0, and not an inconsistent low as well.
    """
    seen = np.zeros(len(bars), dtype=bool)
    found = []
    for rule, complaint, broken in _VALUE_RULES:
        mask = broken(bars) & ~seen
        seen |= mask
        found.append(Defect(rule, complaint, np.flatnonzero(mask)))
    return tuple(
        defect for defect in (*found, *_time_defects(bars, interval, now)) if defect.rows.size
    )


def require_sound(bars: BarsFrame, interval: Interval, now: pd.Timestamp, place: str) -> None:
    """Refuses bars of one symbol that cannot be trusted.

    Args:
        bars: Of one symbol, unfinished bar dropped.
        interval: Length of a bar.
        now: The instant against which the future is measured.
        place: Where the bars came from, for the message.

    Raises:
        BadBarsError: Naming symbol, rules, bars, and what to do.
    """
    found = defects(bars, interval, now)
    if not found:
        return
    symbol = bars["symbol"].iloc[0]
    told = "; ".join(f"{defect.rows.size} of {len(bars)} {defect.complaint}" for defect in found)
    raise BadBarsError(
        f"bars of {symbol} cannot be trusted: {told}",
        found="\n    ".join(_show(bars, interval, defect) for defect in found),
        where=f"{symbol}: {place}",
        fix=_fix(bars, found),
    )


def _values(bars: BarsFrame, columns: Sequence[str]) -> Matrix:
    return bars[list(columns)].to_numpy(dtype=np.float64)


def _not_finite(bars: BarsFrame) -> Mask:
    return np.asarray(~np.isfinite(_values(bars, VALUE_COLUMNS)).all(axis=1))


def _not_positive(bars: BarsFrame) -> Mask:
    return np.asarray((_values(bars, PRICE_COLUMNS) <= 0.0).any(axis=1))


def _negative_volume(bars: BarsFrame) -> Mask:
    return np.asarray(_values(bars, ["volume"])[:, 0] < 0.0)


def _outside_range(bars: BarsFrame) -> Mask:
    opens, highs, lows, closes = _values(bars, PRICE_COLUMNS).T
    above = np.maximum(np.maximum(opens, closes), lows) > highs * (1.0 + ROUNDING)
    below = np.minimum(opens, closes) < lows * (1.0 - ROUNDING)
    return np.asarray(above | below)


_VALUE_RULES: tuple[tuple[str, str, Callable[[BarsFrame], Mask]], ...] = (
    ("missing", "bars have no number where a price or volume should be", _not_finite),
    ("price", "bars have a price of 0 or less", _not_positive),
    ("volume", "bars have a volume below 0", _negative_volume),
    ("range", "bars have an open or close outside low to high", _outside_range),
)


def _time_defects(bars: BarsFrame, interval: Interval, now: pd.Timestamp) -> tuple[Defect, ...]:
    stamps = bars["timestamp"]
    length = interval_length(interval)
    steps = stamps.diff()
    future = (stamps + length > now).to_numpy()
    return (
        Defect(
            "order",
            "bars come after a later bar",
            np.flatnonzero((steps < pd.Timedelta(0)).to_numpy()),
            "sort the bars by timestamp, oldest first",
        ),
        Defect(
            "duplicate",
            "bars repeat the timestamp of another",
            np.flatnonzero(stamps.duplicated().to_numpy()),
            "keep one bar a timestamp",
        ),
        _wrong_interval(steps, interval),
        Defect(
            "future",
            "bars are not over yet",
            np.flatnonzero(future),
            "check the time zone of the timestamps, and this machine's clock",
        ),
    )


def _wrong_interval(steps: pd.Series[pd.Timedelta], interval: Interval) -> Defect:
    """The commonest step between bars must be the interval; gaps and short sessions are rarer."""
    length = interval_length(interval)
    forward = steps[steps > pd.Timedelta(0)]
    usual = forward.mode()
    if forward.empty or (usual == length).any():
        return Defect("interval", "", np.array([], dtype=np.int64))
    step = usual.iloc[0]
    return Defect(
        "interval",
        f"bars are {_words(step)} after the one before, and the dataset says {interval}",
        np.flatnonzero((steps == step).to_numpy()),
        f"give the dataset the interval its bars have, which seems to be {_words(step)}",
    )


def _words(step: pd.Timedelta) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if step.total_seconds() % unit == 0:
            return f"{step.total_seconds() / unit:.0f}{name}"
    return f"{step.total_seconds():.0f}s"


def stamp_text(stamp: pd.Timestamp, interval: Interval) -> str:
    """A bar's timestamp as a user would write it: the day alone where that says it all."""
    midnight = stamp == stamp.normalize()
    return f"{stamp:%Y-%m-%d}" if midnight and is_daily(interval) else f"{stamp:%Y-%m-%d %H:%M}"


def _show(bars: BarsFrame, interval: Interval, defect: Defect) -> str:
    shown = []
    for row in defect.rows[:_SHOWN].tolist():
        stamp = stamp_text(bars["timestamp"].iloc[row], interval)
        values = " ".join(f"{column} {bars[column].iloc[row]:g}" for column in VALUE_COLUMNS)
        shown.append(stamp if defect.repair else f"{stamp} ({values})")
    rest = defect.rows.size - len(shown)
    if rest > 0:
        last = stamp_text(bars["timestamp"].iloc[int(defect.rows[-1])], interval)
        shown.append(f"and {rest} more, the last {last}")
    return f"{defect.rule}: " + ", ".join(shown)


def _fix(bars: BarsFrame, found: tuple[Defect, ...]) -> str:
    """The repair of each rule that has one; for bad values, the cut that leaves most bars."""
    advice = [defect.repair for defect in found if defect.repair]
    bad = [defect.rows for defect in found if not defect.repair]
    if bad:
        advice.append(_cut(bars, np.concatenate(bad)))
    return "; ".join(advice)


def _cut(bars: BarsFrame, bad: npt.NDArray[np.int64]) -> str:
    correct = "correct these bars where they come from, or use another source"
    days = bars["timestamp"].dt.floor("D")
    after = int((days > days.iloc[bad].max()).sum())
    before = int((days < days.iloc[bad].min()).sum())
    if max(after, before) < len(bars) / 2:
        return correct
    one_day = pd.Timedelta(days=1)
    if after >= before:
        cut = f"start: {days.iloc[bad].max() + one_day:%Y-%m-%d}"
    else:
        cut = f"end: {days.iloc[bad].min() - one_day:%Y-%m-%d}"
    return f"add `{cut}` to the dataset, which leaves {max(after, before)} bars; or {correct}"
