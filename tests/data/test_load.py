"""The bars that a strategy gets, and the notices about them."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import (
    DatasetNotFoundError,
    InvalidBarsError,
    SourceError,
    UnreachableError,
)
from engine.data.config import DataSpec
from engine.data.load import load_market
from tests.data.datasets import (
    BITSTAMP,
    COINS,
    COUNT,
    FILES,
    NOW,
    YAHOO,
    RecordingProgress,
    write_files,
)


class TestSources:
    def test_the_first_source_that_delivers_is_used(self, load, bitstamp):
        market = load()
        assert {symbol["source"] for symbol in market.provenance["symbols"].values()} == {"yahoo"}
        assert bitstamp.log == []

    def test_a_failing_source_is_reported_and_the_next_is_tried(self, load, yahoo, progress):
        yahoo.faults = [429] * 40
        market = load()
        assert market.provenance["symbols"]["BTC-USD"]["source"] == "ccxt:bitstamp"
        assert progress.notices == market.provenance["notices"]
        assert len(progress.notices) == 1
        assert progress.notices[0].startswith("yahoo: the server throttles")

    def test_all_symbols_come_from_one_source(self, load, yahoo):
        del yahoo.site.charts["ETH-USD"]
        market = load()
        sources = {symbol["source"] for symbol in market.provenance["symbols"].values()}
        assert sources == {"ccxt:bitstamp"}

    def test_invalid_bars_stop_the_load_without_trying_another_source(self, load, yahoo):
        chart = yahoo.site.charts["ETH-USD"]
        chart.candles[300] = replace(chart.candles[300], low=0.0)
        with pytest.raises(InvalidBarsError, match="bars of ETH-USD") as error:
            load()
        assert "ETH-USD of yahoo" in error.value.where

    def test_bars_outside_start_and_end_are_not_checked(self, load, yahoo):
        chart = yahoo.site.charts["ETH-USD"]
        chart.candles[0] = replace(chart.candles[0], low=0.0)
        assert len(load().symbols) == 2

    def test_when_no_source_delivers_the_error_lists_every_failure(self, load, yahoo, bitstamp):
        yahoo.faults = [500] * 400
        bitstamp.site.books.clear()
        with pytest.raises(SourceError) as error:
            load(fallback="us-indices")
        assert not isinstance(error.value, UnreachableError)
        assert "yahoo: the server gave no usable answer" in error.value.found
        assert "no symbol BTC/USD" in error.value.found
        assert error.value.exit_code == 3


class TestSpan:
    def test_start_and_end_are_inclusive(self, load):
        market = load(COINS.replace("sources:", "end: 2023-04-30\nsources:") + YAHOO)
        symbol = market.provenance["symbols"]["BTC-USD"]
        assert (symbol["first"], symbol["last"], symbol["rows"]) == (
            "2023-03-01",
            "2023-04-30",
            61,
        )

    def test_a_span_without_bars_is_an_error_with_the_available_span(self, load):
        with pytest.raises(SourceError) as error:
            load(COINS.replace("2023-03-01", "2024-03-10") + YAHOO)
        assert "2023-02-05 to 2024-03-09" in error.value.found

    def test_bars_that_begin_late_are_reported(self, load, progress):
        load(COINS.replace("2023-03-01", "2020-01-01") + YAHOO)
        assert (
            progress.notices[0]
            == "BTC-USD: bars begin on 2023-02-05, the dataset asks for 2020-01-01"
        )

    def test_only_common_timestamps_are_kept_and_the_others_counted(
        self, load, tmp_path, progress
    ):
        write_files(tmp_path, skip=[100, 101])
        market = load(COINS + FILES)
        closes = market.wide("close")
        assert closes.shape == (COUNT - 1 - 24 - 2, 2)
        assert not closes.isna().any().any()
        assert progress.notices == [
            "files: timestamps are read as seconds since 1970 (in BTC-USD.csv)",
            "gaps: ETH-USD 2 bars are missing, 2023-05-16 to 2023-05-17",
            "BTC-USD: 2 of 375 bars are left out, because not every symbol has a bar then",
        ]
        symbols = market.provenance["symbols"]
        assert [symbols[name]["left_out"] for name in ("BTC-USD", "ETH-USD")] == [2, 0]
        # Notices about the bars themselves are also listed apart from those about their source.
        assert market.provenance["quality"]["notices"] == progress.notices[1:]

    def test_symbols_without_a_common_timestamp_are_an_error(self, load, tmp_path):
        write_files(tmp_path)
        path = tmp_path / "bars" / "ETH-USD.csv"
        table = pd.read_csv(path)
        table.assign(timestamp=table["timestamp"] - 3600).to_csv(path, index=False)
        with pytest.raises(SourceError, match="no timestamp in common"):
            load(COINS + FILES)


class TestProvenance:
    def test_bars_are_long_and_sorted_in_the_datasets_order(self, load):
        market = load(COINS.replace("[BTC-USD, ETH-USD]", "[ETH-USD, BTC-USD]") + YAHOO)
        assert market.symbols == ("ETH-USD", "BTC-USD")
        assert market.bars["symbol"].tolist()[:4] == ["ETH-USD", "BTC-USD"] * 2
        assert market.bars["timestamp"].is_monotonic_increasing
        assert list(market.wide("open")) == ["ETH-USD", "BTC-USD"]
        assert market.periods_per_year == 365

    def test_the_same_bars_of_any_source_have_the_same_hash(self, load, tmp_path):
        first = load(COINS + BITSTAMP)
        (tmp_path / "bars").mkdir()
        for symbol in first.symbols:
            bars = first.bars[first.bars["symbol"] == symbol]
            bars.drop(columns="symbol").to_parquet(tmp_path / "bars" / f"{symbol}.parquet")
        text = FILES.replace("bars}", "bars, pattern: '{symbol}.parquet'}")
        second = load(COINS + text)
        for symbol in first.symbols:
            one, other = (each.provenance["symbols"][symbol] for each in (first, second))
            assert re.fullmatch("[0-9a-f]{64}", one["sha256"])
            assert (one["sha256"], one["rows"]) == (other["sha256"], other["rows"])

    def test_one_changed_value_changes_the_hash_of_its_symbol_alone(self, load, tmp_path):
        write_files(tmp_path)
        before = load(COINS + FILES).provenance["symbols"]
        write_files(tmp_path, volume=7.0)
        after = load(COINS + FILES).provenance["symbols"]
        assert before["BTC-USD"] == after["BTC-USD"]
        assert before["ETH-USD"]["sha256"] != after["ETH-USD"]["sha256"]

    def test_every_repair_and_every_finding_is_in_the_manifest_of_a_run(self, load, tmp_path):
        write_files(tmp_path, skip=[100])
        path = tmp_path / "bars" / "ETH-USD.csv"
        table = pd.read_csv(path)
        original = table.loc[200].copy()
        table.loc[200, "open"] = 0.0
        table.to_csv(path, index=False)
        text = COINS.replace("sources:", "quality: {missing_open: repair}\nsources:") + FILES
        quality = load(text).provenance["quality"]
        findings = quality["findings"]
        assert [(each["rule"], each["severity"]) for each in findings] == [("gaps", "warn")]
        (repair,) = quality["repairs"]
        assert (repair["rule"], repair["repair"], repair["symbol"], repair["count"]) == (
            *("missing_open", "open_from_previous_close", "ETH-USD", 1),
        )
        (bar,) = repair["bars"]
        assert bar["before"] == {"open": 0.0}
        assert bar["after"] == {"open": pytest.approx(original["open"])}

    def test_an_unfinished_bar_is_never_included(self, load):
        assert load().provenance["symbols"]["BTC-USD"]["last"] == "2024-03-09"


class TestCache:
    @pytest.mark.parametrize("source", [YAHOO, BITSTAMP])
    def test_cached_bars_are_not_pulled_again_before_a_bar_has_ended(
        self, load, yahoo, bitstamp, source
    ):
        first = load(COINS + source)
        requests = len(yahoo.log) + len(bitstamp.log)
        second = load(COINS + source, now=NOW + pd.Timedelta(hours=11))
        assert len(yahoo.log) + len(bitstamp.log) == requests
        assert first.provenance == second.provenance
        pd.testing.assert_frame_equal(first.bars, second.bars)

    def test_adjusted_prices_are_pulled_in_full_once_a_bar_has_ended(self, load, yahoo):
        load(COINS + YAHOO)
        chart = yahoo.site.charts["BTC-USD"]
        chart.factors = [0.5] * COUNT
        later = load(COINS + YAHOO, now=NOW + pd.Timedelta(days=1))
        assert later.provenance["symbols"]["BTC-USD"]["last"] == "2024-03-10"
        closes = later.wide("close")["BTC-USD"]
        assert closes.iloc[0] == pytest.approx(chart.candles[24].close * 0.5)

    def test_of_an_exchange_only_the_overlapping_tail_is_pulled(self, load, bitstamp):
        load(COINS + BITSTAMP)
        bitstamp.log.clear()
        later = load(COINS + BITSTAMP, now=NOW + pd.Timedelta(days=1))
        assert later.provenance["symbols"]["BTC-USD"]["last"] == "2024-03-10"
        starts = [int(re.search("start=([0-9]+)", line)[1]) for line in bitstamp.requests("ohlc")]
        # The hundredth of the cached bars, counted back from the 9th of March.
        assert min(starts) == int(pd.Timestamp("2023-12-01", tz="UTC").timestamp())

    def test_an_exchange_that_revised_its_past_is_pulled_in_full(self, load, bitstamp):
        load(COINS + BITSTAMP)
        book = bitstamp.site.books["BTC/USD"]
        book[:] = [replace(candle, volume=77.0) for candle in book]
        later = load(COINS + BITSTAMP, now=NOW + pd.Timedelta(days=1))
        assert set(later.wide("volume")["BTC-USD"]) == {77.0}

    def test_an_interrupted_pull_resumes_where_it_stopped(self, load, bitstamp, progress, clients):
        answer, bitstamp.site.largest = bitstamp.site.answer, 50

        def failing(path, query):
            bitstamp.faults = [500] if len(bitstamp.requests("step=86400")) > 4 else []
            return answer(path, query)

        bitstamp.site.answer, bitstamp.faulty = failing, "/ohlc/"
        with pytest.raises(UnreachableError):
            load(COINS + BITSTAMP, clients=replace(clients, retry_pauses_s=()))
        bitstamp.site.answer, bitstamp.faults = answer, []
        assert len(load(COINS + BITSTAMP).wide("close")) == 375
        assert any("candles of an interrupted pull" in line for line in progress.lines)

    def test_an_earlier_start_is_pulled(self, load):
        load(COINS.replace("2023-03-01", "2024-01-01") + BITSTAMP)
        market = load(COINS + BITSTAMP)
        assert market.provenance["symbols"]["ETH-USD"]["first"] == "2023-03-01"

    def test_adjustments_do_not_share_a_cache(self, load, yahoo):
        yahoo.site.charts["BTC-USD"].factors = [0.5] * COUNT
        adjusted = load(COINS + YAHOO)
        splits = load(COINS + "  - {kind: yahoo, adjust: splits}\n")
        ratio = adjusted.wide("close")["BTC-USD"] / splits.wide("close")["BTC-USD"]
        assert ratio.tolist() == pytest.approx([0.5] * len(ratio))

    def test_invalid_bars_are_not_cached(self, load, yahoo):
        chart = yahoo.site.charts["BTC-USD"]
        original = chart.candles[300]
        chart.candles[300] = replace(original, low=0.0)
        with pytest.raises(InvalidBarsError):
            load(COINS + YAHOO)
        chart.candles[300] = original
        assert len(load(COINS + YAHOO).symbols) == 2

    def test_a_damaged_cache_is_pulled_again(self, load, tmp_path, yahoo):
        load(COINS + YAHOO)
        (damaged,) = (tmp_path / "home" / "bars").rglob("BTC-USD.1d.parquet")
        damaged.write_bytes(damaged.read_bytes()[:100])
        yahoo.log.clear()
        load(COINS + YAHOO)
        assert yahoo.requests("BTC-USD")
        assert not yahoo.requests("ETH-USD")


def test_an_unknown_dataset_is_an_error(tmp_path, progress: RecordingProgress):
    spec = DataSpec(dataset="crypto-major")
    with pytest.raises(DatasetNotFoundError, match="no dataset crypto-major") as error:
        load_market(spec, home=tmp_path, offline=False, override=None, progress=progress)
    assert error.value.fix == "did you mean crypto-majors?"


@pytest.mark.parametrize(
    "source", ["{kind: yahoo, interval: 1d}", "{kind: ccxt, exchange: bitstamp, interval: 1d}"]
)
def test_weeks_are_resampled_from_daily_sources_and_cached(load, source):
    text = COINS.replace("interval: 1d", "interval: 1w") + f"  - {source}\n"
    weeks = load(text).wide("close")
    assert (weeks.index.day_of_week == 0).all()
    assert weeks.index[0] == pd.Timestamp("2023-03-06", tz="UTC")  # the first complete one
    assert weeks.index[-1] == pd.Timestamp("2024-02-26", tz="UTC")  # the last that has ended
    sundays = load().wide("close").loc[weeks.index + pd.Timedelta(days=6)]
    assert (weeks.to_numpy() == sundays.to_numpy()).all()
    pd.testing.assert_frame_equal(load(text, offline=True).wide("close"), weeks)
