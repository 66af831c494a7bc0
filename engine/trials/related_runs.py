"""Identity of a trial, and the other trials on the bars of a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core.hashing import canonical_json
from engine.trials.ledger_rows import LedgerRow, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

_SAME_DATA_CONDITION = (
    "targets = ? AND interval = ? AND first <= ? AND last >= ? "
    "AND NOT (configuration = ? AND inputs = ?)"
)

UNHASHED_SECTIONS = frozenset(
    ("name", "description", "data", "benchmarks", "opponents", "evaluation", "compute")
)
"""Sections of a strategy that do not make it another trial: name, dataset, benchmarks (`opponents`
in earlier manifests), evaluation and computing resources."""


@dataclass(frozen=True)
class DataScope:
    """The bars of a run, as far as they identify a trial.

    Attributes:
        dataset: `name`, `interval`, `calendar`, `offline`, and sha256 by symbol.
        targets: Symbols traded.
        inputs: Symbols that the features use.
        span: UTC timestamps of the out-of-sample bars.
        periods_per_year: Bars a year.
    """

    dataset: Mapping[str, Any]
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    span: pd.DatetimeIndex
    periods_per_year: float

    def as_row(self) -> dict[str, Any]:
        """The columns of the ledger."""
        return {
            "dataset": canonical_json(self.dataset),
            "interval": self.dataset["interval"],
            "targets": canonical_json(self.targets),
            "inputs": canonical_json(self.inputs),
            "first": self.span[0].isoformat(),
            "last": self.span[-1].isoformat(),
            "bars": len(self.span),
            "periods_per_year": self.periods_per_year,
        }


@dataclass(frozen=True)
class RelatedRuns:
    """The runs of other configurations on the same target and interval, with a span that overlaps.

    Attributes:
        latest_runs: The last finished run of each configuration, in the order they began.
        finished: Number of finished runs.
        failed: Number of runs that failed, were interrupted, or have no recorded end.
        since: Start time of the first of these runs; None without any.
    """

    latest_runs: tuple[LedgerRow, ...]
    finished: int
    failed: int
    since: str | None


def hash_configuration(strategy: Mapping[str, Any]) -> str:
    """Hash of a configuration: the first 16 hex digits of a SHA-256.

    It covers all settings that determine the trades: features, model, training, seeds, thresholds,
    sizing, costs, execution. `UNHASHED_SECTIONS` are excluded. Bars are identified by target,
    interval and span instead, so that a strategy run again on a longer history, or on a copy of
    the same files, is the same trial.

    Args:
        strategy: Resolved strategy as JSON, with all defaults.
    """
    hashed = {key: value for key, value in strategy.items() if key not in UNHASHED_SECTIONS}
    return hashlib.sha256(canonical_json(hashed).encode()).hexdigest()[:16]


def find_related_runs(path: Path, configuration_hash: str, data_scope: DataScope) -> RelatedRuns:
    """The other trials in the ledger on the same data scope.

    Running a configuration again is no new trial: its own runs are left out, and another
    configuration is represented by its last finished run. Runs that ended before their bars were
    known, and runs still in progress, are not counted.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be read.
    """
    scope = data_scope.as_row()
    overlap = (scope["targets"], scope["interval"], scope["last"], scope["first"])
    rows = read_rows(path, _SAME_DATA_CONDITION, (*overlap, configuration_hash, scope["inputs"]))
    finished = [row for row in rows if row.status == "finished"]
    failed = [row for row in rows if row.status not in {"finished", "running"}]
    latest = {row.trial_key: row for row in sorted(finished, key=lambda row: row.ended_at or "")}
    return RelatedRuns(
        latest_runs=tuple(sorted(latest.values(), key=lambda row: row.number)),
        finished=len(finished),
        failed=len(failed),
        since=min((row.started_at for row in [*finished, *failed]), default=None),
    )
