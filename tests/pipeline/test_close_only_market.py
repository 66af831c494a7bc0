"""A dataset that declares `prices: close`, from its files to refusals, a run and its live path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import InvalidBarsError, UsageError
from engine.leakage.level_shifts import LevelShifts
from engine.leakage.segments import SegmentAlteration
from engine.leakage.synthetic_bars import SyntheticFuture
from engine.pipeline.prepare import prepare_data
from engine.pipeline.price_needs import check_prices
from engine.strategy import load_strategy
from tests.live.replays import backtest, replay_live
from tests.pipeline.markets import SYMBOLS, bars, write_market

if TYPE_CHECKING:
    from pathlib import Path

    from engine.strategy import Strategy

STRATEGY = """
name: closes
data: {{dataset: {dataset}, targets: all}}
inputs: target
features: [{{kind: log_return}}, {{kind: rsi, window: 14}}, {{kind: turn_of_month}}]
windows: {{train: 300, validation: 50, test: 120}}
model: {{kind: ridge, lookback: 3}}
scope: pooled
portfolio: {{allocation: {{kind: long_short, quantile: 0.5}}, rebalance: weekly}}
costs: {{fee_bps: 5, slippage_bps: 2, borrow_bps_per_year: 50}}
execution: {{price: close, delay: 1}}
evaluation: {{resamples: 200}}
benchmarks: [{{kind: buy_and_hold}}, {{kind: ma_crossover, fast: 5, slow: 20}}]
"""


def write_dataset(folder: Path, *, close_only: bool) -> Path:
    columns = ["timestamp", "close"]
    tables = {
        symbol: bars(seed, edge=0.3)[columns] if close_only else bars(seed, edge=0.3)
        for seed, symbol in enumerate(SYMBOLS)
    }
    manifest = write_market(folder, tables)
    declared = ", prices: close, volume: none" if close_only else ""
    manifest.write_text(manifest.read_text().replace("path: .", f"path: .{declared}"))
    return manifest


def strategy(folder: Path, *, close_only: bool = True, **changes: object) -> Strategy:
    dataset = write_dataset(folder / f"closes-{close_only}", close_only=close_only)
    file = folder / "closes.yaml"
    file.write_text(STRATEGY.format(dataset=dataset))
    return load_strategy(file, changes)


@pytest.fixture
def market(tmp_path: Path) -> engine.data.Market:
    return engine.load_market(strategy(tmp_path), home=tmp_path)


class TestRefusals:
    """All of them before any training."""

    def test_fills_at_the_open(self, tmp_path, market) -> None:
        spec = strategy(tmp_path, **{"execution.price": "open"})
        with pytest.raises(UsageError, match="filled at opens") as caught:
            prepare_data(spec, market)
        assert caught.value.where == "execution.price"
        assert "--set execution.price=close" in caught.value.fix

    @pytest.mark.parametrize(
        ("feature", "needs"),
        [
            ({"kind": "range"}, "range needs high, low;"),
            ({"kind": "yang_zhang", "window": 20}, "yang_zhang_20 needs open, high, low;"),
            ({"kind": "vwap", "window": 5}, "vwap_5 needs high, low, volume;"),
        ],
    )
    def test_a_feature_of_other_columns_with_their_names(
        self, tmp_path, market, feature, needs
    ) -> None:
        spec = strategy(tmp_path, **{"features.1": feature})
        with pytest.raises(UsageError) as caught:
            prepare_data(spec, market)
        assert caught.value.found == f"{needs} no bar of AAA and BBB has them"

    @pytest.mark.parametrize("kind", ["corwin_schultz", "abdi_ranaldo"])
    def test_a_spread_of_highs_and_lows(self, tmp_path, market, kind) -> None:
        costs = {"kind": "itemised", "spread": {"kind": kind}}
        with pytest.raises(InvalidBarsError, match="prices that the bars do not have") as caught:
            prepare_data(strategy(tmp_path, costs=costs), market)
        assert caught.value.where == "costs.spread of AAA"

    def test_a_share_of_the_volume(self, tmp_path, market) -> None:
        costs = {"kind": "itemised", "max_participation": 0.1}
        spec = strategy(tmp_path, costs=costs, capital=1_000)
        with pytest.raises(InvalidBarsError, match="has no volume"):
            prepare_data(spec, market)

    def test_a_close_that_cannot_be_traded_at(self, tmp_path, market) -> None:
        wrong = market.bars.copy()
        wrong.loc[7, "close"] = 0.0
        broken = engine.data.Market(**{**vars(market), "bars": wrong})
        with pytest.raises(InvalidBarsError, match="1 bars have a price"):
            prepare_data(strategy(tmp_path), broken)


class TestRuns:
    def test_no_figure_depends_on_an_open_a_high_or_a_low(self, tmp_path) -> None:
        results = []
        for close_only in (True, False):
            spec = strategy(tmp_path, close_only=close_only)
            market = engine.load_market(spec, home=tmp_path)
            results.append(backtest(spec, market, tmp_path))
        closes, full = results
        assert full.prepared.market.bars.notna().all(axis=None)
        for book, weights in closes.weights.items():
            pd.testing.assert_frame_equal(weights, full.weights[book], check_exact=True)
        for book, result in closes.books.items():
            pd.testing.assert_frame_equal(result.trades, full.books[book].trades, check_exact=True)
            assert result.returns.equals(full.books[book].returns)

    @pytest.mark.slow
    def test_a_symbol_that_is_listed_later_is_the_same_live(self, tmp_path) -> None:
        spec = strategy(tmp_path)
        market = engine.load_market(spec, home=tmp_path)
        values = market.bars[["open", "high", "low", "close", "volume"]].to_numpy(copy=True)
        values[1 : 2 * 480 : 2] = np.nan
        result = backtest(spec, market.with_values(values), tmp_path)
        replayed = replay_live(result, tmp_path)
        assert replayed.first_difference is None
        assert result.weights["strategy"]["BBB"].ne(0).any()

    @pytest.mark.slow
    def test_a_run_is_certified_drawn_and_the_same_live(self, tmp_path) -> None:
        spec = strategy(tmp_path)
        run = engine.run(spec, out=tmp_path / "out", home=tmp_path)
        assert run.certificate is not None
        assert np.isfinite(run.round_trips[["mae_pct", "mfe_pct"]]).all(axis=None)
        page = (run.run_dir / "tearsheet.html").read_text()
        assert "excursions are those of the closes" in page
        assert "closes alone: AAA and BBB" in page
        replay = engine.replay(spec, reports=tmp_path / "out", home=tmp_path)
        assert replay.first_difference is None
        assert replay.compared.fills > 0


class TestAlteredBars:
    """What the leakage test makes of closes has closes alone, and every later close is other."""

    ROW = 200

    @pytest.mark.parametrize("keep_open", [False, True])
    def test_a_synthetic_future_of_a_panel(self, market, keep_open) -> None:
        values = market.bars[["open", "high", "low", "close", "volume"]].to_numpy(copy=True)
        values[2 * 150 : 2 * 160 : 2] = np.nan  # the first symbol is halted
        values[1 : 2 * 100 : 2] = np.nan  # the second is listed later
        future = SyntheticFuture(market.with_values(values))
        altered = future.replace_after(self.ROW, np.random.default_rng(1), keep_open=keep_open)
        assert altered.has_absences
        assert altered.bars[["open", "high", "low", "volume"]].isna().all(axis=None)
        check_prices(altered, altered.symbols, "close")

    def assert_closes_alone(self, altered: engine.data.Market) -> None:
        values = altered.bars[["open", "high", "low", "volume"]]
        assert values.isna().all(axis=None)
        assert np.isfinite(altered.bars["close"]).all()

    @pytest.mark.parametrize("keep_open", [False, True])
    def test_a_synthetic_future(self, market, keep_open) -> None:
        future = SyntheticFuture(market)
        rng = np.random.default_rng(1)
        altered = future.replace_after(self.ROW, rng, keep_open=keep_open, price_factor=0.5)
        self.assert_closes_alone(altered)
        other = altered.wide("close").to_numpy() != market.wide("close").to_numpy()
        first = self.ROW if keep_open else self.ROW + 1
        assert not other[:first].any()
        assert other[first:].all()

    @pytest.mark.parametrize("exact", [False, True])
    def test_a_shift_of_levels(self, market, exact) -> None:
        shifts = LevelShifts(market, exact=exact)
        assert shifts.is_possible
        cuts = np.array([self.ROW])
        altered = shifts.alter_in_place(cuts, np.random.default_rng(1)).market
        self.assert_closes_alone(altered)

    def test_segments(self, market) -> None:
        made = SegmentAlteration(market).alter([self.ROW], np.random.default_rng(1))
        self.assert_closes_alone(made.market)
        own = made.market.wide("close").to_numpy()[made.altered]
        assert (own != market.wide("close").to_numpy()[made.rows[made.altered]]).all()
