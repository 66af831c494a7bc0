"""A run a night, each with one bar more: only windows that begin are trained, nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.progress import NullProgress
from engine.data.config import DataSpec
from engine.data.market import Market
from engine.features.config import LogReturn, TargetSpec, Volatility
from engine.models import Drift, Ensemble, GradientBoosting, Ridge
from engine.models.model_file import encode_model
from engine.pipeline.prepare import prepare_data
from engine.pipeline.steps import fit_and_predict
from engine.splits.config import WindowSpec
from engine.splits.scaling import RollingZscoreScaling
from engine.strategy import Strategy
from engine.training.store import FitStore
from tests.pipeline.markets import BARS, SYMBOLS, bars
from tests.training.in_process import InProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.core.errors import TrainingError
    from engine.models.fitted_model import FittedModel
    from engine.training.results import FitResults
    from engine.training.task import FitTask

NIGHTS = 5


@dataclass(frozen=True, eq=False)
class Night:
    """What a run over the bars up to a night made.

    Attributes:
        windows: Number of windows.
        forecasts: One row a forecast; `actual` left out, which becomes known later.
        fits: The fits behind them.
        trained: Names of those that were trained.
    """

    windows: int
    forecasts: pd.DataFrame
    fits: FitResults
    trained: list[str]


@cache
def all_bars() -> pd.DataFrame:
    tables = [bars(seed).assign(symbol=symbol) for seed, symbol in enumerate(SYMBOLS)]
    table = pd.concat(tables).assign(timestamp=lambda t: t["timestamp"].dt.tz_localize("UTC"))
    return table.sort_values("timestamp", kind="stable", ignore_index=True)


def market_until(n_bars: int) -> Market:
    known = all_bars().head(n_bars * len(SYMBOLS))
    return Market(known, SYMBOLS, "1d", "24/7", 365.0, {"offline": False})


def run_night(spec: Strategy, n_bars: int, store: FitStore) -> Night:
    prepared, executor = prepare_data(spec, market_until(n_bars)), InProcess()
    predictions, fits = fit_and_predict(
        spec, prepared, executor, store, NullProgress(), fresh=False
    )
    tables = [made.table.assign(book=book) for book, made in predictions.items()]
    return Night(
        len(prepared.windows),
        pd.concat(tables).drop(columns="actual"),
        fits,
        executor.fitted,
    )


def strategy_of(**changes: object) -> Strategy:
    return Strategy(
        name="nightly",
        data=DataSpec(dataset="made-up"),
        features=(LogReturn(periods=2), Volatility(window=5)),
        windows=WindowSpec(train=60, validation=20, test=20),
        benchmarks=(),
        **changes,
    )


def run_nights(spec: Strategy, folder: Path) -> list[Night]:
    """So many nights, of which the third begins the third window."""
    store = FitStore(folder / "fits")
    start = prepare_data(spec, market_until(BARS)).windows[2].test.start - 1
    return [run_night(spec, start + night, store) for night in range(NIGHTS)]


BOOSTING = GradientBoosting(lookback=2, trees=5)

STRATEGIES = {
    "costly": {"model": BOOSTING},
    "cheap": {"model": Ridge(lookback=2)},
    "an ensemble of both": {
        "model": Ensemble(members=(Ridge(lookback=2), BOOSTING, Drift())),
        "scaling": RollingZscoreScaling(window=20),
    },
    "coarser bars too": {"model": BOOSTING, "resolutions": ("1w",)},
    "several horizons": {"model": BOOSTING, "target": TargetSpec(horizon=2, horizons=(1, 2))},
}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(each, id=name, marks=() if name == "cheap" else pytest.mark.slow)
        for name, each in STRATEGIES.items()
    ],
)
def test_a_night_trains_the_windows_that_began_and_changes_no_forecast(
    changes: dict[str, object], tmp_path: Path
) -> None:
    spec = strategy_of(**changes)
    first, *others = nights = run_nights(spec, tmp_path)
    assert [night.windows for night in nights] == [2, 2, 3, 3, 3]
    a_window = len(spec.target.forecast_horizons) if spec.target.strategy == "direct" else 1
    costly = a_window * spec.model.costly
    assert [night.fits.trained for night in nights] == [2 * costly, 0, costly, 0, 0]
    assert [len(night.trained) for night in nights] == [night.fits.trained for night in nights]
    assert all("window 2" in name for name in nights[2].trained)
    for before, after in zip(nights, others, strict=False):
        assert_unchanged(before, after)
    assert len(others[-1].forecasts) > len(first.forecasts)


def assert_unchanged(before: Night, after: Night) -> None:
    """The bytes of every model and forecast of the night before."""
    models = {str(task): outcome for task, outcome in zip_fits(after)}
    for task, outcome in zip_fits(before):
        assert encode_model("", models[str(task)]) == encode_model("", outcome)
    columns = list(before.forecasts.columns.drop("predicted"))
    common = before.forecasts.merge(after.forecasts, on=columns, suffixes=("", "_after"))
    assert len(common) == len(before.forecasts)
    np.testing.assert_array_equal(common["predicted"], common["predicted_after"])


def zip_fits(night: Night) -> Iterator[tuple[FitTask, FittedModel | TrainingError]]:
    return zip(night.fits.tasks, night.fits.outcomes, strict=True)
