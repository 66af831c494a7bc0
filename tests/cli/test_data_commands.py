"""`backtest data pull | show | diff | export`, against an exchange on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.data_pull import INTERRUPTED_BARS_STORED
from engine.cli.main import app
from engine.data.bars import normalise_bars
from engine.data.sources.client_settings import ClientSettings
from engine.data.store import cache
from engine.data.store.cache import CacheKey
from engine.data.store.vintages import VersionedBars, list_dataset_vintages
from tests.servers.bitstamp import Bitstamp
from tests.servers.candles import candles
from tests.servers.local import Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.candles import Candle

DAY = 86_400
COUNT = 400
NOBODY = ClientSettings(exchange_options={"urls": {"api": {"public": "http://127.0.0.1:9/api"}}})
COINS = """name: coins
interval: 1d
calendar: 24/7
symbols: [BTC-USD, ETH-USD]
sources:
  - {kind: ccxt, exchange: bitstamp}
note: Nobody may use this.
"""


@pytest.fixture
def books() -> dict[str, list[Candle]]:
    """Whole histories up to today's bar, which is not over."""
    today = int(pd.Timestamp.now("UTC").normalize().timestamp())
    first = today - (COUNT - 1) * DAY
    return {
        "BTC/USD": candles(first, COUNT, scale=30_000),
        "ETH/USD": candles(first + 100 * DAY, COUNT - 100, scale=2_000),
    }


def corrected(books: dict[str, list[Candle]]) -> dict[str, list[Candle]]:
    """The histories with a volume of BTC corrected, and a bar of ETH taken away."""
    btc, eth = (list(book) for book in books.values())
    btc[-11] = replace(btc[-11], volume=40.0)
    del eth[-21]
    return {"BTC/USD": btc, "ETH/USD": eth}


@pytest.fixture
def exchange(books) -> Iterator[Served]:
    with serve(Bitstamp({pair: book[:-2] for pair, book in books.items()})) as served:
        yield served


@pytest.fixture
def backtest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The `data` commands; nobody answers them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKTEST_HOME", str(tmp_path / "home"))
    (tmp_path / "coins.yaml").write_text(COINS)

    def run(command: str, *arguments: str, dataset: str = "coins.yaml", clients=NOBODY):
        return CliRunner().invoke(app, ["data", command, dataset, *arguments], obj=clients)

    return run


@pytest.fixture
def online(backtest, exchange):
    """The `data` commands, and an exchange that answers."""
    url = {"public": f"{exchange.url}/api"}
    settings = {"urls": {"api": url}, "rateLimit": 1}
    return partial(
        backtest,
        clients=ClientSettings(timeout_s=1.0, retry_pauses_s=(), exchange_options=settings),
    )


@pytest.fixture
def pulled(books, tmp_path: Path) -> dict[str, VersionedBars]:
    """What a first pull keeps, but for the newest bar."""
    now = pd.Timestamp.now("UTC")
    held = {
        pair: VersionedBars.from_first_fetch(bars_of(book[:-2]), None, now - pd.Timedelta(days=1))
        for pair, book in books.items()
    }
    keep(held, tmp_path)
    return held


@pytest.fixture
def revised(pulled, books, tmp_path: Path) -> list[str]:
    """What a second pull keeps; the names of both vintages."""
    now = pd.Timestamp.now("UTC")
    held = {
        pair: pulled[pair].merge(bars_of(book[:-1]), None, now)
        for pair, book in corrected(books).items()
    }
    keep(held, tmp_path)
    return [
        moment.id
        for moment in list_dataset_vintages({p.replace("/", "-"): h for p, h in held.items()})
    ]


def bars_of(book: list[Candle]) -> pd.DataFrame:
    table = pd.DataFrame(book)
    return normalise_bars(table.assign(timestamp=pd.to_datetime(table["seconds"], unit="s")), "X")


def keep(held: dict[str, VersionedBars], folder: Path) -> None:
    for pair, each in held.items():
        cache.write_cache(folder / "home", CacheKey("ccxt bitstamp", pair, "1d"), each)


def day(back: int) -> str:
    """The date of a bar so many before today's."""
    return f"{pd.Timestamp.now('UTC').normalize() - pd.Timedelta(days=back):%Y-%m-%d}"


class TestPull:
    def test_every_symbol_is_listed_with_its_bars_and_the_new_ones(self, online):
        result = online("pull")
        assert result.exit_code == 0
        first, btc, eth, vintage = result.stdout.splitlines()
        assert first == "ccxt:bitstamp"
        # Today's bar and, so far, yesterday's are not among them.
        assert btc == f"  BTC-USD  398 bars, {day(399)} to {day(2)}, 398 new"
        assert eth == f"  ETH-USD  298 bars, {day(299)} to {day(2)}, 298 new"
        assert vintage.startswith("  vintage ")

    def test_revisions_are_reported(self, online, exchange, books, pulled):
        assert pulled
        exchange.site.books = corrected(books)
        result = online("pull")
        assert result.exit_code == 0
        _, btc, btc_revised, eth, eth_revised, _ = result.stdout.splitlines()
        assert btc == f"  BTC-USD  399 bars, {day(399)} to {day(1)}, 1 new"
        assert btc_revised.strip().startswith(
            f"revised: 1 bar changed, largest change: the volume of {day(10)}, from "
        )
        assert eth.endswith(", 1 new")
        assert eth_revised.strip() == f"revised: 1 bar removed; all on {day(20)}"
        assert "BTC-USD of ccxt:bitstamp was revised" in result.stderr

    @pytest.mark.usefixtures("pulled")
    def test_a_pull_without_new_bars_says_so(self, online):
        result = online("pull", "--json", "--quiet")
        document = json.loads(result.stdout)
        assert (result.stderr, document["dataset"], document["delivered"]) == ("", "coins", True)
        (source,) = document["sources"]
        assert [(each["bars"], each["new"]) for each in source["symbols"].values()] == [
            (398, 0),
            (298, 0),
        ]

    @pytest.mark.usefixtures("pulled")
    @pytest.mark.parametrize("options", [(), ("--all",)], ids=["tail", "all"])
    def test_only_a_pull_of_all_bars_finds_old_revisions(self, online, exchange, options):
        book = exchange.site.books["BTC/USD"]
        book[5] = replace(book[5], volume=40.0)
        assert ("revised: 1 bar changed" in online("pull", *options).stdout) == bool(options)

    def test_a_failing_symbol_is_reported_and_the_others_are_stored(self, online, exchange):
        del exchange.site.books["ETH/USD"]
        result = online("pull")
        assert result.exit_code == 3
        _, btc, eth = result.stdout.splitlines()
        assert btc.endswith(", 398 new")
        assert eth.startswith("  ETH-USD  failed: ccxt knows no symbol ETH/USD")
        assert "  no bars: ETH-USD" in online("show").stdout

    def test_each_received_symbol_is_a_line_of_progress(self, online):
        lines = online("pull").stderr.splitlines()
        assert [line for line in lines if " of 2) from " in line] == [
            f"  BTC-USD (1 of 2) from ccxt:bitstamp: 398 bars, {day(399)} to {day(2)}",
            f"  ETH-USD (2 of 2) from ccxt:bitstamp: 298 bars, {day(299)} to {day(2)}",
        ]

    def test_after_two_symbols_without_an_answer_no_other_is_requested(
        self, online, exchange, tmp_path
    ):
        (tmp_path / "coins.yaml").write_text(COINS.replace("ETH-USD]", "ETH-USD, XRP-USD]"))
        exchange.site.books["XRP/USD"] = exchange.site.books["ETH/USD"]
        exchange.faulty, exchange.faults = "/ohlc/", [500] * 99
        result = online("pull")
        assert result.exit_code == 3
        lines = result.stdout.splitlines()
        assert "not requested any more (two symbols in a row got no answer)" in lines[-1]
        assert not exchange.requests("xrpusd")

    def test_where_no_server_answers_every_symbol_fails_at_once(self, backtest):
        result = backtest("pull")
        assert result.exit_code == 3
        assert result.stdout.count("failed: 127.0.0.1:9 cannot be reached") == 2

    @pytest.mark.usefixtures("pulled")
    def test_files_are_not_pulled(self, backtest):
        backtest("export", "--out", "x")
        result = backtest("pull", dataset="x/coins.yaml")
        assert result.exit_code == 0
        assert "read in place, not pulled" in result.stdout

    def test_an_unknown_dataset_exits_with_3(self, backtest):
        assert backtest("pull", dataset="no-such").exit_code == 3

    def test_an_interrupt_says_that_received_bars_are_stored(self, backtest, monkeypatch):
        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("engine.data.fetch.fetch_with_report", interrupted)
        result = backtest("pull")
        assert result.exit_code == 130
        assert result.stderr.splitlines()[-1] == INTERRUPTED_BARS_STORED


class TestShow:
    def test_before_a_pull_it_says_how_to_pull(self, backtest):
        result = backtest("show")
        assert result.exit_code == 0
        assert "nothing pulled yet; `backtest data pull coins.yaml` does it" in result.stdout

    def test_each_symbol_has_a_coverage_strip_within_eighty_columns(self, revised, backtest):
        lines = backtest("show").stdout.splitlines()
        assert revised
        assert max(map(len, lines)) <= 80
        btc, eth = (
            next(line for line in lines if line.startswith(f"  {symbol} "))
            for symbol in ("BTC-USD", "ETH-USD")
        )
        strip = btc[10:43]
        assert set(strip) == {"█"}
        assert btc[43:].split() == [day(399), day(1), "399", "2"]
        # ETH was not traded for a quarter of the time, and one bar is missing at the end.
        assert eth[10:17] == "·" * 7
        assert eth[41] == "▓"
        assert set(eth[19:41]) == {"█"}

    def test_gaps_are_listed_with_their_dates(self, revised, backtest):
        text = backtest("show").stdout
        assert revised
        assert f"  ETH-USD: 1 bar missing:\n    {day(20)}\n" in text
        assert "BTC-USD: " not in text

    def test_of_many_gaps_the_longest_are_listed_by_date(self, backtest, books, tmp_path):
        book = books["BTC/USD"]
        missing = {10, 20, 21, 30, 40, 41, 42, 50, 51}
        incomplete = [candle for row, candle in enumerate(book[:-1]) if row not in missing]
        now = pd.Timestamp.now("UTC")
        keep({"BTC/USD": VersionedBars.from_first_fetch(bars_of(incomplete), None, now)}, tmp_path)
        lines = backtest("show").stdout.splitlines()
        heading = lines.index("  BTC-USD: 9 bars missing, the longest gaps:")
        newest = COUNT - 1
        assert lines[heading + 1 : heading + 4] == [
            f"    {day(newest - 20)} to {day(newest - 21)}",
            f"    {day(newest - 40)} to {day(newest - 42)}",
            f"    {day(newest - 50)} to {day(newest - 51)}, and 2 more",
        ]

    def test_vintages_are_listed_the_newest_first(self, revised, backtest):
        lines = backtest("show").stdout.splitlines()
        newest, oldest = lines[-2:]
        assert newest.split()[0] == revised[-1]
        assert newest.endswith("BTC-USD +1, 1 revised; ETH-USD +1, 1 revised")
        assert oldest.endswith("BTC-USD +398; ETH-USD +298")

    def test_json_has_every_gap_and_vintage(self, revised, backtest):
        (source,) = json.loads(backtest("show", "--json").stdout)["sources"]
        assert source["vintages"][-1]["id"] == revised[-1]
        eth = source["symbols"]["ETH-USD"]
        assert (eth["bars"], eth["expected"], eth["vintages"]) == (298, 299, 2)
        assert [gap["bars"] for gap in eth["gaps"]] == [1]

    def test_bundled_bars_are_shown(self, backtest):
        lines = backtest("show", dataset="us-indices").stdout.splitlines()
        assert "1999-01-04 2018-12-31     5,031    -" in lines[-1]

    def test_longer_bars_are_resampled_from_repaired_shorter_ones(self, backtest, tmp_path):
        hours = pd.DataFrame(candles(0, 96, step=3600)).rename(columns={"seconds": "timestamp"})
        hours["timestamp"] = pd.to_datetime(hours["timestamp"] + 19_676 * DAY, unit="s", utc=True)
        duplicated = pd.concat([hours, hours.iloc[40:41].assign(volume=7.0)])
        (tmp_path / "bars").mkdir()
        duplicated.sort_values("timestamp").to_csv(tmp_path / "bars" / "COIN.csv", index=False)
        (tmp_path / "days.yaml").write_text(
            "{name: days, interval: 1d, calendar: 24/7, symbols: [COIN],\n"
            " quality: {conflicting_duplicates: repair},\n"
            " sources: [{kind: files, path: bars, interval: 1h}]}"
        )

        (source,) = json.loads(
            backtest("show", "--json", dataset=str(tmp_path / "days.yaml")).stdout
        )["sources"]

        assert source["problem"] is None
        assert source["symbols"]["COIN"]["bars"] == 4


class TestDiff:
    def test_without_vintages_the_last_revision_is_shown(self, revised, backtest):
        lines = backtest("diff").stdout.splitlines()
        assert lines[0].startswith("from vintage ")
        assert revised[-1] in lines[1]
        assert lines[2].startswith("BTC-USD: 1 bar new; 1 bar changed, largest change: the volume")
        assert lines[3].split()[:2] == [day(10), "volume"]
        assert lines[4] == f"ETH-USD: 1 bar new; 1 bar removed; all on {day(20)}"

    def test_two_vintages_can_be_given_in_either_order(self, revised, backtest):
        assert revised
        forward = json.loads(backtest("diff", "--json").stdout)
        backward = json.loads(backtest("diff", forward["to"], forward["from"], "--json").stdout)
        (value,) = forward["symbols"]["BTC-USD"]["values"]
        (other,) = backward["symbols"]["BTC-USD"]["values"]
        assert (value["before"], value["after"]) == (other["after"], other["before"])
        assert backward["symbols"]["ETH-USD"]["revision"]["added"] == 1

    def test_a_vintage_does_not_differ_from_itself(self, revised, backtest):
        newest = revised[-1]
        assert "BTC-USD: no difference" in backtest("diff", newest, newest).stdout

    def test_without_vintages_it_exits_with_3_and_says_how_to_pull(self, backtest):
        result = backtest("diff")
        assert result.exit_code == 3
        assert "backtest data pull coins.yaml" in result.stderr

    def test_text_that_is_not_a_vintage_exits_with_2(self, revised, backtest):
        assert revised
        assert backtest("diff", "newest").exit_code == 2


class TestExport:
    @pytest.mark.parametrize("format_", ["csv", "parquet"])
    def test_the_files_are_a_dataset_of_the_same_bars(self, backtest, pulled, format_):
        assert pulled
        result = backtest("export", "--out", "x", "--format", format_)
        assert result.exit_code == 0
        assert result.stdout.split() == [
            f"x/BTC-USD.{format_}",
            f"x/ETH-USD.{format_}",
            "x/coins.yaml",
        ]
        second = backtest("export", "--out", "y", "--format", "csv", dataset="x/coins.yaml")
        assert second.exit_code == 0
        exported = [pd.read_csv(f"y/{symbol}.csv") for symbol in ("BTC-USD", "ETH-USD")]
        assert [len(bars) for bars in exported] == [398, 298]

    def test_an_earlier_vintage_can_be_exported(self, revised, backtest):
        assert revised
        old = json.loads(backtest("diff", "--json").stdout)["from"]
        backtest("export", "--out", "old", "--vintage", old)
        backtest("export", "--out", "new")
        assert [len(pd.read_parquet(f"{name}/BTC-USD.parquet")) for name in ("old", "new")] == [
            398,
            399,
        ]

    def test_the_manifest_keeps_the_note_and_names_the_vintage(self, backtest, revised, tmp_path):
        backtest("export", "--out", "x")
        text = " ".join((tmp_path / "x" / "coins.yaml").read_text().split())
        assert f"Nobody may use this. Exported from ccxt:bitstamp, vintage {revised[-1]}." in text

    @pytest.mark.usefixtures("pulled")
    def test_existing_files_are_not_replaced(self, backtest, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "ETH-USD.parquet").write_text("mine")
        result = backtest("export", "--out", "x")
        assert result.exit_code == 2
        assert [path.name for path in (tmp_path / "x").iterdir()] == ["ETH-USD.parquet"]
        assert (tmp_path / "x" / "ETH-USD.parquet").read_text() == "mine"

    @pytest.mark.usefixtures("pulled")
    def test_a_folder_that_cannot_be_created_exits_with_2(self, backtest, tmp_path):
        (tmp_path / "x").write_text("in the way")
        result = backtest("export", "--out", "x/y")
        assert result.exit_code == 2
        assert "the folder of the files cannot be written" in result.stderr
