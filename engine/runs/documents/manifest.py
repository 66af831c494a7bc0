"""`manifest.json`: what went into a run, and when and where it ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.manifest_dataset import DatasetRecord
from engine.runs.documents.manifest_windows import WindowRecord
from engine.runs.documents.market import MarketRecord
from engine.runs.documents.strategy_settings import StrategySettings


class TuningRecord(DocumentPart):
    """What tuning tried.

    Attributes:
        trials: Configurations in all.
    """

    trials: int


class SeedRecord(DocumentPart):
    """Where the randomness of the run started.

    Attributes:
        seed: The strategy's seed.
        count: Fits of each window and model, each from its own seed.
    """

    seed: int | None = None
    count: int = 1


class MachineRecord(DocumentPart):
    """What the run ran on.

    Attributes:
        platform: System and processor.
        cpu_count: Cores; None where the system does not say.
        workers: Processes that trained.
    """

    platform: str | None = None
    cpu_count: int | None = None
    workers: int | None = None


class FitCounts(DocumentPart):
    """Where the fits came from.

    Attributes:
        trained: Fits that this run trained.
        stored: Fits that the store had.
    """

    trained: int
    stored: int


class PartRecord(DocumentPart):
    """Origin of a part of the strategy that is not the engine's own.

    Attributes:
        kind: Its kind; empty for a class that is a component of a part.
        name: Module and name of its class.
        distribution: The installed distribution; empty where the class is defined in a script, a
            notebook or a file beside it.
        version: Of the distribution.
        source_sha256: First digits of the SHA-256 over its source.
    """

    kind: str
    name: str
    distribution: str = ""
    version: str = ""
    source_sha256: str


class RateFileRecord(DocumentPart):
    """A file of interest rates.

    Attributes:
        path: As the run read it.
        sha256: Of its bytes.
        rows: Rows with a rate.
        first: Date of the first of them, ISO 8601, UTC.
        last: Date of the last one; later bars have its rate.
    """

    path: str
    sha256: str
    rows: int
    first: str
    last: str


class LedgerRecord(DocumentPart):
    """Where a run stands in the trial ledger.

    Attributes:
        number: Of the run.
        hash: Of the row with its bars, in the chain of the ledger's hashes: `backtest ledger
            verify --noted` finds it, unless rows up to there were changed or removed.
    """

    number: int
    hash: str


class Manifest(Document):
    """`manifest.json`: strategy, dataset, windows, versions, seeds, machine, timings.

    Attributes:
        run_id: Of strategy, data and versions: same inputs, same id.
        strategy_name: Name of the strategy.
        strategy_file: Its file; None where it was no file.
        strategy: The resolved strategy: every key of the file, defaults included.
        dataset: Which bars.
        market: What makes the stored bars a market again; None where the version that ran kept
            nothing of it.
        target: Symbols that are traded.
        inputs: Names of the features.
        tuning: What tuning tried; None without tuning.
        windows: The walk-forward windows.
        versions: Distribution -> version.
        parts: Parts that are not the engine's own; empty where all of them are.
        rate_files: Key of the strategy -> the file of its interest rates; empty where the rates
            are constants.
        seeds: Where the randomness started.
        machine: What the run ran on.
        fits: Where the fits came from; None where the version that ran kept nothing of it.
        excluded_fits: Fits that failed and were left out, each with its reason.
        timings_s: Stage -> seconds.
        forecast_ms: `full` and `deployed` -> milliseconds of one forecast; empty without a
            deployment.
        started_at: UTC, ISO 8601.
        command: The command line; empty from Python.
        sweep_id: Of the sweep that the run belongs to; None for a run of its own.
        ledger: Where the run stands in the trial ledger; None where it could not be written.
    """

    run_id: str
    strategy_name: str
    strategy_file: str | None = None
    strategy: Mapping[str, Any] = {}
    dataset: DatasetRecord
    market: MarketRecord | None = None
    target: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    tuning: TuningRecord | None = None
    windows: tuple[WindowRecord, ...] = ()
    versions: Mapping[str, str] = {}
    parts: tuple[PartRecord, ...] = ()
    rate_files: Mapping[str, RateFileRecord] = {}
    seeds: SeedRecord = SeedRecord()
    machine: MachineRecord = MachineRecord()
    fits: FitCounts | None = None
    excluded_fits: tuple[str, ...] = Field(default=(), alias="left_out")
    timings_s: Mapping[str, float] = {}
    forecast_ms: Mapping[str, float] = {}
    started_at: str | None = None
    command: str = ""
    sweep_id: str | None = Field(default=None, alias="family")
    ledger: LedgerRecord | None = None

    @property
    def settings(self) -> StrategySettings:
        """The settings of the strategy that pages and summaries show."""
        return StrategySettings.from_strategy(self.strategy)
