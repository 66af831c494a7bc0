"""The trial ledger: every run that was ever begun, those that failed too."""

from engine.evaluation.ledger.configuration import configuration
from engine.evaluation.ledger.others import Ground, Others
from engine.evaluation.ledger.record import Entry, Ledger, Outcome
from engine.evaluation.ledger.rows import Row

__all__ = ["Entry", "Ground", "Ledger", "Others", "Outcome", "Row", "configuration"]
