"""A dataset whose bars are longer than those of its source, and resampled from them."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, SourceError, StrategyError
from engine.data.config import DataSpec
from engine.data.load import load_market
from tests.data.datasets import NOW
from tests.servers.candles import candles

HOURS = """name: coins
interval: 1d
calendar: 24/7
symbols: [BTC-USD, ETH-USD]
sources:
  - {kind: files, path: bars, interval: 1h}
"""
FIRST = int(pd.Timestamp("2024-02-19 05:00").timestamp())


@pytest.fixture
def load(tmp_path, progress):
    """The dataset of a manifest; no server is needed."""

    def market(text, *, now=NOW):
        (tmp_path / "coins.yaml").write_text(text)
        spec = DataSpec(dataset=str(tmp_path / "coins.yaml"))
        return load_market(
            spec, home=tmp_path / "home", offline=True, override=None, progress=progress, now=now
        )

    return market


@pytest.fixture
def hourly(tmp_path):
    """Two weeks of hours of both coins; `change` is applied to ETH-USD."""

    def write(change=lambda table: table, *, first=FIRST, count=14 * 24):
        (tmp_path / "bars").mkdir(exist_ok=True)
        for symbol in ("BTC-USD", "ETH-USD"):
            table = pd.DataFrame(candles(first, count, step=3600))
            table = table.rename(columns={"seconds": "timestamp"})
            table = change(table) if symbol == "ETH-USD" else table
            table.to_csv(tmp_path / "bars" / f"{symbol}.csv", index=False)

    return write


def days(market):
    return [f"{stamp:%m-%d}" for stamp in market.wide("close").index]


def test_days_are_resampled_from_hours_and_a_notice_says_so(load, hourly, progress):
    hourly()
    market = load(HOURS)
    assert (market.interval, market.periods_per_year) == ("1d", 365)
    assert days(market)[:2] == ["02-20", "02-21"]  # the first day lacks its first hours
    assert days(market)[-1] == "03-03"  # and the last its last
    assert len(days(market)) == 13
    symbol = market.provenance["symbols"]["BTC-USD"]
    assert symbol["source"] == "files 1h"
    assert market.provenance["notices"] == progress.notices
    assert "seconds since 1970" in progress.notices[0]


def test_a_day_whose_last_hour_has_not_ended_is_left_out(load, hourly):
    hourly(count=9 * 24 + 19)
    for now, last in (("23:30", "02-27"), ("00:00", "02-28")):
        day = "2024-02-28" if now == "23:30" else "2024-02-29"
        assert days(load(HOURS, now=pd.Timestamp(f"{day} {now}", tz="UTC")))[-1] == last


def test_weeks_from_days_equal_weeks_from_hours(load, hourly):
    hourly(first=FIRST - 5 * 3600)
    text = HOURS.replace("interval: 1d", "interval: 1w")
    weeks = load(text)
    assert days(weeks) == ["02-19", "02-26"]
    assert weeks.wide("volume")["BTC-USD"].iloc[0] == pytest.approx(
        load(HOURS).wide("volume")["BTC-USD"].iloc[:7].sum()
    )


def test_a_source_with_the_datasets_interval_is_not_resampled(load, hourly):
    hourly()
    market = load(HOURS.replace("interval: 1d", "interval: 1h"))
    assert len(market.wide("close")) == 14 * 24
    assert market.provenance["symbols"]["BTC-USD"]["source"] == "files"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda table: table.assign(low=table["low"].where(table.index != 99, 0.0)), "price of 0"),
        (lambda table: table[::-1], "follow a later bar"),
        (lambda table: pd.concat([table[:99], table[98:]]), "repeat another bar"),
        (lambda table: table[::4], "are 4h after the previous one, and the dataset's"),
    ],
)
def test_defects_of_the_hours_are_not_hidden_in_the_days(load, hourly, change, complaint):
    hourly(change)
    with pytest.raises(InvalidBarsError, match="ETH-USD fail the quality checks") as caught:
        load(HOURS)
    assert complaint in caught.value.problem


def test_missing_hours_and_hours_outside_the_session_are_reported(load, hourly, progress):
    hourly(lambda table: table.drop(index=[50, 51, 200]))
    market = load(HOURS)
    assert (
        "ETH-USD: 3 of 336 bars of 1h are missing, and longer bars are computed without them"
        in (market.provenance["notices"])
    )
    # 9 sessions of two weeks, Presidents' Day being a holiday, of 7 hours that overlap each.
    outside = "270 of 333 bars of 1h lie outside the hours of XNYS"
    manifest = HOURS.replace("24/7", "XNYS").replace("[BTC-USD, ETH-USD]", "[ETH-USD]")
    with pytest.raises(InvalidBarsError) as caught:
        load(manifest)
    assert outside in caught.value.problem
    assert "`quality: {outside_hours: warn}`" in caught.value.fix
    load(manifest.replace("sources:", "quality: {outside_hours: warn}\nsources:"))
    assert f"ETH-USD: {outside} and are left out, the first 2024-02-19 05:00" in progress.notices


def test_hours_before_the_start_are_not_checked(load, hourly):
    hourly(lambda table: table.assign(low=table["low"].where(table.index != 9, 0.0)))
    text = HOURS.replace("sources:", "start: 2024-02-21\nsources:")
    assert days(load(text))[0] == "02-21"


def test_a_week_that_begins_before_the_start_is_left_out(load, hourly):
    hourly(first=FIRST - 5 * 3600)
    weeks = HOURS.replace("interval: 1d", "interval: 1w")
    assert days(load(weeks.replace("sources:", "start: 2024-02-21\nsources:"))) == ["02-26"]
    with pytest.raises(SourceError, match="no bars of BTC-USD"):
        load(weeks.replace("sources:", "start: 2024-02-28\nsources:"))


def test_a_source_with_longer_bars_than_the_dataset_is_an_error(load):
    with pytest.raises(StrategyError) as caught:
        load(HOURS.replace("interval: 1d", "interval: 5m"))
    assert "at most 5m, the dataset's; bars of 1h cannot be divided" in str(caught.value)


def test_weeks_are_resampled_from_the_bundled_days(load):
    text = """name: weeks
interval: 1w
calendar: XNYS
symbols: [SP500]
sources:
  - {kind: bundled, symbols: {SP500: sp500}}
"""
    market = load(text)
    closes = market.wide("close")["SP500"]
    assert market.periods_per_year == pytest.approx(365 / 7)
    assert closes.index[0] == pd.Timestamp("1999-01-04", tz="UTC")
    assert {f"{stamp:%a}" for stamp in closes.index} == {"Mon"}
    # The week of the attacks has only its Monday.
    assert closes["2001-09-10"] == pytest.approx(1092.54)
    assert len(closes) == 52 * 20 + 3
