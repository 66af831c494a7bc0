"""A run as the input of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.core.renamed_keys import with_current_keys
from engine.evaluation.verdict import BUY_AND_HOLD, Grade

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.data.rates import RatesByBar
    from engine.runs.documents import Manifest
    from engine.runs.documents.significance import TrialFigures
    from engine.runs.run import Run

STRATEGY_COLUMN = "strategy"


@dataclass(frozen=True)
class ComparedRun:
    """A run among those that are compared.

    Attributes:
        run_id: Run id, unique among the runs.
        name: Name of its strategy.
        interval: Length of a bar.
        periods_per_year: Bars a year.
        targets: Symbols traded.
        returns: Net return of the strategy, a bar a row; index of UTC timestamps, no NaN.
        benchmark: Net return of buy-and-hold on its targets; None without such a benchmark.
        rates: Interest rates on the bars of `returns`; None for 0.
        settings: The settings compared between runs: the resolved strategy without name and
            description, the identity of its dataset, and versions.
        ledger_trials: The trials on these bars in its ledger when it ran; None where they were
            not known.
        grade: Grade of its verdict; None where there is none.
    """

    run_id: str
    name: str
    interval: str
    periods_per_year: float
    targets: tuple[str, ...]
    returns: pd.Series[float] = field(repr=False)
    benchmark: pd.Series[float] | None = field(default=None, repr=False)
    rates: RatesByBar | None = field(default=None, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ledger_trials: TrialFigures | None = None
    grade: Grade | None = None

    @property
    def span(self) -> str:
        """First and last out-of-sample day."""
        return f"{self.returns.index[0]:%Y-%m-%d} to {self.returns.index[-1]:%Y-%m-%d}"


def load_compared_run(run: Run) -> ComparedRun:
    """Reads the input of a comparison from the documents of a run."""
    manifest = run.manifest
    return ComparedRun(
        run_id=run.run_id,
        name=manifest.strategy_name,
        interval=str(manifest.dataset.interval),
        periods_per_year=run.metrics.span.periods_per_year,
        targets=manifest.target,
        returns=run.returns[STRATEGY_COLUMN],
        benchmark=run.returns.get(BUY_AND_HOLD),
        rates=run.rates_by_bar,
        settings=_comparable_settings(manifest),
        ledger_trials=run.significance.trials,
        grade=run.significance.verdict.grade,
    )


def _comparable_settings(manifest: Manifest) -> dict[str, Any]:
    strategy = {
        key: value
        for key, value in with_current_keys(manifest.strategy).items()
        if key not in {"name", "description"}
    }
    dataset = manifest.dataset
    symbols = {
        symbol: {"source": record.source, "last": record.last, "sha256": record.sha256}
        for symbol, record in dataset.symbols.items()
    }
    return strategy | {
        "dataset": {
            "name": dataset.name,
            "offline": dataset.offline,
            "vintage": dataset.vintage,
            "symbols": symbols,
        },
        "versions": dict(manifest.versions),
    }
