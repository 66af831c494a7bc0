"""The rules of quality that compare symbols with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError, SourceError
from engine.data.joins import shared_timestamps
from engine.data.quality.symbols import check_exchanges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.manifests import DatasetManifest
    from engine.data.quality.findings import Finding
    from engine.data.store import DatasetBars

# A first bar later than requested by more than this is not explained by holidays.


def check_together(
    manifest: DatasetManifest, dataset_bars: DatasetBars, *, panel: bool
) -> tuple[Finding, ...]:
    """Findings about the symbols together, where the dataset accepts them.

    A panel keeps the bars that are not shared.

    Raises:
        SourceError: The symbols have no timestamp in common.
        InvalidBarsError: Their clocks differ, a symbol's returns come early, or too few of their
            bars are shared.
    """
    frames, dataset = dataset_bars.frames, manifest.dataset
    findings = check_exchanges(frames, dataset)
    if panel:
        findings = tuple(each for each in findings if each.rule != "not_shared")
    errors = [finding for finding in findings if finding.severity == "error"]
    fix = "; or ".join(dict.fromkeys(finding.advice for finding in errors))
    found = "\n    ".join(f"{finding.symbol}: {finding.sentence}" for finding in errors[:4])
    if not (panel or dataset.has_own_clocks) and shared_timestamps(frames).empty:
        raise SourceError(
            f"dataset {dataset.name}: the symbols have no timestamp in common",
            expected="bars of every symbol at the same times",
            found=found
            or "; ".join(f"{name}: {len(frame)} bars" for name, frame in frames.items()),
            where=str(manifest.path),
            fix=fix or "put symbols of one exchange and interval into one dataset",
        )
    if errors:
        rules = ", ".join(dict.fromkeys(finding.rule for finding in errors))
        error = InvalidBarsError(
            f"dataset {dataset.name}: the symbols cannot be joined ({rules})",
            expected="bars of every symbol at the same times, on one clock",
            found=found,
            where=str(manifest.path),
            fix=fix,
        )
        error.findings = findings
        raise error
    return findings


def describe_together(findings: Sequence[Finding]) -> list[str]:
    """A sentence a finding; that bars are not shared is a notice of its own."""
    return [
        f"{finding.rule}: {finding.sentence}"
        if finding.rule == "survivors"
        else f"{finding.rule}: {finding.symbol} {finding.sentence}"
        for finding in findings
        if finding.rule != "not_shared"
    ]
