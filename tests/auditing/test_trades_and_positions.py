"""Lists of trades and positions over bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.auditing import AuditOptions, AuditSettings, audit_file
from engine.auditing.readers import open_table, read_positions, read_trades
from engine.core.errors import UsageError
from tests.auditing.tables import days, noise, write, write_csv

if TYPE_CHECKING:
    from pathlib import Path

BACKTESTING_PY = """,Size,EntryBar,ExitBar,EntryPrice,ExitPrice,SL,TP,PnL,ReturnPct,\
EntryTime,ExitTime
0,10,0,2,100,110,,,100,0.1,2020-01-01,2020-01-03
1,-10,2,3,110,121,,,-110,-0.1,2020-01-03,2020-01-04
"""
VECTORBT = """Exit Trade Id,Column,Size,Entry Timestamp,Avg Entry Price,Entry Fees,Exit Timestamp,\
Avg Exit Price,Exit Fees,PnL,Return,Direction,Status,Position Id
0,A,10,2020-01-01,100,0,2020-01-03,110,0,100,0.1,Long,Closed,0
1,A,10,2020-01-03,110,0,2020-01-04,121,0,-110,-0.1,Short,Closed,1
2,A,10,2020-01-04,121,0,2020-01-04,121,0,0,0,Long,Open,2
"""
PYBROKER = """id,type,symbol,entry_date,exit_date,entry,exit,shares,pnl,return_pct,agg_pnl,bars
1,long,A,2020-01-01,2020-01-03,100,110,10,100,10,100,2
2,short,A,2020-01-03,2020-01-04,110,121,10,-110,-10,-10,1
"""
FREQTRADE = """pair,amount,open_rate,close_rate,open_date,close_date,profit_abs,\
profit_ratio,is_short
A,10,100,110,2020-01-01 00:00:00+00:00,2020-01-03 00:00:00+00:00,100,0.1,False
A,10,110,121,2020-01-03 00:00:00+00:00,2020-01-04 00:00:00+00:00,-110,-0.1,True
"""
PLAIN = """entry_time,exit_time,pnl,return
2020-01-01,2020-01-03,100,0.1
2020-01-03,2020-01-04,-110,-0.1
"""
TRADINGVIEW = """Trade #,Type,Date/Time,Signal,Price USD,Position size (qty),Net P&L USD,\
Net P&L %,Cumulative P&L USD,Cumulative P&L %
1,Exit long,2020-01-03 00:00,x,110,10,100,10,100,10
1,Entry long,2020-01-01 00:00,e,100,10,100,10,100,10
2,Exit short,2020-01-04 00:00,x,121,10,-110,-10,-10,-1
2,Entry short,2020-01-03 00:00,e,110,10,-110,-10,-10,-1
3,Entry long,2020-01-04 00:00,e,121,10,0,0,-10,-1
"""
EXPORTS = {
    "backtesting.py": BACKTESTING_PY,
    "vectorbt": VECTORBT,
    "PyBroker": PYBROKER,
    "freqtrade": FREQTRADE,
    "trades": PLAIN,
}
CLOSES = pd.Series([100.0, 105.0, 110.0, 121.0], days(4), name="close")


@pytest.mark.parametrize("tool", EXPORTS)
def test_two_trades_of_every_tool_move_the_account_at_their_exits(
    tmp_path: Path, tool: str
) -> None:
    trades = read_trades(open_table(write(tmp_path / "t.csv", EXPORTS[tool])))

    by_profit, by_return = trades.to_backtest(1_000.0), trades.to_backtest(None)

    assert by_profit.source == tool
    assert by_profit.returns.tolist() == pytest.approx([0, 0, 0.1, -0.1])
    assert by_return.returns.tolist() == pytest.approx([0, 0, 0.1, -0.1])
    assert by_profit.by_exits
    assert by_profit.round_trips == 2


@pytest.mark.parametrize("tool", [tool for tool in EXPORTS if tool != "trades"])
def test_bars_mark_open_trades_at_each_close(tmp_path: Path, tool: str) -> None:
    trades = read_trades(open_table(write(tmp_path / "t.csv", EXPORTS[tool])))

    marked = trades.to_backtest(1_000.0, CLOSES)

    assert marked.returns.tolist() == pytest.approx([0, 0.05, 1_100 / 1_050 - 1, -0.1])
    assert not marked.by_exits


def test_marked_and_exit_equities_end_at_the_same_profit(tmp_path: Path) -> None:
    trades = read_trades(open_table(write(tmp_path / "t.csv", BACKTESTING_PY)))

    ends = [
        float((1 + each.returns).prod())
        for each in (trades.to_backtest(1_000.0), trades.to_backtest(1_000.0, CLOSES))
    ]

    assert ends == pytest.approx([0.99, 0.99])


def test_open_trades_are_left_out_and_told(tmp_path: Path) -> None:
    trades = read_trades(open_table(write(tmp_path / "t.csv", VECTORBT)))

    assert trades.notes == ("1 open trade left out",)


@pytest.mark.parametrize(
    ("text", "capital", "problem"),
    [
        ("a,b\n1,2\n", None, "format of the trades"),
        ("entry_time,exit_time,pnl\n2020-01-01,2020-01-03,100\n", None, "no capital"),
        ("entry_time,exit_time,pnl\n2020-01-01,2020-01-03,-100\n", 50.0, "not above 0"),
        ("entry_time,exit_time,pnl\n2020-01-03,2020-01-01,1\n", 50.0, "ends before it begins"),
        ("entry_time,exit_time,pnl\n2020-01-03,,1\n", 50.0, "no trade is closed"),
        (
            "entry_time,exit_time,return\n2020-01-01,2020-01-03,0.1\n2020-01-02,2020-01-04,0\n",
            None,
            "overlap",
        ),
    ],
)
def test_trades_without_an_account_are_refused(
    tmp_path: Path, text: str, capital: float | None, problem: str
) -> None:
    path = write(tmp_path / "t.csv", text)

    with pytest.raises(UsageError, match=problem):
        read_trades(open_table(path)).to_backtest(capital)


def test_bars_that_end_before_the_trades_are_refused(tmp_path: Path) -> None:
    trades = read_trades(open_table(write(tmp_path / "t.csv", BACKTESTING_PY)))

    with pytest.raises(UsageError, match="do not cover"):
        trades.to_backtest(1_000.0, CLOSES.iloc[:2])


def test_risk_between_entry_and_exit_is_named_as_not_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", PLAIN)

    result = audit_file("trades", path, AuditOptions(), AuditSettings())

    assert "How deep did open trades fall?" in {
        each.question for each in result.document.not_shown
    }
    assert result.document.round_trips == 2


def test_a_position_earns_from_the_next_bar_on_and_pays_for_changes(tmp_path: Path) -> None:
    weights = pd.Series([1.0, 0.0, -1.0, 0.0], days(4), name="A")
    positions, bars = (
        open_table(write_csv(each, tmp_path / f"{each.name}.csv")) for each in (weights, CLOSES)
    )

    read = read_positions(positions, bars, cost_bps=10.0)

    moves = CLOSES.pct_change().to_numpy()[1:]
    assert read.returns.tolist() == pytest.approx([moves[0] - 0.001, -0.001, -moves[2] - 0.001])
    assert read.round_trips == 1


def test_bars_after_a_time_change_no_return_at_or_before_it(tmp_path: Path) -> None:
    weights = write_csv(np.sign(noise(seed=3)).rename("A"), tmp_path / "w.csv")
    closes = (1 + noise(seed=4)).cumprod().rename("close")
    changed = closes.where(closes.index < closes.index[200], 7.0)

    first, second = (
        read_positions(
            open_table(weights), open_table(write_csv(each, tmp_path / "b.csv")), 5.0
        ).returns
        for each in (closes, changed)
    )

    assert first[: closes.index[199]].equals(second[: closes.index[199]])


def test_positions_that_know_the_next_bar_lose_it_by_one_bar_of_delay(tmp_path: Path) -> None:
    closes = (1 + noise(seed=4)).cumprod().rename("close")
    ahead = np.sign(closes.pct_change().shift(-1)).fillna(0.0).rename("A")
    options = AuditOptions(bars=write_csv(closes, tmp_path / "b.csv"))

    result = audit_file(
        "positions", write_csv(ahead, tmp_path / "w.csv"), options, AuditSettings(tries=1)
    )

    sharpes = {
        each.delay_bars: each.sharpe for each in result.document.scenarios if not each.cost_bps
    }
    assert sharpes[0] > 10
    assert sharpes[1] < 3
    assert result.grade == "weak"
    assert result.significance.timing.p_value < 0.01


def test_positions_of_several_symbols_are_compared_with_holding_all(tmp_path: Path) -> None:
    closes = pd.DataFrame({"A": (1 + noise(seed=1)).cumprod(), "B": (1 + noise(seed=2)).cumprod()})
    weights = pd.DataFrame({"A": 0.5, "B": 0.5}, index=closes.index)
    bars = write_csv(closes, tmp_path / "b.csv")

    result = audit_file(
        "positions",
        write_csv(weights, tmp_path / "w.csv"),
        AuditOptions(bars=bars),
        AuditSettings(),
    )

    growth = float((1 + result.returns["buy_and_hold"]).prod())
    assert growth == pytest.approx(float((closes.iloc[-1] / closes.iloc[0]).mean()))


@pytest.mark.parametrize(
    ("size", "start", "problem"), [(100.0, "2020-01-01", "fractions"), (1.0, "2010-01-01", "lack")]
)
def test_units_and_bars_of_other_times_are_refused(
    tmp_path: Path, size: float, start: str, problem: str
) -> None:
    weights = pd.Series(size, days(4, start), name="A")
    positions, bars = (
        open_table(write_csv(each, tmp_path / f"{each.name}.csv")) for each in (weights, CLOSES)
    )

    with pytest.raises(UsageError, match=problem):
        read_positions(positions, bars, 0.0)


def test_positions_need_bars(tmp_path: Path) -> None:
    path = write_csv(pd.Series(1.0, days(40), name="A"), tmp_path / "w.csv")

    with pytest.raises(UsageError, match="without bars"):
        audit_file("positions", path, AuditOptions(), AuditSettings())
