"""What `backtest data funding` prints and writes; the rates are cached."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.data.fetch.funding import load_funding_rates
from tests.data.sources.exchanges import ExchangeFetcher, hours
from tests.servers.binance import Binance
from tests.servers.local import serve

PERPS = """name: perps
interval: 1h
calendar: 24/7
symbols: [BTC]
start: 2024-03-01
sources:
  - {kind: ccxt, exchange: binance, funding: true, symbols: {BTC: "BTC/USDT:USDT"}}
"""
FIRST = int(pd.Timestamp("2024-03-01", tz="UTC").timestamp())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    (tmp_path / "perps.yaml").write_text(PERPS)
    ticker = "BTC/USDT:USDT"
    rates = {ticker: [(FIRST + i * 28_800, 1e-4) for i in range(22)]}
    with serve(Binance({ticker: hours(300)}, rates=rates)) as served:
        load_funding_rates(
            "perps.yaml",
            home=tmp_path / "home",
            clients=ExchangeFetcher("binance", served).clients,
            now=pd.Timestamp("2024-03-09", tz="UTC"),
        )
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(app, ("data", "funding", *arguments))


def test_each_symbol_is_a_line_with_what_longs_paid():
    result = invoke("perps.yaml", "--offline")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        "BTC  22 rates, 2024-03-01 00:00 to 2024-03-08 00:00, mean +1.000 bps, +10.9 % a year\n"
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_holds_every_rate(folder, suffix):
    out = folder / f"rates.{suffix}"
    result = invoke("perps.yaml", "--offline", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    table = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    assert list(table) == ["timestamp", "symbol", "rate"]
    assert table["rate"].tolist() == [1e-4] * 22


def test_json_is_one_value_on_stdout():
    document = json.loads(invoke("perps.yaml", "--offline", "--json").stdout)
    assert document["BTC"]["rates"] == 22
    assert document["BTC"]["per_year_pct"] == pytest.approx(3 * 365 * 0.01)


def test_another_file_suffix_is_a_usage_error():
    result = invoke("perps.yaml", "--offline", "--out", "rates.xlsx")
    assert result.exit_code == 2
    assert ".csv or .parquet" in result.stderr


def test_no_cached_rates_exit_with_3(folder, monkeypatch):
    monkeypatch.setenv("BACKTEST_HOME", str(folder / "empty"))
    result = invoke("perps.yaml", "--offline")
    assert result.exit_code == 3
    assert "leave --offline out" in result.stderr
