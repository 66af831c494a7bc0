from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from engine.runs.folder import PAGES
from engine.runs.run import Run
from tests.runs.documents import (
    make_manifest,
    make_metrics_document,
    make_significance_document,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.progress import Progress

STRATEGY_BOOK = {
    "total_return_pct": 41.25,
    "cagr_pct": 3.5,
    "volatility_pct": 12.0,
    "sharpe": 0.42,
    "sortino": 0.61,
    "max_drawdown_pct": -18.4,
    "trades": 1204,
    "cost_paid_pct": 14.2,
    "exposure_pct": 55.0,
    "hit_rate_pct": None,
    "break_even_cost_bps": 21.0,
}
RULE_BOOK = STRATEGY_BOOK | {"total_return_pct": -3.0, "sharpe": None, "trades": 1}


def metrics_document(strategy: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "span": {
            "first": "2003-06-02",
            "last": "2018-12-31",
            "bars": 3900,
            "periods_per_year": 252.0,
        },
        "books": {"strategy": strategy, "buy_and_hold": rule},
        "forecasts": {
            "strategy": {
                "directional_accuracy_pct": 51.2,
                "up_share_pct": 54.0,
                "r2_vs_persistence": -0.0031,
            }
        },
    }


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run with pages."""
    monkeypatch.chdir(tmp_path)
    folder = Path("reports/micdl/0123456789ab")
    folder.mkdir(parents=True)
    for page in PAGES:
        (folder / f"{page}.html").touch()
    days = pd.date_range("2018-12-28", periods=2, freq="3D", tz="UTC", name="timestamp")
    bars = pd.DataFrame({"timestamp": days, "symbol": "SP500", "close": [2485.74, 2506.85]})
    return Run(
        run_id="0123456789ab",
        run_dir=folder,
        manifest=make_manifest(
            strategy_name="micdl",
            strategy={"opponents": [{"kind": "buy_and_hold"}]},
            dataset={"name": "us-indices", "offline": True, "notices": []},
            target=["SP500"],
            left_out=[],
        ),
        bars=bars,
        predictions=pd.DataFrame(columns=["timestamp", "symbol", "seed", "horizon", "predicted"]),
        positions=pd.DataFrame(
            {"timestamp": days, "book": "strategy", "symbol": "SP500", "weight": [0.0, 0.0]}
        ),
        returns=pd.DataFrame({"strategy": 0.0, "buy_and_hold": 0.0}, index=days),
        trades=pd.DataFrame(
            columns=["timestamp", "book", "symbol", "side", "size", "price", "fee"]
        ).astype({"size": "float64", "price": "float64", "fee": "float64"}),
        metrics=make_metrics_document(**metrics_document(STRATEGY_BOOK, RULE_BOOK)),
        significance=make_significance_document(
            sharpe={"strategy": {"estimate": 0.42, "low": -0.11, "high": 0.93}}
        ),
    )


class FakePipeline:
    """Reports some progress, then returns a run or raises; records its call."""

    def __init__(self, outcome: Run | BaseException) -> None:
        self.outcome = outcome
        self.strategy = ""
        self.options: dict[str, Any] = {}

    def __call__(self, strategy: str, *, progress: Progress, **options: Any) -> Run:
        self.strategy, self.options = strategy, options
        progress.stage("data")
        progress.notice("us-indices stands in for crypto-majors")
        progress.stage("refits")
        for done in range(1, 4):
            progress.advance(done, 3, f"window {done}")
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def pipeline() -> Callable[[Run | BaseException], FakePipeline]:
    return FakePipeline
