"""Provenance of a run: its inputs, its environment, and the command that repeats it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.tables import DataTable, DataTableCell, DataTableColumn, number_cell
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents import Manifest
    from engine.runs.documents.base import DocumentPart
    from engine.runs.documents.manifest_dataset import DatasetRecord, SymbolRecord
    from engine.runs.run import Run

DEFAULT_STRATEGY_FILE = "strategy.yaml"
"""Name under which the resolved strategy is to be saved if the run had no strategy file."""

STAGE_ORDER = (
    "data",
    "features",
    "refits",
    "simulation",
    "certificate",
    "paths",
    "evaluation",
    "report",
    "total",
)
FIT_COLUMNS = (
    DataTableColumn("Window"),
    DataTableColumn("Test span", "text"),
    DataTableColumn("Symbol", "text"),
    DataTableColumn("Seed"),
    DataTableColumn("Horizons", "text"),
    DataTableColumn("Key", "text"),
)


@dataclass(frozen=True)
class SymbolProvenance:
    """Source of the bars of one symbol, as text."""

    symbol: str
    source: str
    span: str
    rows: str
    sha256: str
    digest: str
    vintage: str
    fetched: str


@dataclass(frozen=True)
class ProvenanceContent:
    """Provenance of a run.

    Attributes:
        command: The command that repeats the run.
        engine: Version of the engine and digest of its source.
        default_file: Name under which the resolved strategy is to be saved.
        dataset: Of the manifest.
        symbols: Source of the bars, by symbol.
        has_vintages: Whether any symbol has a vintage.
        versions: Distribution and version.
        seeds: Seeds as text.
        machine: Machine as text.
        timings: Stage and duration.
        started_at: When the run started, UTC.
        exchanges: Calendars and currencies of symbols that have others than the dataset.
        inputs: Names of the features.
        strategy: The resolved strategy as JSON.
        bars: Number of bars.
        trades: Number of fills of all books.
        fits: Stored fits of the strategy.
    """

    command: str
    engine: str
    default_file: str
    dataset: DatasetRecord
    symbols: tuple[SymbolProvenance, ...]
    has_vintages: bool
    versions: tuple[tuple[str, str], ...]
    seeds: str
    machine: str
    timings: tuple[tuple[str, str], ...]
    started_at: str
    exchanges: str
    inputs: str
    strategy: str
    bars: str
    trades: str
    fits: DataTable


def provenance_section(run: Run) -> TearsheetSection:
    """Command, bars, versions, machine, timings, stored fits, and the resolved strategy."""
    manifest, timings = run.manifest, run.manifest.timings_s
    version, source = split_engine_version(manifest)
    symbols = sorted(manifest.dataset.symbols.items())
    return TearsheetSection(
        "provenance",
        "Provenance",
        ProvenanceContent(
            command=make_rerun_command(manifest),
            engine=f"backtest-engine {version}" + (f" (source {source})" if source else ""),
            default_file=DEFAULT_STRATEGY_FILE,
            dataset=manifest.dataset,
            symbols=tuple(_symbol_provenance(name, record) for name, record in symbols),
            has_vintages=any(record.vintage for _, record in symbols),
            versions=tuple(sorted(manifest.versions.items())),
            seeds=_key_values_text(manifest.seeds),
            machine=_key_values_text(manifest.machine),
            timings=tuple(
                (stage, formatting.duration(timings[stage]))
                for stage in sorted(timings, key=lambda name: (_stage_index(name), name))
            ),
            started_at=formatting.timestamp(manifest.started_at),
            exchanges=_describe_exchanges(manifest.dataset),
            inputs=_list_inputs(manifest.inputs),
            strategy=json.dumps(
                manifest["strategy"], indent=2, sort_keys=True, ensure_ascii=False
            ),
            bars=formatting.COUNT(len(run.bars)),
            trades=formatting.COUNT(len(run.trades)),
            fits=DataTable(
                "Fits of the strategy", FIT_COLUMNS, _fit_rows(manifest), "Filter fits"
            ),
        ),
    )


def make_rerun_command(manifest: Manifest) -> str:
    """The command that repeats the run on the same data, also after later downloads.

    The command line of the run, with the vintage of the bars where the cache keeps one, and with
    `--offline` where the offline dataset was used because no source was reachable.
    """
    dataset = manifest.dataset
    default = f"backtest run {manifest.strategy_file or DEFAULT_STRATEGY_FILE}"
    command = manifest.command or default
    if dataset.offline and "--offline" not in command:
        command += " --offline"
    if dataset.vintage and "--vintage" not in command:
        command += f" --vintage {dataset.vintage}"
    return command


def split_engine_version(manifest: Manifest) -> tuple[str, str]:
    """Version of the engine and digest of its source; empty where the manifest lacks them."""
    version, _, source = manifest.versions.get("backtest-engine", "").partition("+")
    return version, source


def _symbol_provenance(symbol: str, record: SymbolRecord) -> SymbolProvenance:
    return SymbolProvenance(
        symbol=symbol,
        source=str(record.source),
        span=formatting.date_range(record.first, record.last),
        rows=formatting.COUNT(record.rows),
        sha256=record.sha256 or formatting.MISSING,
        digest=formatting.short_hash(record.sha256),
        vintage=record.vintage or formatting.MISSING,
        fetched=formatting.timestamp(record.pulled),
    )


def _key_values_text(part: DocumentPart) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {part[key]}" for key in sorted(part))


def _fit_rows(manifest: Manifest) -> tuple[tuple[DataTableCell, ...], ...]:
    """A row for each fit of the strategy that is in the store."""
    return tuple(
        (
            number_cell(formatting.COUNT, window.index),
            DataTableCell(formatting.date_range(*window.test)),
            DataTableCell(fit.symbol or ""),
            number_cell(formatting.COUNT, fit.seed),
            DataTableCell(", ".join(map(str, fit.horizons or (manifest.settings.horizon,)))),
            DataTableCell(fit.key[:12], is_code=True, tooltip=fit.key),
        )
        for window in manifest.windows
        for fit in window.fits
        if fit.key is not None
    )


def _stage_index(stage: str) -> int:
    return STAGE_ORDER.index(stage) if stage in STAGE_ORDER else STAGE_ORDER.index("report")


def _list_inputs(names: Sequence[str]) -> str:
    """Names of the features; those that every symbol of several has, once."""
    by_symbol: dict[str, list[str]] = {}
    for name in names:
        symbol, _, own = name.partition(":")
        by_symbol.setdefault(symbol, []).append(own)
    first, *others = by_symbol.values() or [[]]
    if not others or any(own != first for own in others):
        return ", ".join(names)
    return f"{', '.join(first)} of each of {len(by_symbol)} symbols"


def _describe_exchanges(dataset: DatasetRecord) -> str:
    """Symbols by their calendar and currency, where these are not those of the dataset."""
    if dataset.exchanges is None:
        return ""
    own = dataset.exchanges
    by_place: dict[str, list[str]] = {}
    for symbol, calendar in own.calendars.items():
        place = [calendar] if calendar != dataset.calendar else []
        place += [own.currencies[symbol]] if symbol in own.currencies else []
        if place:
            by_place.setdefault(" in ".join(place), []).append(symbol)
    return "; ".join(f"{', '.join(symbols)}: {place}" for place, symbols in by_place.items())
