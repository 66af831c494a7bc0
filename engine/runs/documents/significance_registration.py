"""The sections `registrations` and `holdout` of `significance.json`."""

from __future__ import annotations

from engine.runs.documents.base import DocumentPart


class ExpectationFigures(DocumentPart):
    """One rule that was registered, and the figure of the run.

    Attributes:
        rule: Such as `sharpe > 0.5`, or `sharpe - buy_and_hold > 0`.
        value: The figure; None where it is not defined.
        met: Whether it is as expected.
    """

    rule: str
    value: float | None = None
    met: bool


class RegistrationFigures(DocumentPart):
    """What was registered about the idea of a run, by the ledger.

    Attributes:
        registered_at: UTC, ISO 8601.
        hash: Of the registration in the chain of the ledger.
        runs_before: Runs of the idea whose bars were known before; 0 of one that was registered
            before its first run.
        same_data: Whether the run has the dataset, its `start` and `end`, the targets and the
            benchmarks that were registered; what is expected is of these alone.
        expectations: What was expected, in the order of the registration.
    """

    registered_at: str
    hash: str
    runs_before: int
    same_data: bool
    expectations: tuple[ExpectationFigures, ...]

    @property
    def is_before(self) -> bool:
        """Whether the idea had not been looked at when it was registered."""
        return self.runs_before == 0
