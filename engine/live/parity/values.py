"""The values of a path over some bars, by kind: of the live path, of a backtest, of a stored run.

Each kind is a mapping from a bar and the name of a value to the value, so that two paths are
compared value by value, whatever made them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.signals.inputs import SignalInputs
from engine.signals.thresholds import compute_window_thresholds
from engine.training.out_of_sample import mean_of_available, quantile_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.core.types import Vector, WideFrame
    from engine.live.loop.loop_state import BarOutcome
    from engine.pipeline.result import BacktestResult
    from engine.runs.run import Run
    from engine.signals.hysteresis import EntryExitThresholds
    from engine.simulation.account import Fill
    from engine.simulation.portfolio import SimulationResult

ValueKey: TypeAlias = tuple[pd.Timestamp, str, str]
"""Bar, symbol (empty for the book as a whole), and name of the value."""

Values: TypeAlias = "dict[ValueKey, float]"

KINDS = ("forecasts", "levels", "weights", "orders", "fills", "equity")
"""In the order in which they follow from each other at a bar."""

PathValues: TypeAlias = "Mapping[str, Values]"
"""Kind -> its values; a kind that is not known is missing."""

_FILL_COLUMNS = ("size", "price", "fee", "slippage_cost", "equity")


def live_values(outcomes: Iterable[BarOutcome], targets: tuple[str, ...]) -> PathValues:
    """What the bar loop said and did.

    Args:
        outcomes: Of successive bars.
        targets: The symbols that are traded.
    """
    values: dict[str, Values] = {kind: {} for kind in KINDS}
    for outcome in outcomes:
        bar = outcome.timestamp
        for symbol in targets:
            values["forecasts"] |= _forecast(outcome, symbol)
            if symbol in outcome.row.levels.thresholds:
                values["levels"] |= _levels(bar, symbol, outcome.row.levels.thresholds[symbol])
            values["weights"][bar, symbol, "target weight"] = outcome.targets[symbol]
        for order in outcome.orders:
            key = (bar, order.symbol, f"order due in {order.due_in_bars} bars")
            values["orders"][key] = order.target_weight
            if order.not_before is not None:
                instant = pd.Timestamp(order.not_before).value // 1_000
                values["orders"][bar, order.symbol, "not before"] = float(instant)
        values["fills"] |= _fills(bar, outcome.fills)
        values["equity"] |= _marks(outcome, targets)
    return values


def backtest_values(
    result: BacktestResult, book: SimulationResult, first: int, targets: tuple[str, ...]
) -> PathValues:
    """What the functions of a run compute over all bars at once.

    Args:
        result: The strategy's forecasts and weights.
        book: The strategy's book from the bar `first` on.
        first: Place of the first bar among the out-of-sample bars.
        targets: The symbols that are traded.
    """
    predictions = result.predictions[STRATEGY_BOOK]
    bars = result.prepared.span[first:]
    forecasts: Values = {}
    named = {"forecast": predictions.predicted} | {
        quantile_column(level): wide for level, wide in predictions.quantiles.items()
    }
    for name, wide in named.items():
        forecasts |= _wide_values(wide.iloc[first:], name)
    weights = result.weights[STRATEGY_BOOK].iloc[first:]
    levels: Values = {}
    inputs = SignalInputs.from_predictions(predictions)
    for symbol in targets:
        by_window = compute_window_thresholds(
            result.spec.signal, inputs, symbol, result.spec.costs.round_trip_cost
        )
        for bar, window in zip(bars, predictions.window_index[first:].tolist(), strict=True):
            if window in by_window:
                levels |= _levels(bar, symbol, by_window[window])
    return {
        "forecasts": forecasts,
        "levels": levels,
        "weights": _wide_values(weights, "target weight"),
        "orders": _ordered(
            weights,
            book,
            result.spec.execution.delay,
            result.prepared.settlements,
            _decision_instants(result, first),
        ),
        "fills": _traded(book.trades),
        "equity": _book_values(book),
    }


def stored_values(run: Run, first_bar: pd.Timestamp, *, with_book: bool) -> PathValues:
    """What the tables of a run folder say from a bar on.

    Args:
        run: The run.
        first_bar: An out-of-sample bar.
        with_book: Whether to give fills and equity too: those of an account that began at the
            first out-of-sample bar.
    """
    predictions = run.predictions[run.predictions["timestamp"] >= first_bar]
    predictions = predictions[predictions["horizon"] == run.horizon]
    names = ["predicted", *(name for name in predictions if str(name)[0] == "q")]
    forecasts: Values = {}
    for name in names:
        wide = predictions.pivot_table(
            index="timestamp", columns=["symbol", "seed"], values=name, sort=False
        )
        for symbol in wide.columns.unique("symbol"):
            mean = mean_of_available([wide[symbol][seed].to_numpy() for seed in wide[symbol]])
            shown = "forecast" if name == "predicted" else str(name)
            forecasts |= _wide_values(pd.DataFrame({symbol: mean}, index=wide.index), shown)
    own = run.positions[run.positions["book"] == STRATEGY_BOOK]
    weights = own.pivot(index="timestamp", columns="symbol", values="weight").loc[first_bar:]
    values = {"forecasts": forecasts, "weights": _wide_values(weights, "target weight")}
    if not with_book:
        return values
    returns = run.returns[[STRATEGY_BOOK]].rename(columns={STRATEGY_BOOK: ""})
    trades = run.trades[run.trades["book"] == STRATEGY_BOOK]
    return values | {"fills": _traded(trades), "equity": _wide_values(returns, "return")}


def _forecast(outcome: BarOutcome, symbol: str) -> Values:
    bar, row = outcome.timestamp, outcome.row
    named = {"forecast": row.predicted[symbol]} | {
        quantile_column(level): by_symbol[symbol] for level, by_symbol in row.quantiles.items()
    }
    return {(bar, symbol, name): value for name, value in named.items() if not np.isnan(value)}


def _levels(bar: pd.Timestamp, symbol: str, levels: EntryExitThresholds) -> Values:
    names = ("enter", "exit", "enter_short", "exit_short")
    return {(bar, symbol, name): float(getattr(levels, name)) for name in names}


def _fills(bar: pd.Timestamp, fills: tuple[Fill, ...]) -> Values:
    values: Values = {}
    for place, fill in enumerate(fills):
        numbers = {name: float(getattr(fill, name)) for name in _FILL_COLUMNS}
        numbers["size"] *= 1.0 if fill.side == "buy" else -1.0
        numbers |= {"place": float(place), "margin_call": float(fill.margin_call)}
        values |= {(bar, fill.symbol, name): number for name, number in numbers.items()}
    return values


def _marks(outcome: BarOutcome, targets: tuple[str, ...]) -> Values:
    bar, account = outcome.timestamp, outcome.account
    held = account.held_weights
    return {
        (bar, "", "return"): account.bar_return,
        (bar, "", "borrow"): account.borrow,
        (bar, "", "interest"): account.interest,
        (bar, "", "funding"): account.funding,
        (bar, "", "loan_interest"): account.loan_interest,
        (bar, "", "margin_call"): float(account.margin_call),
        **{(bar, symbol, "held weight"): held.get(symbol, 0.0) for symbol in targets},
    }


def _wide_values(wide: WideFrame, name: str) -> Values:
    """The cells of a frame that are not NaN."""
    return {
        (bar, str(symbol), name): value
        for symbol, column in wide.items()
        for bar, value in zip(wide.index, column.tolist(), strict=True)
        if not np.isnan(value)
    }


def _ordered(
    weights: WideFrame,
    book: SimulationResult,
    delay: int,
    settlements: WideFrame | None,
    decided_at: Vector | None,
) -> Values:
    """The orders that are placed at each close: where a target changes, until the book's ruin.

    Where a delisted symbol is paid out, none is left to place. With `decided_at` no price before
    that instant fills them.
    """
    changed = weights.where(weights.ne(weights.shift(fill_value=0.0)))
    if settlements is not None:
        changed = changed.mask(settlements.loc[changed.index])
    alive = (book.returns > -1.0).cummin().to_numpy(dtype=bool)
    placed = changed[alive]
    values = _wide_values(placed, f"order due in {delay} bars")
    if decided_at is None:
        return values
    instants = placed.notna().mul(decided_at[: len(placed)], axis=0).where(placed.notna())
    return values | _wide_values(instants, "not before")


def _decision_instants(result: BacktestResult, first: int) -> Vector | None:
    """(n,) when each row is decided, microseconds since 1970; None but of several exchanges."""
    market = result.prepared.market
    if market.assembly is None or market.assembly.target is not None:
        return None
    decided: Vector = market.decided_at[result.prepared.tested][first:].astype(np.float64)
    return decided


def _traded(trades: pd.DataFrame) -> Values:
    values: Values = {}
    places = trades.groupby("timestamp", sort=False).cumcount().tolist()
    for place, fill in zip(places, trades.to_dict("records"), strict=True):
        numbers = {name: float(fill[name]) for name in _FILL_COLUMNS}
        numbers["size"] *= 1.0 if fill["side"] == "buy" else -1.0
        numbers |= {"place": float(place), "margin_call": float(fill["margin_call"])}
        values |= {
            (fill["timestamp"], fill["symbol"], name): number for name, number in numbers.items()
        }
    return values


def _book_values(book: SimulationResult) -> Values:
    called = book.returns.index.isin(book.margin_calls)
    marks = {
        "return": book.returns,
        **{str(name): column for name, column in book.financing.items()},
        "margin_call": pd.Series(called.astype(np.float64), index=book.returns.index),
    }
    values = _wide_values(book.held_weights, "held weight")
    for name, mark in marks.items():
        values |= _wide_values(mark.to_frame(""), name)
    return values
