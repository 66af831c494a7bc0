"""What a run writes down about itself."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.artifacts import run_id, versions
from engine.evaluation.ledger import Outcome
from engine.signals.forecasts import Forecasts
from engine.signals.thresholds import levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.artifacts import Run
    from engine.pipeline.ground import Ground
    from engine.progress import Progress
    from engine.refit.stitch import Predictions
    from engine.simulation.result import Result
    from engine.strategy import Strategy
    from engine.types import WideFrame
    from engine.windows.walk_forward import Window


class Clock:
    """Tells stages to whoever listens, and how long each took.

    Attributes:
        started_at: UTC, ISO 8601.
    """

    def __init__(self, progress: Progress) -> None:
        self.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._progress = progress
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Around the work of one stage."""
        self._progress.stage(name)
        begin = time.perf_counter()
        yield
        self._stages[name] = round(time.perf_counter() - begin, 3)

    def timings(self) -> dict[str, float]:
        """Seconds by stage so far, and in all."""
        return self._stages | {"total": round(time.perf_counter() - self._start, 3)}


def manifest(
    spec: Strategy, ground: Ground, predictions: Mapping[str, Predictions]
) -> dict[str, Any]:
    """Everything that went in, but for where and when it ran."""
    market = ground.market
    hashes = [(symbol, market.identity["symbols"][symbol]["sha256"]) for symbol in market.symbols]
    data = [("interval", market.interval), ("calendar", market.calendar), *hashes]
    used = versions(spec.compute.backend, spec.libraries)
    return {
        "run_id": run_id(spec.identity(), data, used),
        "strategy_name": spec.name,
        "strategy": spec.model_dump(mode="json"),
        "dataset": market.identity,
        "target": list(ground.targets),
        "inputs": list(ground.history.names),
        "tuning": _tuning(spec, predictions["strategy"]),
        "windows": _windows(spec, ground, predictions["strategy"]),
        "versions": used,
        "seeds": {"seed": spec.seed, "count": spec.seeds},
    }


def outcome(found: Run) -> Outcome:
    """What the trial ledger keeps of a run."""
    return Outcome(
        run_id=found.run_id,
        returns=found.returns["strategy"],
        sharpe=found.metrics["books"]["strategy"]["sharpe"],
        seeds=found.manifest["seeds"]["count"],
        tuning=tuned(found.manifest),
        grade=found.significance["verdict"]["grade"],
        certificate=found.certificate and found.certificate["result"],
    )


def tuned(manifest: Mapping[str, Any]) -> int:
    """How many configurations a run tried within, by its manifest."""
    tuning = manifest["tuning"]
    return tuning["trials"] if tuning else 0


def _tuning(spec: Strategy, made: Predictions) -> dict[str, int] | None:
    """How many configurations were tried in all; those of a failed fit were tried too."""
    if spec.tune is None:
        return None
    fits = [fit for of_window in made.fits.values() for fit in of_window]
    return {"trials": sum(fit.get("trials", spec.tune.trials) for fit in fits)}


def positions(weights: Mapping[str, WideFrame]) -> pd.DataFrame:
    """Long: timestamp, book, symbol, weight."""
    blocks = [
        weight.rename_axis("timestamp")
        .melt(ignore_index=False, var_name="symbol", value_name="weight")
        .reset_index()
        .assign(book=name)
        for name, weight in weights.items()
    ]
    table = pd.concat(blocks, ignore_index=True)
    return table[["timestamp", "book", "symbol", "weight"]]


def trades(books: Mapping[str, Result]) -> pd.DataFrame:
    """Long: timestamp, book, and each fill's columns."""
    blocks = [book.trades.assign(book=name) for name, book in books.items()]
    table = pd.concat(blocks, ignore_index=True)
    return table[["timestamp", "book", *table.columns.drop(["timestamp", "book"])]]


def _windows(spec: Strategy, ground: Ground, made: Predictions) -> list[dict[str, Any]]:
    forecasts = Forecasts(made.predicted, made.window, made.train)
    first = ground.targets[0]
    by_window = levels(spec.signal, forecasts, first, spec.costs.round_trip)
    stamps = ground.history.features.timestamps

    def part(rows: range) -> list[str]:
        return [stamps[rows[0]].isoformat(), stamps[rows[-1]].isoformat()]

    def told(window: Window) -> dict[str, Any]:
        level = by_window.get(window.index)
        return {
            "index": window.index,
            "train": part(window.train),
            "validation": part(window.validation),
            "test": part(window.test),
            "train_bars": len(window.train),
            "validation_bars": len(window.validation),
            "test_bars": len(window.test),
            "threshold_enter_bps": None if level is None else 10_000 * level.enter,
            "threshold_exit_bps": None if level is None else 10_000 * level.exit,
            "fits": made.fits[window.index],
        }

    return [told(window) for window in ground.windows]
