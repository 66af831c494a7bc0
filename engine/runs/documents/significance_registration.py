"""The sections `registrations` and `holdout` of `significance.json`."""

from __future__ import annotations

from collections.abc import Mapping

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


class HoldoutBook(DocumentPart):
    """One book over the holdout alone.

    Attributes:
        total_return_pct: After costs.
        max_drawdown_pct: At or below 0.
        sharpe: Sharpe ratio, annualised; None where it is not defined.
        low: Lower end of its interval.
        high: Upper end.
        difference: Of the strategy's Sharpe ratio less this one; None of the strategy itself.
        difference_low: Lower end of its interval.
        difference_high: Upper end.
    """

    total_return_pct: float | None = None
    max_drawdown_pct: float | None = None
    sharpe: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


class HoldoutFigures(DocumentPart):
    """Bars that were held out, who looked at them, and what they show once they are unsealed.

    Attributes:
        sealed_from: First day of the holdout, ISO 8601.
        sealed: Whether this run was made without it.
        unsealings: When it was unsealed, this look included, UTC, ISO 8601.
        beyond: Further looks at this idea whose bars reached into it without unsealing it.
        others: Looks at other ideas on the same dataset whose bars did.
        bars: Bars of the holdout in this run; 0 of a sealed one.
        books: Book -> its figures over them; empty of a sealed run.
    """

    sealed_from: str
    sealed: bool
    unsealings: tuple[str, ...] = ()
    beyond: int = 0
    others: int = 0
    bars: int = 0
    books: Mapping[str, HoldoutBook] = {}

    @property
    def looks(self) -> int:
        """How often this idea was looked at on these bars."""
        return len(self.unsealings) + self.beyond


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
