"""The figures of analysis.json agree with each other, with the tables and with metrics.json."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.analysis import analyse_run, open_run
from tests.runs.old_folder import write_old_run

if TYPE_CHECKING:
    from engine.runs import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return open_run(write_old_run(tmp_path_factory.mktemp("runs") / "old"))


def of_book(run: Run, book: str) -> pd.DataFrame:
    return run.series[run.series["book"] == book].set_index("timestamp")


def test_the_series_of_a_book_are_those_of_its_returns(run: Run) -> None:
    assert list(run.series["book"].unique()) == list(run.returns.columns)
    for book, metrics in run.metrics.books.items():
        own = of_book(run, book)
        assert own.index.equals(run.returns.index)
        assert own["equity"].iloc[-1] - 1 == pytest.approx(metrics.total_return_pct / 100)
        assert own["drawdown_pct"].min() == pytest.approx(metrics.max_drawdown_pct)


def test_a_rolling_figure_is_that_of_the_last_bars(run: Run) -> None:
    window = run.analysis.rolling.window_bars
    last = run.returns.tail(window)
    own = of_book(run, "strategy")
    assert own["rolling_sharpe"].isna().sum() >= window - 1
    assert own["rolling_volatility_pct"].iloc[-1] == pytest.approx(
        100 * last["strategy"].std() * 365**0.5
    )
    beta = np.polyfit(last["buy_and_hold"], last["strategy"], 1)[0]
    assert own["rolling_beta"].iloc[-1] == pytest.approx(beta)
    assert run.analysis.rolling.beta.last == pytest.approx(beta)
    known = own["rolling_sharpe"].dropna()
    sharpe = run.analysis.rolling.sharpe
    assert (sharpe.lowest, sharpe.highest) == (known.min(), known.max())
    assert of_book(run, "buy_and_hold")["rolling_beta"].isna().all()


def test_beta_and_alpha_are_those_of_least_squares(run: Run) -> None:
    line = run.analysis.benchmark_regression
    slope, intercept = np.polyfit(run.returns["buy_and_hold"], run.returns["strategy"], 1)
    assert line.beta == pytest.approx(slope)
    assert line.alpha_pct_per_year == pytest.approx(100 * 365 * intercept)
    assert line.beta_low < line.beta < line.beta_high
    middle = (line.alpha_low_pct_per_year + line.alpha_high_pct_per_year) / 2
    assert middle == pytest.approx(line.alpha_pct_per_year)


def test_the_distribution_is_that_of_the_returns(run: Run) -> None:
    returns = 100 * run.returns["strategy"]
    found = run.analysis.distribution["strategy"]
    assert (found.worst_pct, found.best_pct) == (returns.min(), returns.max())
    assert pd.Timestamp(found.worst_bar) == returns.idxmin()
    worst = returns.sort_values().head(found.tails[0].bars)
    assert found.tails[0].expected_shortfall_pct == pytest.approx(worst.mean())
    histogram = run.analysis.histogram
    moved = 100 * (returns != 0).mean()
    assert sum(histogram.shares_pct["strategy"]) == pytest.approx(moved)
    assert 0.0 in histogram.edges_pct
    tails = run.analysis.tails["strategy"]
    assert tails.loss_sizes_pct[0] == -returns.min()
    assert tails.loss_bars == tuple(range(1, int((returns < 0).sum()) + 1))


def test_months_compound_to_years_and_years_to_the_total_return(run: Run) -> None:
    for book, metrics in run.metrics.books.items():
        periods = run.analysis.period_returns[book]
        for table in (periods.months, periods.years):
            growth = np.prod([1 + value / 100 for value in table.values()])
            assert 100 * (growth - 1) == pytest.approx(metrics.total_return_pct)


def test_attribution_adds_up_to_the_log_of_the_growth(run: Run) -> None:
    attribution = run.analysis.attribution
    assert attribution.status == "split"
    split = attribution.split
    log_growth = 100 * np.log1p(run.metrics.books["strategy"].total_return_pct / 100)
    assert split.net_pct + split.residual_pct == pytest.approx(log_growth)
    assert split.residual_is_rounding
    assert split.long_pct + split.short_pct == pytest.approx(split.gross_pct)
    assert split.fee_pct + split.slippage_pct + split.borrow_pct == pytest.approx(split.cost_pct)
    assert [group.key for group in split.groups] == ["volatility", "trend", "years"]
    for group in split.groups:
        assert sum(part.net_pct for part in group.parts) == pytest.approx(split.net_pct)
        assert sum(part.bar_share_pct for part in group.parts) == pytest.approx(100)
        assert group.total.net_pct == pytest.approx(split.net_pct)
        assert group.total.benchmark_pct == pytest.approx(
            100 * np.log1p(run.returns["buy_and_hold"]).sum()
        )


def test_a_ruined_strategy_has_no_attribution(run: Run) -> None:
    returns = run.returns.copy()
    returns.iloc[-1, 0] = -1.0
    ruined = analyse_run(replace(run, returns=returns, analysis_files=None)).document
    assert (ruined.attribution.status, ruined.attribution.split) == ("ruined", None)


def test_round_trips_are_counted_and_their_win_rate_is_the_hit_rate(run: Run) -> None:
    found = run.analysis.round_trips
    assert found.finished + found.open == len(run.round_trips)
    assert found.win_rate_pct == pytest.approx(run.metrics.books["strategy"].hit_rate_pct)


def test_windows_tile_the_span(run: Run) -> None:
    windows = run.analysis.windows
    assert [each.index for each in windows] == [each.index for each in run.manifest.windows]
    growth = np.prod([1 + each.strategy_return_pct / 100 for each in windows])
    assert 100 * (growth - 1) == pytest.approx(
        run.metrics.books["strategy"].total_return_pct, rel=1e-9
    )
    summary = run.analysis.window_summary
    assert summary.windows == len(windows)
    assert summary.above_zero == sum(each.strategy_sharpe > 0 for each in windows)


def test_forecasts_are_scored_as_in_the_metrics(run: Run) -> None:
    forecasts, scores = run.analysis.forecasts, run.metrics.forecasts["strategy"]
    assert forecasts.rows == len(run.forecasts) == scores.bars
    whole = forecasts.direction[-1]
    assert (whole.state, whole.rows) == ("all", scores.bars)
    assert whole.hit_pct == pytest.approx(scores.directional_accuracy_pct)
    assert whole.up_pct == pytest.approx(scores.up_share_pct)
    assert sum(group.rows for group in forecasts.calibration) == scores.bars
    ranks = run.forecasts[["predicted", "actual"]].rank().corr().iloc[0, 1]
    assert forecasts.rank_correlation.overall == pytest.approx(ranks)
    slope = np.polyfit(run.forecasts["predicted"], run.forecasts["actual"], 1)[0]
    assert forecasts.regression.slope == pytest.approx(slope)


def test_the_cost_curve_is_the_surface_at_the_chosen_cell(run: Run) -> None:
    curve, surface = run.analysis.cost_curve, run.significance.sensitivity
    assert [point.cost_bps for point in curve.points] == list(surface.cost_bps)
    at_charge = {point.cost_bps: point.sharpe for point in curve.points}[curve.charged_bps]
    assert at_charge == surface.chosen.sharpe
    highest = curve.points[-1]
    assert curve.sharpe_lost_per_10_bps == pytest.approx(
        10 * (at_charge - highest.sharpe) / (highest.cost_bps - curve.charged_bps)
    )


def test_the_longest_gap_of_daily_bars_is_a_day(run: Run) -> None:
    assert run.analysis.bars["AAA"].longest_gap_days == 1.0
    assert run.analysis.bars["AAA"].missing_bars == 0
