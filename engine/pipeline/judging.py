"""What a run's books and forecasts are worth: every test there is, and the verdict."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.artifacts import seed_of
from engine.evaluation.by_window import sharpe_by_window
from engine.evaluation.fragility import Terms, fragility
from engine.evaluation.level_trap import level_trap
from engine.evaluation.model_tests import forecast_tests, input_tests, residual_tests
from engine.evaluation.seed_spread import seed_spread
from engine.evaluation.significance import significance
from engine.evaluation.timing_test import fill_to_fill, timing_test
from engine.evaluation.window_ranks import window_ranks
from engine.pipeline.books import decided_by, forecasts_of, single_seeds
from engine.refit.plan import STRATEGY
from engine.signals.timing import fill_schedule
from engine.simulation.portfolio import simulate_each

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.evaluation.trials import Trials
    from engine.pipeline.ground import Ground
    from engine.pipeline.made import Made
    from engine.refit.fits import Fits
    from engine.refit.stitch import Predictions
    from engine.simulation.result import Result
    from engine.strategy import Strategy


def judge(made: Made, metrics: Mapping[str, Any], trials: Trials | None = None) -> dict[str, Any]:
    """`significance.json`: every interval and test, and the verdict.

    Args:
        made: The run.
        metrics: As `measure` gives them.
        trials: What was tried on these bars; None where nobody knows.
    """
    spec, ground = made.spec, made.ground
    return significance(
        made.returns,
        periods_per_year=ground.market.periods_per_year,
        spec=spec.evaluation,
        rng=np.random.default_rng(seed_of(spec.seed, "bootstrap")),
        trials=trials,
        scores=metrics["forecasts"][STRATEGY],
        further={
            "timing": _timing(spec, ground, made.books[STRATEGY]),
            **_skill(ground, made.predictions),
            "level_trap": _level_trap(spec, ground, made.predictions[STRATEGY]),
            "inputs": _inputs(ground),
            "seeds": _seeds(spec, ground, made.fits),
            "fragility": _fragility(spec, ground, made.predictions[STRATEGY]),
        },
    )


def _timing(spec: Strategy, ground: Ground, book: Result) -> dict[str, Any] | None:
    opens, closes = (ground.market.wide(price).loc[ground.span] for price in ("open", "close"))
    found = timing_test(*fill_to_fill(book.held, opens, closes, spec.execution.price))
    if found is None:
        return None
    return asdict(found) | {"sharpe": found.sharpe * ground.market.periods_per_year**0.5}


def _skill(ground: Ground, predictions: Mapping[str, Predictions]) -> dict[str, Any]:
    """Of the first symbol and the horizon that is traded."""
    own, symbol = predictions[STRATEGY], ground.targets[0]
    forecasts = {name: made.predicted[symbol].to_numpy() for name, made in predictions.items()}
    actual = ground.history.ahead[own.horizon][symbol].loc[ground.span].to_numpy()
    features = ground.history.features
    first = features.timestamps.get_loc(ground.span[0])
    return {
        "forecasts": forecast_tests(forecasts, actual, own.horizon),
        "ranks": window_ranks(forecasts, actual, own.window),
        "residuals": residual_tests(
            forecasts[STRATEGY], actual, features.values[first:], own.horizon
        ),
    }


def _level_trap(spec: Strategy, ground: Ground, own: Predictions) -> dict[str, Any]:
    """Of the first symbol; what the train rows' mean return would have forecast is the drift."""
    symbol, horizon = ground.targets[0], own.horizon
    close, ahead = ground.close[symbol], ground.history.ahead[horizon][symbol].to_numpy()
    drift = [
        np.full(len(w.test), ahead[w.train.start : w.train.stop].mean()) for w in ground.windows
    ]
    forecast = own.predicted[symbol].to_numpy()
    there = np.isfinite(forecast)
    found = level_trap(
        close.loc[ground.span].to_numpy()[there],
        close.shift(-horizon).loc[ground.span].to_numpy()[there],
        forecast[there],
        np.concatenate(drift)[there],
        horizon=horizon,
        confidence=spec.evaluation.confidence,
    )
    return asdict(found)


def _inputs(ground: Ground) -> dict[str, Any]:
    """Features before scaling, on the rows before the first test part."""
    stop = ground.windows[0].validation.stop
    features = ground.history.features
    tested = [(features.names, features.values[features.warmup : stop])]
    for coarse in ground.history.coarse:
        known = int(coarse.latest[stop - 1]) + 1
        tested.append(
            (coarse.features.names, coarse.features.values[coarse.features.warmup : known])
        )
    inputs = {
        name: column for names, rows in tested for name, column in zip(names, rows.T, strict=True)
    }
    return {"adf": input_tests(inputs)}


def _seeds(spec: Strategy, ground: Ground, fits: Fits) -> dict[str, Any] | None:
    """The strategy traded on each of its seeds alone."""
    alone = single_seeds(ground, fits)
    if not alone:
        return None
    opens, closes = (
        ground.market.wide(price).loc[ground.span, list(ground.targets)]
        for price in ("open", "close")
    )
    due = (
        (fill_schedule(decided_by(spec, ground, made), spec.execution.delay), spec.costs)
        for made in alone.values()
    )
    each = simulate_each(due, opens, closes, price=spec.execution.price)
    returns, periods = np.column_stack(list(each)), ground.market.periods_per_year
    found = seed_spread(returns, periods, spec.evaluation.confidence)
    if found is None:
        return None
    window = next(iter(alone.values())).window
    by_window = sharpe_by_window(returns, window, periods)
    return asdict(found) | {"sharpe_by_window": [list(ratios) for ratios in by_window.values()]}


def _fragility(spec: Strategy, ground: Ground, own: Predictions) -> dict[str, Any]:
    """The strategy with other costs, delays and thresholds, from the same forecasts."""
    return fragility(
        forecasts_of(own),
        ground.market.wide("open").loc[ground.span],
        ground.close,
        Terms(
            signal=spec.signal,
            sizing=spec.sizing,
            costs=spec.costs,
            execution=spec.execution,
            periods_per_year=ground.market.periods_per_year,
            max_weight=spec.max_weight,
        ),
    ).document()
