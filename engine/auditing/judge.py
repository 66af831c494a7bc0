"""Judges an audited backtest by the tests and the grade of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.auditing.not_shown import list_not_shown
from engine.auditing.periods import BarsPerYear, find_bars_per_year
from engine.auditing.sentence import audit_sentence
from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.core.randomness import derive_seed
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import VerdictInputs
from engine.evaluation.inference.trial_set import Trial, TrialSet
from engine.evaluation.metrics import (
    annualised_volatility,
    cagr,
    calmar,
    longest_drawdown_bars,
    max_drawdown,
    max_drawdown_bars,
    sharpe,
    sortino,
    total_return,
)
from engine.evaluation.robustness.path_risk import simulate_path_risk
from engine.evaluation.significance import assess_significance
from engine.evaluation.verdict import BUY_AND_HOLD, MIN_ROUND_TRIPS
from engine.runs.documents.audit import AuditDocument, AuditedTries
from engine.runs.documents.metrics import BookMetrics, SpanFigures
from engine.runs.documents.significance_models import ModelSections

if TYPE_CHECKING:
    from engine.auditing.backtest import AuditedBacktest
    from engine.auditing.benchmark import AlignedBooks
    from engine.core.types import Vector
    from engine.runs.documents import Significance

_SEED = 0
_LOWEST_CONFIDENCE = 0.5
_INTERVAL = "1d"
"""Variants are on the bars of the audited one, whatever their length."""


@dataclass(frozen=True)
class AuditSettings:
    """Settings of an audit.

    Attributes:
        name: Title of the page.
        file: Name of the audited file; empty without one.
        sha256: Of its bytes; empty without one.
        tries: Strategies that were tried, the audited one included; None where not known.
        periods_per_year: Bars a year; None to infer them.
        confidence: Level of the intervals.
    """

    name: str = "Audit"
    file: str = ""
    sha256: str = ""
    tries: int | None = None
    periods_per_year: float | None = None
    confidence: float = 0.95


@dataclass(frozen=True, eq=False)
class AuditResult:
    """An audit: two documents, and the returns that they are of.

    Attributes:
        document: What the file holds, and what is not shown.
        significance: Every test, and the verdict; the document of a run.
        returns: Index timestamp, a column a book, the audited strategy first.
    """

    document: AuditDocument
    significance: Significance
    returns: pd.DataFrame = field(repr=False)

    @property
    def grade(self) -> str:
        """`none` or `weak`: an audit grades no higher."""
        return self.significance.verdict.grade

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return self.significance.verdict.sentence


def judge(backtest: AuditedBacktest, books: AlignedBooks, settings: AuditSettings) -> AuditResult:
    """Judges a backtest.

    The conditions of a grade are those of `engine.evaluation.verdict`. Costs are not known, so
    that no grade is above weak. Where the file has no trades, the bars that carry the result
    stand for the number of round trips.

    Args:
        backtest: What the file holds.
        books: Its returns and those of its benchmarks on common bars.
        settings: Tries, level and names.

    Raises:
        UsageError: The confidence or the declared bars a year are out of bounds.
    """
    _require_confidence(settings.confidence)
    returns = books.returns
    periods = find_bars_per_year(pd.DatetimeIndex(returns.index), settings.periods_per_year)
    tries = _count_tries(backtest, settings.tries)
    inputs = VerdictInputs(
        returns=returns,
        periods_per_year=periods.value,
        trials=_make_trials(backtest, returns, tries) if tries.known else None,
        round_trips=MIN_ROUND_TRIPS if backtest.round_trips is None else backtest.round_trips,
        model_sections=_make_sections(backtest, returns, periods.value),
    )
    spec = EvaluationSpec(confidence=settings.confidence)
    rng = np.random.default_rng(derive_seed(_SEED, "bootstrap"))
    tested = assess_significance(inputs, spec, rng)
    document = _make_document(backtest, books, settings, periods, tries)
    ruined = returns.index[returns[STRATEGY_BOOK].to_numpy() <= -1.0]
    sentence = audit_sentence(document, tested, f"{ruined[0]:%Y-%m-%d}" if len(ruined) else None)
    tail = tested.unseen_tail.warning if tested.unseen_tail else None
    verdict = {
        "grade": tested.verdict.grade,
        "sentence": " ".join(filter(None, (sentence, tail))),
    }
    # The counts of a ledger say nothing here: the audit's own are in its document.
    return AuditResult(document, tested | {"trials": None, "verdict": verdict}, returns)


def _make_sections(
    backtest: AuditedBacktest, returns: pd.DataFrame, periods: float
) -> ModelSections:
    """Path risk, and the timing of positions where they are known."""
    rng = np.random.default_rng(derive_seed(_SEED, "paths"))
    path_risk = simulate_path_risk(returns, periods, rng)
    if backtest.held is None:
        return ModelSections(path_risk=path_risk)
    return ModelSections(path_risk=path_risk, timing=backtest.held.test_timing(periods))


def _require_confidence(confidence: float) -> None:
    if not _LOWEST_CONFIDENCE < confidence < 1.0:
        raise UsageError(
            "the confidence is not within its bounds",
            expected="above 0.5 and below 1",
            found=f"{confidence:g}",
            where="--confidence",
            fix="use 0.95",
        )


def _count_tries(backtest: AuditedBacktest, declared: int | None) -> AuditedTries:
    variants = 0 if backtest.variants is None else backtest.variants.shape[1]
    return AuditedTries(
        known=declared is not None or variants > 0,
        total=max(declared or 1, 1 + variants),
        variants=variants,
    )


def _make_trials(
    backtest: AuditedBacktest, returns: pd.DataFrame, tries: AuditedTries
) -> TrialSet:
    """The variants by their returns, further tries as independent ones."""
    holding = returns.get(BUY_AND_HOLD)
    variants = backtest.variants
    others = [] if variants is None else [variants[name] for name in variants.columns]
    return TrialSet(
        own=Trial(0, _INTERVAL, returns[STRATEGY_BOOK], holding),
        others=tuple(
            Trial(number, _INTERVAL, other.loc[returns.index], holding)
            for number, other in enumerate(others, start=1)
        ),
        elsewhere=tries.total - 1 - tries.variants,
    )


def _make_document(
    backtest: AuditedBacktest,
    books: AlignedBooks,
    settings: AuditSettings,
    periods: BarsPerYear,
    tries: AuditedTries,
) -> AuditDocument:
    index, held = books.returns.index, backtest.held
    return AuditDocument(
        name=settings.name,
        file=settings.file,
        sha256=settings.sha256,
        source=backtest.source,
        span=SpanFigures(
            first=index[0].isoformat(),
            last=index[-1].isoformat(),
            bars=len(index),
            periods_per_year=periods.value,
        ),
        periods_basis=periods.basis,
        seed=_SEED,
        books={
            str(book): _measure(books.returns[book].to_numpy(), periods.value)
            for book in books.returns
        },
        tries=tries,
        round_trips=backtest.round_trips,
        cost_bps=held.cost_bps if held else None,
        scenarios=held.vary(periods.value) if held else (),
        not_shown=list_not_shown(backtest, tries, has_benchmark=books.returns.shape[1] > 1),
        notes=(*backtest.notes, *books.notes),
    )


def _measure(returns: Vector, periods: float) -> BookMetrics:
    def percent(value: float | None) -> float | None:
        return None if value is None else 100.0 * value

    return BookMetrics(
        total_return_pct=percent(total_return(returns)),
        cagr_pct=percent(cagr(returns, periods)),
        volatility_pct=percent(annualised_volatility(returns, periods)),
        sharpe=sharpe(returns, periods),
        sortino=sortino(returns, periods),
        calmar=calmar(returns, periods),
        max_drawdown_pct=percent(max_drawdown(returns)),
        max_drawdown_bars=max_drawdown_bars(returns),
        longest_drawdown_bars=longest_drawdown_bars(returns),
    )
