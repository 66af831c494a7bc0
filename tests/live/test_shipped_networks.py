"""Every shipped network: its stored model forecasts a bar as the run did, to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine
from engine.strategy import load_strategy

pytestmark = pytest.mark.slow

FEW_FITS = {
    "benchmarks": [],
    "training.epochs": 1,
    "windows": {"kind": "rolling", "train": "3y", "validation": "6mo", "test": "9y"},
}
"""Two windows, the second with months of bars: enough to begin one and to continue in one."""

FEW_SYMBOLS = {
    "data.targets": ["AAPL", "GE", "XOM"],
    "windows": {"kind": "rolling", "train": "20y", "validation": "6mo", "test": "9y"},
}
"""Two windows of three of the stocks that a universe has."""

NETWORKS = [
    file
    for file in sorted(Path("strategies").resolve().glob("*.yaml"))
    if load_strategy(file).model.kind != "ridge"
]


def test_the_networks_are_found() -> None:
    assert {file.stem for file in NETWORKS} == {
        *("cnn_lstm", "lstm", "micdl", "multi_resolution", "universe_lstm"),
        "asset_attention",
    }


@pytest.mark.parametrize("file", NETWORKS, ids=lambda file: file.stem)
def test_the_forecast_of_the_newest_bar_is_that_of_the_run(file: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    of_universe = load_strategy(file).data.targets == "all"
    changes = {**FEW_FITS, **(FEW_SYMBOLS if of_universe else {})}
    run = engine.run(
        file,
        overrides=changes,
        offline=True,
        home=home,
        out=tmp_path / "out",
        pages=False,
        workers=1,
    )
    spec = load_strategy(file, changes)
    bars = engine.load_market(spec, home=home, offline=True)
    predictions = run.predictions.groupby(["timestamp", "symbol"])["predicted"].mean()
    starts = run.predictions.groupby("window")["timestamp"].min()
    assert len(starts) == 2
    for day in (starts[0], starts[1], run.predictions["timestamp"].iloc[-1]):
        known = bars.until(day)
        fitted = engine.fit(spec, known, home=home, workers=1)
        assert fitted.trained == 0
        row = engine.predict(fitted, known)
        assert row.timestamp == day
        assert row.predicted == predictions[day].to_dict()
