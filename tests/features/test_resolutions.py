"""Coarser bars: their base bars, and the close at which each is complete."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.data.market import Market
from engine.features.config import LogReturn, Volatility
from engine.features.resolutions import build_coarse_features, resample_market

VALUES = ["open", "high", "low", "close", "volume"]


def bars_at(stamps: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    """A random walk on these timestamps."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(len(stamps))))
    return pd.DataFrame(
        {
            "timestamp": stamps.as_unit("us"),
            "open": close * 1.001,
            "high": close * (1 + 0.01 * rng.random(len(stamps))),
            "low": close * (1 - 0.01 * rng.random(len(stamps))),
            "close": close,
            "volume": rng.integers(1, 100, len(stamps)).astype(float),
        }
    )


def market_at(stamps: pd.DatetimeIndex, interval: str = "1d", calendar: str = "24/7") -> Market:
    """Two symbols on these timestamps, the second of them first in the alphabet."""
    own = {symbol: bars_at(stamps, seed) for seed, symbol in enumerate(("BTC", "ADA"))}
    bars = pd.concat([table.assign(symbol=symbol) for symbol, table in own.items()])
    bars = bars.sort_values("timestamp", kind="stable", ignore_index=True)
    return Market(bars, tuple(own), interval, calendar, 365.0, {})


def days(*spans: str) -> pd.DatetimeIndex:
    """Every day of spans such as `2024-01-01/2024-01-05`."""
    first, *others = (pd.date_range(*span.split("/"), freq="D", tz="UTC") for span in spans)
    return first.append(others)


def labels(coarse: Market) -> list[str]:
    return [f"{stamp:%m-%d %H:%M}" for stamp in coarse.bars["timestamp"].unique()]


def complete_at(market: Market, interval: str) -> dict[str, str]:
    """Each coarse bar's open to the open of the base bar at whose close it is first known."""
    coarse, latest = resample_market(market, interval)
    stamps = market.bars["timestamp"].unique()
    return {
        label: f"{stamps[int(np.argmax(latest >= row))]:%m-%d %H:%M}"
        for row, label in enumerate(labels(coarse))
    }


def test_a_week_aggregates_its_days_for_each_symbol() -> None:
    market = market_at(days("2024-01-01/2024-01-14"))
    coarse, _ = resample_market(market, "1w")
    assert (coarse.interval, coarse.symbols) == ("1w", market.symbols)
    assert coarse.periods_per_year == pytest.approx(365 / 7)
    assert labels(coarse) == ["01-01 00:00", "01-08 00:00"]
    assert coarse.bars["symbol"].tolist() == ["BTC", "ADA"] * 2
    assert coarse.bars.dtypes.astype(str).to_dict() == market.bars.dtypes.astype(str).to_dict() | {
        "timestamp": "datetime64[us, UTC]"
    }
    own = market.bars.query("symbol == 'ADA'").iloc[7:]
    week = coarse.bars.query("symbol == 'ADA'").iloc[1]
    assert week["open"] == own["open"].iloc[0]
    assert week["high"] == own["high"].max()
    assert week["low"] == own["low"].min()
    assert week["close"] == own["close"].iloc[-1]
    assert week["volume"] == own["volume"].sum()


def test_a_week_is_known_at_the_close_of_its_sunday() -> None:
    coarse, latest = resample_market(market_at(days("2024-01-01/2024-01-16")), "1w")
    assert latest.tolist() == [-1] * 6 + [0] * 7 + [1] * 3
    assert latest.dtype == np.int64
    assert len(labels(coarse)) == 2  # the third is not complete


def test_a_week_of_stocks_is_known_at_the_next_weeks_first_close() -> None:
    # Good Friday on 03-29 and Easter Monday on 04-01: a long weekend on either side.
    weeks = ("03-18/2024-03-22", "03-25/2024-03-28", "04-02/2024-04-05", "04-08/2024-04-09")
    sessions = days(*(f"2024-{week}" for week in weeks))
    assert complete_at(market_at(sessions), "1w") == {
        "03-18 00:00": "03-25 00:00",
        "03-25 00:00": "04-02 00:00",
        "04-01 00:00": "04-08 00:00",
    }


def test_a_week_without_a_bar_does_not_exist() -> None:
    market = market_at(days("2024-01-01/2024-01-07", "2024-01-24/2024-02-04"))
    assert complete_at(market, "1w") == {
        "01-01 00:00": "01-07 00:00",
        "01-22 00:00": "01-28 00:00",
        "01-29 00:00": "02-04 00:00",
    }


def test_a_week_without_its_last_days_is_known_at_the_next_bar() -> None:
    market = market_at(days("2024-01-01/2024-01-05", "2024-01-10/2024-01-11"))
    assert complete_at(market, "1w") == {"01-01 00:00": "01-10 00:00"}


@pytest.mark.parametrize(
    ("first", "week", "known"),
    [
        ("2024-01-01", "01-01 00:00", "01-07 00:00"),
        ("2024-01-02", "01-08 00:00", "01-14 00:00"),
        ("2023-12-31", "01-01 00:00", "01-07 00:00"),
    ],
)
def test_a_first_week_that_may_be_incomplete_is_left_out(
    first: str, week: str, known: str
) -> None:
    weeks = complete_at(market_at(days(f"{first}/2024-01-31")), "1w")
    assert next(iter(weeks.items())) == (week, known)


@pytest.mark.parametrize(
    ("interval", "opens"), [("1h", range(9, 20)), ("4h", (8, 12, 16)), ("1d", (0,))]
)
def test_hours_and_days_begin_at_utc_multiples(interval: str, opens: range) -> None:
    stamps = pd.date_range("2024-01-01 08:30", "2024-01-02 23:30", freq="30min", tz="UTC")
    found = labels(resample_market(market_at(stamps, "30m"), interval)[0])
    first_day = [f"01-01 {hour:02d}:00" for hour in opens]
    expected = [label for label in first_day if label > "01-01 08:30"]
    assert [label for label in found if label < "01-01 19:30"] == expected


def test_bars_off_the_hour_belong_to_the_interval_of_their_open() -> None:
    stamps = pd.date_range("2024-01-02 14:30", periods=7, freq="h", tz="UTC")
    market = market_at(stamps, "1h", "XNYS")
    assert complete_at(market, "4h") == {"01-02 16:00": "01-02 19:30"}
    coarse, _ = resample_market(market, "4h")
    inside = market.bars[market.bars["timestamp"].dt.hour.between(16, 19)]
    assert coarse.bars["volume"].sum() == inside["volume"].sum()


def test_a_bar_after_the_known_end_of_a_week_belongs_to_the_next_week() -> None:
    """A bar inside another: the week was complete at the previous bar."""
    stamps = days("2024-01-01/2024-01-07").append(
        pd.DatetimeIndex(["2024-01-07 12:00", "2024-01-14 00:00"], tz="UTC")
    )
    market = market_at(stamps)
    coarse, latest = resample_market(market, "1w")
    assert latest.tolist() == [-1] * 6 + [0, 0, 1]
    first, second = coarse.bars.query("symbol == 'BTC'")["volume"]
    own = market.bars.query("symbol == 'BTC'")["volume"].to_numpy()
    assert (first, second) == (own[:7].sum(), own[7:].sum())


def test_without_a_complete_coarse_bar_there_is_none() -> None:
    for span in ("2024-01-01/2024-01-06", "2024-01-02/2024-01-13", "2024-01-01/2024-01-01"):
        coarse, latest = resample_market(market_at(days(span)), "1w")
        assert coarse.bars.empty
        assert (latest == -1).all()


@pytest.mark.parametrize(
    ("base", "every", "interval", "rule"),
    [
        ("1m", "1min", "5m", "5min"),
        ("5m", "5min", "1h", "1h"),
        ("1h", "1h", "4h", "4h"),
        ("4h", "4h", "1d", "1D"),
        ("1d", "1D", "1w", "W-MON"),
    ],
)
def test_coarse_bars_equal_pandas_resampling_with_gaps(
    base: str, every: str, interval: str, rule: str
) -> None:
    stamps = pd.date_range("2024-01-01", periods=600, freq=every, tz="UTC")
    stamps = stamps[np.random.default_rng(1).random(600) < 0.5].insert(0, stamps[0])
    market = market_at(stamps.unique(), base)
    coarse, _ = resample_market(market, interval)
    for symbol in market.symbols:
        own = market.bars[market.bars["symbol"] == symbol].set_index("timestamp")
        theirs = own.resample(rule, closed="left", label="left").agg(
            {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        )
        ours = coarse.bars[coarse.bars["symbol"] == symbol].set_index("timestamp")
        theirs = theirs.dropna().iloc[: len(ours)]
        assert len(ours) > 10
        pd.testing.assert_frame_equal(
            ours[VALUES], theirs, check_freq=False, check_index_type=False
        )


@pytest.mark.parametrize(("base", "interval"), [("1d", "1d"), ("1d", "1h"), ("1w", "4h")])
def test_a_resolution_that_is_not_coarser_is_an_error(base: str, interval: str) -> None:
    with pytest.raises(UsageError) as caught:
        resample_market(market_at(days("2024-01-01/2024-02-01"), base), interval)
    assert caught.value.where == "resolutions"
    assert (base in caught.value.expected, caught.value.found) == (True, interval)


def test_coarse_features_have_their_interval_in_the_name() -> None:
    market = market_at(days("2024-01-01/2024-12-31"))
    specs = (LogReturn(), Volatility(window=5))
    built = build_coarse_features(market, "1w", specs, ["ADA", "BTC"])
    assert built.interval == "1w"
    assert built.features.names == (
        "ADA:1w:log_return_1",
        "ADA:1w:volatility_5",
        "BTC:1w:log_return_1",
        "BTC:1w:volatility_5",
    )
    assert built.features.symbol_columns == (("ADA", (0, 1)), ("BTC", (2, 3)))
    assert built.features.warmup == Volatility(window=5).warmup
    coarse, latest = resample_market(market, "1w")
    own = coarse.bars.query("symbol == 'ADA'").set_index("timestamp")
    np.testing.assert_array_equal(built.features.values[:, 1], specs[1].compute(own))
    np.testing.assert_array_equal(built.latest, latest)


def test_a_million_minutes_become_hours_in_seconds() -> None:
    stamps = pd.date_range("2020-01-01", periods=1_000_000, freq="min", tz="UTC")
    bars = bars_at(stamps).assign(symbol="BTC")
    market = Market(bars, ("BTC",), "1m", "24/7", 525_600.0, {})
    begin = time.process_time()
    coarse, latest = resample_market(market, "1h")
    assert time.process_time() - begin < 2
    assert len(coarse.bars) == 1_000_000 // 60 == latest[-1] + 1
