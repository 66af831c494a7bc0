"""The report of MetaTrader's strategy tester: the table of deals in its HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pandas as pd
from typing_extensions import override

from engine.auditing.backtest import AuditedBacktest
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HEADINGS = ("time", "deal", "type", "direction", "balance")
_FORMAT = "%Y.%m.%d %H:%M:%S"
_FIRST_DAY_OF_WEEKEND = 5


def read(text: str, path: Path) -> AuditedBacktest:
    """Daily returns of the balance, which moves at the exits of trades.

    Days are those of the week, or all seven where a deal is on a weekend; times are those of the
    server, taken as UTC.

    Raises:
        UsageError: There is no table of deals, or a deal cannot be read.
    """
    headings, deals = _find_deals(_read_rows(text))
    if not deals:
        raise UsageError(
            "this page has no table of deals",
            expected="a report of the strategy tester of MetaTrader 5 with its deals",
            found=text[:200],
            where=str(path),
            fix="save the report of the tester as HTML",
        )
    time, balance, direction = (headings.index(each) for each in ("time", "balance", "direction"))
    try:
        stamps = pd.to_datetime([row[time] for row in deals], format=_FORMAT, utc=True)
        balances = [float("".join(row[balance].split()).replace(",", "")) for row in deals]
    except ValueError as error:
        raise UsageError(
            "a deal cannot be read",
            expected="a time such as 2020.01.31 23:00:00 and a balance",
            found=str(error)[:200],
            where=str(path),
            fix="save the report again, in English",
        ) from error
    daily = pd.Series(balances, index=stamps).groupby(stamps.normalize()).last()
    days = pd.date_range(daily.index[0], daily.index[-1], freq="D")
    if not (stamps.day_of_week >= _FIRST_DAY_OF_WEEKEND).any():
        days = days[days.day_of_week < _FIRST_DAY_OF_WEEKEND]
    equity = daily.reindex(days).ffill()
    if len(equity) < 2 or (equity <= 0).any():
        raise UsageError(
            "the balance is no equity",
            expected="a balance above 0 on two days or more",
            found=f"{len(equity)} days, the lowest {float(equity.min()):g}",
            where=str(path),
            fix="save the report of a longer test",
        )
    return AuditedBacktest(
        "MetaTrader",
        (equity / equity.shift(1) - 1.0).iloc[1:].astype("float64"),
        round_trips=sum("out" in row[direction].lower() for row in deals),
        by_exits=True,
        notes=("times of the server are taken as UTC",),
    )


class _Rows(HTMLParser):
    """Collects the cells of every row of every table."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False

    @override
    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        self._in_cell = tag in {"td", "th"} or (self._in_cell and tag != "tr")
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def _read_rows(text: str) -> list[list[str]]:
    parser = _Rows()
    parser.feed(text)
    parser.close()
    return [[cell.strip() for cell in row] for row in parser.rows]


def _find_deals(rows: Sequence[Sequence[str]]) -> tuple[list[str], list[Sequence[str]]]:
    """The headings of the table of deals in small letters, and its rows with a balance."""
    for number, row in enumerate(rows):
        headings = [cell.lower() for cell in row]
        if set(_HEADINGS) <= set(headings):
            balance, time = headings.index("balance"), headings.index("time")
            own = [
                each
                for each in rows[number + 1 :]
                if len(each) == len(row) and each[balance] and each[time]
            ]
            return headings, own
    return [], []
