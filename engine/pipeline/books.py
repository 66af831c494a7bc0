"""Every book the same way: forecasts, weights, simulation, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.forecast import forecast_scores
from engine.evaluation.intervals import interval_scores
from engine.evaluation.metrics import book_metrics
from engine.refit.fits import Fits, fit_all
from engine.refit.plan import STRATEGY, plan
from engine.refit.stitch import Outlook, Predictions, stitch
from engine.signals.decide import target_weights
from engine.signals.forecasts import Forecasts
from engine.signals.rules import RuleSpec, rule_weights
from engine.simulation.portfolio import simulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.pipeline.ground import Ground
    from engine.progress import Progress
    from engine.refit.executor import Executor
    from engine.refit.store import Store
    from engine.refit.task import Task
    from engine.simulation.result import Result
    from engine.strategy import Strategy
    from engine.types import Matrix, WideFrame
    from engine.windows.walk_forward import Window


def refit(
    spec: Strategy,
    ground: Ground,
    executor: Executor,
    store: Store,
    told: Progress,
    *,
    fresh: bool,
) -> tuple[dict[str, Predictions], Fits]:
    """Out-of-sample forecasts of every book that a model decides, and where they came from."""
    skip = spec.on_failure == "skip"
    tasks = planned(spec, ground, ground.windows)
    fits = fit_all(tasks, executor, store, told, fresh=fresh, skip_failures=skip)
    return stitched(spec, ground, fits), fits


def planned(spec: Strategy, ground: Ground, windows: Sequence[Window]) -> list[Task]:
    """Every fit of these windows, by every book that a model decides."""
    return plan(
        spec.forecasters(),
        ground.history,
        windows,
        ground.targets,
        training=spec.training,
        seeds=spec.seeds,
        seed=spec.seed,
    )


def stitched(spec: Strategy, ground: Ground, fits: Fits) -> dict[str, Predictions]:
    """The forecasts of each book that a model decides, out of sample."""
    return {
        name: stitch(ground.history, ground.windows, *fits.of(name)) for name in spec.forecasters()
    }


def forecasts_of(made: Predictions) -> Forecasts:
    """As the signals stage takes them."""
    return Forecasts(made.predicted, made.window, made.train, made.quantiles, made.residuals)


def decide(
    spec: Strategy,
    ground: Ground,
    predictions: Mapping[str, Predictions],
    *,
    models: bool = True,
) -> dict[str, WideFrame]:
    """Every book's target weights at each out-of-sample close; models share signal and size.

    Args:
        spec: The strategy.
        ground: What its books stand on.
        predictions: Of the books that a model decides.
        models: Those books too, or the rules alone.
    """

    def decided(name: str, book: object) -> WideFrame:
        if isinstance(book, RuleSpec):
            return rule_weights(book, ground.close, ground.span, spec.max_weight)
        return decided_by(spec, ground, predictions[name])

    return {
        name: decided(name, book)
        for name, book in spec.books().items()
        if models or isinstance(book, RuleSpec)
    }


def decided_by(spec: Strategy, ground: Ground, made: Predictions) -> WideFrame:
    """The target weights that one model's forecasts lead to."""
    return target_weights(
        forecasts_of(made),
        ground.close,
        spec.signal,
        spec.sizing,
        round_trip=spec.costs.round_trip,
        periods_per_year=ground.market.periods_per_year,
        max_weight=spec.max_weight,
    )


def single_seeds(ground: Ground, fits: Fits) -> dict[int, Predictions]:
    """The strategy's forecasts by each of its seeds alone, where there are several."""
    members = sorted({task.member for task in fits.of(STRATEGY)[0]})
    if len(members) < 2:
        return {}
    return {
        member: stitch(ground.history, ground.windows, *fits.of(STRATEGY, member))
        for member in members
    }


def trade(spec: Strategy, ground: Ground, weights: Mapping[str, WideFrame]) -> dict[str, Result]:
    """Every book through the same bars, costs and execution."""
    opens, closes = (ground.market.wide(price).loc[ground.span] for price in ("open", "close"))
    return {
        name: simulate(weight, opens, closes, costs=spec.costs, execution=spec.execution)
        for name, weight in weights.items()
    }


def measure(
    ground: Ground, predictions: Mapping[str, Predictions], books: Mapping[str, Result]
) -> dict[str, Any]:
    """`metrics.json`: the span, every book's figures, every model's forecast scores."""
    periods = ground.market.periods_per_year
    return {
        "span": {
            "first": ground.span[0].isoformat(),
            "last": ground.span[-1].isoformat(),
            "bars": len(ground.span),
            "periods_per_year": periods,
        },
        "books": {
            name: book_metrics(book.returns, book.held, book.trades, periods_per_year=periods)
            for name, book in books.items()
        },
        "forecasts": {name: _scores(ground, made) for name, made in predictions.items()},
    }


def _scores(ground: Ground, made: Predictions) -> dict[str, Any]:
    """Of the traded horizon, and where there are several of each under `horizons`."""
    by_horizon = {
        horizon: _scores_over(ground, horizon, outlook)
        for horizon, outlook in made.outlooks.items()
    }
    traded = by_horizon[made.horizon]
    if len(by_horizon) == 1:
        return traded
    return traded | {"horizons": {str(bars): scores for bars, scores in by_horizon.items()}}


def _scores_over(ground: Ground, horizon: int, outlook: Outlook) -> dict[str, Any]:
    """Against no change, on the rows that have a forecast."""
    predicted = outlook.predicted.to_numpy()
    actual = ground.history.ahead[horizon].loc[ground.span].to_numpy()
    made = np.isfinite(predicted)
    scores = forecast_scores(predicted[made], actual[made], np.zeros(int(made.sum())))
    if not outlook.quantiles:
        return scores
    quantiles = {level: wide.to_numpy()[made] for level, wide in outlook.quantiles.items()}
    past = {level: _of_train(ground, horizon, level)[made] for level in quantiles}
    return scores | interval_scores(quantiles, actual[made], past)


def _of_train(ground: Ground, horizon: int, level: float) -> Matrix:
    """On each test row the quantile of the returns of its window's train rows."""
    ahead = ground.history.ahead[horizon].to_numpy()
    parts = [
        np.tile(np.quantile(ahead[w.train.start : w.train.stop], level, axis=0), (len(w.test), 1))
        for w in ground.windows
    ]
    return np.concatenate(parts)
