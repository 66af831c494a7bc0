"""The verdict of an audit in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.verdict import BUY_AND_HOLD, MIN_EFFECTIVE_BARS, MIN_ROUND_TRIPS
from engine.evaluation.verdict_sentence import SOUGHT_SHARPE, display_name, equate_p_value

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.audit import AuditDocument
    from engine.runs.documents.significance import SelectionFigures, SharpeFigures

CAP = "An audit grades at most weak: a file shows neither look-ahead nor costs."


def audit_sentence(document: AuditDocument, significance: Significance, ruined: str | None) -> str:
    """Effect, interval, span, benchmark, tries, power and the cap, from the documents.

    Args:
        document: The audit.
        significance: Its tests; the grade is read from its verdict.
        ruined: Day on which everything was lost; None where it was not.
    """
    span = f"from {document.span.first[:10]} to {document.span.last[:10]}"
    own = significance.sharpe[STRATEGY_BOOK]
    if ruined is not None:
        return (
            "No evidence that the strategy earns anything: it lost everything on "
            f"{ruined}, {span}."
        )
    if own.estimate is None:
        return (
            "No evidence that the strategy earns anything: fewer than 30 bars, or returns that "
            f"do not vary, {span}."
        )
    level = f"{100 * significance.method.confidence:g} %"
    figures = f"annualised Sharpe ratio {own.estimate:.2f}{_interval(own, level)} {span}"
    parts = (
        f"{_claim(document, significance)}: {figures}{_benchmark(significance, level)}.",
        _tries(document, significance),
        CAP,
        _power(significance),
    )
    return " ".join(filter(None, parts))


def _claim(document: AuditDocument, significance: Significance) -> str:
    grade = significance.verdict.grade
    if grade != "none":
        return (
            f"{grade.capitalize()} evidence that the strategy earns more than chance and holding "
            "would give"
        )
    return f"No evidence that the strategy {_missing(document, significance)}"


def _missing(document: AuditDocument, significance: Significance) -> str:
    """The first of the conditions of a grade that is not met."""
    own, selection = significance.sharpe[STRATEGY_BOOK], significance.selection
    sharpe, lead = (selection.sharpe, selection.lead) if selection else (None, None)
    level = selection.level if selection else 0.0
    luck = "the best of so many tries by chance" if document.tries.total > 1 else "chance"
    best = max((each.estimate or 0.0 for each in _benchmarks(significance)), default=None)
    beaten = best is not None and own.estimate is not None and best < own.estimate
    passes = sharpe is not None and sharpe.p_value <= level
    unsure = " for certain (the interval of its Sharpe ratio includes 0)" if passes else ""
    failures = (
        (own.low is None or own.low <= 0, f"earns more than chance would give{unsure}"),
        (not passes, f"earns more than {luck}"),
        (best is None, "earns more than holding: no benchmark was given"),
        (not beaten, "earns more than its strongest benchmark"),
        (
            _is_thin(document, sharpe, lead),
            "earns more than chance would give (too few trades or bars carry the result)",
        ),
        (lead is None, "earns more than holding (it is holding, or holding has no Sharpe ratio)"),
    )
    return next(
        (text for failed, text in failures if failed), f"leads holding by more than {luck}"
    )


def _is_thin(
    document: AuditDocument, sharpe: SelectionFigures | None, lead: SelectionFigures | None
) -> bool:
    few_trips = document.round_trips is not None and document.round_trips < MIN_ROUND_TRIPS
    carried = [each.effective_bars for each in (sharpe, lead) if each is not None]
    return few_trips or any(bars < MIN_EFFECTIVE_BARS for bars in carried)


def _benchmarks(significance: Significance) -> list[SharpeFigures]:
    return [each for book, each in significance.sharpe.items() if book != STRATEGY_BOOK]


def _benchmark(significance: Significance, level: str) -> str:
    holding, lead = significance.sharpe.get(BUY_AND_HOLD), significance.differences
    if holding is None or significance.sharpe[BUY_AND_HOLD].estimate is None:
        return ""
    difference = lead[BUY_AND_HOLD]
    text = f"; {display_name(BUY_AND_HOLD)} has {significance.sharpe[BUY_AND_HOLD].estimate:.2f}"
    if difference.estimate is None:
        return text
    return f"{text}, a difference of {difference.estimate:+.2f}{_interval(difference, level)}"


def _interval(figures: SharpeFigures, level: str) -> str:
    if figures.low is None or figures.high is None:
        return " (no interval)"
    return f" ({level} interval {figures.low:.2f} to {figures.high:.2f})"


def _tries(document: AuditDocument, significance: Significance) -> str:
    selection, tries = significance.selection, document.tries
    if not tries.known:
        counted = "How many strategies were tried is not known, and one is assumed"
    elif tries.total == 1:
        counted = "One try is declared"
    else:
        counted = f"{tries.total:,} tries are counted"
    if selection is None or selection.sharpe is None:
        return f"{counted}."
    best = "without skill the best of them" if tries.total > 1 else "chance alone"
    worth = (
        f", together worth {selection.sharpe.effective_trials:.1f} independent ones"
        if tries.total > 1
        else ""
    )
    lead = (
        f", and this lead over holding with {equate_p_value(selection.lead.p_value)}"
        if selection.lead
        else ""
    )
    return (
        f"{counted}{worth}: {best} reaches this Sharpe ratio with "
        f"{equate_p_value(selection.sharpe.p_value)}{lead}."
    )


def _power(significance: Significance) -> str:
    """What these bars could have shown, where a p-value denies the grade; empty otherwise."""
    selection = significance.selection
    if selection is None or selection.sharpe is None:
        return ""
    failed, what = selection.sharpe, "Sharpe ratio"
    if failed.p_value <= selection.level:
        if selection.lead is None or selection.lead.p_value <= selection.level:
            return ""
        failed, what = selection.lead, "lead over holding"
    if failed.detectable > SOUGHT_SHARPE:
        return (
            f"The span is too short to tell: only a true {what} of {failed.detectable:.2f} or "
            "more would be found in 80 % of such samples."
        )
    return (
        f"The span is long enough, and shows nothing: a true {what} of {failed.detectable:.2f} "
        "would be found in 80 % of such samples."
    )
