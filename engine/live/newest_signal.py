"""What a strategy says at its newest complete bar: forecast, target, what it holds, orders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.core.home import backtest_home
from engine.core.progress import NullProgress, Progress
from engine.live.certification import require_certification
from engine.live.fitted_strategy import fit_windows
from engine.live.freshness import newest_bar, require_fresh_bars
from engine.live.market import load_market
from engine.live.signal_document import ModelOfSignal, OrderOfSignal, Signal, SymbolSignal
from engine.live.strategy_argument import resolve_strategy
from engine.pipeline.portfolio_figures import find_failed_rebalancing
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_strategy_predictions,
    decide_model_positions,
    predict_windows,
    simulate_books,
)
from engine.runs.next_orders import find_due_timestamps, find_orders_of_book, without_paid_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.live.certification import Certification
    from engine.pipeline.prepared_data import PreparedData
    from engine.simulation.portfolio import SimulationResult
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions
    from engine.training.results import FitResults

INTERVAL_LEVELS = (0.05, 0.95)
"""Of the interval around a forecast whose model gives no quantiles."""


def signal(
    strategy: Strategy | Path | str,
    *,
    dataset: str | None = None,
    offline: bool = False,
    as_of: pd.Timestamp | None = None,
    home: Path | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Signal:
    """What a strategy says at the newest complete bar: that of a run that ends with it.

    Forecasts, weights and orders are made by the functions of a run, from the same bars, fits and
    seeds, so that a run over these bars has the same last row. Nothing is tested or evaluated
    again: a run of the strategy must have passed the leakage test before.

    Args:
        strategy: The strategy, or the path of its file.
        dataset: A dataset's name or path, instead of the strategy's own.
        offline: Use the strategy's offline dataset, or the bars that are stored.
        as_of: What would have been said at this instant: of a source that is pulled the bars as
            they were then, of files the present bars that were complete then.
        home: Folder of caches, fits and the trial ledger; by default BACKTEST_HOME, or `.backtest`
            in the working directory.
        workers: Processes to train in, where a window began, instead of `compute.workers`.
        progress: Receives progress and notices.

    Raises:
        UncertifiedError: No run of this configuration passed the leakage test.
        StaleBarsError: A later bar is complete by the dataset's calendar.
        UsageError: No window fits into the bars.
        DataError: Bars are missing or break a quality rule.
        TrainingError: A fit failed, and the strategy does not leave such a fit out.
    """
    spec, reporter = resolve_strategy(strategy), progress or NullProgress()
    folder = backtest_home(home)
    certification = require_certification(spec, folder)
    market = load_market(
        spec,
        dataset=dataset,
        offline=offline,
        as_of=as_of,
        home=folder,
        progress=reporter,
        sealed=False,
    )
    now = pd.Timestamp.now("UTC") if as_of is None else as_of
    require_fresh_bars(market, now)
    return signal_of_market(
        spec, market, certification, now=now, home=folder, workers=workers, progress=reporter
    )


def signal_of_market(
    spec: Strategy,
    market: Market,
    certification: Certification,
    *,
    now: pd.Timestamp,
    home: Path,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Signal:
    """The signal at the last bar of a market; see `signal`."""
    prepared = prepare_data(spec, market)
    # An earlier window decides what is held today.
    fits = fit_windows(
        spec,
        prepared,
        prepared.windows,
        home=home,
        workers=workers,
        progress=progress or NullProgress(),
    )
    fits = replace(fits, forecasts=predict_windows(prepared, fits))
    predictions = assemble_strategy_predictions(prepared, fits)
    weights = decide_model_positions(spec, prepared, predictions)
    book = simulate_books(spec, prepared, {STRATEGY_BOOK: weights}, bar_by_bar=True)[STRATEGY_BOOK]
    failed = find_failed_rebalancing(spec, prepared, predictions)
    last = newest_bar(market)
    complete = pd.Timestamp(int(market.decided_at[-1]), unit="us", tz="UTC")
    return Signal(
        strategy=spec.name,
        dataset=market.provenance["name"],
        offline=market.provenance["offline"],
        interval=market.interval,
        asked_at=now.isoformat(),
        decided_on=last.isoformat(),
        complete_since=complete.isoformat(),
        age_minutes=(now - complete) / pd.Timedelta(minutes=1),
        certified_by=certification.run_id,
        certified_at=certification.ended_at,
        grade=certification.grade,
        price=spec.execution.price,
        horizon_bars=predictions.horizon,
        symbols=tuple(_symbol_signals(prepared, predictions, weights, book)),
        orders=tuple(_orders(spec, prepared, weights, book)),
        models=tuple(_models(prepared, fits)),
        trained=fits.trained,
        **({} if failed is None else {"without_optimum": failed.isoformat()}),
    )


def _symbol_signals(
    prepared: PreparedData,
    predictions: Predictions,
    weights: WideFrame,
    book: SimulationResult,
) -> Iterator[SymbolSignal]:
    """Forecast, target and holding of each symbol at the last close."""
    window = int(predictions.window_index[-1])
    for symbol in prepared.targets:
        predicted = float(predictions.predicted[symbol].iloc[-1])
        known = bool(np.isfinite(predicted))
        low, high, levels = _interval(predictions, symbol, window) if known else (None, None, None)
        changes = weights[symbol].diff().fillna(weights[symbol])
        changed = changes.index[changes != 0.0]
        close = float(prepared.target_close[symbol].iloc[-1])
        yield SymbolSignal(
            symbol=symbol,
            close=close if np.isfinite(close) else None,
            predicted=predicted if known else None,
            low=low,
            high=high,
            levels=levels,
            target_weight=float(weights[symbol].iloc[-1]),
            target_since=changed[-1].isoformat() if len(changed) else None,
            held_weight=float(book.held_weights[symbol].iloc[-1]),
        )


def _interval(
    predictions: Predictions, symbol: str, window: int
) -> tuple[float | None, float | None, tuple[float, float] | None]:
    """Interval of the realised return: the model's own quantiles, or validation residuals."""
    if predictions.quantiles:
        lowest, *_, highest = (min(predictions.quantiles), max(predictions.quantiles))
        low, high = (
            float(predictions.quantiles[level][symbol].iloc[-1]) for level in (lowest, highest)
        )
        return low, high, (lowest, highest)
    residuals = predictions.validation_residuals.get(window, {}).get(symbol)
    if residuals is None:
        return None, None, None
    finite = residuals[np.isfinite(residuals)]
    if not len(finite):
        return None, None, None
    predicted = float(predictions.predicted[symbol].iloc[-1])
    low, high = np.quantile(finite, INTERVAL_LEVELS)
    return predicted + float(low), predicted + float(high), INTERVAL_LEVELS


def _orders(
    spec: Strategy, prepared: PreparedData, weights: WideFrame, book: SimulationResult
) -> Iterator[OrderOfSignal]:
    """Orders that are due after the last bar; those of `Run.next_orders`."""
    orders = find_orders_of_book(
        weights,
        delay=spec.execution.delay,
        traded=prepared.traded,
        lags=prepared.fill_lags(spec),
        ruined=bool((book.returns <= -1.0).any()),
        held_weights=book.held_weights,
        maintenance_margin=spec.execution.maintenance_margin,
        waiting=book.waiting,
    )
    orders = without_paid_out(orders, _find_paid_out(prepared))
    market = prepared.market
    due = find_due_timestamps(
        orders["due_in_bars"],
        weights.index[-1],
        market.interval,
        market.calendar,
        market.assembly,
    )
    for order, stamp in zip(orders.to_dict("records"), due, strict=True):
        yield OrderOfSignal(
            symbol=order["symbol"],
            decided_on=order["decided_on"].isoformat(),
            target_weight=order["target_weight"],
            held_weight=float(book.held_weights[order["symbol"]].iloc[-1]),
            due=None if pd.isna(stamp) else stamp.isoformat(),
            due_in_bars=order["due_in_bars"],
            waited_bars=order["waited_bars"],
        )


def _find_paid_out(prepared: PreparedData) -> dict[str, pd.Timestamp]:
    """Symbol -> the last bar at which it was found to be delisted."""
    if prepared.settlements is None:
        return {}
    settled = prepared.settlements
    return {
        symbol: settled.index[settled[symbol]][-1]
        for symbol in prepared.targets
        if settled[symbol].any()
    }


def _models(prepared: PreparedData, fits: FitResults) -> Iterator[ModelOfSignal]:
    """The fits of the newest window."""
    newest = prepared.windows[-1].index
    for number, (task, outcome) in enumerate(zip(fits.tasks, fits.outcomes, strict=True)):
        if task.window == newest:
            failed = isinstance(outcome, TrainingError)
            spans = {} if isinstance(outcome, TrainingError) else outcome.spans
            yield ModelOfSignal(
                symbol=task.symbol,
                window=task.window,
                seed=task.seed_index,
                horizons=tuple(task.horizons or ()),
                key=fits.keys.get(number),
                trained_to=spans["train"][1] if "train" in spans else None,
                validated_to=spans["validation"][1] if "validation" in spans else None,
                failed=failed,
                **({} if task.pool is None else {"pool": task.pool.symbols}),
            )
