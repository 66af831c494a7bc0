"""Runs on markets with prices far from one, and with symbols that YAML would not read as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import engine
from engine.core.errors import InvalidBarsError
from tests.pipeline.markets import SYMBOLS, bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

PRICES = ["open", "high", "low", "close"]
REPAIR = "quality: {price_scale: repair}\n"


def scaled_market(folder: Path, factor: float) -> Path:
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    for table in tables.values():
        table[PRICES] *= factor
    return write_market(folder, tables)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1e-15, 1e15], ids=["tiny", "huge"])
def test_another_unit_of_money_gives_the_metrics_of_usual_prices(tmp_path, factor) -> None:
    usual = engine.run(
        write_strategy(tmp_path, scaled_market(tmp_path / "usual", 1.0)), out=tmp_path / "runs"
    )
    manifest = scaled_market(tmp_path / "scaled", factor)
    strategy = write_strategy(tmp_path, manifest)
    with pytest.raises(InvalidBarsError, match="bars have a price") as caught:
        engine.run(strategy, out=tmp_path / "runs")
    assert "`quality: {price_scale: repair}`" in caught.value.fix
    assert caught.value.exit_code == 3
    manifest.write_text(manifest.read_text() + REPAIR)
    run = engine.run(strategy, out=tmp_path / "runs")
    for book, metrics in usual.metrics["books"].items():
        for name in ("sharpe", "cagr_pct", "trades"):
            assert run.metrics["books"][book][name] == pytest.approx(metrics[name], rel=1e-9)


@pytest.mark.slow
def test_quoted_symbols_of_any_form_run(tmp_path) -> None:
    symbols = ("NO", "007", "NULL", "NA", "1e5")
    tables = {symbol: bars(seed) for seed, symbol in enumerate(symbols)}
    manifest = write_market(tmp_path / "market", tables)
    listed = ", ".join(f'"{symbol}"' for symbol in symbols)
    text = manifest.read_text().replace(", ".join(symbols), listed)
    manifest.write_text(text)
    file = write_strategy(tmp_path, manifest)
    file.write_text(file.read_text().replace("data: {", 'data: {target: "NULL", '))
    run = engine.run(file, out=tmp_path / "runs")
    assert set(run.positions["symbol"]) == {"NULL"}
    assert list(run.manifest["dataset"]["symbols"]) == list(symbols)
