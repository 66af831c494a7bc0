"""`backtest data pull | show | diff | export`, against an exchange on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.data.sources.clients import Clients
from tests.servers.bitstamp import Bitstamp
from tests.servers.candles import candles
from tests.servers.local import Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400
COUNT = 400
COINS = """name: coins
interval: 1d
calendar: 24/7
symbols: [BTC-USD, ETH-USD]
sources:
  - {kind: ccxt, exchange: bitstamp}
note: Nobody may use this.
"""


@pytest.fixture
def books() -> dict[str, list]:
    """Whole histories up to today's bar, which is not over."""
    today = int(pd.Timestamp.now("UTC").normalize().timestamp())
    first = today - (COUNT - 1) * DAY
    return {
        "BTC/USD": candles(first, COUNT, scale=30_000),
        "ETH/USD": candles(first + 100 * DAY, COUNT - 100, scale=2_000),
    }


@pytest.fixture
def exchange(books) -> Iterator[Served]:
    with serve(Bitstamp({pair: book[:-2] for pair, book in books.items()})) as served:
        yield served


@pytest.fixture
def backtest(exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    (tmp_path / "coins.yaml").write_text(COINS)
    url = {"public": f"{exchange.url}/api"}
    clients = Clients(timeout_s=1.0, pauses_s=(), exchange={"urls": {"api": url}, "rateLimit": 1})

    def run(command: str, *arguments: str, dataset: str = "coins.yaml"):
        return CliRunner().invoke(app, ["data", command, dataset, *arguments], obj=clients)

    return run


@pytest.fixture
def revised(backtest, exchange, books):
    """Pulled twice; in between a bar was added, one corrected, and one taken away."""
    assert backtest("pull").exit_code == 0
    book = exchange.site.books
    book["BTC/USD"], book["ETH/USD"] = (list(books[pair][:-1]) for pair in book)
    book["BTC/USD"][-10] = replace(book["BTC/USD"][-10], volume=40.0)
    del book["ETH/USD"][-20]
    return backtest("pull")


def day(back: int) -> str:
    """The date of a bar so many before today's."""
    return f"{pd.Timestamp.now('UTC').normalize() - pd.Timedelta(days=back):%Y-%m-%d}"


class TestPull:
    def test_every_symbol_is_told_with_its_bars_and_those_that_are_new(self, backtest):
        result = backtest("pull")
        assert result.exit_code == 0
        first, btc, eth, vintage = result.stdout.splitlines()
        assert first == "ccxt:bitstamp"
        # Today's bar and, so far, yesterday's are not among them.
        assert btc == f"  BTC-USD  398 bars, {day(399)} to {day(2)}, 398 new"
        assert eth == f"  ETH-USD  298 bars, {day(299)} to {day(2)}, 298 new"
        assert vintage.startswith("  vintage ")

    def test_a_second_pull_tells_that_nothing_is_new(self, backtest):
        first = backtest("pull").stdout.splitlines()
        again = backtest("pull").stdout.splitlines()
        assert [line.endswith(", none new") for line in again] == [False, True, True, False]
        assert again[-1] == first[-1]

    def test_what_was_revised_is_told(self, revised):
        assert revised.exit_code == 0
        _, btc, btc_revised, eth, eth_revised, _ = revised.stdout.splitlines()
        assert btc == f"  BTC-USD  399 bars, {day(399)} to {day(1)}, 1 new"
        assert btc_revised.strip().startswith(
            f"revised: 1 bar changed, most of all the volume of {day(10)}, from "
        )
        assert eth.endswith(", 1 new")
        assert eth_revised.strip() == f"revised: 1 bar gone; all on {day(20)}"
        assert "BTC-USD of ccxt:bitstamp was revised" in revised.stderr

    def test_only_a_pull_of_all_sees_what_was_revised_long_ago(self, backtest, exchange):
        backtest("pull")
        book = exchange.site.books["BTC/USD"]
        book[5] = replace(book[5], volume=40.0)
        assert "revised" not in backtest("pull").stdout
        assert "revised: 1 bar changed" in backtest("pull", "--all").stdout

    def test_a_symbol_that_fails_is_told_and_the_others_are_kept(self, backtest, exchange):
        book = exchange.site.books.pop("ETH/USD")
        result = backtest("pull")
        assert result.exit_code == 3
        _, btc, eth = result.stdout.splitlines()
        assert btc.endswith(", 398 new")
        assert eth.startswith("  ETH-USD  failed: ccxt knows no symbol ETH/USD")
        exchange.site.books["ETH/USD"] = book
        assert "398 bars" in (again := backtest("pull").stdout)
        assert ", none new" in again.splitlines()[1]

    def test_json_is_one_object_and_nothing_else(self, revised, backtest):
        result = backtest("pull", "--json", "--quiet")
        told = json.loads(result.stdout)
        assert (told["dataset"], told["delivered"]) == ("coins", True)
        (source,) = told["sources"]
        assert source["symbols"]["BTC-USD"]["new"] == 0
        assert source["symbols"]["BTC-USD"]["bars"] == 399
        assert told["vintage"] == revised.stdout.split()[-1]

    def test_files_are_not_pulled(self, backtest):
        backtest("pull")
        backtest("export", "--out", "x")
        result = backtest("pull", dataset="x/coins.yaml")
        assert result.exit_code == 0
        assert "read where they lie, not pulled" in result.stdout

    def test_a_dataset_that_is_not_there_ends_with_3(self, backtest):
        assert backtest("pull", dataset="no-such").exit_code == 3


class TestShow:
    def test_before_a_pull_it_says_how_to_pull(self, backtest, exchange):
        result = backtest("show")
        assert result.exit_code == 0
        assert "nothing pulled yet; `backtest data pull coins.yaml` does it" in result.stdout
        assert exchange.log == []

    def test_each_symbol_has_a_strip_of_its_bars_within_eighty_columns(self, revised, backtest):
        lines = backtest("show").stdout.splitlines()
        assert revised.exit_code == 0
        assert max(map(len, lines)) <= 80
        btc, eth = (
            next(line for line in lines if line.startswith(f"  {symbol} "))
            for symbol in ("BTC-USD", "ETH-USD")
        )
        strip = btc[10:43]
        assert set(strip) == {"█"}
        assert btc[43:].split() == [day(399), day(1), "399", "2"]
        # A quarter of the time ETH was not traded, and one bar is gone at the end.
        assert eth[10:17] == "·" * 7
        assert eth[41] == "▓"
        assert set(eth[19:41]) == {"█"}

    def test_gaps_are_told_with_their_dates(self, revised, backtest):
        text = backtest("show").stdout
        assert revised.exit_code == 0
        assert f"  ETH-USD: 1 bar missing:\n    {day(20)}\n" in text
        assert "BTC-USD: " not in text

    def test_vintages_are_listed_the_newest_first(self, revised, backtest):
        lines = backtest("show").stdout.splitlines()
        newest, oldest = lines[-2:]
        assert newest.split()[0] == revised.stdout.split()[-1]
        assert newest.endswith("BTC-USD +1, 1 revised; ETH-USD +1, 1 revised")
        assert oldest.endswith("BTC-USD +398; ETH-USD +298")

    def test_json_has_every_gap_and_vintage(self, revised, backtest):
        (source,) = json.loads(backtest("show", "--json").stdout)["sources"]
        assert source["vintages"][-1]["id"] == revised.stdout.split()[-1]
        eth = source["symbols"]["ETH-USD"]
        assert (eth["bars"], eth["expected"], eth["vintages"]) == (298, 299, 2)
        assert [gap["bars"] for gap in eth["gaps"]] == [1]

    def test_bundled_bars_are_drawn_too(self, backtest):
        lines = backtest("show", dataset="us-indices").stdout.splitlines()
        assert "1999-01-04 2018-12-31     5,031    -" in lines[-1]


class TestDiff:
    def test_without_vintages_the_last_revision_is_shown(self, revised, backtest):
        lines = backtest("diff").stdout.splitlines()
        assert lines[0].startswith("from vintage ")
        assert revised.stdout.split()[-1] in lines[1]
        assert lines[2].startswith("BTC-USD: 1 bar new; 1 bar changed, most of all the volume")
        assert lines[3].split()[:2] == [day(10), "volume"]
        assert lines[4] == f"ETH-USD: 1 bar new; 1 bar gone; all on {day(20)}"

    def test_two_vintages_can_be_named_in_either_order(self, revised, backtest):
        assert revised.exit_code == 0
        told = json.loads(backtest("diff", "--json").stdout)
        back = json.loads(backtest("diff", told["to"], told["from"], "--json").stdout)
        (value,) = told["symbols"]["BTC-USD"]["values"]
        (other,) = back["symbols"]["BTC-USD"]["values"]
        assert (value["before"], value["after"]) == (other["after"], other["before"])
        assert back["symbols"]["ETH-USD"]["revision"]["added"] == 1

    def test_a_vintage_and_itself_are_the_same(self, revised, backtest):
        newest = revised.stdout.split()[-1]
        assert "BTC-USD: the same bars" in backtest("diff", newest, newest).stdout

    def test_without_any_it_ends_with_3_and_says_how_to_pull(self, backtest):
        result = backtest("diff")
        assert result.exit_code == 3
        assert "backtest data pull coins.yaml" in result.stderr

    def test_what_is_no_vintage_ends_with_2(self, revised, backtest):
        assert revised.exit_code == 0
        assert backtest("diff", "newest").exit_code == 2


class TestExport:
    @pytest.mark.parametrize("format_", ["csv", "parquet"])
    def test_the_files_are_a_dataset_of_the_same_bars(self, backtest, format_):
        backtest("pull")
        result = backtest("export", "--out", "x", "--format", format_)
        assert result.exit_code == 0
        assert result.stdout.split() == [
            f"x/BTC-USD.{format_}",
            f"x/ETH-USD.{format_}",
            "x/coins.yaml",
        ]
        here = backtest("export", "--out", "y", "--format", "csv", dataset="x/coins.yaml")
        assert here.exit_code == 0
        again = [pd.read_csv(f"y/{symbol}.csv") for symbol in ("BTC-USD", "ETH-USD")]
        assert [len(bars) for bars in again] == [398, 298]

    def test_an_old_vintage_can_be_exported(self, revised, backtest):
        assert revised.exit_code == 0
        old = json.loads(backtest("diff", "--json").stdout)["from"]
        backtest("export", "--out", "old", "--vintage", old)
        backtest("export", "--out", "new")
        assert [len(pd.read_parquet(f"{name}/BTC-USD.parquet")) for name in ("old", "new")] == [
            398,
            399,
        ]

    def test_the_manifest_keeps_the_note_and_names_the_vintage(self, backtest, tmp_path):
        vintage = backtest("pull").stdout.split()[-1]
        backtest("export", "--out", "x")
        text = " ".join((tmp_path / "x" / "coins.yaml").read_text().split())
        assert f"Nobody may use this. Exported from ccxt:bitstamp, vintage {vintage}." in text

    def test_files_that_are_there_are_left_alone(self, backtest, tmp_path):
        backtest("pull")
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "ETH-USD.parquet").write_text("mine")
        result = backtest("export", "--out", "x")
        assert result.exit_code == 2
        assert [path.name for path in (tmp_path / "x").iterdir()] == ["ETH-USD.parquet"]
        assert (tmp_path / "x" / "ETH-USD.parquet").read_text() == "mine"

    def test_a_folder_that_cannot_be_made_ends_with_3(self, backtest, tmp_path):
        backtest("pull")
        (tmp_path / "x").write_text("in the way")
        assert backtest("export", "--out", "x/y").exit_code == 3
