"""Runs with a risk-free rate: every Sharpe ratio is that of the returns above it, and says so."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import UsageError
from engine.data.rates import RatesByBar
from engine.evaluation.metrics import rolling_window_length, sharpe, sortino
from engine.runs.folder import TABLES
from tests.data.rates.rate_files import write_rates
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RATE = 0.03


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market", edge=0.2))


def run_with(strategy: Path, folder: Path, rates: dict[str, Any] | None = None) -> engine.Run:
    overrides = {f"rates.{key}": value for key, value in (rates or {}).items()}
    return engine.run(
        strategy,
        overrides=overrides,
        out=folder / "out",
        home=folder / "home",
        pages=False,
        workers=1,
    )


@pytest.fixture(scope="module")
def without(strategy: Path, module_folder: Path) -> engine.Run:
    return run_with(strategy, module_folder)


@pytest.fixture(scope="module")
def constant(strategy: Path, module_folder: Path) -> engine.Run:
    return run_with(strategy, module_folder, {"risk_free": RATE})


@pytest.fixture(scope="module")
def rising(strategy: Path, module_folder: Path) -> engine.Run:
    """From 1 % to 5 %, a row a week."""
    dates = pd.date_range("2017-12-01", periods=120, freq="W").strftime("%Y-%m-%d")
    write_rates(
        strategy.parent / "tbill.csv", dict(zip(dates, np.linspace(1, 5, 120), strict=True))
    )
    series = {"file": "tbill.csv", "column": "rate", "unit": "percent"}
    return run_with(strategy, module_folder, {"risk_free": series})


def test_a_rate_of_zero_is_the_same_run(without: engine.Run, strategy, tmp_path) -> None:
    again = run_with(strategy, tmp_path, {"risk_free": 0, "cash": 0.0})
    assert again.run_id == without.run_id
    assert not (again.run_dir / "rates.parquet").exists()
    for name in ("metrics", "significance", "analysis"):
        assert getattr(again, name) == getattr(without, name)
    assert without.metrics.risk_free_rate.as_risk_free == "risk-free rate 0"


def test_another_rate_is_another_run_of_the_same_trades(
    without: engine.Run, constant: engine.Run
) -> None:
    assert constant.run_id != without.run_id
    for table in TABLES:
        pd.testing.assert_frame_equal(getattr(constant, table), getattr(without, table))


def test_sharpe_and_sortino_are_those_of_the_excess_and_the_rest_of_the_returns(
    without: engine.Run, constant: engine.Run
) -> None:
    periods = constant.metrics.span.periods_per_year
    years = constant.returns.index.to_series().diff() / pd.Timedelta(days=365.25)
    excess = constant.returns.sub(RATE * years.fillna(0.0), axis=0)
    for book, figures in constant.metrics.books.items():
        own = excess[book].to_numpy()
        assert figures.sharpe == pytest.approx(sharpe(own, periods), rel=1e-12)
        assert figures.sortino == pytest.approx(sortino(own, periods), rel=1e-12)
        changed = figures.as_dict() | {"sharpe": 0, "sortino": 0}
        assert changed == without.metrics.books[book].as_dict() | {"sharpe": 0, "sortino": 0}


def test_every_sharpe_ratio_of_the_documents_is_the_same_one(rising: engine.Run) -> None:
    own = rising.metrics.books["strategy"].sharpe
    figures = rising.significance
    assert figures.sensitivity.chosen.sharpe == own
    assert figures.sharpe["strategy"].estimate == pytest.approx(own, rel=1e-12)
    window = rolling_window_length(len(rising.returns), 365.0)
    assert rising.analysis.rolling.sharpe.last == pytest.approx(
        sharpe(rising.excess_returns["strategy"].to_numpy()[-window:], 365.0), rel=1e-9
    )


def test_the_sharpe_ratio_of_a_window_is_that_of_its_excess(rising: engine.Run) -> None:
    for window, figures in zip(rising.manifest.windows, rising.analysis.windows, strict=True):
        own = rising.excess_returns.loc[window.test[0] : window.test[1], "strategy"].to_numpy()
        assert figures.strategy_sharpe == pytest.approx(sharpe(own, 365.0), rel=1e-12)


def test_differences_to_benchmarks_move_by_what_the_rate_is_to_each_volatility(
    without: engine.Run, constant: engine.Run
) -> None:
    """The rate is worth more Sharpe ratio to the book with the smaller volatility."""
    for book in ("strategy", "buy_and_hold"):
        before, after = (run.significance.sharpe[book].estimate for run in (without, constant))
        volatility = without.metrics.books[book].volatility_pct / 100
        assert before - after == pytest.approx(RATE / volatility, rel=0.02)


def test_alpha_is_that_of_excess_returns(without: engine.Run, constant: engine.Run) -> None:
    """Jensen's: the intercept moves by the rate times 1 - beta."""
    before, after = (run.analysis.benchmark_regression for run in (without, constant))
    assert after.beta == pytest.approx(before.beta, abs=1e-4)
    moved = 100 * RATE * (1 - before.beta)
    assert before.alpha_pct_per_year - after.alpha_pct_per_year == pytest.approx(moved, rel=0.02)


def test_documents_state_the_rate(constant: engine.Run, rising: engine.Run) -> None:
    for name in ("metrics", "significance", "analysis"):
        stated = json.loads((constant.run_dir / f"{name}.json").read_text())["risk_free_rate"]
        assert stated == {"mean_pct": 3.0, "lowest_pct": 3.0, "highest_pct": 3.0}
    rate = rising.significance.risk_free_rate
    assert 1.0 < rate.lowest_pct < rate.mean_pct < rate.highest_pct < 5.0
    assert rate.as_risk_free == f"risk-free {rate.mean_pct:.3g} % a year on average"


def test_a_folder_read_back_has_the_rates_of_each_bar(rising: engine.Run) -> None:
    again = engine.Run.open(rising.run_dir)
    pd.testing.assert_frame_equal(again.rates, rising.rates, check_freq=False)
    pd.testing.assert_frame_equal(again.excess_returns, rising.excess_returns, check_freq=False)


def test_the_file_of_a_series_is_in_the_manifest_and_in_the_identity(
    rising: engine.Run, strategy: Path, module_folder: Path, tmp_path
) -> None:
    file = strategy.parent / "tbill.csv"
    record = rising.manifest.rate_files["rates.risk_free"]
    assert record.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (record.rows, record.first[:10]) == (120, "2017-12-03")
    copied = tmp_path / "copied.csv"
    copied.write_bytes(file.read_bytes())
    series = {"file": str(copied), "column": "rate", "unit": "percent"}
    assert run_with(strategy, module_folder, {"risk_free": series}).run_id == rising.run_id
    copied.write_text(file.read_text().replace("\n2017-12-03,1.0", "\n2017-12-03,1.1"))
    assert run_with(strategy, module_folder, {"risk_free": series}).run_id != rising.run_id


def test_a_rate_published_later_changes_no_bar_before(
    rising: engine.Run, strategy, tmp_path
) -> None:
    rows = pd.read_csv(strategy.parent / "tbill.csv")
    cut = 80
    rows.loc[cut:, "rate"] += 3
    rows.to_csv(tmp_path / "other.csv", index=False)
    series = {"file": str(tmp_path / "other.csv"), "column": "rate", "unit": "percent"}
    other = run_with(strategy, tmp_path, {"risk_free": series})
    published = pd.Timestamp(rows["date"][cut], tz="UTC") + pd.Timedelta(days=1)
    before = rising.returns.index <= published
    assert before.any()
    assert not before.all()
    assert (rising.excess_returns[before] == other.excess_returns[before]).all(axis=None)
    assert (rising.rates["risk_free"][~before] < other.rates["risk_free"][~before]).all()


def test_the_leakage_test_compares_the_rates(rising: engine.Run, constant: engine.Run) -> None:
    assert rising.certificate.compared["rates"].value_count > 0
    assert "rates" not in constant.certificate.compared


def test_a_series_that_begins_after_the_first_bar_ends_before_any_training(
    strategy: Path, tmp_path: Path
) -> None:
    file = write_rates(tmp_path / "late.csv", {"2019-06-01": 5})
    series = {"file": str(file), "column": "rate", "unit": "percent"}
    with pytest.raises(UsageError, match="not known yet") as caught:
        run_with(strategy, tmp_path, {"risk_free": series})
    assert caught.value.exit_code == 2
    assert not (tmp_path / "home" / "fits").exists()


def test_rates_of_a_run_of_an_earlier_version_are_zero(without: engine.Run) -> None:
    assert without.rates is None
    assert without.rates_by_bar.is_zero
    assert without.excess_returns is without.returns
    assert isinstance(without.rates_by_bar, RatesByBar)


@pytest.fixture(scope="module")
def paid(strategy: Path, module_folder: Path) -> engine.Run:
    """Cash earns the risk-free rate."""
    return run_with(strategy, module_folder, {"risk_free": RATE, "cash": "risk_free"})


def test_cash_earns_the_yield_where_it_is_held(constant: engine.Run, paid: engine.Run) -> None:
    more = paid.returns - constant.returns
    held = constant.positions.pivot_table(index="timestamp", columns="book", values="weight")
    flat = (held == 0).rolling(3).min() == 1  # decided, filled, and held at the close before
    a_day = RATE / 365.25
    for book in ("strategy", "ma_crossover"):
        assert flat[book].any()
        assert more[book][flat[book]].to_numpy() == pytest.approx(a_day, abs=1e-12)
    assert paid.metrics.cash_yield.amount == "3 % a year"
    assert paid.metrics.books["ma_crossover"].total_return_pct > (
        constant.metrics.books["ma_crossover"].total_return_pct
    )


def test_a_book_of_cash_at_the_risk_free_rate_has_no_sharpe_ratio(
    strategy: Path, module_folder: Path
) -> None:
    """No forecast reaches the threshold: the book is cash throughout, and earns what it must."""
    run = engine.run(
        strategy,
        overrides={
            "rates.risk_free": RATE,
            "rates.cash": "risk_free",
            "signal": {"kind": "threshold", "enter_bps": 5000, "exit_bps": 5000},
        },
        out=module_folder / "out",
        home=module_folder / "home",
        pages=False,
        workers=1,
    )
    figures = run.metrics.books["strategy"]
    years = (run.returns.index[-1] - run.returns.index[0]) / pd.Timedelta(days=365.25)
    grown = np.expm1(len(run.returns[1:]) * np.log1p(RATE * years / len(run.returns[1:])))
    assert figures.trades == 0
    assert figures.total_return_pct == pytest.approx(100 * grown, rel=1e-9)
    assert figures.sharpe is None
    assert figures.sortino is None
    assert run.significance.sharpe["strategy"].estimate is None
    assert run.analysis.rolling.sharpe is None
    assert all(window.strategy_sharpe is None for window in run.analysis.windows)


def test_the_chosen_cell_of_the_surface_is_the_run_with_interest_too(paid: engine.Run) -> None:
    assert paid.significance.sensitivity.chosen.sharpe == paid.metrics.books["strategy"].sharpe


def test_what_cash_earned_is_a_source_of_the_return(paid: engine.Run) -> None:
    split = paid.analysis.attribution.split
    assert split.residual_is_rounding
    assert split.interest_pct > 0
    assert split.gross_pct + split.cost_pct + split.interest_pct == pytest.approx(split.net_pct)
    growth = float((1 + paid.returns["strategy"]).prod())
    assert split.growth_factor == pytest.approx(growth, rel=1e-9)
    for group in split.groups:
        assert group.total.interest_pct == pytest.approx(split.interest_pct)
