"""All that the rules find in the bars of a dataset, whether or not a run could use them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.access import Access
from engine.data.collect import collect
from engine.data.manifests import Manifest, read_manifest
from engine.data.quality.findings import Finding, Repaired
from engine.data.quality.gate import QualityLog
from engine.data.sources.clients import Clients
from engine.errors import BadBarsError, UnreadableError

if TYPE_CHECKING:
    from pathlib import Path

    from engine.progress import Progress


@dataclass(frozen=True)
class Checked:
    """What a check of a dataset found.

    Attributes:
        manifest: The dataset.
        bars: Symbol to the number of its bars that a run would use; None where it would stop.
        findings: Symbol by symbol in the dataset's order, rule by rule.
        repaired: What was repaired because the dataset asks for it.
    """

    manifest: Manifest
    bars: dict[str, int | None]
    findings: tuple[Finding, ...]
    repaired: tuple[Repaired, ...]

    @property
    def sound(self) -> bool:
        """Whether a run could use these bars."""
        return all(finding.severity != "error" for finding in self.findings)


def check_dataset(
    name: str,
    *,
    home: Path,
    offline: bool,
    progress: Progress,
    clients: Clients | None = None,
    now: pd.Timestamp | None = None,
) -> Checked:
    """Asks every rule about every symbol of a dataset, as a run does before it begins.

    Bars come from where a run would take them. Where one symbol is unfit, a run stops; a check
    goes on to the others. A file that cannot be read as bars is a finding as well.

    Args:
        name: Name of a dataset, or path of its manifest.
        home: Folder that keeps state between runs.
        offline: Leaves the network alone.
        progress: Told every notice.
        clients: How the network clients behave.
        now: The present instant, in UTC.

    Raises:
        DatasetNotFoundError: No dataset of that name or path.
        StrategyError: The manifest is wrong.
        SourceError: No source delivers; as an UnreachableError none could be reached.
    """
    manifest = read_manifest(name)
    access = Access(
        home=home,
        network=not offline,
        now=now or pd.Timestamp.now("UTC"),
        progress=progress,
        clients=clients or Clients(),
    )
    try:
        collect(manifest, access)
    except BadBarsError:
        return _each(manifest, access)
    return _passed(manifest, access.quality, {})


def _each(manifest: Manifest, access: Access) -> Checked:
    """Symbol by symbol, so that one that is unfit does not hide the others."""
    log = QualityLog()
    unfit: dict[str, tuple[Finding, ...]] = {}
    for symbol in manifest.dataset.symbols:
        alone = manifest.dataset.model_copy(update={"symbols": (symbol,)})
        try:
            collect(Manifest(alone, manifest.path), replace(access, quality=log))
        except BadBarsError as error:
            unfit[symbol] = error.findings or _refusals(symbol, error)
    return _passed(manifest, log, unfit)


def _passed(manifest: Manifest, log: QualityLog, unfit: dict[str, tuple[Finding, ...]]) -> Checked:
    dataset = manifest.dataset
    passed = {name: log.of(name) for name in dataset.symbols if name not in unfit}
    findings = {
        name: tuple(finding for one in examined for finding in one.findings)
        for name, examined in passed.items()
    } | unfit
    return Checked(
        manifest,
        {name: len(passed[name][-1].bars) if name in passed else None for name in dataset.symbols},
        tuple(finding for name in dataset.symbols for finding in findings[name]),
        tuple(done for examined in passed.values() for one in examined for done in one.repaired),
    )


def _refusals(symbol: str, error: BadBarsError) -> tuple[Finding, ...]:
    """What a source says that could not make bars of what it has."""
    each = error.each() if isinstance(error, UnreadableError) else (error,)
    return tuple(_refusal(symbol, one) for one in each)


def _refusal(symbol: str, error: BadBarsError) -> Finding:
    cell = error if isinstance(error, UnreadableError) else None
    told = [error.problem, f"found {error.found}" if error.found else "", f"in {error.where}"]
    return Finding(
        rule=cell.rule if cell else "unreadable",
        symbol=symbol,
        severity="error",
        first=None,
        last=None,
        count=cell.count if cell else 1,
        repair=None,
        sentence="; ".join(part for part in told if part),
        advice=error.fix,
    )
