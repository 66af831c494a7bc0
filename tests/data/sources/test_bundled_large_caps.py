"""The closes of 20 US stocks that the skfolio package ships."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from engine.core.errors import SourceError
from engine.core.progress import NullProgress
from engine.data.bars import is_close_only, normalise_bars
from engine.data.bundled_config import LARGE_CAP_TICKERS, BundledSourceSpec
from engine.data.manifests import read_manifest
from engine.data.sources.base import BarRequest
from engine.data.sources.bundled import BundledBarSource

NOW = pd.Timestamp("2026-01-02", tz="UTC")


def fetch(symbol: str, **spec: object) -> pd.DataFrame:
    source = BundledBarSource(BundledSourceSpec.model_validate(spec))
    return source.fetch(BarRequest(symbol, "1d", None, NOW, NullProgress()))


def test_each_stock_has_its_closes_and_no_other_price() -> None:
    bars = normalise_bars(fetch("AAPL"), "AAPL")
    assert len(bars) == 8313
    assert [f"{bars['timestamp'].iloc[end]:%Y-%m-%d}" for end in (0, -1)] == [
        *("1990-01-02", "2022-12-28")
    ]
    assert bars["close"].iloc[[0, -1]].tolist() == [0.264, 125.674]
    assert is_close_only(bars)


def test_a_symbol_may_have_another_name_than_its_ticker() -> None:
    bars = fetch("APPLE", symbols={"APPLE": "AAPL"})
    assert bars["close"].equals(fetch("AAPL")["close"])


def test_the_package_is_not_imported() -> None:
    before = "skfolio" in sys.modules
    fetch("XOM")
    assert ("skfolio" in sys.modules) == before


def test_another_ticker_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SourceError) as caught:
        fetch("TSLA")
    assert "AAPL, AMD" in caught.value.expected


@pytest.mark.parametrize("name", ["us-large-caps-bundled", "us-large-caps"])
def test_the_datasets_have_all_of_them_and_name_the_survivorship_bias(name) -> None:
    dataset = read_manifest(name).dataset
    assert dataset.symbols == LARGE_CAP_TICKERS
    assert dataset.note.startswith("Survivorship bias:")


def test_the_coins_are_named_in_every_source() -> None:
    dataset = read_manifest("crypto-top").dataset
    yahoo, exchange = dataset.sources
    assert yahoo.kind == "yahoo"
    assert set(exchange.symbols) == set(dataset.symbols)
    assert dataset.note.startswith("Survivorship bias:")
