"""Bars whose source has closes alone: NaN in every row of open, high and low."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.data.bars import RANGE_COLUMNS, is_close_only, normalise_bars
from engine.data.config import Dataset
from engine.data.export import export_dataset
from engine.data.quality import QualityGate, QualityLog
from engine.data.quality._joint_lookahead import find_lookahead
from engine.data.quality.symbols import check_symbols
from engine.data.resampling import resample_bars
from engine.data.store.dataset_bars import DatasetBars
from engine.data.store.diff import compare_bars
from engine.data.traded_bars import TradedBars, find_traded_bars
from tests.data.factories import daily_bars
from tests.data.quality.tables import NOW, check_table, plain, rules, scaled, walk

NONE = float("nan")
SKIPPED = {"missing_open", "price_range", "wicks", "zero_volume"}


def closes(raw: pd.DataFrame, volume: float = NONE) -> pd.DataFrame:
    return raw.assign(**dict.fromkeys(RANGE_COLUMNS, NONE), volume=volume)


def dataset(**keys: object) -> Dataset:
    source = {"kind": "files", "path": "."}
    common = {"name": "x", "interval": "1d", "calendar": "24/7", "sources": [source]}
    return Dataset.model_validate(common | {"symbols": ["X"]} | keys)


class TestWhichBarsTheyAre:
    def test_bars_without_any_open_high_and_low_are(self) -> None:
        assert is_close_only(closes(daily_bars(5)))
        assert not is_close_only(daily_bars(5))
        assert not is_close_only(daily_bars(5).iloc[:0])

    @pytest.mark.parametrize("column", RANGE_COLUMNS)
    def test_one_value_of_one_column_makes_the_others_missing(self, column) -> None:
        raw = closes(walk())
        raw.loc[3, column] = 100.0
        assert not is_close_only(raw)
        assert "missing_values" in rules(raw)


class TestQuality:
    def test_closes_alone_break_no_rule(self) -> None:
        assert rules(closes(walk())) == []

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            (lambda raw: raw.assign(close=raw["close"].where(raw.index != 5)), "missing_values"),
            (
                lambda raw: raw.assign(close=raw["close"].where(raw.index != 5, 0.0)),
                "nonpositive_",
            ),
            (lambda raw: scaled(raw, [200], 3.0), "bad_ticks"),
            (lambda raw: scaled(raw, range(200), 100.0), "unit_errors"),
            (lambda raw: raw.assign(close=raw["close"].where(raw.index > 9, 7.0)), "stale"),
            (lambda raw: raw.iloc[[*range(50), 49, *range(50, 400)]], "duplicates"),
        ],
    )
    def test_the_rules_of_price_levels_find_what_they_find(self, change, rule) -> None:
        found = rules(change(closes(walk())).reset_index(drop=True))
        assert any(each.startswith(rule) for each in found)
        assert not SKIPPED & set(found)

    def test_a_repair_leaves_open_high_and_low_out(self) -> None:
        raw = scaled(closes(walk()), [200], 3.0)
        repaired = check_table(raw, policy={"bad_ticks": "repair"})
        assert len(repaired.bars) == 399
        assert is_close_only(repaired.bars)

    def test_the_log_says_which_rules_were_skipped_and_of_which_symbols(self) -> None:
        log = QualityLog()
        gate = QualityGate("24/7", {}, NOW, log)
        gate.validate(normalise_bars(closes(walk()), "A"), "1d", "a test")
        assert not SKIPPED & set(log.as_json()["rules"])
        (notice,) = log.notices("x")
        assert notice.startswith("closes alone: A without open, high and low")
        assert all(rule in notice for rule in SKIPPED)
        gate.validate(normalise_bars(walk(), "B"), "1d", "a test")
        assert set(log.as_json()["rules"]) >= SKIPPED
        assert log.notices("x") == [notice]

    def test_an_error_shows_the_close_alone(self) -> None:
        raw = closes(plain(4))
        raw.loc[2, "close"] = 0.0
        with pytest.raises(InvalidBarsError) as error:
            QualityGate("24/7", {}, NOW, QualityLog()).validate(
                normalise_bars(raw, "X"), "1d", "a test"
            )
        assert "(close 0)" in error.value.found


class TestTogether:
    def returns_of(self, lag: int) -> dict[str, pd.DataFrame]:
        """B earns what A earned `lag` bars before."""
        moves = np.random.default_rng(5).normal(0.0, 0.02, 900)
        own = 0.3 * np.random.default_rng(6).normal(0.0, 0.02, 900)
        paths = {"A": moves, "B": np.roll(moves, lag) + own}
        tables = {name: 100.0 * np.exp(np.cumsum(each)) for name, each in paths.items()}
        frames = {name: walk(900).assign(close=close) for name, close in tables.items()}
        return {name: normalise_bars(closes(raw), name) for name, raw in frames.items()}

    def test_a_symbol_that_is_labelled_two_bars_early_is_found(self) -> None:
        (finding,) = find_lookahead(self.returns_of(2), dataset(symbols=["A", "B"]))
        assert "from close to close" in finding.sentence
        assert "labelled 2 bars early" in finding.advice

    @pytest.mark.parametrize("lag", [1, 2])
    def test_dates_of_another_clock_are_found(self, lag) -> None:
        (finding,) = check_symbols(self.returns_of(lag), dataset(symbols=["A", "B"]))
        assert finding.rule == "clocks_differ"

    def test_symbols_that_move_together_are_not(self) -> None:
        assert check_symbols(self.returns_of(0), dataset(symbols=["A", "B"])) == ()


class TestWhatIsMadeOfThem:
    def test_longer_bars_have_closes_alone(self) -> None:
        bars = closes(daily_bars(30))
        coarse = resample_bars(bars, "1d", "1w", "24/7").bars
        assert is_close_only(coarse)
        assert coarse["close"].notna().all()

    def test_something_trades_at_each_bar(self) -> None:
        bars = closes(daily_bars(5))
        wide = [bars[[name]] for name in ("volume", "high", "low", "close")]
        assert find_traded_bars(*wide).to_numpy().all()
        state = TradedBars.of_history(*(each.to_numpy()[:, 0] for each in wide))
        assert state.advance(volume=NONE, high=NONE, low=NONE, close=9.0)[1]

    def test_without_a_volume_a_close_that_moved_traded(self) -> None:
        bars = closes(daily_bars(9), volume=0.0)
        wide = [bars[[name]] for name in ("volume", "high", "low", "close")]
        assert find_traded_bars(*wide).to_numpy().all()

    def test_the_same_bars_again_are_no_revision(self) -> None:
        assert compare_bars(closes(daily_bars(5)), closes(daily_bars(7))).revision is None
        revised = closes(daily_bars(5)).assign(close=1.0)
        assert compare_bars(closes(daily_bars(5)), revised).revision is not None

    @pytest.mark.parametrize("format_", ["csv", "parquet"])
    def test_an_export_has_these_columns_and_declares_it(self, tmp_path, format_) -> None:
        bars = DatasetBars({"X": closes(daily_bars(5))}, {"X": "here"})
        written = export_dataset(dataset(), bars, tmp_path, format_)
        read = pd.read_csv if format_ == "csv" else pd.read_parquet
        assert list(read(written[0]).columns) == ["timestamp", "close"]
        manifest = written[-1].read_text()
        assert "prices: close" in manifest
        assert "volume: none" in manifest
