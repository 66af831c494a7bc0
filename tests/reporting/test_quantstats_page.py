from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.reporting.pages import render_quantstats
from engine.reporting.quantstats_process import open_quantstats_process

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
    assert html.partition("<main")[2].count("<svg") == 13
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
