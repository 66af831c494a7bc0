"""`audit.json`: what an audited file holds, what is not shown, and the figures of its books."""

from __future__ import annotations

from collections.abc import Mapping

from engine.runs.documents.base import Document, DocumentPart
from engine.runs.documents.metrics import BookMetrics, SpanFigures


class AuditedTries(DocumentPart):
    """The tries that the audited result was selected from.

    Attributes:
        known: Whether their number was given, or the file has variants.
        total: Their number, the audited one included; 1 where it is not known.
        variants: Those whose returns are known, without the audited one.
    """

    known: bool
    total: int
    variants: int = 0


class NotShown(DocumentPart):
    """A question that an audited file cannot answer.

    Attributes:
        question: The question.
        reason: Why, and what would answer it.
    """

    question: str
    reason: str


class CostScenario(DocumentPart):
    """The audited positions at another cost or with later fills.

    Attributes:
        cost_bps: Of every change of a weight.
        delay_bars: Bars by which every weight comes later.
        sharpe: Annualised; None where it is not defined.
        total_return_pct: Over the span.
    """

    cost_bps: float
    delay_bars: int
    sharpe: float | None = None
    total_return_pct: float | None = None


class AuditDocument(Document):
    """`audit.json`.

    Attributes:
        name: Title of the audit.
        file: Name of the audited file; empty for values given in Python.
        sha256: Of its bytes; empty for values given in Python.
        source: The format that it was read as.
        span: The bars.
        periods_basis: Where the number of bars a year is from, as a clause.
        seed: Of the resamples.
        books: Book -> its figures; the audited strategy first.
        tries: The tries.
        round_trips: Finished round trips; None where the file has no trades.
        cost_bps: Charged on changes of the positions; None where the file has no positions.
        scenarios: The positions at other costs and delays; empty without positions.
        not_shown: What cannot be known from the file.
        notes: What was chosen or left out, a sentence each without a full stop.
    """

    name: str
    file: str = ""
    sha256: str = ""
    source: str
    span: SpanFigures
    periods_basis: str
    seed: int = 0
    books: Mapping[str, BookMetrics]
    tries: AuditedTries
    round_trips: int | None = None
    cost_bps: float | None = None
    scenarios: tuple[CostScenario, ...] = ()
    not_shown: tuple[NotShown, ...] = ()
    notes: tuple[str, ...] = ()
