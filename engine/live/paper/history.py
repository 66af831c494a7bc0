"""What a paper account decided, bar by bar: what `backtest paper history` says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.live.journal.rows import finite_or_none

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import (
        AccountRow,
        BarRow,
        DecisionRow,
        EquityRow,
        EventRow,
        FillRow,
        OrderRow,
    )


@dataclass(frozen=True)
class PaperHistory:
    """The rows of the journal of one account, of its last bars; for an initial equity of 1.

    Attributes:
        account: The account.
        bars: The bars that it received.
        decisions: What was decided.
        orders: The orders.
        fills: The fills.
        equity: The account at the closes.
        events: All events, also of earlier bars.
    """

    account: AccountRow
    bars: tuple[BarRow, ...]
    decisions: tuple[DecisionRow, ...]
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]
    equity: tuple[EquityRow, ...]
    events: tuple[EventRow, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: money and units are those of the account, times ISO 8601."""
        capital = self.account.capital
        return {
            "account": self.account.name,
            "strategy": self.account.strategy,
            "capital": capital,
            "bars": [_plain(row) for row in self.bars],
            "decisions": [_without(_plain(row), "state") for row in self.decisions],
            "orders": [_plain(row) for row in self.orders],
            "fills": [
                _scaled(_plain(row), capital, ("size", "fee", "slippage_cost", "equity"))
                for row in self.fills
            ],
            "equity": [self._equity(row) for row in self.equity],
            "events": [_plain(row) for row in self.events],
        }

    def _equity(self, row: EquityRow) -> dict[str, Any]:
        capital = self.account.capital
        holdings = {
            symbol: {**held, "units": capital * held["units"]}
            for symbol, held in row.holdings.items()
        }
        return {**_scaled(_plain(row), capital, ("equity", "cash")), "holdings": holdings}


def paper_history(reader: JournalReader, account: AccountRow, last: int = 0) -> PaperHistory:
    """The rows of an account.

    Args:
        reader: The journal.
        account: The account.
        last: Only of that many of the newest bars; 0 for all.
    """
    after = reader.bar_before(account.name, last) if last else None
    name = account.name
    return PaperHistory(
        account,
        reader.bars(name, after),
        reader.decisions(name, after),
        reader.orders(name, after),
        reader.fills(name, after),
        reader.equity(name, after),
        reader.events(name),
    )


def _plain(row: DataclassInstance) -> dict[str, Any]:
    values = asdict(row)
    values.pop("account")
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return finite_or_none(value) if isinstance(value, float) else value


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _scaled(values: dict[str, Any], capital: float, names: tuple[str, ...]) -> dict[str, Any]:
    return values | {name: capital * values[name] for name in names}
