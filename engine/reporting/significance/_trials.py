"""Trials counted by the ledger: deflated Sharpe ratio, probability of backtest overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    format_probability,
)
from engine.reporting.tables import PlainTable
from engine.runs.documents.significance import TrackRecordFigures

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance import OverfittingFigures, TrialFigures

TRIALS_SOURCE = (
    "Bailey & Lopez de Prado 2012 (probabilistic Sharpe ratio, minimum track record), 2014 "
    "(deflated Sharpe ratio)"
)
DEVIATION_FORMAT = formatting.NumberFormat(4)
OVERFITTING_SOURCE = "Bailey, Borwein, Lopez de Prado & Zhu 2015 (CSCV)"


def trial_sections(significance: Significance) -> SignificanceSections:
    """Trials with the deflated Sharpe ratio, and the probability of backtest overfitting."""
    confidence = significance.method.confidence
    sections: SignificanceSections = []
    if "track_record" in significance or "trials" in significance:
        sections.append(
            _trials_section(significance.trials, significance.track_record, confidence)
        )
    if "overfitting" in significance:
        sections.append(_overfitting_section(significance.overfitting))
    return sections


def _trials_sentence(trials: TrialFigures | None) -> str:
    if not trials:
        return "The number of trials on these bars is not known"
    if trials.distinct < 2:
        return "The ledger has no other trial on these bars"
    runs = formatting.count_of(trials.distinct, "distinct strategy", "distinct strategies")
    sentence = f"{runs} tried on these bars"
    effective = trials.effective
    if effective is None:
        return sentence
    noun = "trial" if effective == 1 else "trials"
    return f"{sentence}, equivalent to {_effective_trials_text(effective)} independent {noun}"


def _effective_trials_text(effective: float | None) -> str:
    return formatting.MISSING if effective is None else formatting.tick_label(round(effective, 1))


def _deflated_sharpe_meaning(record: TrackRecordFigures) -> str:
    expected_maximum = record.expected_maximum_sharpe
    if not expected_maximum:
        return "the probability that the true ratio is above zero, as for a single trial"
    return (
        "the probability that the true ratio is above "
        f"{formatting.RATIO(expected_maximum)}, the expected maximum of so many trials without "
        "skill"
    )


def _trials_section(
    trials: TrialFigures | None, record: TrackRecordFigures | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "Is it significant given the number of trials?"
    if not record and not trials:
        return UnansweredQuestion(
            question, "it needs 30 bars of returns that vary, and a ledger of runs"
        )
    tables = []
    if trials:
        tables.append(_trial_count_table(trials))
    if record:
        tables.append(_track_record_table(record, confidence))
    return QuestionSection(
        key="trials",
        label="Trials",
        question=question,
        answer=" ".join(
            filter(
                None,
                (
                    _deflated_answer(trials, record or TrackRecordFigures(), confidence),
                    _minimum_length_answer(record, confidence) if record else "",
                ),
            )
        ),
        description=(
            "The best of many trials has a high Sharpe ratio even without skill. The ledger "
            "records every run on these bars, failed ones too; runs whose returns are correlated "
            "count as fewer trials. Trials made elsewhere are not counted."
        ),
        source=TRIALS_SOURCE,
        tables=tuple(tables),
    )


def _deflated_answer(
    trials: TrialFigures | None, record: TrackRecordFigures, confidence: float
) -> str:
    deflated, counted = record.deflated_sharpe, _trials_sentence(trials)
    if deflated is None:
        return (
            f"{counted}. No deflated Sharpe ratio: there are too few returns, or they do not vary."
        )
    if not trials:
        return (
            f"{counted}. Probabilistic Sharpe ratio {format_probability(deflated)}, "
            f"{_deflated_sharpe_meaning(record)}."
        )
    verdict = "Significant" if deflated >= confidence else "Not significant"
    return (
        f"{verdict}. {counted}: deflated Sharpe ratio {format_probability(deflated)}, "
        f"{_deflated_sharpe_meaning(record)}."
    )


def _minimum_length_answer(record: TrackRecordFigures, confidence: float) -> str:
    needed, bars = record.minimum_bars, record.bars
    if needed is None or bars is None:
        return ""
    available = "it has" if bars >= needed else "it has only"
    return (
        f"As a single trial, a track record like this needs {formatting.BARS(needed)} for "
        f"{formatting.confidence_level(confidence)} confidence in a ratio above zero; {available} "
        f"{formatting.BARS(bars)}."
    )


def _trial_count_table(trials: TrialFigures) -> PlainTable:
    rows = [
        ("Runs in the ledger on these bars", formatting.COUNT(trials.runs)),
        ("Failed or interrupted runs among them", formatting.COUNT(trials.failed)),
        ("Distinct strategies", formatting.COUNT(trials.distinct)),
        ("Configurations tried in tuning", formatting.COUNT(trials.tuning)),
        (
            "Effective number of independent trials",
            _effective_trials_text(trials.effective),
        ),
        (
            "Standard deviation of their Sharpe ratios, per bar",
            DEVIATION_FORMAT(trials.sharpe_deviation),
        ),
    ]
    if trials.since:
        rows.append(("Counted since", formatting.timestamp(trials.since)))
    return PlainTable(("Trials", "Count"), tuple(rows))


def _track_record_table(record: TrackRecordFigures, confidence: float) -> PlainTable:
    needed = (
        f"Minimum track record length, bars, {formatting.confidence_level(confidence)} confidence"
    )
    rows = (
        (
            "Probabilistic Sharpe ratio: true ratio above zero",
            format_probability(record.probabilistic_sharpe),
        ),
        (
            "Expected maximum Sharpe ratio of trials without skill",
            formatting.RATIO(record.expected_maximum_sharpe),
        ),
        (
            "Deflated Sharpe ratio: true ratio above that",
            format_probability(record.deflated_sharpe),
        ),
        (needed, formatting.COUNT(record.minimum_bars)),
        ("Track record length, bars", formatting.COUNT(record.bars)),
        ("Skewness of the returns", formatting.RATIO(record.skewness)),
        ("Kurtosis of the returns, 3 if normal", formatting.RATIO(record.kurtosis)),
    )
    return PlainTable(("Track record", "Value"), rows)


def _overfitting_section(
    overfitting: OverfittingFigures | None,
) -> QuestionSection | UnansweredQuestion:
    question = "Is the best of several configurations also best on other bars?"
    if not overfitting:
        return UnansweredQuestion(
            question,
            "it needs two configurations in the ledger, and 60 bars that all of them have",
        )
    probability = overfitting.probability
    count = formatting.count_of(overfitting.configurations, "configuration")
    verdict = "Rarely" if probability >= 0.5 else "Not always" if probability >= 0.1 else "Mostly"
    return QuestionSection(
        key="overfitting",
        label="Overfitting",
        question=question,
        answer=(
            f"{verdict}: of {count}, the best in one half of the bars was below the median in "
            f"the other half in {formatting.PERCENT(100 * probability)} of the splits, and lost "
            f"money there in {formatting.PERCENT(100 * overfitting.loss_probability)}."
        ),
        description=(
            f"The bars are divided into {formatting.count_of(overfitting.blocks, 'block')}, "
            "and every choice of half of them is compared with the rest (CSCV). A probability of "
            "one half or more is what a choice among equals gives: the selection has no value."
        ),
        source=OVERFITTING_SOURCE,
        tables=(
            PlainTable(
                ("Probability of backtest overfitting", "Value"),
                (
                    ("Probability", format_probability(probability)),
                    ("Probability of a loss out of sample",
                     format_probability(overfitting.loss_probability)),
                    ("Median logit of the rank, above 0 is better",
                     formatting.SIGNED_RATIO(overfitting.median_logit)),
                    ("Configurations", formatting.COUNT(overfitting.configurations)),
                    ("Splits", formatting.COUNT(overfitting.splits)),
                ),
            ),
        ),
    )  # fmt: skip
