"""Pairs of forecasts: of single fits, and of books out of sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.leakage.comparison import BarRows, OutputPair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.pipeline.prepared_data import PreparedData
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.training.forecast import Forecast
    from engine.training.out_of_sample import Predictions
    from engine.training.task import FitTask
from engine.leakage.output_pairs.frames import format_bars, pair_frames


def pair_fit_forecasts(
    task: FitTask,
    original: Forecast,
    perturbed: Forecast,
    window: WalkForwardWindow,
    row: int,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """One fit's forecasts on its train and validation rows, and on its test rows up to `row`."""
    stamps = prepared.feature_history.features.timestamps
    for part, rows in (("train", window.train), ("validation", window.validation)):
        yield OutputPair(
            "predictions",
            (f"{task}, {part} rows",),
            BarRows(stamps, rows),
            getattr(original, part),
            getattr(perturbed, part),
        )
    yield from pair_test_forecasts(task, original, perturbed, window, row, prepared)


def pair_test_forecasts(
    task: FitTask,
    original: Forecast,
    perturbed: Forecast,
    window: WalkForwardWindow,
    row: int,
    prepared: PreparedData,
) -> Iterator[OutputPair]:
    """One fit's forecasts on its test rows up to `row`, with their quantiles."""
    tested = range(window.test.start, min(row + 1, window.test.stop))
    bars = BarRows(prepared.feature_history.features.timestamps, tested)
    count = len(bars)
    name = f"{task}, test rows"
    yield OutputPair("predictions", (name,), bars, original.test[:count], perturbed.test[:count])
    one, two = original.quantiles, perturbed.quantiles
    if one is not None and two is not None:
        yield OutputPair(
            "predictions",
            (f"{task}, quantiles",),
            bars,
            one[:count].reshape(count, -1),
            two[:count].reshape(count, -1),
        )


def pair_predictions(
    book: str, original: Predictions, perturbed: Predictions, prepared: PreparedData, row: int
) -> Iterator[OutputPair]:
    """One book's out-of-sample forecasts up to `row`."""
    stamps = prepared.feature_history.features.timestamps
    bars = BarRows(stamps, range(prepared.windows[0].test.start, row + 1))
    for horizon, forecast in original.by_horizon.items():
        other_forecast = perturbed.by_horizon[horizon]
        label = f"{book} {{}} over {format_bars(horizon)}"
        names = tuple(label.format(symbol) for symbol in forecast.predicted)
        yield pair_frames("predictions", names, bars, forecast.predicted, other_forecast.predicted)
        for level, wide in forecast.quantiles.items():
            named = tuple(f"{name}, quantile {level:g}" for name in names)
            yield pair_frames("predictions", named, bars, wide, other_forecast.quantiles[level])
