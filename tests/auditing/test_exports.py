"""Results of platforms: TradingView, freqtrade, Lean, MetaTrader, zipline, PyBroker."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.auditing import AuditOptions, AuditSettings, audit_file
from engine.auditing.backtest import AuditedBacktest
from engine.auditing.closed_trades import ClosedTrades
from engine.auditing.readers import open_table, read_export, read_returns, read_trades
from engine.core.errors import UsageError
from tests.auditing.tables import write
from tests.auditing.test_trades_and_positions import CLOSES, TRADINGVIEW

if TYPE_CHECKING:
    from pathlib import Path

TRADES = [
    {
        "pair": "A/B",
        "amount": 10.0,
        "open_rate": opened,
        "open_date": f"2020-01-0{first} 00:00:00+00:00",
        "close_date": f"2020-01-0{last} 00:00:00+00:00",
        "profit_abs": profit,
        "profit_ratio": profit / 1_000,
        "is_short": short,
    }
    for opened, first, last, profit, short in (
        (100, 1, 3, 100.0, False),
        (110, 3, 4, -110.0, True),
    )
]
FREQTRADE = {"strategy": {"Mine": {"trades": TRADES, "starting_balance": 1000}}}
NIGHTS = [pd.Timestamp(f"2020-01-0{day}", tz="America/New_York").timestamp() for day in (2, 3, 4)]
LEAN = {
    "charts": {
        "Strategy Equity": {
            "series": {
                "Equity": {
                    "values": [
                        [night, value, value, value, value]
                        for night, value in zip(NIGHTS, (1_000, 1_100, 990), strict=True)
                    ]
                }
            }
        }
    },
    "totalPerformance": {"closedTrades": [{}, {}]},
}
METATRADER = """<html><body><table>
<tr><td colspan="13">Deals</td></tr>
<tr><th>Time</th><th>Deal</th><th>Symbol</th><th>Type</th><th>Direction</th><th>Profit</th>\
<th>Balance</th></tr>
<tr><td>2020.01.01 00:00:00</td><td>1</td><td></td><td>balance</td><td></td><td>1 000.00</td>\
<td>1 000.00</td></tr>
<tr><td>2020.01.01 09:00:00</td><td>2</td><td>A</td><td>buy</td><td>in</td><td>0.00</td>\
<td>1 000.00</td></tr>
<tr><td>2020.01.03 09:00:00</td><td>3</td><td>A</td><td>sell</td><td>out</td><td>100.00</td>\
<td>1 100.00</td></tr>
</table></body></html>"""


def write_json(path: Path, document: object) -> Path:
    return write(path, json.dumps(document))


def test_tradingview_pairs_entries_with_exits_and_knows_its_capital(tmp_path: Path) -> None:
    trades = read_trades(open_table(write(tmp_path / "t.csv", TRADINGVIEW)))

    read, marked = trades.to_backtest(None), trades.to_backtest(None, CLOSES)

    assert trades.capital == 1_000.0
    assert read.returns.tolist() == pytest.approx([0, 0, 0.1, -0.1])
    assert marked.returns.tolist() == pytest.approx([0, 0.05, 1_100 / 1_050 - 1, -0.1])
    assert read.round_trips == 2
    assert "1 open trades left out" in read.notes


def test_freqtrade_json_and_its_zip_hold_the_same(tmp_path: Path) -> None:
    plain = write_json(tmp_path / "backtest-result.json", FREQTRADE)
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("backtest-result.json", json.dumps(FREQTRADE))
        archive.writestr("backtest-result_config.json", "{}")

    for path in (plain, tmp_path / "r.zip"):
        trades = read_export(path)
        assert isinstance(trades, ClosedTrades)
        assert trades.to_backtest(None).returns.tolist() == pytest.approx([0, 0, 0.1, -0.1])
        assert trades.to_backtest(None, CLOSES).returns.iloc[1] == pytest.approx(0.05)


def test_lean_takes_midnight_in_new_york_as_the_end_of_the_day(tmp_path: Path) -> None:
    read = read_export(write_json(tmp_path / "lean.json", LEAN))

    assert isinstance(read, AuditedBacktest)
    assert read.returns.tolist() == pytest.approx([0.1, -0.1])
    assert [f"{stamp:%Y-%m-%d}" for stamp in read.returns.index] == ["2020-01-02", "2020-01-03"]
    assert read.round_trips == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_metatrader_moves_by_its_balance(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(METATRADER, encoding=encoding)

    read = read_export(path)

    assert isinstance(read, AuditedBacktest)
    assert read.returns.tolist() == pytest.approx([0.0, 0.1])
    assert (read.round_trips, read.by_exits) == (1, True)


def test_zipline_and_pybroker_tables_are_read_by_the_names_of_their_columns(
    tmp_path: Path,
) -> None:
    zipline = ",returns,portfolio_value,pnl\n2020-01-02,0.0,100,0\n2020-01-03,0.01,101,1\n"
    pybroker = "date,cash,equity,margin,pnl\n2020-01-02,9,100,0,0\n2020-01-03,9,101,0,1\n"

    ours, theirs = (
        read_returns(open_table(write(tmp_path / f"{len(text)}.csv", text)))
        for text in (zipline, pybroker)
    )

    assert ours.returns.tolist() == [0.0, 0.01]
    assert theirs.returns.tolist() == pytest.approx([0.01])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"x": 1}'),
        ("b.json", '{"x": '),
        ("c.json", '{"strategy": {"A": {"trades": []}, "B": {"trades": []}}}'),
        ("d.html", "<html><body>login</body></html>"),
        ("e.html", METATRADER.replace("2020.01.03", "03 January")),
    ],
)
def test_other_json_and_html_are_told(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_export(write(tmp_path / name, text))

    assert caught.value.found
    assert caught.value.fix


def test_an_export_is_judged_like_any_other_file(tmp_path: Path) -> None:
    path = write_json(tmp_path / "lean.json", LEAN)

    result = audit_file("returns", path, AuditOptions(), AuditSettings())

    assert result.document.source == "Lean"
    assert result.grade == "none"


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [
        ("returns", METATRADER, "lean"),
        ("returns", json.dumps(LEAN), "metatrader"),
        ("trades", json.dumps(LEAN), "freqtrade"),
        ("returns", "date,returns\n2020-01-01,0.01\n", "lean"),
        ("trades", TRADINGVIEW, "vectorbt"),
        ("returns", TRADINGVIEW, "tradingview"),
        ("trades", TRADINGVIEW, "table"),
        ("trades", TRADINGVIEW, "excel"),
    ],
)
def test_a_file_that_is_not_of_the_given_format_is_told(
    tmp_path: Path, kind: str, content: str, name: str
) -> None:
    path = write(tmp_path / "f", content)

    with pytest.raises(UsageError):
        audit_file(kind, path, AuditOptions(format_name=name), AuditSettings())


def test_a_given_format_chooses_among_columns_that_fit_several(tmp_path: Path) -> None:
    columns = "entry_timestamp,exit_timestamp,pnl,return,entry_time,exit_time"
    row = "2020-01-01,2020-01-03,100,0.1,2020-02-01,2020-02-03"
    file = open_table(write(tmp_path / "t.csv", f"{columns}\n{row}\n"))

    read = {name: read_trades(file, name) for name in ("vectorbt", "trades")}

    assert [each.frame["exit"][0].month for each in read.values()] == [1, 2]
    assert [each.source for each in read.values()] == list(read)


@pytest.mark.parametrize("name", ["auto", "lean", "Lean"])
def test_the_format_that_a_file_has_may_be_given(tmp_path: Path, name: str) -> None:
    found = read_export(write_json(tmp_path / "r.json", LEAN), name.lower())

    assert isinstance(found, AuditedBacktest)
