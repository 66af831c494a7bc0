"""The result of a backtest of Lean (QuantConnect): JSON with the chart "Strategy Equity"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.auditing.backtest import AuditedBacktest
from engine.auditing.readers.returns import to_returns
from engine.auditing.readers.tidy import tidy_returns
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.json_text import Json

_ZONE = "America/New_York"
_MOMENT = pd.Timedelta(microseconds=1)


def recognises(document: Json) -> bool:
    """Whether a JSON document is a result of Lean."""
    return bool(_points(document))


def read(document: Json, path: Path) -> AuditedBacktest:
    """Daily returns of the equity; a value at midnight of New York is that of the day before.

    Raises:
        UsageError: A point has no time or value, or the equity is not above 0.
    """
    points = _points(document)
    try:
        pairs = [_read_point(each) for each in points]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UsageError(
            "a point of the equity cannot be read",
            expected="a time and a value, or a time and four prices",
            found=str(error)[:200],
            where=f"{path}, Strategy Equity",
            fix="download the result again",
        ) from error
    stamps = pd.to_datetime([time for time, _ in pairs], unit="s", utc=True)
    days = (stamps.tz_convert(_ZONE) - _MOMENT).normalize().tz_localize(None).tz_localize("UTC")
    equity = pd.Series([value for _, value in pairs], index=days, name="equity").groupby(level=0)
    daily = equity.last()
    tidy, notes = tidy_returns(pd.DatetimeIndex(daily.index), daily, str(path))
    returns, how = to_returns(tidy.iloc[:, 0], "equity", "equity", str(path))
    return AuditedBacktest(
        "Lean",
        returns,
        round_trips=_count_trades(document),
        notes=(*notes, *how, "the last equity of each day in New York is used"),
    )


def _get(value: Json, key: str) -> Json:
    """The value of a key in either spelling, `charts` or `Charts`; None without it."""
    if not isinstance(value, dict):
        return None
    return value.get(key, value.get(key[:1].upper() + key[1:]))


def _points(document: Json) -> list[Json]:
    chart = _get(_get(document, "charts"), "Strategy Equity")
    points = _get(_get(_get(chart, "series"), "Equity"), "values")
    return points if isinstance(points, list) else []


def _read_point(point: Json) -> tuple[float, float]:
    """Seconds since 1970 and the value; of a bar its close."""
    if isinstance(point, dict):
        return float(point["x"]), float(point["y"])
    return float(point[0]), float(point[-1])


def _count_trades(document: Json) -> int | None:
    trades = _get(_get(document, "totalPerformance"), "closedTrades")
    return len(trades) if isinstance(trades, list) else None
