"""Sources that revise their past: the notices, and the bars as of an earlier vintage."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from engine.core.errors import DataError, InvalidBarsError, UsageError
from tests.data.datasets import BITSTAMP, COINS, COUNT, FILES, NOW, YAHOO, write_files

DAY = pd.Timedelta(days=1)
LATER = NOW + DAY


def correct(served, symbol="BTC-USD", row=350, **values):
    """The source corrects one earlier bar; row 350 is that of 2024-01-21."""
    site = served.site
    book = site.charts[symbol].candles if hasattr(site, "charts") else site.books[symbol]
    book[row] = replace(book[row], **values)


def dividend(yahoo, symbol="BTC-USD"):
    """Every price before 2024-03-10 is adjusted, as for a dividend of that day."""
    yahoo.site.charts[symbol].factors = [0.9973] * (COUNT - 1) + [1.0]


class TestRevisions:
    @pytest.mark.parametrize("source", ["yahoo", "bitstamp"])
    def test_corrected_bars_are_reported_and_the_old_ones_stored(
        self, load, progress, yahoo, bitstamp, source
    ):
        text = COINS + (YAHOO if source == "yahoo" else BITSTAMP)
        before = load(text)
        symbol = "BTC-USD" if source == "yahoo" else "BTC/USD"
        correct(yahoo if source == "yahoo" else bitstamp, symbol, volume=12.0)
        after = load(text, now=LATER)
        own = [market.provenance["symbols"]["BTC-USD"]["vintage"] for market in (before, after)]
        label = "yahoo" if source == "yahoo" else "ccxt:bitstamp"
        assert progress.notices == [
            f"BTC-USD of {label} was revised: 1 bar changed, largest change: the volume of "
            "2024-01-21, from 10 to 12 (+20 %); all on 2024-01-21; "
            f"vintage {own[0]} keeps the earlier bars, {own[1]} is the new one"
        ]
        assert after.provenance["notices"] == progress.notices
        assert after.wide("volume")["BTC-USD"][pd.Timestamp("2024-01-21", tz="UTC")] == 12.0
        assert after.provenance["vintage"] != before.provenance["vintage"]

    def test_a_dividend_is_reported_as_one_factor_on_all_earlier_prices(
        self, load, yahoo, progress
    ):
        load(COINS + YAHOO)
        dividend(yahoo)
        load(COINS + YAHOO, now=LATER)
        assert progress.notices[0].startswith(
            "BTC-USD of yahoo was revised: re-adjusted: all prices before 2024-03-10 x 0.9973; "
            "vintage "
        )

    def test_newer_bars_are_a_vintage_without_a_notice(self, load, progress):
        before, after = load(COINS + YAHOO), load(COINS + YAHOO, now=LATER)
        assert before.provenance["vintage"] != after.provenance["vintage"]
        assert progress.notices == []

    def test_only_cached_bars_have_a_vintage(self, load, tmp_path):
        write_files(tmp_path)
        provenance = load(COINS + FILES).provenance
        assert provenance["vintage"] is None
        assert "vintage" not in provenance["symbols"]["BTC-USD"]

    def test_an_invalid_correction_leaves_the_cache_unchanged(self, load, yahoo):
        before = load(COINS + YAHOO)
        correct(yahoo, low=0.0)
        with pytest.raises(InvalidBarsError):
            load(COINS + YAHOO, now=LATER)
        again = load(COINS + YAHOO)
        pd.testing.assert_frame_equal(again.bars, before.bars)
        assert again.provenance == before.provenance


class TestLoadAsOf:
    @pytest.fixture
    def markets(self, load, yahoo):
        """Three pulls; before the second a correction, before the third a dividend."""
        first = load(COINS + YAHOO)
        correct(yahoo, high=90_000.0)
        second = load(COINS + YAHOO, now=LATER)
        dividend(yahoo)
        third = load(COINS + YAHOO, now=LATER + DAY)
        yahoo.log.clear()
        return [first, second, third]

    @pytest.fixture
    def load_vintage(self, load):
        """The dataset a month later, as of a vintage."""
        return partial(_load_vintage, load)

    def test_each_vintage_is_read_back_from_the_cache_alone(
        self, load_vintage, yahoo, unreachable, markets
    ):
        for earlier in markets:
            vintage = earlier.provenance["vintage"]
            again = load_vintage(vintage, clients=unreachable)
            pd.testing.assert_frame_equal(again.bars, earlier.bars, check_exact=True)
            assert again.provenance["symbols"] == earlier.provenance["symbols"]
            assert again.provenance["vintage"] == vintage
            assert again.provenance["notices"][0].startswith(f"yahoo: vintage {vintage} is used")
        assert yahoo.log == []

    def test_a_date_means_its_end_and_an_instant_is_utc(self, load_vintage, markets):
        expected = {
            "2024-03-10": 0,
            "2024-03-11": 1,
            "2024-03-12 11:59": 1,
            "2024-03-12T12:00:00Z": 2,
            "2024-03-12T13:00:00+02:00": 1,
            "2030-01-01": 2,
        }
        ids = [market.provenance["vintage"] for market in markets]
        loaded = {text: load_vintage(text).provenance["vintage"] for text in expected}
        assert {text: ids.index(vintage) for text, vintage in loaded.items()} == expected

    def test_the_id_of_a_symbols_vintage_selects_the_dataset_at_that_time(
        self, load_vintage, markets
    ):
        own = markets[1].provenance["symbols"]["BTC-USD"]["vintage"]
        again = load_vintage(own[:8])
        assert again.provenance["vintage"] == markets[1].provenance["vintage"]

    @pytest.mark.usefixtures("markets")
    def test_an_old_vintage_has_no_later_bars(self, load_vintage):
        again = load_vintage("2024-03-10")
        assert again.provenance["symbols"]["BTC-USD"]["last"] == "2024-03-09"

    def test_a_pull_of_another_span_leaves_a_vintage_unchanged(self, load):
        before = load(COINS.replace("2023-03-01", "2023-06-01") + BITSTAMP)
        load(COINS + BITSTAMP, now=NOW + pd.Timedelta(hours=1))
        again = load(
            COINS.replace("2023-03-01", "2023-06-01") + BITSTAMP,
            vintage=before.provenance["vintage"],
        )
        pd.testing.assert_frame_equal(again.bars, before.bars)

    def test_the_offline_dataset_never_replaces_a_vintage(self, load):
        with pytest.raises(DataError, match="no such vintage") as error:
            load(COINS + YAHOO, vintage="2024-03-10", fallback="us-indices")
        assert "backtest data pull" in error.value.fix
        assert error.value.exit_code == 3

    def test_an_unknown_vintage_is_an_error_that_lists_the_known_ones(self, load, markets):
        for text in ("0123456789ab", "2024-03-09"):
            with pytest.raises(DataError, match="no such vintage") as error:
                load(COINS + YAHOO, vintage=text)
            for market in markets:
                assert market.provenance["vintage"] in error.value.expected

    @pytest.mark.parametrize("text", ["newest", "abc", "2024-13-45", "10.03.2024", ""])
    def test_text_that_is_neither_id_nor_date_is_an_error(self, load, text):
        with pytest.raises(UsageError, match="this is not a vintage") as error:
            load(COINS + YAHOO, vintage=text)
        assert "2024-05-10" in error.value.expected

    def test_a_dataset_of_files_has_no_vintages(self, load, tmp_path):
        write_files(tmp_path)
        with pytest.raises(UsageError, match="keeps no vintages"):
            load(COINS + FILES, vintage="2024-03-10")


class TestDamage:
    def test_a_damaged_file_is_reported_and_pulled_again(self, load, tmp_path, progress):
        load(COINS + YAHOO)
        (damaged,) = (tmp_path / "home" / "bars").rglob("BTC-USD.1d.parquet")
        damaged.write_bytes(damaged.read_bytes()[:100])
        assert len(load(COINS + YAHOO).symbols) == 2
        assert len(progress.notices) == 1
        assert progress.notices[0].startswith("BTC-USD of yahoo: the file of its bars is damaged")

    def test_bars_that_do_not_match_their_vintage_are_never_used(self, load, tmp_path, yahoo):
        vintage = load(COINS + YAHOO).provenance["vintage"]
        cache, earlier_cache = tmp_path / "home" / "bars", tmp_path / "earlier"
        os.renames(cache, earlier_cache)
        correct(yahoo, volume=1.0)
        load(COINS + YAHOO)
        # A file with the bars of one cache and the list of vintages of the other.
        (file,) = cache.rglob("BTC-USD.1d.parquet")
        (earlier_file,) = earlier_cache.rglob("BTC-USD.1d.parquet")
        _copy_metadata(earlier_file, file)
        with pytest.raises(InvalidBarsError, match="are not those of vintage"):
            load(COINS + YAHOO, vintage=vintage)


def _load_vintage(load, vintage, **options):
    return load(COINS + YAHOO, vintage=vintage, now=LATER + 30 * DAY, **options)


def _copy_metadata(source, target):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(target)
    metadata = pyarrow.parquet.read_schema(source).metadata
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), target)


PULL = """
import sys
from pathlib import Path
import pandas as pd
from engine.data.load import load_market
from engine.data.sources.client_settings import ClientSettings
from engine.data.config import DataSpec
from engine.core.progress import NullProgress
api = {"public": sys.argv[1] + "/api"}
clients = ClientSettings(exchange_options={"urls": {"api": api}, "rateLimit": 1})
import ccxt
print("ready", flush=True)
sys.stdin.readline()
market = load_market(DataSpec(dataset="coins.yaml"), home=Path("home"), offline=False,
    override=None, progress=NullProgress(), clients=clients, now=pd.Timestamp("2024-03-10 12:00Z"))
print(market.provenance["vintage"])
"""


@pytest.mark.slow
def test_of_two_concurrent_processes_one_pulls_and_both_get_the_bars(tmp_path, bitstamp):
    (tmp_path / "coins.yaml").write_text(COINS + BITSTAMP)
    answer = bitstamp.site.answer

    def slowly(path, query):
        time.sleep(0.2)
        return answer(path, query)

    bitstamp.site.answer = slowly
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PULL, bitstamp.url],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    outputs = [process.communicate("go\n", timeout=30)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs[0] == outputs[1] != ""
    requests = [line.partition("end=")[0] for line in bitstamp.requests("ohlc")]
    assert len(requests) == len(set(requests)), "a page was requested twice"
