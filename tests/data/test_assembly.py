"""Bars of several exchanges: what is known at a decision, and which rate converts a price."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InvalidBarsError
from engine.data import VALUE_COLUMNS
from engine.data.assembly import Assembly, convert_prices, relabel_by_close
from engine.data.bar_times import TradingTimes
from engine.data.bars import utc_datetime64
from engine.data.market import Market
from tests.data.exchanges import assemble, daily_bars
from tests.hypothesis_examples import examples

CALENDARS = ["XNYS", "XTKS", "XASX", "XNZE", "CMES", "XLON", "24/7", "24/5"]


def days(frame: pd.DataFrame) -> list[str]:
    return frame["timestamp"].dt.strftime("%a %m-%d").tolist()


def close_on(frame: pd.DataFrame, day: str) -> float:
    return float(frame.loc[frame["timestamp"] == pd.Timestamp(day, tz="UTC"), "close"].iloc[0])


def test_tokyo_is_known_in_new_york_on_its_date_and_new_york_in_tokyo_on_the_next() -> None:
    world = assemble({"NY": "XNYS", "TOKYO": "XTKS"})
    to_new_york = relabel_by_close(world.frames, world.times, "NY")
    to_tokyo = relabel_by_close(world.frames, world.times, "TOKYO")
    tuesday, wednesday = "2023-02-07", "2023-02-08"
    assert close_on(to_new_york["TOKYO"], tuesday) == close_on(world.frames["TOKYO"], tuesday)
    assert close_on(to_tokyo["NY"], wednesday) == close_on(world.frames["NY"], tuesday)
    assert to_tokyo["TOKYO"] is world.frames["TOKYO"]


def test_of_several_bars_that_become_known_together_the_last_is_kept() -> None:
    world = assemble({"NY": "XNYS", "COIN": "24/7"})
    moved = relabel_by_close(world.frames, world.times, "NY")["COIN"]
    # Sunday's bar ends at midnight, before Monday's close of New York; Monday's own ends after it.
    assert close_on(moved, "2023-02-06") == close_on(world.frames["COIN"], "2023-02-05")
    assert close_on(moved, "2023-02-07") == close_on(world.frames["COIN"], "2023-02-06")
    assert not moved["timestamp"].duplicated().any()


def test_a_book_is_decided_at_the_last_close_of_a_date() -> None:
    world = assemble({"NY": "XNYS", "TOKYO": "XTKS"}, panel=True)
    bars, _ = world.join()
    market = market_of(world, bars)
    decided = pd.Series(
        pd.DatetimeIndex(market.decided_at.astype("datetime64[us]")), index=market.present.index
    )
    assert decided["2023-02-07"] == pd.Timestamp("2023-02-07 21:00")
    assert decided["2023-02-20"] == pd.Timestamp("2023-02-20 06:00")  # Presidents' Day
    assert decided["2023-02-23"] == pd.Timestamp("2023-02-23 21:00")  # the Emperor's birthday
    ended = world.ended_rows(market.present.index, pd.Timestamp("2023-02-07 20:59:59", tz="UTC"))
    assert dict(zip(market.present.index, ended, strict=True))[
        pd.Timestamp("2023-02-06", tz="UTC")
    ]
    assert ended.sum() == market.present.index.searchsorted(pd.Timestamp("2023-02-07", tz="UTC"))
    delay = pd.Timedelta(minutes=30)
    for text, row in (("21:29:59", 0), ("21:30", 1)):
        now = pd.Timestamp(f"2023-02-07 {text}", tz="UTC")
        assert world.ended_rows(market.present.index, now, delay).sum() == ended.sum() + row


def market_of(world: Assembly, bars: pd.DataFrame) -> Market:
    return Market(
        bars=bars,
        symbols=world.symbols,
        interval="1d",
        calendar="24/7",
        periods_per_year=260.0,
        provenance={"name": "made-up", "offline": False},
        assembly=world,
    )


def replace_after(world: Assembly, instant: int, rng: np.random.Generator) -> Assembly:
    """Other bars where they close after an instant."""
    frames = {}
    for symbol, frame in world.frames.items():
        closes = world.times[symbol].closes(utc_datetime64(frame).astype(np.int64))
        factor = np.where(closes > instant, np.exp(rng.normal(0.0, 0.3, len(frame))), 1.0)
        changed = frame.copy()
        changed[list(VALUE_COLUMNS)] = frame[list(VALUE_COLUMNS)].mul(factor, axis=0)
        frames[symbol] = changed
    return world.with_frames(frames)


@examples(10)
@given(
    calendars=st.lists(st.sampled_from(CALENDARS), min_size=2, max_size=4),
    kind=st.sampled_from(["target", "book", "panel"]),
    with_rate=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_row_knows_a_bar_that_closes_after_its_decision(
    calendars, kind, with_rate, seed
) -> None:
    rng = np.random.default_rng(seed)
    named = {f"S{number}": calendar for number, calendar in enumerate(calendars)}
    rates = {"S1": "FX"} if with_rate else {}
    symbols = named | ({"FX": str(rng.choice(CALENDARS))} if with_rate else {})
    world = assemble(
        symbols,
        target="S0" if kind == "target" else None,
        panel=kind == "panel",
        rates=rates,
        seed=seed % 1000,
    )
    bars, _ = world.join()
    market = market_of(world, bars)
    stamps, decided = market.present.index, market.decided_at
    assert (np.diff(decided) >= 0).all()
    for row in rng.integers(0, len(stamps) - 1, 4):
        other, _ = replace_after(world, int(decided[row]), rng).join()
        known = bars["timestamp"] <= stamps[row]
        pd.testing.assert_frame_equal(bars[known], other[other["timestamp"] <= stamps[row]])
    later, _ = replace_after(world, int(decided[0]), rng).join()
    assert not later["close"].equals(bars["close"])


@examples(20)
@given(
    calendars=st.lists(st.sampled_from(CALENDARS), min_size=2, max_size=4),
    price=st.sampled_from(["open", "close"]),
    seed=st.integers(0, 999),
)
def test_the_first_price_that_is_not_before_a_decision_is_named(calendars, price, seed) -> None:
    named = {f"S{number}": calendar for number, calendar in enumerate(calendars)}
    world = assemble(named, panel=True, seed=seed)
    market = market_of(world, world.join()[0])
    lags = market.fill_lags(price)
    instants, decided = market.price_instants(price), market.decided_at
    assert (np.diff(instants.to_numpy(), axis=0) >= 0).all()
    for symbol in market.symbols:
        own = instants[symbol].to_numpy()
        for row in range(len(own) - 3):
            lag = 1 if lags is None else int(lags[symbol].iloc[row])
            assert own[row + lag] >= decided[row]
            assert lag == 1 or own[row + lag - 1] < decided[row]
    for row in (1, 20, 31, 40):
        present = [name for name in market.symbols if market.present[name].iloc[row]]
        found = world.row_instants(market.present.index[row], present, price)
        assert found is not None
        closed_at, own_instants = found
        assert closed_at.value // 1_000 == decided[row]
        assert {name: at.value // 1_000 for name, at in own_instants.items()} == instants.iloc[
            row
        ].to_dict()


def test_sydney_waits_for_a_coin_and_new_york_does_not() -> None:
    world = assemble({"SYDNEY": "XASX", "COIN": "24/7", "NY": "XNYS"}, panel=True)
    lags = market_of(world, world.join()[0]).fill_lags("open")
    assert lags is not None
    assert lags.loc["2023-02-07"].to_dict() == {"SYDNEY": 2, "COIN": 1, "NY": 1}
    # Friday's decision is in time for Monday's open, on Sunday evening; Sunday's is not.
    assert lags.loc["2023-02-10", "SYDNEY"] == 1
    assert lags.loc["2023-02-12", "SYDNEY"] == 2
    # In winter it opens at midnight UTC, when the day of a coin has ended.
    later = assemble({"SYDNEY": "XASX", "COIN": "24/7"}, 200, panel=True)
    in_winter = market_of(later, later.join()[0]).fill_lags("open")
    assert in_winter is not None
    assert in_winter.loc["2023-06-07", "SYDNEY"] == 1
    assert market_of(world, world.join()[0]).fill_lags("close") is None


class TestCurrencies:
    def test_a_price_is_converted_with_the_last_rate_that_was_known_at_it(self) -> None:
        bars = daily_bars("TOKYO", "XTKS", 40)
        rates = daily_bars("JPYUSD", "24/5", 60, first="2022-12-15", level=0.007)
        converted = convert_prices(
            bars, TradingTimes("1d", "XTKS"), rates, TradingTimes("1d", "24/5"), name="TOKYO"
        )
        # Tokyo trades from 00:00 to 06:00 UTC, and the rate of the day before closed at 00:00.
        day, before = "2023-02-07", "2023-02-06"
        own = bars[bars["timestamp"] == pd.Timestamp(day, tz="UTC")].iloc[0]
        found = converted[converted["timestamp"] == pd.Timestamp(day, tz="UTC")].iloc[0]
        rate = close_on(rates, before)
        for column in ("open", "high", "low", "close"):
            assert found[column] == own[column] * rate
        assert found["volume"] == own["volume"]

    def test_an_open_has_the_rate_of_its_own_time(self) -> None:
        bars = daily_bars("COIN", "24/7", 40)
        rates = daily_bars("EURUSD", "XNYS", 60, first="2022-12-15", level=1.1)
        converted = convert_prices(
            bars, TradingTimes("1d"), rates, TradingTimes("1d", "XNYS"), name="COIN"
        )
        own = bars[bars["timestamp"] == pd.Timestamp("2023-02-07", tz="UTC")].iloc[0]
        found = converted[converted["timestamp"] == pd.Timestamp("2023-02-07", tz="UTC")].iloc[0]
        assert found["open"] == own["open"] * close_on(rates, "2023-02-06")
        assert found["close"] == own["close"] * close_on(rates, "2023-02-07")
        assert (converted["high"] >= converted[["open", "close", "low"]].max(axis=1)).all()
        assert (converted["low"] <= converted[["open", "close"]].min(axis=1)).all()

    def test_a_rate_is_neither_traded_nor_a_feature(self) -> None:
        world = assemble(
            {"NY": "XNYS", "TOKYO": "XTKS", "JPYUSD": "24/5"}, rates={"TOKYO": "JPYUSD"}
        )
        assert world.symbols == ("NY", "TOKYO")
        assert set(world.join()[0]["symbol"]) == {"NY", "TOKYO"}

    def test_bars_before_the_first_rate_are_left_out(self) -> None:
        bars = daily_bars("TOKYO", "XTKS", 40)
        rates = daily_bars("JPYUSD", "24/5", 60, first="2023-01-20")
        times = TradingTimes("1d", "XTKS"), TradingTimes("1d", "24/5")
        converted = convert_prices(bars, times[0], rates, times[1], name="TOKYO")
        assert days(converted)[0] == "Tue 01-24"

    def test_an_old_rate_is_refused(self) -> None:
        bars = daily_bars("TOKYO", "XTKS", 40)
        rates = daily_bars("JPYUSD", "24/5", 10)
        with pytest.raises(InvalidBarsError, match="the exchange rate is too old at 26 bars"):
            convert_prices(
                bars, TradingTimes("1d", "XTKS"), rates, TradingTimes("1d", "24/5"), name="TOKYO"
            )

    def test_a_rate_that_begins_too_late_is_refused(self) -> None:
        bars = daily_bars("TOKYO", "XTKS", 40)
        rates = daily_bars("JPYUSD", "24/5", 10, first="2024-01-01")
        with pytest.raises(InvalidBarsError, match="no exchange rate is known"):
            convert_prices(
                bars, TradingTimes("1d", "XTKS"), rates, TradingTimes("1d", "24/5"), name="TOKYO"
            )
