"""Every page of a run states the risk-free rate of its Sharpe ratios, and what cash earns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.reporting.header import make_run_header
from engine.reporting.pages import render_page
from engine.runs.documents.rates import AnnualRate
from tests.reporting.page import Page

if TYPE_CHECKING:
    from engine.runs.run import Run

THREE = {"mean_pct": 3.0, "lowest_pct": 3.0, "highest_pct": 3.0}
TWO = {"mean_pct": 2.0, "lowest_pct": 1.5, "highest_pct": 2.5}


@pytest.fixture
def above_three(run: Run) -> Run:
    return replace(
        run,
        metrics=run.metrics | {"risk_free_rate": THREE, "cash_yield": TWO},
        significance=run.significance | {"risk_free_rate": THREE},
        analysis_files=replace(
            run.analysis_files, document=run.analysis | {"risk_free_rate": THREE}
        ),
    )


def text(run: Run, page: str) -> str:
    return Page(render_page(run, page)).text


def test_the_tearsheet_states_it_at_every_ratio(run: Run, above_three: Run) -> None:
    page = text(above_three, "tearsheet")
    for said in (
        "annualised, risk-free 3 % a year",
        "downside risk only, risk-free 3 % a year",
        "Annualised Sharpe ratio (risk-free 3 % a year)",
        "Risk-free rate 3 % a year",
    ):
        assert said in page
    assert "annualised, risk-free rate 0" in text(run, "tearsheet")


def test_the_significance_page_states_it(run: Run, above_three: Run) -> None:
    assert "after costs (risk-free 3 % a year)" in text(above_three, "significance")
    assert "after costs (risk-free rate 0)" in text(run, "significance")


def test_the_head_of_every_page_says_what_cash_earns(run: Run, above_three: Run) -> None:
    said = dict(make_run_header(above_three).terms)["Interest"]
    assert said == (
        "Sharpe and Sortino ratios are those of the returns above the risk-free rate, 3 % a year. "
        "Cash earns 2 % a year on average."
    )
    assert "Cash earns nothing." in dict(make_run_header(run).terms)["Interest"]


@pytest.mark.slow
def test_quantstats_takes_the_rate(above_three: Run) -> None:
    page = text(above_three, "quantstats")
    assert "a risk-free rate of 3 % a year in its table, of 0 in its charts" in page
    assert "Risk-Free Rate 3.0%" in page


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ([0.0, 0.0], "risk-free rate 0"),
        ([0.03, 0.03], "risk-free 3 % a year"),
        ([0.07, 0.07], "risk-free 7 % a year"),
        ([-0.005, -0.005], "risk-free -0.5 % a year"),
        ([0.01, 0.02], "risk-free 1 % a year on average"),
    ],
)
def test_a_rate_is_said_in_a_few_words(rates: list[float], words: str) -> None:
    days = pd.date_range("2024-01-01", periods=2, tz="UTC")
    assert AnnualRate.summarise(pd.Series(rates, index=days)).as_risk_free == words


def test_the_mean_is_that_over_calendar_time() -> None:
    """One day at 1 %, three at 2 %; the last rate begins when the bars end."""
    days = pd.DatetimeIndex(["2024-01-04", "2024-01-05", "2024-01-08"], tz="UTC")
    rate = AnnualRate.summarise(pd.Series([0.01, 0.02, 0.09], index=days))
    assert rate.mean_pct == pytest.approx((1 + 3 * 2) / 4)
    assert (rate.lowest_pct, rate.highest_pct) == (1.0, 9.0)
    assert np.isfinite(AnnualRate.summarise(pd.Series([0.01], index=days[:1])).mean_pct)
