"""What stands for the ledger's entry where a run is made again: it records nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.trials.declarations import find_declarations
from engine.trials.holdout_looks import HoldoutLooks, find_holdout_looks
from engine.trials.related_runs import hash_configuration
from engine.trials.trial_collection import OwnRun, collect_trials

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from engine.evaluation.inference.trial_set import TrialSet
    from engine.trials.declarations import Declaration, DeclarationKind
    from engine.trials.ledger import RunOutcome
    from engine.trials.related_runs import DataScope


class RepeatedEntry:
    """Counts the trials of an earlier ledger, for a run that is made again.

    Args:
        strategy: Resolved strategy, as JSON.
        ledger: As by `copy_earlier_ledger`; None counts no trials.

    Attributes:
        place_in_ledger: None: the run that is made again is not recorded.
    """

    place_in_ledger: dict[str, Any] | None = None

    def __init__(self, strategy: Mapping[str, Any], ledger: Path | None) -> None:
        self._strategy, self._ledger = strategy, ledger
        self._data_scope: DataScope | None = None

    def set_data_scope(self, data_scope: DataScope) -> None:
        """Takes the bars of the run, by which its trials are found."""
        self._data_scope = data_scope

    def collect_trials(
        self,
        returns: pd.Series[float],
        holding: pd.Series[float] | None = None,
        tuning: int = 0,
    ) -> TrialSet | None:
        """As `LedgerEntry.collect_trials`."""
        if self._ledger is None:
            return None
        if self._data_scope is None:
            raise RuntimeError("set_data_scope must be called before collect_trials")
        own = OwnRun(self._strategy, self._data_scope, returns, holding, tuning)
        return collect_trials(self._ledger, own)

    def find_declarations(self, kind: DeclarationKind) -> tuple[Declaration, ...]:
        """As `LedgerEntry.find_declarations`."""
        if self._ledger is None:
            return ()
        return find_declarations(self._ledger, hash_configuration(self._strategy), kind)

    def declare_unsealing(self, sealed_from: str) -> None:
        """Records nothing."""

    def find_holdout_looks(self) -> HoldoutLooks | None:
        """As `LedgerEntry.find_holdout_looks`."""
        if self._ledger is None or self._data_scope is None:
            return None
        configuration = hash_configuration(self._strategy)
        return find_holdout_looks(self._ledger, configuration, self._data_scope)

    def finish(self, outcome: RunOutcome) -> None:
        """Records nothing."""
