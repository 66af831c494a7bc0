"""The book of several symbols: what adds up, what is tested, and what is known when."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.analysis import analyse_run
from engine.evaluation.inference.multiple_testing import holm
from engine.runs.run import Run
from tests.hypothesis_examples import examples
from tests.reporting.page import altered
from tests.reporting.small_run import Shape, small_run

if TYPE_CHECKING:
    from pathlib import Path

SYMBOLS = ("A", "B", "C", "D")
SHAPE = Shape(bars=320, tested=260, symbols=SYMBOLS, forecast="skill", held=1, seeds=1)
GROUPS = {"metals": ["A", "C", "not traded"], "others": ["B"], "elsewhere": ["Z"]}


@pytest.fixture(scope="module")
def run() -> Run:
    plain = small_run(SHAPE)
    strategy = {**plain.manifest.strategy, "portfolio": {"groups": GROUPS}}
    return altered(plain, manifest=plain.manifest | {"strategy": strategy})


def causal(run: Run) -> pd.DataFrame:
    """The series whose figures are known at their bar; a rank IC needs the outcome."""
    table = run.universe
    assert table is not None
    return table.drop(columns=["rank_ic", "rank_ic_mean"]).set_index("timestamp")


def assert_symbols_add_up(run: Run) -> None:
    split = run.analysis.attribution.split
    symbols = run.analysis.universe.symbol_figures
    assert [each.symbol for each in symbols] == list(run.manifest.target)
    for name in ("long_pct", "short_pct", "gross_pct", "cost_pct"):
        whole = sum(getattr(each, name) for each in symbols)
        assert whole == pytest.approx(getattr(split, name), abs=1e-9)
    for item, whole in (("fee", split.fee_pct), ("slippage", split.slippage_pct)):
        assert sum(each.costs_pct[item] for each in symbols) == pytest.approx(whole, abs=1e-9)
    for each in symbols:
        assert each.long_pct + each.short_pct == pytest.approx(each.gross_pct, abs=1e-9)
        assert sum(each.costs_pct.values()) == pytest.approx(each.cost_pct, abs=1e-9)
        assert each.gross_pct + each.cost_pct == pytest.approx(each.net_pct, abs=1e-9)
    growth = 100 * float(np.log1p(run.returns["strategy"]).sum())
    assert sum(each.net_pct for each in symbols) == pytest.approx(growth, abs=1e-7)


@examples(8)
@given(
    st.lists(st.sampled_from([-0.9, -0.4, 0.0, 0.3, 0.8]), min_size=1, max_size=4),
    st.integers(2, 4),
    st.sampled_from([0.0, 400.0]),
)
def test_contributions_of_the_symbols_add_up_to_the_book(
    sides: list[float], symbols: int, borrow: float
) -> None:
    shape = Shape(
        bars=90, tested=60, symbols=SYMBOLS[:symbols], sides=tuple(sides), borrow=borrow, seeds=1
    )
    assert_symbols_add_up(small_run(shape))


def test_contributions_of_a_ranked_book_add_up(run: Run) -> None:
    assert_symbols_add_up(run)


def test_what_the_symbols_traded_is_what_the_book_traded(run: Run) -> None:
    years = len(run.returns) / run.metrics.span.periods_per_year
    by_bar = run.universe["turnover_pct"].sum() / 100 / years
    symbols = run.analysis.universe.symbol_figures
    assert sum(each.turnover_per_year for each in symbols) == pytest.approx(by_bar)
    fills = run.trades[(run.trades["book"] == "strategy") & (run.trades["symbol"] == "B")]
    own = (fills["size"] * fills["price"] / fills["equity"]).sum() / years
    assert symbols[1].turnover_per_year == pytest.approx(own)


def test_claims_about_single_symbols_are_adjusted_for_their_number(run: Run) -> None:
    symbols = run.analysis.universe.symbol_figures
    assert [each.p_value_holm for each in symbols] == pytest.approx(
        holm([each.p_value for each in symbols])
    )
    assert run.analysis.universe.significant_symbols == sum(
        each.p_value_holm < 0.05 for each in symbols
    )


def test_a_symbol_that_was_never_held_has_no_test() -> None:
    run = small_run(replace(SHAPE, sides=(0.0,), held=0))
    for each in run.analysis.universe.symbol_figures:
        assert (each.t_statistic, each.p_value, each.p_value_holm) == (None, None, None)
        assert (each.net_pct, each.held_bars_pct) == (0.0, 0.0)
    assert run.analysis.universe.effective_positions is None


def test_the_market_beta_of_equal_parts_is_one_and_its_bets_are_those_of_the_universe() -> None:
    run = small_run(replace(SHAPE, sides=(1.0,), held=0, borrow=0.0))
    figures = run.analysis.universe
    assert figures.universe_regression.beta == pytest.approx(1.0, abs=0.05)
    assert figures.gross_pct.highest == pytest.approx(100.0)
    assert figures.effective_positions.mean == pytest.approx(4.0, abs=0.4)
    assert figures.breadth.universe == pytest.approx(4.0, abs=0.2)
    assert run.universe["universe_beta"].iloc[-1] == pytest.approx(1.0, abs=0.05)


def test_groups_have_the_weights_of_their_symbols(run: Run) -> None:
    groups = run.analysis.universe.groups
    assert {name: each.symbols for name, each in groups.items()} == {"metals": 2, "others": 1}
    symbols = {each.symbol: each for each in run.analysis.universe.symbol_figures}
    metals = symbols["A"].net_pct + symbols["C"].net_pct
    assert groups["metals"].contribution_pct == pytest.approx(metals)
    mean = symbols["A"].mean_weight_pct + symbols["C"].mean_weight_pct
    assert groups["metals"].net_pct.mean == pytest.approx(mean)
    assert run.universe["net_pct:others"].mean() == pytest.approx(symbols["B"].mean_weight_pct)


@pytest.mark.parametrize("bars", [120, 200])
def test_later_bars_change_no_figure_of_earlier_ones(run: Run, bars: int) -> None:
    last = run.returns.index[bars - 1]
    cut = {
        name: getattr(run, name)[getattr(run, name)["timestamp"] <= last]
        for name in ("bars", "predictions", "positions", "trades")
    }
    outcome_known = cut["predictions"]["timestamp"] < last
    cut["predictions"] = cut["predictions"][outcome_known]
    known = altered(run, returns=run.returns.iloc[:bars], **cut)
    whole, part = causal(run).iloc[:bars], causal(known)
    # The window of the rolling beta depends on how many bars there are.
    same = [name for name in part if name != "universe_beta"]
    pd.testing.assert_frame_equal(part[same], whole[same], rtol=1e-9)


def test_one_symbol_has_no_such_section() -> None:
    run = small_run(Shape(bars=120, tested=80))
    assert run.analysis.universe is None
    assert "universe" not in run.analysis
    assert run.universe is None


def test_fills_that_do_not_reproduce_the_returns_leave_the_forecasts(run: Run) -> None:
    ruined = run.returns.assign(strategy=run.returns["strategy"].where(run.returns.index.day != 3))
    found = altered(run, returns=ruined.fillna(-1.0))
    figures = found.analysis.universe
    assert (figures.symbol_figures, figures.net_pct, figures.breadth.book) == ((), None, None)
    assert figures.breadth.universe is not None
    assert found.universe["spread"].notna().all()


def test_it_is_written_and_read_back(run: Run, tmp_path: Path) -> None:
    run.write(tmp_path)
    again = Run.open(tmp_path)
    pd.testing.assert_frame_equal(again.universe, run.universe)
    assert again.analysis.universe == run.analysis.universe
    assert json.loads((tmp_path / "analysis.json").read_text())["universe"]["symbols"] == 4
    (tmp_path / "universe.parquet").unlink()
    assert Run.open(tmp_path).universe is None


def test_the_analysis_is_the_same_again(run: Run) -> None:
    assert analyse_run(run).document == run.analysis


def test_a_symbol_that_lists_late_counts_from_its_first_return_on() -> None:
    run = small_run(replace(SHAPE, sides=(1.0,), held=0, borrow=0.0))
    listed = run.returns.index[130]
    late = (run.bars["symbol"] == "D") & (run.bars["timestamp"] < listed)
    unheld = (run.trades["symbol"] != "D") | (run.trades["book"] != "strategy")
    found = altered(run, bars=run.bars[~late], trades=run.trades[unheld])
    figures = found.analysis.universe
    assert figures.breadth.universe == pytest.approx(4.0, abs=0.4)
    before = run.bars[run.bars["symbol"] != "D"].pivot(
        index="timestamp", columns="symbol", values="close"
    )
    market = before.pct_change().mean(axis=1).reindex(run.returns.index).to_numpy()
    window = found.analysis.rolling.window_bars
    own = run.returns["strategy"].to_numpy()
    covariance = np.cov(own[130 - window : 130], market[130 - window : 130])
    beta = covariance[0, 1] / covariance[1, 1]
    assert found.universe["universe_beta"].iloc[129] == pytest.approx(beta)
