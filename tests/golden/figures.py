"""Golden figures: what small problems gave when each stage's version was last raised.

`python -m tests.golden.figures` writes `golden.json` anew. Do so only after raising the version of
the stage whose numbers were meant to change, in `engine/core/stage_versions.py`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import engine
from engine.core.progress import NullProgress
from engine.core.stage_versions import STAGE_VERSIONS
from engine.data.load import load_market
from engine.models import (
    Adam,
    Drift,
    Ensemble,
    GradientBoosting,
    Lstm,
    Ridge,
    TrainingSpec,
    TunedForecaster,
    TuningSpec,
)
from engine.pipeline.prepare import prepare_data
from engine.strategy import load_strategy
from engine.testing import make_example
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from engine.training.worker import fit_task
from tests.pipeline.markets import STRATEGY, bars, write_market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.models import Forecaster
    from engine.runs.run import Run
    from engine.strategy import Strategy

GOLDEN_FILE = Path(__file__).with_name("golden.json")
DIGITS = 9

TRAINING = TrainingSpec(epochs=8, batch_size=32, optimizer=Adam(learning_rate=0.005))
FORECASTERS: dict[str, Forecaster] = {
    "ridge": Ridge(lookback=5),
    "gradient_boosting": GradientBoosting(trees=20),
    "ensemble": Ensemble(
        members=(Ridge(), GradientBoosting(trees=10), Drift()), combine="validation_weighted"
    ),
    "tuned": TunedForecaster(
        model=Ridge(),
        tune=TuningSpec.model_validate(
            {
                "space": {"model.lookback": {"kind": "integer", "low": 1, "high": 8}},
                "trials": 4,
            }
        ),
    ),
    "lstm": Lstm(lookback=4, units=(8,)),
}
"""One of each way to compute a fit; `lstm` goes through the training loop and a worker."""


def compute_fit_figures(name: str) -> dict[str, Any]:
    """A few figures of one forecaster's fit on a planted problem."""
    model = FORECASTERS[name]
    example = make_example(edge=0.8)
    task = FitTask("strategy", "X", 0, 0, 3, model, TRAINING, example.training_set)
    if name == "lstm":
        ((_, fitted),) = LocalExecutor(1, "tensorflow").run_tasks(FitScheduler([task]))
    else:
        fitted = fit_task(task)
    predicted = fitted.forecaster.predict(example.inputs, example.test)
    return {
        "train_mean": _rounded(fitted.train.mean()),
        "train_deviation": _rounded(fitted.train.std()),
        "validation": _rounded(fitted.validation[::20]),
        "test": _rounded(predicted.returns[::15]),
    }


def compute_run_figures() -> dict[str, dict[str, Any]]:
    """Stage -> a few figures of a small run on a generated market."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = write_market(folder / "market", {"AAA": bars(1, edge=0.3), "BBB": bars(2)})
        file = folder / "golden.yaml"
        file.write_text(STRATEGY.format(dataset=dataset, model="{kind: ridge, lookback: 3}"))
        run = engine.run(file, home=folder / "home", out=folder / "out", workers=1, pages=False)
        return _describe_run(run, load_strategy(file), folder / "home")


def _describe_run(run: Run, spec: Strategy, home: Path) -> dict[str, dict[str, Any]]:
    market = load_market(
        spec.data, home=home, offline=False, override=None, progress=NullProgress()
    )
    prepared = prepare_data(spec, market)
    features = prepared.feature_history.features
    positions = run.positions.groupby("book")["weight"].agg(lambda w: float(np.abs(w).sum()))
    returns = run.returns.drop(columns="timestamp", errors="ignore").sum()
    strategy = run.metrics["books"]["strategy"]
    return {
        "data": {"close_sum": _rounded(run.bars["close"].sum()), "bars": len(run.bars)},
        "features": dict(
            zip(features.names, _rounded(np.nanmean(features.values, axis=0)), strict=True)
        ),
        "splits": {
            "rows": [
                [w.train.start, w.train.stop, w.validation.start, w.test.start, w.test.stop]
                for w in prepared.windows
            ]
        },
        "signals": {str(book): _rounded(total) for book, total in positions.items()},
        "simulation": {str(book): _rounded(total) for book, total in returns.items()},
        "evaluation": {
            name: _rounded(strategy[name])
            for name in ("sharpe", "cagr_pct", "max_drawdown_pct", "volatility_pct")
        }
        | _numbers(run.significance["sharpe"]["strategy"]),
        "trials": _numbers(run.significance["trials"]),
        "leakage": {
            str(place): _numbers(cut) | {"bar": cut["bar"], "kind": cut["kind"]}
            for place, cut in enumerate(run.certificate["cuts"])
        },
    }


def _numbers(document: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers that stand directly in a document."""
    return {
        name: _rounded(value)
        for name, value in document.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _rounded(values: Any) -> Any:
    """Significant digits that rounding on another machine leaves alone or nearly so."""
    if np.ndim(values):
        return [_rounded(value) for value in np.asarray(values).tolist()]
    return float(f"{float(values):.{DIGITS}g}")


def compute_all() -> dict[str, Any]:
    """What `golden.json` holds."""
    return {
        "stages": dict(STAGE_VERSIONS),
        "fits": {name: compute_fit_figures(name) for name in FORECASTERS},
        "run": compute_run_figures(),
    }


if __name__ == "__main__":
    GOLDEN_FILE.write_text(json.dumps(compute_all(), indent=1) + "\n", encoding="utf-8")
