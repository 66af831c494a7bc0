"""Price adjustment for splits, for dividends, and without."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import SourceError
from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.config import YahooSourceSpec
from engine.data.quality import CheckSettings, check_bars
from engine.data.sources.base import BarRequest
from engine.data.sources.yahoo import YahooBarSource
from tests.data.datasets import COUNT, DAY, FIRST, NOW
from tests.servers.candles import candles
from tests.servers.yahoo import Chart

PRICES = ["open", "high", "low", "close"]


@pytest.fixture
def pull(yahoo, tmp_path, clients):
    def bars(chart, adjust, interval="1d"):
        yahoo.site.charts["SHARE"] = replace(chart, kind="EQUITY")
        feed = YahooBarSource(YahooSourceSpec(adjust=adjust), tmp_path, clients)
        raw = feed.fetch(BarRequest("SHARE", interval, None, NOW, NullProgress()))
        return normalise_bars(raw, "SHARE")

    return bars


def prices_of(served):
    return pd.DataFrame([{name: getattr(c, name) for name in PRICES} for c in served])


def test_with_splits_and_dividends_all_prices_of_a_bar_are_scaled_alike(pull):
    factors = [0.8] * 200 + [1.0] * 200
    served = candles(FIRST, COUNT)
    bars = pull(Chart(served, factors=factors, dividends={200: 20.0}), "splits+dividends")
    expected = prices_of(served).mul(factors, axis=0)
    pd.testing.assert_frame_equal(bars[PRICES], expected, rtol=1e-12)


def test_with_splits_prices_are_as_yahoo_sends_them(pull):
    factors = [0.8] * 200 + [1.0] * 200
    served = candles(FIRST, COUNT)
    chart = Chart(served, factors=factors, dividends={200: 20.0}, splits={100: 4.0})
    pd.testing.assert_frame_equal(pull(chart, "splits")[PRICES], prices_of(served))


def test_without_adjustment_prices_are_those_paid_on_the_day(pull):
    # 7 for 1 on bar 100 and 1 for 2, a reverse split, on bar 300; Yahoo has both undone.
    served = candles(FIRST, COUNT)
    bars = pull(Chart(served, splits={100: 7.0, 300: 0.5}), "none")
    paid = [3.5] * 100 + [0.5] * 200 + [1.0] * 100
    pd.testing.assert_frame_equal(bars[PRICES], prices_of(served).mul(paid, axis=0), rtol=1e-12)
    assert bars["volume"].tolist() == pytest.approx(
        [candle.volume / ratio for candle, ratio in zip(served, paid, strict=True)]
    )


def test_without_adjustment_a_split_keeps_the_turnover(pull):
    chart = Chart(candles(FIRST, COUNT), splits={100: 7.0})
    whole, none = pull(chart, "splits"), pull(chart, "none")
    assert none["open"][100] / none["close"][99] == pytest.approx(1 / 7)
    turnovers = [(bars["close"] * bars["volume"]).tolist() for bars in (whole, none)]
    assert turnovers[0] == pytest.approx(turnovers[1])


def test_unadjusted_weekly_bars_are_refused(pull):
    with pytest.raises(SourceError, match="no unadjusted weekly bars") as error:
        pull(Chart(candles(FIRST, 50, step=7 * DAY)), "none", "1w")
    assert "1d" in error.value.fix


def test_unadjusted_monthly_bars_are_refused(pull):
    with pytest.raises(SourceError, match="no unadjusted monthly bars"):
        pull(Chart(candles(FIRST, 20, step=30 * DAY)), "none", "1mo")


def hours(**chart):
    # Yahoo keeps two years of hours, counted from the present.
    first = int(pd.Timestamp.now("UTC").floor("D").timestamp()) - 30 * DAY
    return Chart(candles(first, 100, step=3600), **chart)


def test_hours_with_a_dividend_are_refused(pull):
    with pytest.raises(SourceError, match="not adjusted for dividends") as error:
        pull(hours(dividends={48: 0.5}), "splits+dividends", "1h")
    assert "dividends paid: 1" in error.value.found
    assert "adjust: splits" in error.value.fix
    assert len(pull(hours(dividends={48: 0.5}), "splits", "1h")) == 100


def test_a_split_is_undone_to_the_hour(pull):
    chart = hours(splits={48: 2.0})
    whole, none = pull(chart, "splits", "1h"), pull(chart, "none", "1h")
    assert (none["close"] / whole["close"]).tolist() == [2.0] * 48 + [1.0] * 52


def test_hours_without_a_dividend_are_accepted(pull):
    assert len(pull(hours(), "splits+dividends", "1h")) == 100


def test_a_dividend_on_the_first_day_changes_no_price(pull):
    assert len(pull(Chart(candles(FIRST, COUNT), dividends={0: 1.0}), "splits+dividends")) == COUNT


def test_adjustment_keeps_the_close_within_the_range(pull):
    served = [
        replace(candle, high=max(candle.open, candle.close)) for candle in candles(FIRST, COUNT)
    ]
    factors = [0.7 + i / 3_331 for i in range(COUNT)]
    bars = drop_unfinished_bars(
        pull(Chart(served, factors=factors), "splits+dividends"), TradingTimes("1d"), NOW
    )
    assert check_bars(bars, CheckSettings("1d", NOW)).errors == ()
