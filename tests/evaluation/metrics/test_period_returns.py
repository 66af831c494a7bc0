from __future__ import annotations

import pandas as pd
import pytest

from engine.evaluation.metrics.period_returns import (
    compound_returns_pct,
    cumulative_growth,
    drawdown_pct,
)


def days(*dates: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(dates, tz="UTC", name="timestamp")


def table(values: list[float]) -> pd.DataFrame:
    index = pd.date_range("2020-01-01", periods=len(values), tz="UTC", name="timestamp")
    return pd.DataFrame({"strategy": values}, index=index)


def test_equity_is_the_product_of_returns() -> None:
    assert cumulative_growth(table([0.1, -0.5, 0.2]))["strategy"].tolist() == pytest.approx(
        [1.1, 0.55, 0.66]
    )


def test_drawdown_is_measured_from_the_highest_equity_so_far() -> None:
    below = drawdown_pct(table([0.1, -0.5, 0.2]))["strategy"].tolist()
    assert below == pytest.approx([0.0, -50.0, -40.0])


def test_a_loss_on_the_first_bar_is_a_drawdown() -> None:
    assert drawdown_pct(table([-0.1, 0.0]))["strategy"].tolist() == pytest.approx([-10.0, -10.0])


def test_monthly_returns_compound_within_months_and_years() -> None:
    returns = pd.Series([0.1, 0.1, -0.5], days("2003-06-27", "2003-06-30", "2003-07-01"))
    assert compound_returns_pct(returns, "M") == pytest.approx({"2003-06": 21.0, "2003-07": -50.0})
    assert compound_returns_pct(returns, "Y") == pytest.approx({"2003": -39.5})
