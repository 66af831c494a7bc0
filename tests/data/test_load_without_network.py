"""The bars that a strategy gets when no server answers, or with --offline."""

from __future__ import annotations

import re
import time

import pandas as pd
import pytest

from engine.core.errors import UnreachableError
from tests.data.datasets import COINS, FILES, NOW, YAHOO, write_files


class TestWithoutNetwork:
    def test_cached_bars_are_used_with_a_notice(self, load, progress, unreachable):
        load(COINS + YAHOO)
        later = load(COINS + YAHOO, clients=unreachable, now=NOW + pd.Timedelta(days=30))
        assert later.provenance["offline"] is False
        assert later.provenance["symbols"]["BTC-USD"]["last"] == "2024-03-09"
        assert progress.notices == later.provenance["notices"]
        assert "cannot be reached" in progress.notices[0]
        assert progress.notices[1] == (
            "yahoo: cached bars are used, pulled at 2024-03-10 12:00 UTC"
        )

    def test_cached_bars_come_before_the_offline_dataset(self, load, unreachable):
        load(COINS + YAHOO)
        later = NOW + pd.Timedelta(days=30)
        market = load(COINS + YAHOO, clients=unreachable, now=later, fallback="us-indices")
        assert market.provenance["name"] == "coins"

    def test_with_nothing_cached_the_offline_dataset_is_used_with_a_notice(
        self, load, progress, unreachable
    ):
        market = load(clients=unreachable, fallback="us-indices")
        assert market.symbols == ("NASDAQ", "SP500")
        assert market.provenance["offline"] is True
        assert market.provenance["name"] == "us-indices"
        assert market.provenance["symbols"]["SP500"]["source"] == "bundled:arch.sp500"
        assert market.periods_per_year == 252
        assert progress.notices == market.provenance["notices"]
        assert progress.notices[2] == (
            "us-indices (NASDAQ, SP500) is used instead of coins.yaml, because no source can be "
            "reached and nothing is cached"
        )

    def test_an_incomplete_cache_is_not_used(self, load, unreachable):
        load(COINS.replace("[BTC-USD, ETH-USD]", "[BTC-USD]") + YAHOO)
        later = NOW + pd.Timedelta(days=1)
        market = load(clients=unreachable, now=later, fallback="us-indices")
        assert market.provenance["offline"] is True

    def test_without_an_offline_dataset_the_error_lists_what_was_tried(self, load, unreachable):
        with pytest.raises(UnreachableError) as error:
            load(clients=unreachable)
        assert error.value.exit_code == 3
        for source in ("yahoo", "ccxt:bitstamp"):
            assert re.search(rf"{source}: 127.0.0.1:\d+ cannot be reached", error.value.found)
        assert "--data us-indices" in error.value.fix

    def test_an_override_has_no_offline_dataset(self, load, unreachable, tmp_path):
        (tmp_path / "other.yaml").write_text(COINS + YAHOO)
        with pytest.raises(UnreachableError):
            load(clients=unreachable, fallback="us-indices", override="other.yaml")

    def test_the_offline_dataset_is_reached_quickly(self, load, unreachable):
        import arch.data.sp500  # noqa: F401 - a run needs it anyway

        began = time.monotonic()
        load(clients=unreachable, fallback="us-indices")
        assert time.monotonic() - began < 3.0


class TestOfflineOption:
    def test_the_offline_dataset_is_used_at_once(self, load, yahoo, bitstamp, progress):
        market = load(offline=True, fallback="us-indices")
        assert market.provenance["offline"] is True
        assert "because --offline was given" in progress.notices[0]
        assert yahoo.log == bitstamp.log == []

    def test_without_an_offline_dataset_the_datasets_files_are_used(
        self, load, tmp_path, yahoo, progress
    ):
        write_files(tmp_path)
        market = load(COINS + YAHOO + FILES, offline=True)
        assert market.provenance["offline"] is False
        assert market.provenance["symbols"]["BTC-USD"]["source"] == "files"
        assert yahoo.log == []
        assert progress.notices == [
            "files: timestamps are read as seconds since 1970 (in BTC-USD.csv)"
        ]

    def test_without_files_the_cache_is_used(self, load, yahoo, progress):
        load(COINS + YAHOO)
        yahoo.log.clear()
        market = load(COINS + YAHOO, offline=True, now=NOW + pd.Timedelta(days=9))
        assert market.provenance["symbols"]["BTC-USD"]["last"] == "2024-03-09"
        assert "cached bars are used" in progress.notices[0]
        assert yahoo.log == []

    def test_without_a_cache_it_is_an_error(self, load, yahoo, bitstamp):
        with pytest.raises(UnreachableError, match="nothing is cached") as error:
            load(offline=True)
        assert "run once with a network" in error.value.fix
        assert yahoo.log == bitstamp.log == []

    def test_an_override_is_not_replaced_by_the_offline_dataset(self, load, tmp_path):
        write_files(tmp_path)
        (tmp_path / "mine.yaml").write_text(COINS.replace("coins", "mine") + FILES)
        market = load(offline=True, fallback="us-indices", override="mine.yaml")
        assert market.provenance["name"] == "mine"
        assert market.provenance["offline"] is False


class TestDamagedCache:
    @pytest.fixture
    def damaged(self, load, tmp_path):
        """The cached bars of two symbols, one of them cut short."""
        load(COINS + YAHOO)
        (path,) = (tmp_path / "home" / "bars").rglob("ETH-USD.1d.parquet")
        path.write_bytes(path.read_bytes()[:100])
        return path

    def test_it_is_told_as_damage_with_the_symbol_the_file_and_the_fix(self, load, damaged):
        with pytest.raises(UnreachableError, match="cached bars are damaged") as error:
            load(COINS + YAHOO, offline=True)
        assert error.value.exit_code == 3
        assert f"ETH-USD: {damaged}" in error.value.found
        assert "BTC-USD" not in error.value.found
        assert "backtest data pull" in error.value.fix
        assert damaged.is_file()

    def test_a_folder_in_its_place_is_told_too(self, load, damaged):
        damaged.unlink()
        damaged.mkdir()
        with pytest.raises(UnreachableError, match="cached bars are damaged") as error:
            load(COINS + YAHOO, offline=True)
        assert f"ETH-USD: {damaged} (Is a directory" in error.value.found

    def test_the_offline_dataset_is_used_with_a_notice_of_the_damage(
        self, load, damaged, unreachable, progress
    ):
        market = load(COINS + YAHOO, clients=unreachable, fallback="us-indices")
        assert market.provenance["offline"] is True
        assert any(f"damaged: ETH-USD: {damaged}" in notice for notice in progress.notices)
