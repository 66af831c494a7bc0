"""The shipped strategies on real bars of BTC, ETH and XRP."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import engine

STRATEGIES = Path(__file__).parents[2] / "strategies"

MANIFEST = """
name: coins
interval: 1d
calendar: 24/7
symbols: [BTC, ETH, XRP]
sources: [{{kind: files, path: "{folder}"}}]
"""


@pytest.fixture
def coins(market_data, tmp_path) -> str:
    manifest = tmp_path / "coins.yaml"
    manifest.write_text(MANIFEST.format(folder=market_data / "crypto_daily"))
    return str(manifest)


@pytest.mark.slow
def test_ridge_trades_bitcoin_out_of_sample_for_years(coins, tmp_path) -> None:
    run = engine.run(
        STRATEGIES / "ridge.yaml",
        overrides={"windows.test": "2y"},
        data=coins,
        out=tmp_path,
        home=tmp_path,
        pages=False,
    )
    assert run.manifest["target"] == ["BTC"]
    assert len(run.returns) > 365
    assert run.metrics["span"]["periods_per_year"] == 365
    assert set(run.trades["symbol"]) == {"BTC"}
    held = run.metrics["books"]["buy_and_hold"]["total_return_pct"] / 100
    close = run.bars.query("symbol == 'BTC'").set_index("timestamp")["close"]
    opened = run.bars.query("symbol == 'BTC'").set_index("timestamp")["open"]
    bought = opened.loc[run.returns.index[1]] * (1 + 5e-4)
    paid = 1 / (1 + 10e-4)
    assert held == pytest.approx(paid * close.iloc[-1] / bought - 1, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm", "cnn_lstm"])
def test_shipped_networks_run_from_bars_to_verdict(coins, tmp_path, name: str) -> None:
    run = engine.run(
        STRATEGIES / f"{name}.yaml",
        overrides={"seeds": 1, "training.epochs": 2, "windows.test": "2y"},
        data=coins,
        out=tmp_path,
        home=tmp_path,
        workers=1,
        pages=False,
    )
    assert np.isfinite(run.predictions["predicted"]).all()
    assert run.predictions["predicted"].std() > 0
    assert run.metrics["books"]["strategy"]["trades"] > 0
    assert run.significance["verdict"]["grade"] in {"none", "weak", "moderate", "strong"}
