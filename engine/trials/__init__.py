"""The trial ledger of all runs, and the looks that a run's result was selected from."""

from engine.trials.ledger import Ledger, LedgerEntry, RunOutcome
from engine.trials.ledger_rows import LedgerRow
from engine.trials.looks import hash_opening
from engine.trials.related_runs import DataScope, RelatedRuns, hash_configuration

__all__ = [
    "DataScope",
    "Ledger",
    "LedgerEntry",
    "LedgerRow",
    "RelatedRuns",
    "RunOutcome",
    "hash_configuration",
    "hash_opening",
]
