"""What else was tried on the bars of a run."""

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
"""Parts of a strategy that can be changed without trying anything new: what it is called, which
bars it is run on, what it is compared with (`opponents` in manifests of earlier versions), how it
is judged, where it is computed."""


@dataclass(frozen=True)
class DataScope:
    """The bars of a run, as far as they tell one trial from another.

    Attributes:
        dataset: `name`, `interval`, `calendar`, `offline`, and sha256 by symbol.
        targets: Symbols that are traded.
        inputs: Symbols that feed the model.
        span: The out-of-sample bars: UTC timestamps.
        periods_per_year: Bars a year.
    """

    dataset: Mapping[str, Any]
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    span: pd.DatetimeIndex
    periods_per_year: float

    def as_row(self) -> dict[str, Any]:
        """As the ledger holds it."""
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
        latest_runs: Of each configuration the run that finished last, in the order they began.
        finished: How many runs finished.
        failed: How many failed, were interrupted, or never told how they ended.
        since: When the first of all these began; None where there is none.
    """

    latest_runs: tuple[LedgerRow, ...]
    finished: int
    failed: int
    since: str | None


def hash_configuration(strategy: Mapping[str, Any]) -> str:
    """First 16 hex digits of the SHA-256 over what a strategy tries.

    Everything that decides what it trades counts: features, model, training, seeds, thresholds,
    sizing, costs, execution. What is in `UNHASHED_SECTIONS` does not; the bars are told apart by
    target, interval and span instead, so that a strategy run again when the bars have grown, or
    from a copy of the same files, is still one trial.

    Args:
        strategy: The resolved strategy as JSON, every default filled in.
    """
    tried = {key: value for key, value in strategy.items() if key not in UNHASHED_SECTIONS}
    return hashlib.sha256(canonical_json(tried).encode()).hexdigest()[:16]


def find_related_runs(path: Path, configuration_hash: str, data_scope: DataScope) -> RelatedRuns:
    """What the ledger knows of other trials on a ground.

    Rerunning a configuration is no new trial: its own runs are left out, and of another one only
    the run that finished last stands for it. A run that ended before its bars were read tried
    nothing, and one that is under way has not told yet: neither is counted.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or out of reach.
    """
    told = data_scope.as_row()
    asked = (told["targets"], told["interval"], told["last"], told["first"])
    rows = read_rows(path, _SAME_DATA_CONDITION, (*asked, configuration_hash, told["inputs"]))
    finished = [row for row in rows if row.status == "finished"]
    failed = [row for row in rows if row.status not in {"finished", "running"}]
    newest = {row.trial_key: row for row in sorted(finished, key=lambda row: row.ended_at or "")}
    return RelatedRuns(
        latest_runs=tuple(sorted(newest.values(), key=lambda row: row.number)),
        finished=len(finished),
        failed=len(failed),
        since=min((row.started_at for row in [*finished, *failed]), default=None),
    )
