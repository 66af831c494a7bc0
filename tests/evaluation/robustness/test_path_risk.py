"""What may happen on the way: the joint bootstrap of the paths of all books."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.return_metrics import drawdowns, max_drawdown
from engine.evaluation.robustness.path_risk import simulate_path_risk
from tests.evaluation.return_processes import autocorrelated, garch, independent

SAMPLES, BARS, YEAR = 40, 1_500, 252


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def books(**columns: np.ndarray) -> pd.DataFrame:
    bars = len(next(iter(columns.values())))
    index = pd.date_range("2015-01-01", periods=bars, tz="UTC", name="timestamp")
    return pd.DataFrame(columns, index=index)


def risk_of(returns: np.ndarray, periods: float = 252.0, **more):
    return simulate_path_risk(books(strategy=returns), periods, rng(), **more)


@pytest.mark.slow
@pytest.mark.parametrize("process", [independent, garch, autocorrelated])
def test_forecast_probabilities_are_those_of_the_process(process) -> None:
    """Mean forecast over 40 samples of six years, against 4,000 years of the process itself.

    A probability may be off by 0.06: the mean over the samples has a standard error of up to 0.02,
    and the unknown mean return of each sample makes forecasts less certain than the truth.
    """
    generator = rng(11)
    future = process(generator, 4_000, YEAR)
    depth = np.array([-drawdowns(path).min() for path in future])
    truth = [np.mean(np.prod(1 + future, axis=1) < 1), np.mean(depth > 0.2)]
    forecasts = []
    for sample in process(generator, SAMPLES, BARS):
        book = risk_of(sample, horizon_years=(1,)).horizons[0].books["strategy"]
        forecasts.append((book.loss_probability, book.drawdown_probability["20"]))
    assert np.mean(forecasts, axis=0) == pytest.approx(truth, abs=0.06)


def test_independent_blocks_would_miss_the_drawdowns_of_autocorrelated_returns() -> None:
    sample = autocorrelated(rng(3), 1, 4_000)[0]
    shuffled = rng(4).permutation(sample)
    in_order, out_of_order = (
        risk_of(each, horizon_years=(1,)).horizons[0].books["strategy"]
        for each in (sample, shuffled)
    )
    assert in_order.max_drawdown_pct.p50 < 1.1 * out_of_order.max_drawdown_pct.p50 < 0


@pytest.mark.slow
def test_the_median_realised_drawdown_is_in_the_middle_of_its_distribution() -> None:
    shares = [
        risk_of(sample, horizon_years=()).realised["strategy"].deeper_probability
        for sample in independent(rng(5), 60, 750)
    ]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.08)
    assert np.quantile(shares, 0.1) < 0.3
    assert np.quantile(shares, 0.9) > 0.7


def test_horizons_above_twice_the_data_are_left_out_and_named() -> None:
    risk = risk_of(independent(rng(1), 1, 400)[0])
    assert [(each.years, each.bars) for each in risk.horizons] == [(1.0, 252), (3.0, 756)]
    assert risk.left_out_years == (5.0,)
    assert risk_of(independent(rng(1), 1, 100)[0]).horizons == ()


def test_books_are_drawn_together() -> None:
    """Half the strategy is holding: it never lags behind where holding loses."""
    market = independent(rng(2), 1, 1_000)[0]
    returns = books(strategy=market / 2, buy_and_hold=market, twin=market / 2)
    horizon = simulate_path_risk(returns, 252.0, rng(), horizon_years=(1,)).horizons[0]
    held = horizon.books["buy_and_hold"]
    assert horizon.behind_probability["twin"] == 0.0
    assert horizon.books["twin"] == horizon.books["strategy"]
    assert horizon.behind_probability["buy_and_hold"] == pytest.approx(
        1 - held.loss_probability, abs=0.02
    )


def test_one_more_book_changes_no_other_books_figures() -> None:
    market, other = independent(rng(2), 2, 1_000)
    alone = simulate_path_risk(books(strategy=market), 252.0, rng())
    both = simulate_path_risk(books(strategy=market, other=other), 252.0, rng())
    for one, two in zip(alone.horizons, both.horizons, strict=True):
        assert one.books["strategy"] == two.books["strategy"]


def test_the_same_seed_gives_the_same_figures_and_the_generator_is_left_alone() -> None:
    sample, generator = books(strategy=independent(rng(6), 1, 500)[0]), rng(9)
    first = simulate_path_risk(sample, 252.0, generator)
    assert simulate_path_risk(sample, 252.0, generator) == first
    assert simulate_path_risk(sample, 252.0, rng(10)) != first


def test_figures_are_ordered_and_are_json() -> None:
    risk = risk_of(garch(rng(7), 1, 2_000)[0])
    json.dumps(risk.as_dict(), allow_nan=False)
    one, three, five = (each.books["strategy"] for each in risk.horizons)
    for book in (one, three, five):
        for quantiles in (book.max_drawdown_pct, book.longest_drawdown_bars):
            assert list(quantiles.as_dict().values()) == sorted(quantiles.as_dict().values())
        depths = [book.drawdown_probability[depth] for depth in ("20", "30", "50")]
        assert depths == sorted(depths, reverse=True)
    assert one.max_drawdown_pct.p50 > three.max_drawdown_pct.p50 > five.max_drawdown_pct.p50
    assert -100 <= five.max_drawdown_pct.p5 <= five.max_drawdown_pct.p95 <= 0


def test_a_book_that_lost_everything_stays_lost() -> None:
    returns = independent(rng(8), 1, 300)[0]
    returns[150] = -1.0
    risk = risk_of(returns, horizon_years=(1,))
    json.dumps(risk.as_dict(), allow_nan=False)
    book = risk.horizons[0].books["strategy"]
    assert book.max_drawdown_pct.p5 == book.total_return_pct.p5 == -100.0
    assert risk.realised["strategy"].max_drawdown_pct == -100.0
    # The bar is drawn 252 times out of 300 on average: 1 - exp(-0.84) of all paths have it.
    assert book.drawdown_probability["50"] == pytest.approx(1 - np.exp(-252 / 300), abs=0.05)


def test_a_series_in_cells_has_the_drawdowns_of_its_bars() -> None:
    """40,000 bars are drawn in cells of five; whole days of them would have the same risk."""
    minutes = 0.0005 * rng(12).standard_normal(40_000) + 2e-6
    risk = risk_of(minutes, 4_000.0, horizon_years=(1,))
    assert risk.cell_bars == 5.0
    book, future = risk.horizons[0].books["strategy"], rng(13)
    depth = [
        max_drawdown(0.0005 * future.standard_normal(4_000) + minutes.mean()) for _ in range(500)
    ]
    assert book.max_drawdown_pct.p50 == pytest.approx(100 * np.median(depth), rel=0.08)
    assert book.max_drawdown_pct.p5 == pytest.approx(100 * np.quantile(depth, 0.05), rel=0.12)


def test_a_horizon_longer_than_the_data_is_drawn_in_cells_too() -> None:
    risk = risk_of(independent(rng(14), 1, 6_000)[0], 12_000.0)
    assert [each.years for each in risk.horizons] == [1.0]
    assert risk.cell_bars > 1.0
    assert risk.horizons[0].bars / risk.cell_bars <= 8_000


def test_there_is_no_statement_about_few_bars_or_a_strategy_that_never_trades() -> None:
    assert risk_of(independent(rng(1), 1, 59)[0]) is None
    assert risk_of(np.zeros(300)) is None
