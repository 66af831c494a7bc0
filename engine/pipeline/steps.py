"""The stages of a run, the same for every book: fit, predict, decide, simulate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.portfolio import TradingCalendar
from engine.signals.benchmarks import BenchmarkRule, compute_benchmark_weights
from engine.signals.inputs import SignalInputs
from engine.signals.target_weights import compute_decisions, compute_target_weights
from engine.simulation.portfolio import simulate_all
from engine.training.forecast import Forecast, predict_window
from engine.training.jobs import make_fit_tasks, require_tasks
from engine.training.out_of_sample import Predictions, concat_out_of_sample
from engine.training.results import FitResults, run_fits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.progress import Progress
    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.pipeline.prepared_data import PreparedData
    from engine.signals.decision import DecisionState
    from engine.signals.decision_levels import DecisionSpec
    from engine.simulation.costs import TradingCosts
    from engine.simulation.portfolio import SimulationResult
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.executors.base import Executor
    from engine.training.store import FitStore
    from engine.training.task import FitTask


def fit_and_predict(
    spec: Strategy,
    prepared: PreparedData,
    executor: Executor,
    store: FitStore,
    progress: Progress,
    *,
    fresh: bool,
) -> tuple[dict[str, Predictions], FitResults]:
    """Out-of-sample forecasts of every book with a model, and the fits behind them."""
    skip = spec.on_failure == "skip"
    tasks = make_window_tasks(spec, prepared, prepared.windows)
    require_tasks(tasks, prepared.targets)
    fits = run_fits(tasks, executor, store, progress, ignore_stored=fresh, skip_failures=skip)
    fits = replace(fits, forecasts=predict_windows(prepared, fits))
    return assemble_predictions(spec, prepared, fits), fits


def predict_windows(prepared: PreparedData, fits: FitResults) -> list[Forecast | TrainingError]:
    """For each fit what it predicts of its window's test rows, or its error."""
    test = {window.index: window.test for window in prepared.windows}
    return [
        outcome
        if isinstance(outcome, TrainingError)
        else predict_window(outcome, prepared.feature_history, task.symbol, test[task.window])
        for task, outcome in zip(fits.tasks, fits.outcomes, strict=True)
    ]


def make_window_tasks(
    spec: Strategy, prepared: PreparedData, windows: Sequence[WalkForwardWindow]
) -> list[FitTask]:
    """Every fit of these windows, for every book with a model."""
    return make_fit_tasks(
        spec.forecasters(),
        prepared.feature_history,
        windows,
        prepared.targets,
        training=spec.training,
        seeds=spec.seeds,
        seed=spec.seed,
        deploy=spec.deploy,
        pooled=spec.scope == "pooled",
        joint=spec.scope == "joint",
    )


def assemble_predictions(
    spec: Strategy, prepared: PreparedData, fits: FitResults
) -> dict[str, Predictions]:
    """Book -> out-of-sample forecasts, for every book with a model."""
    return {
        name: concat_out_of_sample(
            prepared.feature_history, prepared.windows, *fits.for_book(name)
        )
        for name in spec.forecasters()
    }


def assemble_strategy_predictions(prepared: PreparedData, fits: FitResults) -> Predictions:
    """Out-of-sample forecasts of the strategy alone."""
    return concat_out_of_sample(
        prepared.feature_history, prepared.windows, *fits.for_book(STRATEGY_BOOK)
    )


def make_decision_spec(spec: Strategy, market: Market) -> DecisionSpec:
    """How the forecasts of a model become target weights on the bars of a market."""
    return spec.decision_spec(market.periods_per_year, TradingCalendar.of_market(market))


def decide_positions(
    spec: Strategy,
    prepared: PreparedData,
    predictions: Mapping[str, Predictions],
    *,
    include_models: bool = True,
) -> dict[str, WideFrame]:
    """Every book's target weights at each out-of-sample close; models share signal and size.

    Args:
        spec: The strategy.
        prepared: Bars, features and windows.
        predictions: Forecasts of the books with a model.
        include_models: Whether to decide those books too, or the rules alone.
    """

    def decided(name: str, book: object) -> WideFrame:
        if isinstance(book, BenchmarkRule):
            return compute_benchmark_weights(
                book,
                prepared.target_close,
                prepared.span,
                spec.benchmark_weight,
                make_decision_spec(spec, prepared.market),
                prepared.eligible,
            )
        return decide_model_positions(spec, prepared, predictions[name])

    return {
        name: decided(name, book)
        for name, book in spec.books().items()
        if include_models or isinstance(book, BenchmarkRule)
    }


def decide_state_at(
    spec: Strategy, prepared: PreparedData, predictions: Predictions, row: int
) -> DecisionState:
    """What `decide` leaves at an out-of-sample bar, folded over the forecasts of one model.

    Args:
        spec: The strategy.
        prepared: Bars, features and windows.
        predictions: Forecasts of the model.
        row: Of the out-of-sample bars; -1 is the last.
    """
    decisions = compute_decisions(
        SignalInputs.from_predictions(predictions),
        prepared.target_close,
        make_decision_spec(spec, prepared.market),
    )
    return decisions.state_at(row)


def decide_model_positions(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> WideFrame:
    """The target weights that one model's forecasts lead to."""
    return compute_target_weights(
        SignalInputs.from_predictions(predictions),
        prepared.target_close,
        spec.signal,
        spec.sizing,
        round_trip_cost=spec.costs.round_trip_cost,
        periods_per_year=prepared.market.periods_per_year,
        max_weight=spec.max_weight,
        portfolio=spec.portfolio,
        horizon=spec.target.horizon,
        calendar=TradingCalendar.of_market(prepared.market),
    )


def assemble_predictions_by_seed(
    prepared: PreparedData, fits: FitResults
) -> dict[int, Predictions]:
    """Seed -> the strategy's forecasts of that seed alone; empty with one seed."""
    members = sorted({task.seed_index for task in fits.for_book(STRATEGY_BOOK)[0]})
    if len(members) < 2:
        return {}
    return {
        member: concat_out_of_sample(
            prepared.feature_history, prepared.windows, *fits.for_book(STRATEGY_BOOK, member)
        )
        for member in members
    }


def simulate_books(
    spec: Strategy,
    prepared: PreparedData,
    weights: Mapping[str, WideFrame],
    *,
    bar_by_bar: bool = False,
    costs: TradingCosts | None = None,
    first: int = 0,
) -> dict[str, SimulationResult]:
    """Every book through the same bars, costs and execution; none is filled where none trades.

    Args:
        spec: The strategy.
        prepared: Bars, rates and the out-of-sample span.
        weights: Of each book, on the out-of-sample bars.
        bar_by_bar: As in `simulate_all`: the same figures, faster in a process that has not
            imported vectorbt.
        costs: Bound to a market; to that of `prepared` unless given.
        first: The out-of-sample bar at which the books begin, which hold nothing before it.
    """

    def late(wide: WideFrame) -> WideFrame:
        return wide.iloc[first:] if first else wide

    return simulate_all(
        {book: late(decided) for book, decided in weights.items()},
        late(prepared.wide("open")),
        late(prepared.wide("close")),
        costs=costs or spec.bind_costs(prepared.market),
        execution=spec.execution,
        traded=late(prepared.traded),
        settlements=None if prepared.settlements is None else late(prepared.settlements),
        cash_rates=prepared.rates_by_bar.cash.iloc[first:],
        bar_by_bar=bar_by_bar,
        lags=None if (lags := prepared.fill_lags(spec)) is None else late(lags),
    )
