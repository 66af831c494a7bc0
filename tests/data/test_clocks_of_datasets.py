"""Datasets whose clocks, days or symbols do not fit are refused; the mend that is named works."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, SourceError, StrategyError
from engine.data.check import check_dataset
from engine.data.config import Dataset, DataSpec
from engine.data.load import load_market
from engine.data.manifests import DatasetManifest
from engine.data.quality._joint_lookahead import find_survivors
from engine.data.sources.client_settings import ClientSettings
from engine.data.sources.factory import create_sources
from tests.data.datasets import RecordingProgress
from tests.data.quality.hours import NOW, bars_at, local_stamps, on_wall, session_stamps

NEW_YORK = "America/New_York"
PRICES = ("open", "high", "low", "close")
YEAR = ("2022-01-03", "2022-12-20")


class Datasets:
    """Writes files of bars and manifests into a folder, and loads or checks them."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, symbol, bars):
        table = bars.drop(columns="symbol").sort_values("timestamp")
        if table["timestamp"].dt.tz is not None:
            table["timestamp"] = table["timestamp"].dt.tz_localize(None)
        table.to_csv(self.folder / f"{symbol}.csv", index=False)

    def manifest(self, symbols, interval, calendar, *, source=None, **keys):
        files = {"kind": "files", "path": ".", **(source or {})}
        document = {"name": "d", "interval": interval, "calendar": calendar, "sources": [files]}
        path = self.folder / "d.yaml"
        path.write_text(json.dumps({**document, "symbols": list(symbols), **keys}))
        return str(path)

    def load(self, *terms, **keys):
        return load_market(
            DataSpec(dataset=self.manifest(*terms, **keys)),
            home=self.folder / "home",
            offline=True,
            override=None,
            progress=RecordingProgress(),
            now=NOW,
        )

    def check(self, *terms, **keys):
        name = self.manifest(*terms, **keys)
        progress = RecordingProgress()
        return check_dataset(
            name, home=self.folder / "home", offline=True, progress=progress, now=NOW
        )


@pytest.fixture
def datasets(tmp_path):
    return Datasets(tmp_path)


def correlated(stamps, seed, *, moved=None):
    """A walk whose returns are mostly those of every other seed, perhaps at moved timestamps."""
    common = np.random.default_rng(99).normal(0.0, 0.005, len(stamps))
    own = np.random.default_rng(seed).normal(0.0, 0.003, len(stamps))
    bars = bars_at(stamps if moved is None else moved)
    closes = 100.0 * np.exp(np.cumsum(common + own))
    opens = np.r_[100.0, closes[:-1]]
    bars["open"], bars["close"] = opens, closes
    bars["high"], bars["low"] = (
        np.maximum(opens, closes) * 1.001,
        np.minimum(opens, closes) * 0.999,
    )
    return bars


def by_rule(check):
    return {finding.rule: finding for finding in check.findings}


class TestResampling:
    def test_local_hours_are_not_made_into_days_until_their_zone_is_declared(self, datasets):
        stamps = session_stamps("XNYS", *YEAR)
        bars = bars_at(stamps)
        datasets.write("X", bars.assign(timestamp=on_wall(stamps, NEW_YORK)))
        hours = {"interval": "1h"}
        with pytest.raises(InvalidBarsError) as caught:
            datasets.load(["X"], "1d", "XNYS", source=hours)
        assert f"`timezone: {NEW_YORK}`" in caught.value.fix
        days = datasets.load(["X"], "1d", "XNYS", source={**hours, "timezone": NEW_YORK})
        by_date = bars.groupby(bars["timestamp"].dt.date)["volume"].sum()
        assert days.wide("volume")["X"].tolist() == by_date.tolist()

    def test_hours_before_the_open_are_left_out_only_on_request(self, datasets):
        datasets.write("X", bars_at(local_stamps("XNYS", *YEAR, "04:00", "20:00", "30m")))
        source = {"interval": "30m"}
        found = by_rule(datasets.check(["X"], "1d", "XNYS", source=source))["outside_hours"]
        assert (found.severity, found.count) == ("error", 19 * 244 + 6)
        quality = {"outside_hours": "warn"}
        market = datasets.load(["X"], "1d", "XNYS", source=source, quality=quality)
        assert len(market.wide("close")) == 244
        findings = market.provenance["quality"]["findings"]
        assert [one["rule"] for one in findings] == ["outside_hours"]

    @pytest.mark.parametrize(
        ("calendar", "zone"),
        [("XSHG", "Asia/Shanghai"), ("XNYS", NEW_YORK), ("XTKS", "Asia/Tokyo")],
    )
    def test_days_at_local_midnight_are_made_into_whole_weeks(self, datasets, calendar, zone):
        days = session_stamps(calendar, "2022-01-10", "2022-06-30", "1h").normalize().unique()
        bars = bars_at(days)
        source = {"interval": "1d"}
        datasets.write("X", bars)
        expected = datasets.load(["X"], "1w", calendar, source=source).bars
        local = days.tz_localize(zone).strftime("%Y-%m-%d %H:%M:%S%z")
        table = bars.drop(columns="symbol").assign(timestamp=local)
        table.to_csv(datasets.folder / "X.csv", index=False)
        weeks = datasets.load(["X"], "1w", calendar, source=source).bars
        pd.testing.assert_frame_equal(weeks, expected)

    @pytest.mark.parametrize("base", ["1h", "4h", "1d"])
    def test_weeks_and_days_of_foreign_exchange_begin_in_the_evening(self, datasets, base):
        hours = pd.date_range("2022-03-06", "2022-06-12", freq="h", tz="UTC")
        shifted = hours.tz_convert(NEW_YORK).tz_localize(None) + pd.Timedelta(hours=7)
        bars = bars_at(hours[shifted.day_of_week < 5].tz_localize(None))
        volume = bars["volume"].groupby(shifted[shifted.day_of_week < 5].normalize()).sum()
        keys = {"day_begins": f"17:00 {NEW_YORK}"}
        datasets.write("X", bars)
        assert datasets.check(["X"], "1h", "24/5", **keys).findings == ()
        days = datasets.load(["X"], "1d", "24/5", source={"interval": "1h"}, **keys)
        closes = days.wide("volume")["X"]
        assert {stamp.day_of_week for stamp in closes.index} == set(range(5))
        assert closes.tolist() == volume[closes.index.tz_localize(None)].tolist()
        if base == "4h":
            wide = datasets.load(["X"], "4h", "24/5", source={"interval": "1h"}, **keys).bars
            datasets.write("X", wide)
            again = datasets.load(["X"], "1d", "24/5", source={"interval": "4h"}, **keys)
            assert again.wide("volume")["X"].equals(closes)
        if base == "1d":
            begins = (closes.index - pd.Timedelta(hours=7)).tz_localize(None).tz_localize(NEW_YORK)
            stamped = days.bars.assign(timestamp=begins.tz_convert("UTC"))
            datasets.write("X", stamped)
            found = by_rule(datasets.check(["X"], "1d", "24/5"))["clock"]
            assert f'`day_begins: "17:00 {NEW_YORK}"`' in found.advice
            again = datasets.load(["X"], "1d", "24/5", **keys)
            assert again.wide("volume")["X"].equals(closes)
            weeks = datasets.load(["X"], "1w", "24/5", source={"interval": "1d"}, **keys)
            assert {stamp.day_of_week for stamp in weeks.wide("close").index} == {0}

    @pytest.mark.parametrize(("hour", "key"), [(16, "16:00 UTC"), (15, "15:00 UTC")])
    def test_days_of_coins_at_another_hour_are_no_weeks_of_utc(self, datasets, hour, key):
        days = pd.date_range(f"2022-01-02 {hour}:00", periods=200, freq="D")
        bars = bars_at(days)
        datasets.write("X", bars)
        source = {"interval": "1d"}
        found = by_rule(datasets.check(["X"], "1w", "24/7", source=source))["clock"]
        assert f'`day_begins: "{key}"`' in found.advice
        weeks = datasets.load(["X"], "1w", "24/7", source=source, day_begins=key)
        assert weeks.wide("volume")["X"].iloc[0] == bars["volume"][:7].sum()
        assert f"{weeks.wide('volume').index[0]:%Y-%m-%d}" == "2022-01-03"

    def test_bars_that_run_over_midnight_are_no_days_of_utc(self, datasets):
        datasets.write("X", bars_at(pd.date_range("2022-01-02 22:00", periods=500, freq="4h")))
        found = by_rule(datasets.check(["X"], "1d", "24/7", source={"interval": "4h"}))["clock"]
        assert "`day_begins:" in found.advice
        keys = {"day_begins": "22:00 UTC"}
        assert datasets.check(["X"], "1d", "24/7", source={"interval": "4h"}, **keys).is_usable

    @pytest.mark.parametrize(("hour", "last"), [(4, "2022-05-30"), (5, "2022-05-31")])
    def test_a_day_that_ends_after_midnight_utc_is_unfinished_until_then(
        self, datasets, hour, last
    ):
        """Midnight of Chicago is 05:00 UTC in summer."""
        days = pd.date_range("2022-05-01", "2022-05-31", freq="D", tz="America/Chicago")
        datasets.write("X", bars_at(days.tz_convert("UTC").tz_localize(None)))
        market = load_market(
            DataSpec(
                dataset=datasets.manifest(["X"], "1d", "24/7", day_begins="00:00 America/Chicago")
            ),
            home=datasets.folder / "home",
            offline=True,
            override=None,
            progress=RecordingProgress(),
            now=pd.Timestamp("2022-06-01", tz="UTC") + pd.Timedelta(hours=hour),
        )
        assert f"{market.wide('close').index[-1]:%Y-%m-%d}" == last

    @pytest.mark.parametrize(
        ("interval", "calendar", "text"),
        [("1h", "XNYS", f"17:00 {NEW_YORK}"), ("1d", "24/7", "5 pm in New York")],
    )
    def test_the_beginning_of_a_day_has_one_form(self, datasets, interval, calendar, text):
        with pytest.raises(StrategyError) as caught:
            datasets.load(["X"], interval, calendar, day_begins=text)
        assert "day_begins" in str(caught.value)


@pytest.mark.parametrize("source", ["yahoo", "ccxt"])
def test_bars_of_other_days_or_calendars_are_not_taken_from_the_cache(tmp_path, source):
    files = {
        "kind": source,
        "interval": "1h",
        **({"exchange": "kraken"} if source == "ccxt" else {}),
    }

    def key(calendar, **keys):
        dataset = Dataset.model_validate(
            {"name": "d", "interval": "1d", "calendar": calendar, "symbols": ["X"], **keys}
            | {"sources": [files]}
        )
        manifest = DatasetManifest(dataset, tmp_path / "d.yaml")
        (made,) = create_sources(manifest, home=tmp_path, clients=ClientSettings())
        return made.cache_key

    evening = {"day_begins": "17:00 America/New_York"}
    keys = [key("24/7"), key("XNYS"), key("24/7", **evening), key("24/5", **evening)]
    assert len(set(keys)) == 4
    assert key("XNYS") == keys[1]


class TestJoining:
    HOURS = pd.date_range("2022-01-03", "2022-11-30", freq="h")

    @pytest.mark.parametrize(("hours", "text"), [(8, "8 h after"), (-5, "5 h before")])
    def test_prices_that_lie_apart_are_refused(self, datasets, hours, text):
        datasets.write("A", correlated(self.HOURS, 1))
        moved = self.HOURS + pd.Timedelta(hours=hours)
        datasets.write("B", correlated(self.HOURS, 2, moved=moved))
        with pytest.raises(InvalidBarsError, match="clocks_differ") as caught:
            datasets.load(["A", "B"], "1h", "24/7")
        assert f"B: {len(self.HOURS)} of {len(self.HOURS)} bars lie {text} those of A" in (
            caught.value.found
        )
        quality = {"clocks_differ": "warn"}
        assert datasets.load(["A", "B"], "1h", "24/7", quality=quality).symbols == ("A", "B")

    def test_local_time_beside_utc_is_refused(self, datasets):
        datasets.write("A", correlated(self.HOURS, 1))
        wall = on_wall(self.HOURS, NEW_YORK)
        moved = correlated(self.HOURS, 2, moved=wall).drop_duplicates("timestamp")
        datasets.write("B", moved)
        found = by_rule(datasets.check(["A", "B"], "1h", "24/7"))["clocks_differ"]
        assert (found.symbol, found.severity) == ("B", "error")
        assert "4 h" in found.sentence
        assert "5 h" in found.sentence

    def test_the_same_hours_that_begin_apart_are_refused(self, datasets):
        """Without a word about prices: these are not correlated."""
        stamps = session_stamps("XNYS", *YEAR)
        datasets.write("A", bars_at(stamps, seed=1))
        datasets.write("B", bars_at(on_wall(stamps, NEW_YORK), seed=2))
        found = by_rule(datasets.check(["A", "B"], "1h", "24/7"))["clocks_differ"]
        assert "begin and end that much apart" in found.sentence

    def test_dates_a_day_apart_are_refused(self, datasets):
        days = pd.date_range("2020-01-01", "2022-12-01", freq="D")
        datasets.write("A", correlated(days, 1))
        datasets.write("B", correlated(days, 2, moved=days + pd.Timedelta(days=1)))
        found = by_rule(datasets.check(["A", "B"], "1d", "24/7"))["clocks_differ"]
        assert "1 d after" in found.sentence

    def test_right_clocks_are_joined(self, datasets):
        datasets.write("A", correlated(self.HOURS, 1))
        datasets.write("B", correlated(self.HOURS, 2))
        datasets.write("C", bars_at(self.HOURS, seed=3))
        assert datasets.check(["A", "B", "C"], "1h", "24/7").findings == ()

    def test_a_market_that_follows_another_a_day_later_is_joined(self, datasets):
        days = pd.bdate_range("2018-01-01", "2022-12-01")
        rng = np.random.default_rng(0)
        ours, noise = rng.normal(0.0, 0.01, (2, len(days)))
        theirs = 0.2 * ours + 0.45 * np.r_[0.0, ours[:-1]] + 0.87 * noise
        for symbol, returns in (("A", ours), ("B", theirs)):
            closes = 100.0 * np.exp(np.cumsum(returns))
            bars = bars_at(days)
            for column in ("open", "high", "low", "close"):
                bars[column] = closes
            datasets.write(symbol, bars)
        rules = by_rule(datasets.check(["A", "B"], "1d", "24/7"))
        assert not {"clocks_differ", "not_shared"} & set(rules)

    def test_days_at_local_midnight_name_the_zone_that_joins_them(self, datasets):
        days = session_stamps("XNYS", *YEAR, "4h").normalize().unique()
        datasets.write("A", bars_at(days, seed=1))
        local = days.tz_localize(NEW_YORK)
        table = bars_at(days).drop(columns="symbol")
        stamps = local.strftime("%Y-%m-%d %H:%M:%S%z")
        table.assign(timestamp=stamps).to_csv(datasets.folder / "B.csv", index=False)
        check = datasets.check(["A", "B"], "1d", "XNYS")
        assert not check.is_usable
        found = by_rule(check)["not_shared"]
        assert "those of A at 00:00" in found.sentence
        assert "04:00 and 05:00 UTC" in found.sentence
        assert found.advice == f"add `timezone: {NEW_YORK}` to the files source"
        with pytest.raises(SourceError, match="no timestamp in common") as caught:
            datasets.load(["A", "B"], "1d", "XNYS")
        assert f"`timezone: {NEW_YORK}`" in caught.value.fix
        market = datasets.load(["A", "B"], "1d", "XNYS", source={"timezone": NEW_YORK})
        assert len(market.wide("close")) == len(days)

    def test_a_tenth_of_the_bars_may_be_lost_and_no_more(self, datasets):
        days = pd.date_range("2022-01-01", periods=200, freq="D")
        datasets.write("A", bars_at(days))
        for lost, usable in ((20, True), (21, False)):
            kept = days.delete(range(10, 10 + 4 * lost, 4))
            datasets.write("B", bars_at(kept, seed=2))
            check = datasets.check(["A", "B"], "1d", "24/7")
            assert check.is_usable == usable
        found = by_rule(check)["not_shared"]
        assert (found.symbol, found.count) == ("A", 21)
        quality = {"not_shared": "warn"}
        market = datasets.load(["A", "B"], "1d", "24/7", quality=quality)
        assert len(market.wide("close")) == 179

    def test_a_history_that_begins_later_shortens_the_others(self, datasets):
        days = pd.date_range("2022-01-01", periods=200, freq="D")
        datasets.write("A", bars_at(days))
        datasets.write("B", bars_at(days[150:], seed=2))
        market = datasets.load(["A", "B"], "1d", "24/7")
        assert len(market.wide("close")) == 50
        assert any("150 of 200 bars are left out" in one for one in market.provenance["notices"])


class TestSurvivors:
    DAYS = pd.date_range("2020-01-01", periods=300, freq="D")

    def write(self, datasets, count, *, dead=None):
        symbols = [f"S{number}" for number in range(count)]
        for seed, symbol in enumerate(symbols):
            days = self.DAYS[:200] if symbol == dead else self.DAYS
            rng = np.random.default_rng(seed)
            closes = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, len(days))))
            datasets.write(symbol, bars_at(days).assign(**dict.fromkeys(PRICES, closes)))
        return symbols

    @pytest.mark.parametrize(("count", "told"), [(1, False), (3, False), (5, True), (12, True)])
    def test_a_universe_that_all_lives_is_told_in_one_line(self, datasets, count, told):
        market = datasets.load(self.write(datasets, count), "1d", "24/7")
        lines = [one for one in market.provenance["notices"] if one.startswith("survivors")]
        assert len(lines) == told
        assert all(
            f"survivors: all {count} symbols have bars to the end" in line for line in lines
        )
        rules = [one["rule"] for one in market.provenance["quality"]["findings"]]
        assert rules.count("survivors") == told

    def test_a_dataset_with_members_is_no_list_of_survivors(self, datasets):
        frames = {symbol: bars_at(self.DAYS) for symbol in self.write(datasets, 6)}
        dataset = Dataset(
            name="own",
            interval="1d",
            calendar="24/7",
            symbols=tuple(frames),
            sources=[{"kind": "files", "path": "."}],
            members={"file": "members.csv"},
        )
        assert find_survivors(frames, dataset) == []
        assert len(find_survivors(frames, dataset.model_copy(update={"members": None}))) == 1

    def test_a_symbol_that_ended_is_no_survivor(self, datasets):
        symbols = self.write(datasets, 6, dead="S4")
        assert "survivors" not in by_rule(datasets.check(symbols, "1d", "24/7"))
