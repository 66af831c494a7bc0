"""The trials that a run's result is selected from, with their returns from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.evaluation.inference.trial_set import Trial, TrialSet
from engine.trials.ledger_rows import read_returns
from engine.trials.ledger_wait import ignore_wait
from engine.trials.related_runs import find_related_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from engine.trials.ledger_rows import RecordedReturns
    from engine.trials.related_runs import DataScope


@dataclass(frozen=True)
class OwnRun:
    """The run whose trials are collected.

    Attributes:
        strategy: Resolved strategy, as JSON.
        data_scope: Its bars.
        returns: Net returns of the strategy over its out-of-sample bars.
        holding: Those of buy and hold; None where they are not known.
        tuning: Number of configurations tried within the run.
    """

    strategy: Mapping[str, Any]
    data_scope: DataScope
    returns: pd.Series[float]
    holding: pd.Series[float] | None = None
    tuning: int = 0


def collect_trials(
    path: Path, own: OwnRun, on_wait: Callable[[str], None] = ignore_wait
) -> TrialSet:
    """The trials of a run: itself, and the first run of every other look.

    It does not depend on repetitions of the run's own look.

    Args:
        path: Path of the ledger.
        own: The run.
        on_wait: As for `open_ledger`.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be read.
    """
    related = find_related_runs(path, own.strategy, own.data_scope, on_wait)
    recorded = read_returns(path, list(related.looks), on_wait)
    interval = str(own.data_scope.dataset["interval"])
    return TrialSet(
        own=Trial(0, interval, own.returns, own.holding),
        others=tuple(
            Trial(number, each.interval, each.returns, _holding_of(each, own, interval))
            for number, each in recorded.items()
        ),
        runs=related.finished + related.failed + 1,
        failed=related.failed,
        tuning=own.tuning + sum(each.tuning for each in recorded.values()),
        elsewhere=own.strategy.get("trials", {}).get("elsewhere", 0),
        since=related.since,
        idea=related.idea,
    )


def _holding_of(recorded: RecordedReturns, own: OwnRun, interval: str) -> pd.Series[float] | None:
    """Buy and hold of another run: recorded, or that of this run on the same target and bars."""
    if recorded.holding is not None or own.holding is None:
        return recorded.holding
    same_market = (recorded.targets, recorded.interval) == (own.data_scope.targets, interval)
    bars = recorded.returns.index
    if not same_market or not bars.isin(own.holding.index).all():
        return None
    return own.holding.reindex(bars)
