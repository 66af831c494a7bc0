"""The rates of a run are in its certificate; the catalogue of leaks has rates that are early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.strategy import Strategy, load_strategy
from tests.data.rates.rate_files import write_rates
from tests.leakage.leaks import run
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
