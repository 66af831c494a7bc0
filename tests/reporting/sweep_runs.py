"""Small runs of one sweep, complete enough for every page and for a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from engine.comparison import compare_opened_runs
from engine.evaluation.analysis import open_run
from engine.reporting.comparison import write_comparison
from engine.runs.run import Run
from engine.server.run_pages import RunPages
from tests.reporting.conftest import make_metrics, make_significance
from tests.runs.documents import (
    make_certificate,
    make_manifest,
    make_metrics_document,
    make_significance_document,
)

BARS = 260
DAYS = pd.bdate_range("2016-01-04", periods=BARS, tz="UTC", name="timestamp").as_unit("us")
CHANGE = 0.01 * np.random.default_rng(5).standard_normal(BARS)
IDS = ("1111aaaa0000", "2222bbbb0000", "3333cccc0000", "4444dddd0000", "5555eeee0000")


def make_run(number: int, *, mean: float = 0.0, **settings: Any) -> Run:
    """One run of a sweep: a ridge strategy with its own entry threshold.

    Args:
        number: Which of `IDS`.
        mean: Return a bar on top.
        settings: Keys of its strategy that replace those of the sweep.
    """
    noise = 0.008 * np.random.default_rng(number).standard_normal(BARS)
    own = 0.5 * CHANGE + noise + mean
    returns = pd.DataFrame({"strategy": own, "buy_and_hold": CHANGE}, DAYS)
    weights = {"strategy": np.arange(BARS) // 9 % 2, "buy_and_hold": np.ones(BARS)}
    metrics = make_metrics(returns, weights)
    long = {"timestamp": DAYS, "symbol": "ABC"}
    close = 100 * np.cumprod(1 + CHANGE)
    prices = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close}
    positions = [
        pd.DataFrame({**long, "book": book, "weight": held}) for book, held in weights.items()
    ]
    manifest = {
        "run_id": IDS[number],
        "strategy_name": "ridge",
        "strategy_file": "strategies/ridge.yaml",
        "strategy": {
            "name": "ridge",
            "description": "Made up.",
            "model": {"kind": "ridge"},
            "signal": {"enter_bps": 5.0 * number},
            "costs": {"fee_bps": 10.0},
            "opponents": [{"kind": "buy_and_hold"}],
            **settings,
        },
        "dataset": {
            "name": "made-up",
            "note": "None.",
            "interval": "1d",
            "calendar": "XNYS",
            "offline": False,
            "notices": [],
            "vintage": None,
            "symbols": {
                "ABC": {
                    "source": "files",
                    "first": "2016-01-04",
                    "last": "2016-12-30",
                    "rows": BARS,
                    "sha256": "ab" * 32,
                }
            },
        },
        "target": ["ABC"],
        "inputs": ["ABC:return_1"],
        "windows": [],
        "versions": {"python": "3.11.4"},
        "seeds": {"seed": 7, "count": 1},
        "machine": {"platform": "Linux"},
        "timings_s": {"total": 1.5},
        "started_at": f"2026-11-2{number}T10:00:00+00:00",
        "command": f"backtest run strategies/ridge.yaml --set signal.enter_bps={5 * number}",
    }
    return Run(
        run_id=IDS[number],
        run_dir=Path("reports/ridge") / IDS[number],
        manifest=make_manifest(**manifest),
        bars=pd.DataFrame({**long, **prices, "volume": 1e6}),
        predictions=pd.DataFrame(
            {**long, "window": 0, "seed": 0, "horizon": 1, "predicted": 0.001, "actual": CHANGE}
        ),
        positions=pd.concat(positions, ignore_index=True),
        returns=returns,
        trades=pd.DataFrame(
            {
                "timestamp": DAYS[:2],
                "book": "strategy",
                "symbol": "ABC",
                "side": "buy",
                "size": 0.1,
                "price": close[:2],
                "fee": 0.001,
                "slippage_cost": 0.0005,
                "equity": 1.0,
            }
        ),
        metrics=make_metrics_document(**metrics),
        significance=make_significance_document(**make_significance(metrics)),
        certificate=make_certificate(),
    )


def write_comparison_page(runs: list[Run], folder: Path) -> Path:
    """The comparison page of these runs in `folder`."""
    return write_comparison(runs, folder, compare_opened_runs(runs))


def run_pages(reports: Path) -> RunPages:
    """The pages of the runs below a folder, as the server makes them."""
    return RunPages(reports, open_run, compare_opened_runs)


def write_run(run: Run, reports: Path) -> Path:
    """The folder of a run below `reports`, as a finished run leaves it, without pages."""
    folder = reports / "ridge" / run.run_id
    folder.mkdir(parents=True)
    run.write(folder)
    return folder


def write_three_runs(folder: Path) -> Path:
    """Three runs in a folder `reports`."""
    for number in range(3):
        write_run(make_run(number, mean=0.001 * number), folder / "reports")
    return folder / "reports"
