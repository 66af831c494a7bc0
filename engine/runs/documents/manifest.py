"""`manifest.json`: what went into a run, and when and where it ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.market import MarketRecord
from engine.runs.documents.strategy_settings import StrategySettings


class QualityRecord(DocumentPart):
    """A finding of the quality gate, or a repair that it made.

    Attributes:
        rule: The rule that the bars broke.
        symbol: Whose bars.
        severity: `warn` or `error`; None of a repair.
        first: First bar concerned, as text; None where no bar could be read.
        last: Last bar concerned.
        count: Bars concerned.
        repair: The repair that is offered or was made; None where there is none.
        sentence: All of it in words.
        advice: What the user can do, where no repair says it.
        bars: Of a repair, the first bars concerned: `timestamp`, `before` and `after`.
        later_bars: Of a repair, bars after a bar that decided about it; None for any.
        late_bars: Timestamps of the bars that a repair changed by what came later.
    """

    rule: str
    symbol: str
    severity: str | None = None
    first: str | None = None
    last: str | None = None
    count: int
    repair: str | None = None
    sentence: str
    advice: str = ""
    bars: tuple[Mapping[str, Any], ...] = ()
    later_bars: int | None = 0
    late_bars: tuple[str, ...] = ()


class ResamplingRecord(DocumentPart):
    """What was compared of the resampled bars of one symbol.

    Attributes:
        symbol: The symbol.
        base: Interval of the bars they were made of.
        interval: Their own.
        cuts: Bars after whose end the shorter bars were replaced.
        value_count: Values that were equal, over all cuts.
    """

    symbol: str
    base: str
    interval: str
    cuts: int
    value_count: int = Field(alias="values")


class QualityReport(DocumentPart):
    """What the quality gate found and did.

    Attributes:
        rules: Rules that were checked; None where the version that ran did not keep them.
        findings: What remains.
        repairs: What was repaired.
        notices: Sentences about the bars, as the run printed them.
        resampling: What was compared of bars that were resampled from shorter ones.
    """

    rules: tuple[str, ...] | None = None
    findings: tuple[QualityRecord, ...] = ()
    repairs: tuple[QualityRecord, ...] = ()
    notices: tuple[str, ...] = ()
    resampling: tuple[ResamplingRecord, ...] = ()


class SymbolRecord(DocumentPart):
    """Where the bars of one symbol came from.

    Attributes:
        source: Source and name there.
        first: First bar, as text.
        last: Last bar.
        rows: Bars used.
        left_out: Bars left out, because another symbol has none then; None where not known.
        sha256: Of the bars used.
        vintage: Id of the vintage; None for sources without.
        pulled: When it was pulled, ISO 8601.
    """

    source: str | None = None
    first: str | None = None
    last: str | None = None
    rows: int | None = None
    left_out: int | None = None
    sha256: str | None = None
    vintage: str | None = None
    pulled: str | None = None


class AnnualisationRecord(DocumentPart):
    """By how many bars a year the run's returns are annualised.

    Attributes:
        periods_per_year: The figure used.
        basis: Where it is from: `calendar`, `measured` in the bars, or `declared` in the dataset.
        by_calendar: By the dataset's calendar.
        measured: Bars in the weeks that have any, scaled to a year; None for too few weeks.
    """

    periods_per_year: float
    basis: str
    by_calendar: float
    measured: float | None = None


class RateRecord(DocumentPart):
    """The bars by which prices of a currency were converted.

    Attributes:
        symbol: Of the dataset.
        bars: Where they came from.
    """

    symbol: str
    bars: SymbolRecord


class ExchangesRecord(DocumentPart):
    """Calendars and currencies of the symbols.

    Attributes:
        calendars: Symbol -> its calendar.
        decided_at: The symbol at whose closes decisions are made; None of a book, which decides at
            the last close of each date.
        currency: Of the book; None where no symbol says.
        currencies: Symbol -> the currency of its prices, where it is another.
        rates: Currency -> the bars that converted it.
    """

    calendars: Mapping[str, str]
    decided_at: str | None = None
    currency: str | None = None
    currencies: Mapping[str, str] = {}
    rates: Mapping[str, RateRecord] = {}


class FundingRecord(DocumentPart):
    """Which funding rates of a perpetual the run used.

    Attributes:
        rates: How many.
        sha256: Of their instants and values.
    """

    rates: int
    sha256: str


class DatasetRecord(DocumentPart):
    """Which bars the run used.

    Attributes:
        name: Of the dataset.
        note: Its own words.
        interval: Length of a bar.
        calendar: `24/7`, or a code of exchange-calendars.
        annualisation: Bars a year; None where the version that ran recorded only its calendar.
        offline: Whether the offline dataset stood in.
        notices: What the data stage said about how the bars were obtained.
        quality: What the quality gate found; None where the version that ran kept nothing of it.
        vintage: Id of the vintage of all symbols; None for sources without.
        symbols: Symbol -> where its bars came from.
        exchanges: Calendars and currencies, where symbols have their own.
        funding: Symbol -> its funding rates, where the costs charge them.
    """

    name: str
    note: str | None = None
    interval: str | None = None
    calendar: str | None = None
    annualisation: AnnualisationRecord | None = None
    offline: bool = False
    notices: tuple[str, ...] = ()
    quality: QualityReport | None = None
    vintage: str | None = None
    symbols: Mapping[str, SymbolRecord] = {}
    exchanges: ExchangesRecord | None = None
    # Left out of what is written where there is none, as in earlier versions.
    funding: Mapping[str, FundingRecord] = Field(default={}, exclude_if=lambda rates: not rates)


class FitRecord(DocumentPart):
    """How one fit went.

    Attributes:
        symbol: What it forecasts.
        seed: Number of its seed.
        horizons: Bars ahead that it forecasts, where that is not the traded horizon alone.
        key: Its key in the store of fits; None where it is not stored.
        failed: Why it failed and was left out; None for a fit that was used.
        attempts: 2 where the first seed gave no usable forecaster.
        trials: Configurations tried on the train rows before one was chosen.
        chosen: What was chosen: dotted path of the strategy -> value; None without tuning.
        warm: Whether it started from the weights of the window before; None where none was to.
        epochs: Epochs trained; 0 for a model without.
        best_epoch: The epoch whose weights were kept, counted from 0.
        train_loss: One value an epoch.
        validation_loss: One value an epoch.
        members: Of an ensemble, the same of each member.
    """

    symbol: str | None = None
    seed: int | None = None
    horizons: tuple[int, ...] = ()
    key: str | None = None
    failed: str | None = None
    attempts: int = 1
    trials: int = 0
    chosen: Mapping[str, Any] | None = None
    warm: bool | None = None
    epochs: int = 0
    best_epoch: int | None = None
    train_loss: tuple[float | None, ...] = ()
    validation_loss: tuple[float | None, ...] = ()
    members: tuple[FitRecord, ...] = ()


class WindowRecord(DocumentPart):
    """One walk-forward window.

    Attributes:
        index: Its number, from 0.
        train: First and last bar of the train part, ISO 8601.
        validation: The same of the validation part.
        test: The same of the test part.
        train_bars: Bars of the train part.
        validation_bars: Bars of the validation part.
        test_bars: Bars of the test part.
        threshold_enter_bps: Predicted return from which a position is entered; None where there
            is no forecast.
        threshold_exit_bps: Predicted return below which it is left.
        fits: How each fit of the strategy went.
    """

    index: int
    train: tuple[str, str]
    validation: tuple[str, str]
    test: tuple[str, str]
    train_bars: int | None = None
    validation_bars: int | None = None
    test_bars: int | None = None
    threshold_enter_bps: float | None = None
    threshold_exit_bps: float | None = None
    fits: tuple[FitRecord, ...] = ()


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
