"""The orders that are decided and not yet filled when the bars of a run end."""

from __future__ import annotations

from contextlib import suppress
from functools import reduce
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.data.bar_grid import next_bar_labels
from engine.data.traded_bars import find_traded_bars
from engine.signals.orders import find_pending_orders
from engine.simulation.fills import add_units

if TYPE_CHECKING:
    from engine.core.types import BarsFrame, WideFrame
    from engine.runs.documents import Manifest
    from engine.runs.documents.manifest import DatasetRecord

NEXT_ORDER_COLUMNS = (
    *("decided_on", "symbol", "target_weight", "held_weight"),
    *("due_in_bars", "due", "waited_bars", "predicted"),
)


def find_next_orders(
    manifest: Manifest,
    *,
    bars: BarsFrame,
    predictions: pd.DataFrame,
    positions: pd.DataFrame,
    returns: pd.DataFrame,
    trades: pd.DataFrame,
    orders_wait: bool = True,
) -> pd.DataFrame:
    """The strategy's orders that are due after the last bar, from the tables of a run.

    Args:
        manifest: Its targets, horizon, execution and dataset.
        bars: As `Run.bars`.
        predictions: As `Run.predictions`.
        positions: As `Run.positions`.
        returns: As `Run.returns`.
        trades: As `Run.trades`.
        orders_wait: Whether the run's orders waited for a bar with a trade; those of early
            versions were filled where nothing traded.

    Returns:
        `NEXT_ORDER_COLUMNS`, see `Run.next_orders`.
    """
    symbols = list(manifest.target)
    own = positions[positions["book"] == STRATEGY_BOOK]
    weights = own.pivot(index="timestamp", columns="symbol", values="weight")[symbols]
    traded = _find_traded(bars, weights) if orders_wait else None
    orders = find_pending_orders(weights, manifest.settings.delay_bars, traded)
    if (returns[STRATEGY_BOOK] <= -1.0).any():  # ruined: nothing is traded any more
        orders = orders.iloc[:0]
    last = weights.index[-1]
    held = _held_weights(
        trades[trades["book"] == STRATEGY_BOOK],
        bars[bars["timestamp"] == last].set_index("symbol")["close"][symbols],
    )
    forecasts = predictions[predictions["horizon"] == manifest.settings.horizon]
    mean = _mean_over_seeds(forecasts[forecasts["timestamp"].isin(orders["decided_on"])])
    return orders.assign(
        held_weight=held.reindex(orders["symbol"]).to_numpy(),
        due=_due_timestamps(orders["due_in_bars"], last, manifest.dataset),
        predicted=mean.reindex(
            pd.MultiIndex.from_frame(orders[["decided_on", "symbol"]])
        ).to_numpy(dtype="float64"),
    )[list(NEXT_ORDER_COLUMNS)]


def _find_traded(bars: BarsFrame, weights: WideFrame) -> WideFrame | None:
    """Whether something traded at each bar of the weights; None where there are no volumes."""
    if "volume" not in bars:
        return None
    own = bars[bars["symbol"].isin(weights.columns)]
    columns = ("volume", "high", "low", "close")
    wide = (own.pivot(index="timestamp", columns="symbol", values=column) for column in columns)
    return find_traded_bars(*wide).loc[weights.index, list(weights.columns)]


def _mean_over_seeds(forecasts: pd.DataFrame) -> pd.Series[float]:
    """(timestamp, symbol) -> the forecast that was decided on, to the last bit."""
    by_seed = forecasts.pivot(index=["timestamp", "symbol"], columns="seed", values="predicted")
    # One after the other, as the forecasts were averaged: pandas compensates for rounding.
    total = sum((by_seed[seed].fillna(0.0) for seed in by_seed), 0.0)
    mean: pd.Series[float] = total / by_seed.count(axis=1)
    return mean


def _held_weights(trades: pd.DataFrame, close: pd.Series[float]) -> pd.Series[float]:
    """Symbol -> fraction of the equity held at the last close, from all fills of a book.

    Borrow costs change cash and positions by one factor, and therefore no weight.
    """
    bought = trades["size"].where(trades["side"] == "buy", -trades["size"])
    units = {
        symbol: reduce(add_units, bought[trades["symbol"] == symbol], 0.0)
        for symbol in close.index
    }
    value = close * pd.Series(units, dtype="float64")
    cash = 1.0 - (bought * trades["price"] + trades["fee"]).sum()
    return value / (cash + value.sum())


def _due_timestamps(
    due_in_bars: pd.Series[int], last: pd.Timestamp, dataset: DatasetRecord
) -> pd.DatetimeIndex:
    """Timestamps of the bars of the fills; NaT where the dataset's calendar does not say."""
    following = pd.Series(pd.DatetimeIndex([], tz="UTC").as_unit("us"))
    if len(due_in_bars) and dataset.interval and dataset.calendar:
        with suppress(UsageError):  # a calendar that this installation does not have
            following = next_bar_labels(
                last, dataset.interval, dataset.calendar, int(due_in_bars.max())
            )
    return pd.DatetimeIndex(following.reindex(due_in_bars - 1))
