"""`manifest.json` of a run, its long tables, and the time of its stages."""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.core.part_origin import find_origins
from engine.core.versions import collect_versions
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.pipeline.run_identity import identify_run
from engine.runs.documents import Manifest
from engine.runs.documents.manifest import (
    MachineRecord,
    PartRecord,
    RateFileRecord,
    SeedRecord,
    TuningRecord,
)
from engine.runs.documents.manifest_dataset import DatasetRecord
from engine.runs.documents.manifest_windows import FitRecord, WindowRecord
from engine.runs.stored_market import describe_market
from engine.signals.inputs import SignalInputs
from engine.signals.thresholds import compute_window_thresholds
from engine.trials import RunOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.core.progress import Progress
    from engine.core.types import WideFrame
    from engine.data.rates import RateFile
    from engine.pipeline.prepared_data import PreparedData
    from engine.runs.run import Run
    from engine.simulation.portfolio import SimulationResult
    from engine.splits.walk_forward import WalkForwardWindow
    from engine.strategy import Strategy
    from engine.training.out_of_sample import Predictions


class StageTimer:
    """Reports the stages of a run and measures how long each takes.

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
        """A context for the work of one stage."""
        self._progress.stage(name)
        begin = time.perf_counter()
        yield
        self._stages[name] = round(time.perf_counter() - begin, 3)

    def timings(self) -> dict[str, float]:
        """Seconds of each stage so far, and `total`."""
        return self._stages | {"total": round(time.perf_counter() - self._start, 3)}


def build_manifest(
    spec: Strategy, prepared: PreparedData, predictions: Mapping[str, Predictions]
) -> Manifest:
    """The inputs of a run; the caller adds when and where it ran."""
    market, rate_files = prepared.market, prepared.rates.files
    origins = find_origins(spec)
    parts = {"parts": tuple(PartRecord(**origin.as_dict()) for origin in origins)}
    return Manifest(
        run_id=identify_run(spec, prepared),
        **(parts if origins else {}),
        **({"rate_files": _describe_rate_files(rate_files)} if rate_files else {}),
        strategy_name=spec.name,
        strategy=spec.model_dump(mode="json"),
        dataset=DatasetRecord.model_validate(market.provenance),
        market=describe_market(market),
        target=prepared.targets,
        inputs=tuple(prepared.feature_history.feature_names),
        tuning=_describe_tuning(spec, predictions[STRATEGY_BOOK]),
        windows=_describe_windows(spec, prepared, predictions[STRATEGY_BOOK]),
        versions=collect_versions(spec.compute.backend, spec.libraries),
        seeds=SeedRecord(seed=spec.seed, count=spec.seeds),
    )


def _describe_rate_files(files: Mapping[str, RateFile]) -> dict[str, RateFileRecord]:
    return {
        key: RateFileRecord(
            path=file.path,
            sha256=file.sha256,
            rows=len(file.values),
            first=str(file.dates[0].astype("datetime64[s]")),
            last=str(file.dates[-1].astype("datetime64[s]")),
        )
        for key, file in files.items()
    }


def summarize_for_ledger(finished_run: Run) -> RunOutcome:
    """The row of a run in the trial ledger."""
    return RunOutcome(
        run_id=finished_run.run_id,
        returns=finished_run.returns[STRATEGY_BOOK],
        sharpe=finished_run.metrics.books[STRATEGY_BOOK].sharpe,
        seeds=finished_run.manifest.seeds.count,
        holding=finished_run.returns.get(BUY_AND_HOLD),
        tuning=count_tuning_trials(finished_run.manifest),
        grade=finished_run.significance.verdict.grade,
        certificate=finished_run.certificate and finished_run.certificate.result,
    )


def count_tuning_trials(manifest: Manifest) -> int:
    """How many configurations the tuning of a run tried, by its manifest."""
    return manifest.tuning.trials if manifest.tuning else 0


def _describe_tuning(spec: Strategy, predictions: Predictions) -> TuningRecord | None:
    """How many configurations were tried in all, those of failed fits included."""
    if spec.tune is None:
        return None
    fits = [fit for of_window in predictions.fit_records.values() for fit in of_window]
    return TuningRecord(trials=sum(fit.get("trials", spec.tune.trials) for fit in fits))


def concat_positions(weights: Mapping[str, WideFrame]) -> pd.DataFrame:
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


def concat_trades(books: Mapping[str, SimulationResult]) -> pd.DataFrame:
    """Long: timestamp, book, and each fill's columns."""
    blocks = [book.trades.assign(book=name) for name, book in books.items()]
    table = pd.concat(blocks, ignore_index=True)
    return table[["timestamp", "book", *table.columns.drop(["timestamp", "book"])]]


def _describe_windows(
    spec: Strategy, prepared: PreparedData, predictions: Predictions
) -> tuple[WindowRecord, ...]:
    forecasts = SignalInputs.from_predictions(predictions)
    first = prepared.targets[0]
    by_window = compute_window_thresholds(
        spec.signal, forecasts, first, spec.costs.round_trip_cost
    )
    stamps = prepared.feature_history.features.timestamps

    def part(rows: range) -> tuple[str, str]:
        return stamps[rows[0]].isoformat(), stamps[rows[-1]].isoformat()

    def describe(window: WalkForwardWindow) -> WindowRecord:
        level = by_window.get(window.index)
        return WindowRecord(
            index=window.index,
            train=part(window.train),
            validation=part(window.validation),
            test=part(window.test),
            train_bars=len(window.train),
            validation_bars=len(window.validation),
            test_bars=len(window.test),
            threshold_enter_bps=None if level is None else 10_000 * level.enter,
            threshold_exit_bps=None if level is None else 10_000 * level.exit,
            fits=tuple(map(FitRecord.model_validate, predictions.fit_records[window.index])),
        )

    return tuple(describe(window) for window in prepared.windows)


def describe_machine(workers: int) -> MachineRecord:
    """What the run ran on.

    Args:
        workers: Processes that trained.
    """
    return MachineRecord(platform=platform.platform(), cpu_count=os.cpu_count(), workers=workers)
