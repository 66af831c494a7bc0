"""The findings of all quality rules in the bars of a dataset, fit for a run or not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import BarsParseError, InvalidBarsError
from engine.data.annualisation import annualise, require_fitting_calendar
from engine.data.bars import format_timestamp
from engine.data.context import DataContext
from engine.data.fetch import fetch_dataset
from engine.data.joins import shared_timestamps
from engine.data.known_days import find_unknown_days
from engine.data.manifests import DatasetManifest, read_manifest
from engine.data.quality.findings import AppliedRepair, Finding
from engine.data.quality.gate import QualityLog
from engine.data.quality.symbols import check_exchanges
from engine.data.sources.client_settings import ClientSettings
from engine.data.universe import find_barless_spans, measure_panel, read_members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.core.types import BarsFrame
    from engine.data.universe import SymbolSpan


@dataclass(frozen=True)
class DatasetCheck:
    """The result of the check of a dataset.

    Attributes:
        manifest: The dataset.
        bar_counts: Symbol to the number of its bars that a run would use; None where a run would
            stop with an error.
        findings: Symbol by symbol in the dataset's order, rule by rule.
        applied_repairs: The repairs that the dataset requests.
        timestamps: That one of the symbols has; 0 where all have the same.
        spans: Symbol to its bars on these, where they differ.
    """

    manifest: DatasetManifest
    bar_counts: dict[str, int | None]
    findings: tuple[Finding, ...]
    applied_repairs: tuple[AppliedRepair, ...]
    timestamps: int = 0
    spans: Mapping[str, SymbolSpan] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """Whether a run could use these bars."""
        return all(finding.severity != "error" for finding in self.findings)


def check_dataset(
    name: str,
    *,
    home: Path,
    offline: bool,
    progress: Progress,
    clients: ClientSettings | None = None,
    now: pd.Timestamp | None = None,
) -> DatasetCheck:
    """Applies every rule to every symbol of a dataset, and to the symbols together, as a run does.

    Bars come from the source that a run would use. Where one symbol is unfit, a run stops; a check
    continues with the others. A file that cannot be read as bars is a finding as well.

    Args:
        name: Name of a dataset, or path of its manifest.
        home: Folder that keeps state between runs.
        offline: Does not use the network.
        progress: Gets every notice.
        clients: How the network clients behave.
        now: The present instant, in UTC.

    Raises:
        DatasetNotFoundError: No dataset of that name or path.
        StrategyError: The manifest is wrong.
        SourceError: No source delivers; as an UnreachableError none could be reached.
        DataError: The file of `members` is wrong.
    """
    return check_manifest(
        read_manifest(name),
        home=home,
        offline=offline,
        progress=progress,
        clients=clients,
        now=now,
    )


def check_manifest(
    manifest: DatasetManifest,
    *,
    home: Path,
    offline: bool,
    progress: Progress,
    clients: ClientSettings | None = None,
    now: pd.Timestamp | None = None,
) -> DatasetCheck:
    """The same for a manifest that need not be a file yet; see `check_dataset`."""
    context = DataContext(
        home=home,
        network=not offline,
        now=now or pd.Timestamp.now("UTC"),
        progress=progress,
        clients=clients or ClientSettings(),
    )
    try:
        dataset_bars = fetch_dataset(manifest, context)
    except InvalidBarsError:
        return _check_each_symbol(manifest, context)
    check = _build_check(manifest, context.quality_log, {})
    together = check_exchanges(dataset_bars.frames, manifest.dataset)
    membership = read_members(manifest)
    if membership is not None:  # a universe is traded as a panel, which is not joined
        together = tuple(each for each in together if each.rule != "not_shared")
        for sentence in find_barless_spans(membership, dataset_bars.frames, manifest.dataset):
            progress.notice(sentence)
    timestamps, spans = measure_panel(dataset_bars.frames, manifest.dataset)
    if any(span.bars < timestamps for span in spans.values()):
        check = replace(check, timestamps=timestamps, spans=spans)
    unfit = {finding.symbol for finding in together if finding.severity == "error"}
    counts = {name: None if name in unfit else count for name, count in check.bar_counts.items()}
    return replace(check, bar_counts=counts, findings=(*check.findings, *together))


def _check_each_symbol(manifest: DatasetManifest, context: DataContext) -> DatasetCheck:
    """Checks symbol by symbol, so that an unfit one does not hide the others."""
    log = QualityLog()
    unfit: dict[str, tuple[Finding, ...]] = {}
    for symbol in manifest.dataset.symbols:
        single = DatasetManifest(
            manifest.dataset.model_copy(update={"symbols": (symbol,)}), manifest.path
        )
        try:
            fetch_dataset(single, replace(context, quality_log=log))
        except InvalidBarsError as error:
            unfit[symbol] = error.findings or _read_error_findings(symbol, error)
    return _build_check(manifest, log, unfit)


def _build_check(
    manifest: DatasetManifest, log: QualityLog, unfit: dict[str, tuple[Finding, ...]]
) -> DatasetCheck:
    dataset = manifest.dataset
    passed = {name: log.for_symbol(name) for name in dataset.symbols if name not in unfit}
    findings = {
        name: tuple(finding for one in checks for finding in one.findings)
        for name, checks in passed.items()
    } | unfit
    findings |= {
        name: (
            *findings[name],
            *_unknown_days_findings(name, checks[-1].bars, dataset.calendar_of(name)),
        )
        for name, checks in passed.items()
    }
    counts: dict[str, int | None] = {
        name: len(passed[name][-1].bars) if name in passed else None for name in dataset.symbols
    }
    if passed:
        first, frames = next(iter(passed)), {name: one[-1].bars for name, one in passed.items()}
        annual = tuple(_annualisation_findings(manifest, frames))
        findings[first] = (*findings[first], *annual)
        counts = dict.fromkeys(counts) if annual else counts
    return DatasetCheck(
        manifest,
        counts,
        tuple(finding for name in dataset.symbols for finding in findings[name]),
        tuple(repair for checks in passed.values() for one in checks for repair in one.repairs),
    )


def _unknown_days_findings(symbol: str, bars: BarsFrame, calendar: str) -> Iterator[Finding]:
    """Bars that no rule compares with the calendar."""
    for each in find_unknown_days(bars["timestamp"], calendar):
        yield Finding(
            rule="unknown_days",
            symbol=symbol,
            severity="warn",
            first=f"{each.first:%Y-%m-%d}",
            last=f"{each.last:%Y-%m-%d}",
            count=each.bars,
            repair=None,
            sentence=each.sentence,
            advice=f"add {each.fix} to the dataset to leave them out",
        )


def _annualisation_findings(
    manifest: DatasetManifest, frames: Mapping[str, BarsFrame]
) -> Iterator[Finding]:
    """A calendar by which a year has more or fewer bars than the symbols have in common."""
    dataset = manifest.dataset
    stamps = pd.Series(shared_timestamps(frames))
    if stamps.empty or dataset.has_own_clocks:
        return
    try:
        found = annualise(stamps, dataset.calendar, dataset.interval, dataset.periods_per_year)
        require_fitting_calendar(
            found, stamps, dataset.calendar, dataset.interval, f"{manifest.path}"
        )
    except InvalidBarsError as error:
        yield Finding(
            rule="bars_per_year",
            symbol=next(iter(frames)),
            severity="error",
            first=format_timestamp(stamps.iloc[0], dataset.interval),
            last=format_timestamp(stamps.iloc[-1], dataset.interval),
            count=len(stamps),
            repair=None,
            sentence=error.problem,
            advice=error.fix,
        )


def _read_error_findings(symbol: str, error: InvalidBarsError) -> tuple[Finding, ...]:
    """The errors of a source that could not read its data as bars, as findings."""
    errors = error.all_errors() if isinstance(error, BarsParseError) else (error,)
    return tuple(_read_error_finding(symbol, one) for one in errors)


def _read_error_finding(symbol: str, error: InvalidBarsError) -> Finding:
    cell = error if isinstance(error, BarsParseError) else None
    parts = [error.problem, f"found {error.found}" if error.found else "", f"in {error.where}"]
    return Finding(
        rule=cell.rule if cell else "unreadable",
        symbol=symbol,
        severity="error",
        first=None,
        last=None,
        count=cell.count if cell else 1,
        repair=None,
        sentence="; ".join(part for part in parts if part),
        advice=error.fix,
    )
