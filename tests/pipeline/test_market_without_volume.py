"""A dataset that declares `volume: none`, from its files to a run, an export and an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.core.errors import InvalidBarsError, UsageError
from engine.core.progress import NullProgress
from engine.data import DataContext, check_dataset, export_dataset, load_market, read_manifest
from engine.data.config import DataSpec
from engine.data.fetch import fetch_dataset
from engine.data.sources.client_settings import ClientSettings
from tests.pipeline.markets import SYMBOLS, bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

NO_VOLUME = ("kind: files, path: .", "kind: files, path: ., volume: none")
WITHOUT_ITS_FEATURE = ("  - {kind: volume_zscore, window: 10}\n", "")


def edit(file: Path, *changes: tuple[str, str]) -> Path:
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    return file


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    tables = {symbol: bars(seed).drop(columns="volume") for seed, symbol in enumerate(SYMBOLS)}
    return edit(write_market(tmp_path / "market", tables), NO_VOLUME)


def load(dataset: Path, home: Path) -> engine.data.Market:
    return load_market(
        DataSpec(dataset=str(dataset)),
        home=home,
        offline=False,
        override=None,
        progress=NullProgress(),
    )


@pytest.mark.slow
def test_a_strategy_of_prices_runs_and_its_bars_have_no_volume(tmp_path, dataset) -> None:
    strategy = edit(write_strategy(tmp_path, dataset), WITHOUT_ITS_FEATURE)
    run = engine.run(strategy, out=tmp_path / "runs")
    assert run.bars["volume"].isna().all()
    assert run.bars[["open", "high", "low", "close"]].notna().all(axis=None)
    assert run.manifest["dataset"]["quality"]["findings"] == []
    tables = {symbol: bars(seed) for seed, symbol in enumerate(SYMBOLS)}
    with_volume = write_market(tmp_path / "with", tables)
    other = edit(write_strategy(tmp_path, with_volume), WITHOUT_ITS_FEATURE)
    beside = engine.run(other, out=tmp_path / "runs")
    pd.testing.assert_frame_equal(run.predictions, beside.predictions)
    assert run.metrics["books"] == beside.metrics["books"]


def test_a_feature_of_volume_ends_the_run_before_any_training(tmp_path, dataset) -> None:
    with pytest.raises(
        UsageError, match="volume_zscore_10 needs volume; no bar of AAA and BBB"
    ) as caught:
        engine.run(write_strategy(tmp_path, dataset), out=tmp_path / "runs")
    assert caught.value.exit_code == 2
    assert not list((tmp_path / "runs").rglob("manifest.json"))


def test_the_check_of_the_dataset_finds_nothing(tmp_path, dataset) -> None:
    checked = check_dataset(str(dataset), home=tmp_path, offline=False, progress=NullProgress())
    assert (checked.findings, checked.is_usable) == ((), True)


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_exported_bars_are_read_back_as_the_same(tmp_path, dataset, format_) -> None:
    manifest = read_manifest(str(dataset))
    context = DataContext(
        home=tmp_path,
        network=False,
        now=pd.Timestamp.now("UTC"),
        progress=NullProgress(),
        clients=ClientSettings(),
    )
    fetched = fetch_dataset(manifest, context)
    *_, written = export_dataset(manifest.dataset, fetched, tmp_path / "out", format_)
    again, before = load(written, tmp_path), load(dataset, tmp_path)
    pd.testing.assert_frame_equal(again.bars, before.bars)
    hashes = [
        {name: one["sha256"] for name, one in market.provenance["symbols"].items()}
        for market in (again, before)
    ]
    assert hashes[0] == hashes[1]


def test_weeks_of_days_without_volume_have_none(tmp_path, dataset) -> None:
    weekly = edit(
        dataset, ("interval: 1d", "interval: 1w"), ("volume: none", "volume: none, interval: 1d")
    )
    market = load(weekly, tmp_path)
    assert market.bars["volume"].isna().all()
    assert len(market.bars) == 2 * 100


@pytest.mark.parametrize(
    ("volume", "said"),
    [(None, "the column of volumes is empty"), ("some", "no number where a price or volume")],
)
def test_what_is_not_declared_is_an_error(tmp_path, volume, said) -> None:
    table = bars(0).assign(volume=None)
    if volume:
        table.loc[5:, "volume"] = 7.0
    with pytest.raises(InvalidBarsError, match=said) as caught:
        load(write_market(tmp_path / "market", {"AAA": table}), tmp_path)
    assert caught.value.exit_code == 3
    assert len(str(caught.value).splitlines()) <= 20


def test_a_volume_that_is_declared_absent_is_not_read(tmp_path) -> None:
    table = bars(0).assign(volume=-1.0)
    dataset = edit(write_market(tmp_path / "market", {"AAA": table}), NO_VOLUME)
    assert load(dataset, tmp_path).bars["volume"].isna().all()
