"""A rate that applies before it was published is look-ahead, and detected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.data.rates import RateHistory
from engine.strategy import Strategy, load_strategy
from tests.data.rates.rate_files import write_rates
from tests.leakage.leaks import leak_of, run, stage
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Strategy:
    """A rate a day, that cash earns."""
    dates = pd.date_range("2017-12-01", periods=800).strftime("%Y-%m-%d")
    cells = 2 + np.sin(np.arange(800))
    write_rates(module_folder / "tbill.csv", dict(zip(dates, cells, strict=True)))
    file = write_strategy(module_folder, market(module_folder / "market"))
    series = {"file": "tbill.csv", "column": "rate", "unit": "percent"}
    rates = {"rates.risk_free": series, "rates.cash": "risk_free"}
    return load_strategy(file, {**rates, "evaluation.resamples": 200})


def test_an_honest_series_is_certified(strategy: Strategy, module_folder: Path) -> None:
    assert run(strategy, module_folder).certificate.compared["rates"].columns > 0


def test_a_rate_of_the_day_itself_is_found(
    strategy: Strategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def early(self: RateHistory, bars: pd.DatetimeIndex) -> np.ndarray:
        known = np.searchsorted(self.known_from, bars.to_numpy(dtype="datetime64[us]"))
        return self.values[known]

    monkeypatch.setattr(RateHistory, "at", early)
    assert stage(leak_of(strategy, tmp_path)) == "rates"


def test_an_average_over_the_whole_series_is_found(
    strategy: Strategy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def average(self: RateHistory, bars: pd.DatetimeIndex) -> np.ndarray:
        return np.full(len(bars), self.values.mean())

    monkeypatch.setattr(RateHistory, "at", average)
    assert stage(leak_of(strategy, tmp_path)) == "rates"
