from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.reporting.pages import render_quantstats
from engine.reporting.quantstats_process import open_quantstats_process
from engine.reporting.quantstats_worker import OMITTED_METRICS

if TYPE_CHECKING:
    from engine.runs.run import Run


def cut(run: Run, bars: int, periods_per_year: float = 252.0) -> Run:
    span = run.metrics["span"] | {"periods_per_year": periods_per_year}
    returns = run.returns.iloc[:bars]
    return dataclasses.replace(run, returns=returns, metrics=run.metrics | {"span": span})


def page(run: Run) -> str:
    with open_quantstats_process() as quantstats:
        quantstats.submit(run.returns, run.metrics["span"]["periods_per_year"])
        return render_quantstats(run, quantstats.wait_for_report())


def test_a_span_too_short_for_quantstats_is_stated(run: Run) -> None:
    html = page(cut(run, 12))
    assert "The span has 12 days; quantstats needs at least 30." in html
    assert "<svg" not in html.partition("<main")[2]


@pytest.mark.slow
def test_quantstats_prints_nothing_and_uses_the_days_per_year_of_the_run(
    run: Run, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    daily = cut(run, 500, periods_per_year=365.0)
    name = "</title><img src=x>"
    hostile = dataclasses.replace(daily, manifest=run.manifest | {"strategy_name": name})
    html = page(hostile)

    assert page(hostile) == html
    assert (capfd.readouterr(), caplog.records) == (("", ""), [])
    assert "<img" not in html
    assert not re.findall(r"(?:src|href)=\"https?:|@import|<script", html)
    assert html.partition("<main")[2].count("<svg") == 12
    returns = daily.returns["strategy"]
    sharpe = returns.mean() / returns.std() * 365**0.5
    match = re.search(r"<td>Sharpe\s*</td>\s*<td>\s*([-\d.]+)</td>\s*<td>\s*([-\d.]+)</td>", html)
    assert match
    assert float(match[2]) == pytest.approx(sharpe, abs=0.011)


@pytest.mark.slow
def test_intraday_bars_become_daily_returns(run: Run) -> None:
    daily = cut(run, 300, periods_per_year=1_461.0)
    index = pd.date_range("2020-01-01", periods=300, freq="6h", tz="UTC", name="timestamp")
    hours = dataclasses.replace(daily, returns=daily.returns.set_axis(index))
    assert "with 365 days a year" in page(hours)


def falling(run: Run, freq: str, periods_per_year: float) -> Run:
    """A strategy that loses on its first bar, never makes it good, and falls until the last."""
    daily = cut(run, 300, periods_per_year)
    index = pd.date_range("2016-01-04", periods=300, freq=freq, tz="UTC", name="timestamp")
    returns = daily.returns.set_axis(index)
    strategy = returns["strategy"].to_numpy().copy()
    strategy[0], strategy[-40:] = -0.3, -0.004
    return dataclasses.replace(daily, returns=returns.assign(strategy=strategy))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("freq", "periods_per_year", "unit", "label"),
    [("B", 252.0, "daily net returns", "Best Day"), ("W-MON", 52.18, "per bar", "Best Bar")],
)
def test_figures_that_quantstats_has_wrong_are_left_out_and_named(
    run: Run, freq: str, periods_per_year: float, unit: str, label: str
) -> None:
    html = page(falling(run, freq, periods_per_year))
    body = html.partition('class="quantstats"')[2]
    assert "Recovered" not in body
    assert f"<td>{label}</td>" in body
    for row in OMITTED_METRICS:
        assert f"<td>{row}</td>" not in body
    for word in ("drawdowns", "Treynor", "recovery factor", "risk-adjusted return"):
        assert word in html.partition('class="note"')[2].partition("</p>")[0]
    assert unit in html
    assert bool(re.search(r"\bDa(?:y|ys|ily)\b", body)) == (freq == "B")
    assert ("52 bars a year" in html) == (freq != "B")


def test_the_figures_left_out_are_still_wrong_in_the_pinned_quantstats() -> None:
    from quantstats import stats

    days = pd.bdate_range("2024-01-02", periods=60)
    ripple = [0.001, -0.002] * 29
    open_fall = pd.Series([0.0, -0.05, *ripple], index=days)
    first_fall = pd.Series([-0.05, *ripple, 0.0], index=days)
    listed = stats.drawdown_details(stats.to_drawdown_series(open_fall))
    assert listed["end"].tolist() == [f"{days[-1]:%Y-%m-%d}"]
    assert stats.drawdown_details(stats.to_drawdown_series(first_fall)).empty
    assert stats.max_drawdown(first_fall) < -0.05
    beta = stats.greeks(open_fall, 0.5 * open_fall)["beta"]
    treynor = stats.treynor_ratio(open_fall, 0.5 * open_fall)
    assert treynor == pytest.approx(stats.comp(open_fall) / beta)
    assert stats.recovery_factor(open_fall) > 0.0 > stats.comp(open_fall)
    assert stats.rar(open_fall, periods=52) == stats.rar(open_fall, periods=252)
