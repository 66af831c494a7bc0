"""The trial ledger of all runs, and the effective number of trials computed from it."""

from engine.trials.ledger import Ledger, LedgerEntry, RunOutcome
from engine.trials.ledger_rows import LedgerRow
from engine.trials.related_runs import DataScope, RelatedRuns, hash_configuration

__all__ = [
    "DataScope",
    "Ledger",
    "LedgerEntry",
    "LedgerRow",
    "RelatedRuns",
    "RunOutcome",
    "hash_configuration",
]
