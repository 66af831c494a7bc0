"""The stages of a run on a history that ends early, and the bars at which it ends.

Other bars after a cutoff stand at the same times as the real ones, and are as many. Where the
history ends, there is no next time and no later row to count.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import TrainingError
from engine.leakage.comparison import OutputPair
from engine.leakage.fill_records import FillRecords, pair_fills
from engine.leakage.output_pairs import (
    pair_cost_rates,
    pair_histories,
    pair_positions,
    pair_predictions,
    pair_tasks,
    pair_thresholds,
    window_edges,
)
from engine.leakage.rounding import ROUNDING
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import (
    assemble_predictions,
    decide_model_positions,
    decide_positions,
    make_window_tasks,
    simulate_books,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import IntVector, WideFrame
    from engine.leakage.comparison import OutputComparison
    from engine.pipeline.prepared_data import PreparedData
    from engine.pipeline.result import BacktestResult
    from engine.training.forecast import Forecast
    from engine.training.out_of_sample import Predictions
    from engine.training.results import FitResults

_EARLIEST, _LATEST = 0.1, 0.5
"""Of the out-of-sample bars, between which a history ends: a later end costs more."""

_CERTAIN_BOOK = f"{STRATEGY_BOOK} always in the market,"
_TURNING_BOOK = f"{STRATEGY_BOOK} in and out at every bar,"
"""Names in error messages."""

_SMALL_WEIGHT = 1e-3
"""Fraction of the equity: small enough to survive the costs of a turnover at every bar."""


def choose_ends(stamps: pd.DatetimeIndex, tested: range, rng: np.random.Generator) -> list[int]:
    """Rows at which the history ends: one before a weekend, one before a longer gap.

    Where bars are evenly spaced, these are the end of a week and any other bar.

    Args:
        stamps: Timestamps of all bars.
        tested: Out-of-sample rows.
        rng: Chooses among several.

    Returns:
        One or two ascending rows; none where there are fewer than three out-of-sample bars.
    """
    first = tested.start + int(_EARLIEST * len(tested))
    rows = np.arange(first, min(first + 1 + int(_LATEST * len(tested)), tested.stop - 1))
    if not len(rows):
        return []
    opens = stamps.tz_convert(None).to_numpy()
    days = opens.astype("datetime64[D]").astype(np.int64)
    ends_week = np.diff((days + 3) // 7)[rows] > 0
    steps = np.diff(opens).astype(np.int64)[rows]
    weekend = int(rng.choice(rows[ends_week] if ends_week.any() else rows))
    usual = np.median(steps[ends_week]) if ends_week.any() else np.median(steps)
    others = rows[(steps > usual) & (rows != weekend)]
    if not len(others):
        others = rows[rows != weekend]
    return sorted({weekend, *([int(rng.choice(others))] if len(others) else [])})


class TruncatedRun:
    """A run, compared with the stages on a history that ends early.

    The windows are those of the run whose test part has begun, the last of them cut off. The
    models are the run's own, and so are their forecasts, which do not depend on the number of bars
    but by features and arrays: these are compared. Every book is decided, and the strategy once
    more on forecasts that keep it in the market; the strategy and a book that turns at every bar
    are filled. So something is sized and something filled at the last bar.

    Args:
        result: The run.
    """

    def __init__(self, result: BacktestResult) -> None:
        self._result = result

    def compare(self, row: int, comparison: OutputComparison) -> None:
        """Compares all stages up to a row.

        Args:
            row: The last bar of the history, one of a test part.
            comparison: Counts what is equal.

        Raises:
            LookaheadError: A value up to `row` differs by more than rounding.
        """
        bar = self._result.prepared.feature_history.features.timestamps[row]
        for pair in self._pair_stages(row):
            comparison.require_equal(pair, bar, ROUNDING)

    def _pair_stages(self, row: int) -> Iterator[OutputPair]:
        result, spec, real = self._result, self._result.spec, self._result.prepared
        stamps = real.feature_history.features.timestamps
        ended = prepare_data(spec, real.market.until(stamps[row]), real.rates)
        yield _pair_windows(real, ended, row)
        yield from pair_histories(real.feature_history, ended.feature_history, row)
        last = ended.windows[-1]
        own = [task for task in result.fits.tasks if task.window == last.index]
        yield from pair_tasks(own, make_window_tasks(spec, ended, [last]), last, real)
        predictions = assemble_predictions(spec, ended, _first_forecasts(result.fits, ended))
        for book, original in result.predictions.items():
            other = predictions[book]
            yield from pair_predictions(book, original, other, real, row)
            yield from pair_thresholds(book, original, other, spec, real, ended.windows)
        weights = decide_positions(spec, ended, predictions)
        yield from pair_positions(result.weights, weights, ended.span)
        certain = _with_certain_forecasts(predictions[STRATEGY_BOOK])
        yield from pair_positions(
            {_CERTAIN_BOOK: self._certain_weights},
            {_CERTAIN_BOOK: decide_model_positions(spec, ended, certain)},
            ended.span,
        )
        if spec.costs.known_before_fill:
            charged, again = (spec.cost_rates(each.market) for each in (real, ended))
            panel = real.market.is_panel
            yield from pair_cost_rates(spec.costs, charged, again, row, panel=panel)
        yield from self._pair_fills(ended, weights[STRATEGY_BOOK])

    def _pair_fills(self, ended: PreparedData, strategy: WideFrame) -> Iterator[OutputPair]:
        turning = self._turning_weights.iloc[: len(ended.span)]
        decided = {STRATEGY_BOOK: strategy, _TURNING_BOOK: turning}
        for book, simulated in simulate_books(self._result.spec, ended, decided).items():
            other = FillRecords.from_result(simulated)
            yield from pair_fills(
                book, self._real_fills[book], other, ended.span, price_known="close"
            )

    @cached_property
    def _certain_weights(self) -> WideFrame:
        """The strategy's weights on the real bars, on forecasts above any threshold."""
        certain = _with_certain_forecasts(self._result.predictions[STRATEGY_BOOK])
        return decide_model_positions(self._result.spec, self._result.prepared, certain)

    @cached_property
    def _turning_weights(self) -> WideFrame:
        own = self._result.weights[STRATEGY_BOOK]
        side = np.where(np.arange(len(own)) % 2 == 0, _SMALL_WEIGHT, 0.0)
        return pd.DataFrame(dict.fromkeys(own, side), index=own.index)

    @cached_property
    def _real_fills(self) -> dict[str, FillRecords]:
        """On the real bars, those of the strategy and of the book that turns at every bar."""
        turning = {_TURNING_BOOK: self._turning_weights}
        simulated = simulate_books(self._result.spec, self._result.prepared, turning)
        simulated[STRATEGY_BOOK] = self._result.books[STRATEGY_BOOK]
        return {book: FillRecords.from_result(each) for book, each in simulated.items()}


def _with_certain_forecasts(predictions: Predictions) -> Predictions:
    forecast = predictions.by_horizon[predictions.horizon]
    certain = replace(forecast, predicted=forecast.predicted.where(forecast.predicted.isna(), 1.0))
    return replace(
        predictions, by_horizon={**predictions.by_horizon, predictions.horizon: certain}
    )


def _pair_windows(real: PreparedData, ended: PreparedData, row: int) -> OutputPair:
    """The edges of the windows whose test part has begun; the last one ends with the bars."""
    stamps = real.feature_history.features.timestamps
    begun = [window for window in real.windows if window.test.start <= row]
    edges: IntVector = window_edges(begun)
    edges[:, -1] = np.minimum(edges[:, -1], row + 1)
    return OutputPair(
        "windows",
        ("train start", "train stop", "validation start", "validation stop", "test start", "stop"),
        stamps[[window.test.start for window in begun]],
        edges,
        window_edges(ended.windows),
        stamps[[window.test.start for window in ended.windows]],
    )


def _first_forecasts(fits: FitResults, ended: PreparedData) -> FitResults:
    """The fits of the windows that have begun, with their forecasts up to the end."""
    counts = {window.index: len(window.test) for window in ended.windows}
    chosen = [index for index, task in enumerate(fits.tasks) if task.window in counts]
    return replace(
        fits,
        tasks=[fits.tasks[index] for index in chosen],
        outcomes=[fits.outcomes[index] for index in chosen],
        keys={place: fits.keys[index] for place, index in enumerate(chosen) if index in fits.keys},
        forecasts=[
            _first_rows(fits.forecasts[index], counts[fits.tasks[index].window])
            for index in chosen
        ],
    )


def _first_rows(forecast: Forecast | TrainingError, count: int) -> Forecast | TrainingError:
    if isinstance(forecast, TrainingError):
        return forecast
    quantiles = forecast.quantiles
    return replace(
        forecast,
        test=forecast.test[:count],
        quantiles=None if quantiles is None else quantiles[:count],
    )
