"""Round trips: against a slow walk over all bars that knows nothing of trips in advance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics import trade_metrics
from engine.evaluation.metrics.round_trips import round_trip_table, summarise_round_trips
from engine.simulation.config import Costs, Execution
from engine.simulation.portfolio import simulate

DAYS = pd.date_range("2024-01-01", periods=6, tz="UTC", name="timestamp")
FILL = ("bar", "side", "size", "price", "fee")


def bars_of(symbol: str, *rows: tuple[float, float, float]) -> pd.DataFrame:
    """High, low and close of each day."""
    table = pd.DataFrame(rows, columns=["high", "low", "close"])
    return table.assign(timestamp=DAYS[: len(rows)], symbol=symbol)


def fills(*rows: tuple[int, str, float, float, float], symbol: str = "A") -> pd.DataFrame:
    """Slippage cost 0.5 and equity 100 at each."""
    table = pd.DataFrame(rows, columns=list(FILL))
    stamps = DAYS[table.pop("bar").to_numpy()] if len(rows) else DAYS[:0]
    return table.assign(timestamp=stamps, symbol=symbol, slippage_cost=0.5, equity=100.0)


QUIET = bars_of("A", *[(12.0, 9.0, 11.0)] * 6)


def trips(trades: pd.DataFrame, bars: pd.DataFrame = QUIET, filled_at: Any = "open") -> Any:
    return round_trip_table(trades, bars, DAYS, fill_price=filled_at)


def test_figures_of_a_long_round_trip() -> None:
    (trip,) = trips(fills((1, "buy", 2, 10, 1), (4, "sell", 2, 13, 1))).to_dict("records")
    assert (trip["side"], trip["open"], trip["bars"]) == ("long", False, 3)
    assert (trip["entry"], trip["exit"]) == (DAYS[1], DAYS[4])
    assert (trip["entry_price"], trip["exit_price"]) == (10.0, 13.0)
    # 26 - 20 less 2 of fees: 4 of the 20 entered, and of an equity of 100.
    assert trip["return_pct"] == pytest.approx(20.0)
    assert trip["pnl_pct"] == pytest.approx(4.0)
    assert trip["cost_pct"] == pytest.approx(100 * 3 / 20)


def test_excursions_are_measured_from_the_entry_price_in_the_direction_of_the_trip() -> None:
    long = trips(fills((1, "buy", 1, 10, 0), (3, "sell", 1, 11, 0))).iloc[0]
    assert (long["mae_pct"], long["mfe_pct"]) == (pytest.approx(-10.0), pytest.approx(20.0))
    short = trips(fills((1, "sell", 1, 10, 0), (3, "buy", 1, 11, 0))).iloc[0]
    assert (short["mae_pct"], short["mfe_pct"]) == (pytest.approx(-20.0), pytest.approx(10.0))


@pytest.mark.parametrize(("filled_at", "adverse"), [("open", -30.0), ("close", -50.0)])
def test_with_fills_at_the_open_the_entry_bar_counts_and_the_exit_bar_does_not(
    filled_at: str, adverse: float
) -> None:
    bars = bars_of("A", (12, 9, 11), (12, 7, 11), (12, 9, 11), (12, 5, 11), *[(12, 9, 11)] * 2)
    trades = fills((1, "buy", 1, 10, 0), (3, "sell", 1, 11, 0))
    assert trips(trades, bars, filled_at)["mae_pct"].tolist() == [pytest.approx(adverse)]


def test_a_trip_without_a_loss_has_no_adverse_excursion() -> None:
    trip = trips(fills((1, "buy", 1, 8, 0), (3, "sell", 1, 13, 0))).iloc[0]
    assert trip["mae_pct"] == 0.0
    assert trip["mfe_pct"] == pytest.approx(100 * 5 / 8)  # the exit beats every high


def test_an_open_trip_is_marked_at_the_last_close() -> None:
    table = trips(fills((1, "buy", 1, 10, 0), (2, "sell", 1, 9, 0), (4, "buy", 1, 10, 0.25)))
    assert table["open"].tolist() == [False, True]
    last = table.iloc[1]
    assert pd.isna(last["exit"])
    assert (last["exit_price"], last["bars"]) == (11.0, 2)
    assert last["return_pct"] == pytest.approx(7.5)


def test_where_a_symbol_has_no_bar_its_last_close_counts() -> None:
    halted = QUIET.drop(index=[2, 5])
    long = trips(fills((1, "buy", 1, 10, 0), (4, "sell", 1, 11, 0)), halted).iloc[0]
    assert (long["mae_pct"], long["mfe_pct"]) == (pytest.approx(-10.0), pytest.approx(20.0))
    through = trips(fills((2, "buy", 1, 10.5, 0), (3, "sell", 1, 10.5, 0)), halted).iloc[0]
    assert through["mfe_pct"] == pytest.approx(100 * (11 / 10.5 - 1))
    held = trips(fills((4, "buy", 1, 10, 0)), halted).iloc[0]
    assert (held["exit_price"], held["return_pct"]) == (11.0, pytest.approx(10.0))


def test_a_reversed_position_is_two_trips() -> None:
    table = trips(fills((1, "buy", 2, 10, 0), (2, "sell", 3, 12, 3), (4, "buy", 1, 11, 0)))
    assert table["side"].tolist() == ["long", "short"]
    # Two thirds of the fee are the first trip's, one third the second's, which so makes nothing.
    assert table["return_pct"].tolist() == pytest.approx([10.0, 0.0])
    assert table["exit"].iloc[0] == table["entry"].iloc[1]


def test_several_entries_are_one_trip_at_their_average_price() -> None:
    trades = fills((0, "buy", 1, 10, 0), (1, "buy", 3, 11, 0), (3, "sell", 4, 12, 0))
    (trip,) = trips(trades).to_dict("records")
    assert trip["entry_price"] == pytest.approx(10.75)
    assert trip["mae_pct"] == pytest.approx(100 * (9 / 10.75 - 1))


def test_rounding_errors_of_a_closing_fill_open_no_trip() -> None:
    trades = fills((0, "buy", 0.3, 10, 0), (1, "sell", 0.1 + 0.2, 11, 0), (3, "buy", 1, 10, 0))
    assert trips(trades)["entry"].tolist() == [DAYS[0], DAYS[3]]


def test_a_book_without_fills_has_no_trips() -> None:
    table = trips(fills())
    assert len(table) == 0
    summary = summarise_round_trips(table)
    assert (summary.finished, summary.open, summary.win_rate, summary.losing_streak) == (
        0,
        0,
        None,
        0,
    )
    assert (summary.payoff_ratio, summary.profit_factor, summary.mean_bars) == (None, None, None)


def test_the_summary_of_several_trips() -> None:
    table = pd.DataFrame(
        {
            "pnl_pct": [2.0, -1.0, 0.0, -2.0, 4.0, -1.0, 99.0],
            "bars": [1, 2, 3, 4, 5, 3, 50],
            "open": [*[False] * 6, True],
        }
    )
    summary = summarise_round_trips(table)
    assert (summary.finished, summary.open) == (6, 1)
    assert summary.win_rate == pytest.approx(2 / 6)
    assert summary.payoff_ratio == pytest.approx(3.0 / 1.0)
    assert summary.profit_factor == pytest.approx(6.0 / 4.0)
    assert (summary.mean_bars, summary.losing_streak) == (3.0, 3)


def test_without_a_loss_there_is_no_payoff_ratio() -> None:
    summary = summarise_round_trips(pd.DataFrame({"pnl_pct": [1.0], "bars": [1], "open": [False]}))
    assert (summary.win_rate, summary.payoff_ratio, summary.profit_factor) == (1.0, None, None)


def walked(trades: pd.DataFrame, bars: pd.DataFrame, filled_at: str) -> list[dict[str, Any]]:
    """One bar after the other: fills change a position, highs and lows mark it."""
    done, under_way = [], {}
    for stamp in DATES:
        today = trades[trades["timestamp"] == stamp]
        if filled_at == "open":
            filled(today, under_way, done, stamp)
        for symbol, trip in under_way.items():
            bar = bars[(bars["symbol"] == symbol) & (bars["timestamp"] == stamp)].iloc[0]
            for price in (bar["high"], bar["low"]):
                trip["marks"].append(trip["way"] * (price - trip["cost"]) / trip["cost"])
        if filled_at == "close":
            filled(today, under_way, done, stamp)
        for trip in under_way.values():
            trip["bars"] += 1
    last = bars[bars["timestamp"] == DATES[-1]].set_index("symbol")["close"]
    for symbol, trip in under_way.items():
        trip["money"] += trip["way"] * trip["units"] * last[symbol]
        done.append(trip | {"exit": pd.NaT})
    return done


def filled(today: pd.DataFrame, under_way: dict, done: list, stamp: pd.Timestamp) -> None:
    for fill in today.to_dict("records"):
        way, left = (1.0 if fill["side"] == "buy" else -1.0), fill["size"]
        trip = under_way.get(fill["symbol"])
        if trip is not None and trip["way"] != way:
            size = min(left, trip["units"])
            trip["marks"].append(trip["way"] * (fill["price"] - trip["cost"]) / trip["cost"])
            pay(trip, fill, size, way)
            trip["units"] -= size
            left -= size
            if trip["units"] < 1e-9 * trip["most"]:
                done.append(under_way.pop(fill["symbol"]) | {"exit": stamp})
        if left > 1e-9 * fill["size"]:
            trip = under_way.setdefault(
                fill["symbol"],
                {"symbol": fill["symbol"], "way": way, "entry": stamp, "equity": fill["equity"]}
                | dict.fromkeys(("units", "cost", "money", "value", "costs", "most", "bars"), 0.0)
                | {"marks": [0.0]},
            )
            pay(trip, fill, left, way)
            trip["value"] += left * fill["price"]
            held = trip["units"] + left
            trip["cost"] = (trip["cost"] * trip["units"] + fill["price"] * left) / held
            trip["units"], trip["most"] = held, max(trip["most"], held)


def pay(trip: dict, fill: dict, size: float, way: float) -> None:
    part = size / fill["size"]
    trip["money"] -= way * size * fill["price"] + part * fill["fee"]
    trip["costs"] += part * (fill["fee"] + fill["slippage_cost"])


DATES = pd.date_range("2021-01-01", periods=260, tz="UTC", name="timestamp")


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
@pytest.mark.parametrize("symbols", [1, 2])
def test_trips_of_a_simulated_book_equal_a_loop_over_the_bars(price: str, symbols: int) -> None:
    rng = np.random.default_rng(17)
    names = ["A", "B"][:symbols]
    close = pd.DataFrame(
        100 * np.exp(np.cumsum(rng.normal(0, 0.02, (260, symbols)), axis=0)), DATES, names
    )
    opens = close.shift(1).fillna(100.0) * (1 + rng.normal(0, 0.004, (260, symbols)))
    high = np.maximum(opens, close) * 1.006
    low = np.minimum(opens, close) * 0.993
    # In parts, flat, turned over: weights from a few values, each kept for some bars.
    drawn = rng.choice([-0.5, 0.0, 0.0, 0.25, 0.45], (260 // 4, symbols))
    weights = pd.DataFrame(np.repeat(drawn, 4, axis=0), DATES, names)
    result = simulate(
        weights,
        opens,
        close,
        costs=Costs(fee_bps=8, slippage_bps=4),
        execution=Execution(price=price),
    )
    bars = pd.concat(
        pd.DataFrame({"timestamp": DATES, "symbol": name, "high": high[name], "low": low[name],
                      "close": close[name]})
        for name in names
    )  # fmt: skip
    table = round_trip_table(result.trades, bars, DATES, fill_price=price)
    slow = walked(result.trades, bars, price)
    assert len(table) == len(slow) > 15 * symbols
    assert set(table["side"]) == {"long", "short"}
    assert table["open"].any()
    key = ["entry", "symbol"]
    expected = pd.DataFrame(
        {
            "entry": trip["entry"],
            "symbol": trip["symbol"],
            "exit": trip["exit"],
            "bars": trip["bars"],
            "return_pct": 100 * trip["money"] / trip["value"],
            "pnl_pct": 100 * trip["money"] / trip["equity"],
            "cost_pct": 100 * trip["costs"] / trip["value"],
            "mae_pct": 100 * min(trip["marks"]),
            "mfe_pct": 100 * max(trip["marks"]),
        }
        for trip in slow
    ).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(
        table.sort_values(key, ignore_index=True)[list(expected)],
        expected,
        check_dtype=False,
        rtol=1e-9,
    )
    assert summarise_round_trips(table).win_rate == trade_metrics.hit_rate(result.trades)
