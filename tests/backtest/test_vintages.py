"""A run names the vintage of its bars, and can be had again after they were revised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.core.errors import DataError
from engine.data.bars import normalise_bars
from engine.data.store import cache
from engine.data.store.cache import CacheKey
from engine.data.store.vintages import VersionedBars
from engine.runs.folder import DOCUMENTS, TABLES
from tests.pipeline.markets import SYMBOLS, bars, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MARKET = """
name: made-up
interval: 1d
calendar: 24/7
symbols: [AAA, BBB]
end: 2019-12-01
sources: [{kind: ccxt, exchange: bitstamp, symbols: {AAA: AAA/USD, BBB: BBB/USD}}]
"""
PULLED = pd.Timestamp("2020-01-01", tz="UTC")
# How many trials a run's verdict counts depends on what was run before it.
BUT_SIGNIFICANCE = [f"{table}.parquet" for table in TABLES] + [
    f"{document}.json" for document in DOCUMENTS if document != "significance"
]


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("vintages")
    (folder / "market.yaml").write_text(MARKET)
    return folder


@pytest.fixture(scope="module")
def runs(module_folder: Path) -> list[engine.Run]:
    """A run, one after the source revised a tenth of its closes, and the first again."""
    strategy = write_strategy(module_folder, module_folder / "market.yaml")
    for seed, symbol in enumerate(SYMBOLS):
        held = VersionedBars.from_first_fetch(normalise_bars(bars(seed), symbol), None, PULLED)
        cache.write_cache(module_folder / "home", _key(symbol), held)
    first = _run(module_folder, strategy)
    for symbol in SYMBOLS:
        held = cache.read_cache(module_folder / "home", _key(symbol), symbol)
        fresh = held.bars.copy()
        fresh.loc[100:170, "close"] = fresh.loc[100:170, ["open", "close"]].mean(axis=1)
        later = held.merge(fresh, None, PULLED + pd.Timedelta(days=1))
        cache.write_cache(module_folder / "home", _key(symbol), later)
    vintage = first.manifest["dataset"]["vintage"]
    return [
        first,
        _run(module_folder, strategy),
        _run(module_folder, strategy, out="again", vintage=vintage),
    ]


def _run(module_folder: Path, strategy: Path, *, out: str = "out", vintage: str | None = None):
    return engine.run(
        strategy,
        out=module_folder / out,
        home=module_folder / "home",
        pages=False,
        vintage=vintage,
    )


def _key(symbol: str) -> CacheKey:
    return CacheKey("ccxt bitstamp", f"{symbol}/USD", "1d")


def test_a_revision_makes_another_run(runs) -> None:
    first, second, _ = runs
    assert first.run_id != second.run_id
    assert first.manifest["dataset"]["vintage"] != second.manifest["dataset"]["vintage"]


def test_the_manifest_names_the_vintage_of_the_dataset_and_of_each_symbol(runs) -> None:
    told = json.loads((runs[0].run_dir / "manifest.json").read_text())["dataset"]
    assert len(told["vintage"]) == 12
    for symbol in SYMBOLS:
        own = told["symbols"][symbol]
        assert (len(own["vintage"]), own["pulled"]) == (12, PULLED.isoformat())


def test_the_old_vintage_gives_the_old_run_byte_for_byte(runs) -> None:
    first, _, again = runs
    assert again.run_id == first.run_id
    for name in BUT_SIGNIFICANCE:
        assert (again.run_dir / name).read_bytes() == (first.run_dir / name).read_bytes(), name
    told = again.manifest["dataset"]["notices"]
    assert told == [
        f"ccxt:bitstamp: vintage {first.manifest['dataset']['vintage']} is used, pulled at "
        "2020-01-01 00:00 UTC"
    ]


def test_nothing_of_the_replay_is_trained_again(runs) -> None:
    assert runs[2].manifest["fits"]["trained"] == 0


@pytest.mark.usefixtures("runs")
def test_a_vintage_that_is_not_there_is_refused_before_anything_is_trained(module_folder) -> None:
    with pytest.raises(DataError, match="no such vintage"):
        _run(module_folder, module_folder / "small.yaml", vintage="2019-12-31")
