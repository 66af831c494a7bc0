"""Bars whose source declares that it has no volume: NaN in every row of `volume`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError
from engine.data.bars import has_volume, hash_bars, normalise_bars
from engine.data.config import Dataset
from engine.data.export import export_dataset
from engine.data.joins import align_symbols
from engine.data.quality import QualityGate, QualityLog
from engine.data.resampling import resample_bars
from engine.data.store.cache import CacheKey, read_cache, write_cache
from engine.data.store.dataset_bars import DatasetBars
from engine.data.store.diff import compare_bars, diff_bar_values
from engine.data.store.vintages import VersionedBars
from tests.data.factories import DAY, START, daily_bars
from tests.data.quality.tables import NOW, plain, rules, scaled, walk

NONE = float("nan")


def without_volume(count: int, **chosen) -> pd.DataFrame:
    return daily_bars(count, volume=NONE, **chosen)


class TestQuality:
    def test_a_volume_that_no_bar_has_breaks_no_rule(self) -> None:
        assert rules(walk().assign(volume=NONE)) == []

    def test_a_volume_that_one_bar_lacks_is_missing(self) -> None:
        raw = walk()
        raw.loc[7, "volume"] = NONE
        assert rules(raw) == ["missing_values"]
        gate = QualityGate("24/7", {}, NOW, QualityLog())
        with pytest.raises(InvalidBarsError) as error:
            gate.validate(normalise_bars(raw, "X"), "1d", "a test")
        assert "declare `volume: none`" in error.value.fix
        raw.loc[7, ["close", "volume"]] = NONE, 1.0
        with pytest.raises(InvalidBarsError) as error:
            gate.validate(normalise_bars(raw, "X"), "1d", "a test")
        assert "volume: none" not in error.value.fix

    def test_a_single_bar_with_a_volume_makes_the_others_missing(self) -> None:
        raw = walk().assign(volume=NONE)
        raw.loc[7, "volume"] = 1.0
        assert rules(raw) == ["missing_values"]

    def test_an_infinite_volume_is_an_error(self) -> None:
        assert "missing_values" in rules(walk().assign(volume=np.inf))

    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            (lambda raw: raw.assign(close=raw["close"].where(raw.index != 5)), "missing_values"),
            (lambda raw: raw.assign(open=raw["open"].where(raw.index != 5, 0.0)), "missing_open"),
            (lambda raw: scaled(raw, [5], -1.0), "nonpositive_prices"),
            (lambda raw: scaled(raw, [200], 3.0), "bad_ticks"),
            (lambda raw: raw.iloc[[*range(50), 49, *range(50, 400)]], "duplicates"),
        ],
    )
    def test_the_rules_of_prices_find_what_they_find_with_a_volume(self, change, rule) -> None:
        raw = change(walk().assign(volume=NONE)).reset_index(drop=True)
        assert rule in rules(raw)
        assert "missing_values" not in set(rules(raw)) - {rule}

    def test_equal_prices_for_five_days_are_stale_as_nothing_shows_a_trade(self) -> None:
        assert rules(plain(10, volumes=[NONE] * 10)) == ["stale"]
        assert rules(plain(10, volumes=list(range(1, 11)))) == []

    def test_a_listed_split_is_found_and_repaired(self) -> None:
        raw = scaled(walk().assign(volume=NONE, split=0.0), range(100), 4.0)
        raw.loc[100, "split"] = 4.0
        gate = QualityGate("24/7", {"missed_splits": "repair"}, NOW, QualityLog())
        repaired = gate.validate(normalise_bars(raw, "X"), "1d", "a test")
        assert repaired["volume"].isna().all()
        assert repaired["close"].iloc[50] == pytest.approx(raw["close"].iloc[50] / 4.0)

    def test_an_error_shows_the_prices_alone(self) -> None:
        raw = plain(10, volumes=[NONE] * 10)
        raw.loc[2, "close"] = 0.0
        gate = QualityGate("24/7", {}, NOW, QualityLog())
        with pytest.raises(InvalidBarsError) as error:
            gate.validate(normalise_bars(raw, "X"), "1d", "a test")
        assert "(open 10 high 12 low 9 close 0)" in error.value.found


class TestIdentity:
    def test_the_hash_does_not_depend_on_which_nan_a_reader_delivers(self) -> None:
        one = without_volume(5)
        bits = np.array([0xFFF8_0000_0000_0001] * 5, dtype="uint64").view("float64")
        assert hash_bars(one) == hash_bars(one.assign(volume=bits))

    def test_bars_without_volume_are_other_bars_than_those_with_zeros(self) -> None:
        assert hash_bars(without_volume(5)) != hash_bars(daily_bars(5, volume=0.0))

    def test_only_bars_of_which_some_have_a_volume_have_one(self) -> None:
        assert not has_volume(without_volume(5))
        assert has_volume(daily_bars(5, volume=0.0))


class TestStores:
    def test_the_cache_reads_back_the_same_bars(self, tmp_path) -> None:
        key, stored = (
            CacheKey("x", "X", "1d"),
            VersionedBars.from_first_fetch(without_volume(5), None, START + 5 * DAY),
        )
        write_cache(tmp_path, key, stored)
        read = read_cache(tmp_path, key, "X")
        assert isinstance(read, VersionedBars)
        pd.testing.assert_frame_equal(read.bars, stored.bars)
        assert hash_bars(read.bars) == stored.latest_vintage.id + hash_bars(stored.bars)[12:]

    def test_newer_bars_extend_a_vintage_and_revise_nothing(self) -> None:
        first = VersionedBars.from_first_fetch(without_volume(5), None, START + 5 * DAY)
        merged = first.merge(without_volume(7), None, START + 7 * DAY)
        assert merged.latest_vintage.revision is None
        assert merged.latest_vintage.extended_by == 2
        assert merged.superseded.bars.empty

    def test_a_volume_that_appears_is_a_revision_of_every_bar(self) -> None:
        compared = compare_bars(without_volume(5), daily_bars(5))
        assert compared.revision is not None
        assert (compared.revision.changed, compared.revision.changed_volumes) == (5, 5)
        assert compared.revision.as_json()["largest"]["before"] is None
        assert set(diff_bar_values(without_volume(5), daily_bars(5))["column"]) == {"volume"}


class TestLongerBars:
    @pytest.mark.parametrize("interval", ["1w"])
    def test_the_sum_of_no_volumes_is_no_volume(self, interval) -> None:
        coarse = resample_bars(without_volume(30), "1d", interval, "24/7").bars
        assert len(coarse) == 4
        assert coarse["volume"].isna().all()
        assert np.isfinite(coarse[["open", "high", "low", "close"]]).all(axis=None)

    def test_symbols_with_and_without_volume_share_a_market(self) -> None:
        frames = {"A": daily_bars(5).assign(symbol="A"), "B": without_volume(7)}
        bars, notices = align_symbols(frames)
        assert bars.groupby("symbol")["volume"].count().to_dict() == {"A": 5, "X": 0}
        assert len(notices) == 1


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_exported_files_have_no_volume_and_their_manifest_declares_it(tmp_path, format_) -> None:
    dataset = Dataset.model_validate(
        {
            "name": "x",
            "interval": "1d",
            "calendar": "24/7",
            "symbols": ["X"],
            "sources": [{"kind": "files", "path": "."}],
        }
    )
    written = export_dataset(
        dataset, DatasetBars({"X": without_volume(5)}, {"X": "here"}), tmp_path, format_
    )
    read = pd.read_csv if format_ == "csv" else pd.read_parquet
    assert list(read(written[0]).columns) == ["timestamp", "open", "high", "low", "close"]
    assert "volume: none" in written[-1].read_text()
