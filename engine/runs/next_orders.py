"""The orders that are decided and not yet filled when the bars of a run end."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.data.assembly import Assembly
from engine.data.bar_grid import next_bar_labels
from engine.data.bar_times import TradingTimes
from engine.data.traded_bars import find_traded_bars
from engine.runs.margin_calls import (
    apply_margin_calls,
    find_called,
    find_orders_after_cuts,
    hold_units,
)
from engine.signals.orders import find_pending_orders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import BarsFrame, IntVector, WideFrame
    from engine.runs.documents import Manifest
    from engine.runs.documents.metrics import BookMetrics

_LONGEST_CLOSURE = 15
"""Days that are looked at for the next session of an exchange."""

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
    metrics: BookMetrics | None,
) -> pd.DataFrame:
    """The strategy's orders that are due after the last bar, from the tables of a run.

    Args:
        manifest: Its targets, horizon, execution and dataset.
        bars: As `Run.bars`.
        predictions: As `Run.predictions`.
        positions: As `Run.positions`.
        returns: As `Run.returns`.
        trades: As `Run.trades`.
        metrics: The strategy's figures. Those of an early version count no orders that waited:
            its orders were filled where nothing traded; and no margin calls: its borrow cost
            shrank cash and positions by one factor.

    Returns:
        `NEXT_ORDER_COLUMNS`, see `Run.next_orders`.
    """
    symbols = list(manifest.target)
    own = positions[positions["book"] == STRATEGY_BOOK]
    weights = own.pivot(index="timestamp", columns="symbol", values="weight")[symbols]
    own_trades, net = trades[trades["book"] == STRATEGY_BOOK], returns[STRATEGY_BOOK]
    margin = manifest.settings.maintenance_margin
    waits = metrics is not None and metrics.orders_waited is not None
    traded = _find_traded(bars, weights) if waits else None
    assembly = _assembly_of(manifest)
    orders = find_orders_of_book(
        weights,
        delay=manifest.settings.delay_bars,
        traded=traded,
        lags=_find_lags(manifest, bars, weights, assembly),
        ruined=bool((net <= -1.0).any()),
        held_weights=None
        if margin is None
        else _held_weights(own_trades, _closes(bars, weights), net),
        maintenance_margin=margin,
        waiting=metrics.unfilled_orders if metrics is not None and metrics.fills_limited else None,
    )
    orders = without_paid_out(orders, _find_paid_out(own_trades, bars, weights))
    last = weights.index[-1]
    cash_pays = metrics is not None and metrics.margin_calls is not None
    held = _held_weights(
        own_trades, _closes(bars, weights).iloc[-1:], net if cash_pays else None
    ).iloc[-1]
    forecasts = predictions[predictions["horizon"] == manifest.settings.horizon]
    mean = _mean_over_seeds(forecasts[forecasts["timestamp"].isin(orders["decided_on"])])
    return orders.assign(
        held_weight=held.reindex(orders["symbol"]).to_numpy(),
        due=find_due_timestamps(
            orders,
            last,
            manifest.dataset.interval,
            manifest.dataset.calendar,
            assembly,
        ),
        predicted=mean.reindex(
            pd.MultiIndex.from_frame(orders[["decided_on", "symbol"]])
        ).to_numpy(dtype="float64"),
    )[list(NEXT_ORDER_COLUMNS)]


def find_orders_of_book(  # noqa: PLR0913 - all that orders depend on
    weights: WideFrame,
    *,
    delay: int,
    traded: WideFrame | None,
    lags: WideFrame | None = None,
    ruined: bool,
    held_weights: WideFrame | None,
    maintenance_margin: float | None,
    waiting: Mapping[str, int] | None,
) -> pd.DataFrame:
    """The orders of a book that are due after its last bar.

    Args:
        weights: Target weights decided at each close.
        delay: Rows from a decision to its fill.
        traded: As in `defer_orders`.
        lags: As in `schedule_orders`.
        ruined: Whether the book lost everything: it trades nothing any more.
        held_weights: Of each close; needed with a maintenance margin.
        maintenance_margin: Share of the gross exposure; None without one.
        waiting: As in `SimulationResult`.

    Returns:
        As by `find_pending_orders`.
    """
    orders = find_pending_orders(weights, delay, traded, lags)
    if ruined:
        return orders.iloc[:0]
    if maintenance_margin is None or held_weights is None:
        called = pd.Series(data=False, index=weights.index)
    else:
        called = find_called(held_weights, maintenance_margin)
    if waiting is not None:
        return find_orders_after_cuts(
            weights,
            orders.dtypes,
            delay=delay,
            called=called,
            held=held_weights,
            waiting=waiting,
        )
    if held_weights is not None and called.any():
        return apply_margin_calls(orders, held_weights, traded, called)
    return orders


def without_paid_out(orders: pd.DataFrame, paid_out: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
    """The orders that the settlements of delisted symbols do not cancel.

    Args:
        orders: As by `find_orders_of_book`.
        paid_out: Symbol -> the last bar at which it was found to be delisted.
    """
    if not paid_out:
        return orders
    last = orders["symbol"].map(dict(paid_out))
    kept = last.isna() | (orders["decided_on"] > last)
    return orders[kept.to_numpy()].reset_index(drop=True)


def _assembly_of(manifest: Manifest) -> Assembly | None:
    """The calendars of a book on several exchanges, without bars; None with one calendar."""
    exchanges = manifest.dataset.exchanges
    if exchanges is None or exchanges.decided_at is not None:
        return None
    rates = {rate.symbol for rate in exchanges.rates.values()}
    calendars = {name: each for name, each in exchanges.calendars.items() if name not in rates}
    nothing = pd.DataFrame()
    return Assembly(
        dict.fromkeys(calendars, nothing),
        {name: TradingTimes("1d", calendar) for name, calendar in calendars.items()},
    )


def _find_lags(
    manifest: Manifest, bars: BarsFrame, weights: WideFrame, assembly: Assembly | None
) -> WideFrame | None:
    """Bars from each close to the first that can be filled, as `Market.fill_lags`."""
    if assembly is None:
        return None
    own = bars[bars["timestamp"].isin(weights.index)]
    closes = own.pivot(index="timestamp", columns="symbol", values="close")
    present = closes.reindex(weights.index, columns=list(assembly.symbols)).notna()
    symbols, at_close = list(weights.columns), manifest.settings.fill_price == "close"
    price: Literal["open", "close"] = "close" if at_close else "open"
    lags = assembly.fill_lags(pd.DatetimeIndex(weights.index), present, price, symbols)
    return None if lags is None else pd.DataFrame(lags, weights.index, symbols)


def _find_traded(bars: BarsFrame, weights: WideFrame) -> WideFrame | None:
    """Whether something traded at each bar of the weights; None where there are no volumes."""
    if "volume" not in bars:
        return None
    own = bars[bars["symbol"].isin(weights.columns)]
    columns = ("volume", "high", "low", "close")
    wide = (own.pivot(index="timestamp", columns="symbol", values=column) for column in columns)
    return find_traded_bars(*wide).loc[weights.index, list(weights.columns)]


def _find_paid_out(
    trades: pd.DataFrame, bars: BarsFrame, weights: WideFrame
) -> dict[str, pd.Timestamp]:
    """Symbol -> its last fill at a timestamp at which it has no bar."""
    closes = bars.pivot(index="timestamp", columns="symbol", values="close")[list(weights)]
    if not closes.isna().to_numpy().any():
        return {}
    places = (
        closes.index.get_indexer(pd.Index(trades["timestamp"])),
        closes.columns.get_indexer(pd.Index(trades["symbol"])),
    )
    absent = closes.isna().to_numpy()[places]
    return dict(trades[absent].groupby("symbol")["timestamp"].max())


def _mean_over_seeds(forecasts: pd.DataFrame) -> pd.Series[float]:
    """(timestamp, symbol) -> the forecast that was decided on, to the last bit."""
    by_seed = forecasts.pivot(index=["timestamp", "symbol"], columns="seed", values="predicted")
    # One after the other, as the forecasts were averaged: pandas compensates for rounding.
    total = sum((by_seed[seed].fillna(0.0) for seed in by_seed), 0.0)
    mean: pd.Series[float] = total / by_seed.count(axis=1)
    return mean


def _closes(bars: BarsFrame, weights: WideFrame) -> WideFrame:
    own = bars[bars["timestamp"].isin(weights.index)]
    closes = own.pivot(index="timestamp", columns="symbol", values="close")
    closes = closes.reindex(columns=list(weights.columns))
    # The last one where a symbol of a panel has no bar; before its first nothing is held of it.
    return closes.ffill().fillna(0.0)


def _held_weights(
    trades: pd.DataFrame, closes: WideFrame, returns: pd.Series[float] | None
) -> WideFrame:
    """Fraction of the equity held at each of the last closes, from all fills of a book.

    The equity is that of the net returns; without them it is that of the fills, as where borrow
    cost shrinks cash and positions by one factor.
    """
    symbols = list(closes.columns)
    index = pd.Index(trades["timestamp"].unique()).union(closes.index)
    value = closes * hold_units(trades, index, symbols).loc[closes.index]
    if returns is not None:
        equity = (1.0 + returns).cumprod().to_numpy()[-len(closes) :]
        return value.div(equity, axis=0)
    bought = trades["size"].where(trades["side"] == "buy", -trades["size"])
    cash = 1.0 - (bought * trades["price"] + trades["fee"]).sum()
    return value.div(cash + value.sum(axis=1), axis=0)


def find_due_timestamps(
    orders: pd.DataFrame,
    last: pd.Timestamp,
    interval: str | None,
    calendar: str | None,
    assembly: Assembly | None = None,
) -> pd.DatetimeIndex:
    """Timestamps of the bars of the fills; NaT where the dataset's calendar does not say.

    On several exchanges it is a session of the symbol's own, which may be later than the row at
    which the order is due.

    Args:
        orders: Columns `symbol` and `due_in_bars`.
        last: The last bar.
        interval: Length of a bar.
        calendar: Of the dataset.
        assembly: Where symbols trade on several exchanges.
    """
    due_in_bars = orders["due_in_bars"]
    following = pd.Series(pd.DatetimeIndex([], tz="UTC").as_unit("us"))
    if len(due_in_bars) and assembly is not None and assembly.target is None:
        labels = assembly.next_labels(last, int(due_in_bars.max()) + _LONGEST_CLOSURE)
        rows = zip(orders["symbol"], due_in_bars, strict=True)
        found = [_find_session(assembly, labels, symbol, ahead) for symbol, ahead in rows]
        return pd.DatetimeIndex(np.array(found, dtype="datetime64[us]"), tz="UTC")
    if len(due_in_bars) and interval and calendar:
        with suppress(UsageError):  # a calendar that this installation does not have
            following = next_bar_labels(last, interval, calendar, int(due_in_bars.max()))
    return pd.DatetimeIndex(following.reindex(due_in_bars - 1))


def _find_session(assembly: Assembly, labels: IntVector, symbol: str, ahead: int) -> np.datetime64:
    """The first row of some on, at which the exchange of a symbol has a session."""
    due = labels[ahead - 1 :]
    sessions = due[assembly.times[symbol].have_sessions(due)]
    return np.datetime64(int(sessions[0]), "us") if len(sessions) else np.datetime64("NaT", "us")
