"""What is left of a result once everything that was tried before it is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.section import (
    PlainTable,
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    format_probability,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIALS_SOURCE = (
    "Bailey & Lopez de Prado 2012 (probabilistic Sharpe ratio, minimum track record), 2014 "
    "(deflated Sharpe ratio)"
)
DEVIATION_FORMAT = formatting.NumberFormat(4)
OVERFITTING_SOURCE = "Bailey, Borwein, Lopez de Prado & Zhu 2015 (CSCV)"


def trial_sections(significance: Mapping[str, Any]) -> SignificanceSections:
    """Trials with the deflated Sharpe ratio, and the probability of backtest overfitting."""
    confidence = significance["method"]["confidence"]
    told: SignificanceSections = []
    if "track_record" in significance or "trials" in significance:
        told.append(
            _trials_section(
                significance.get("trials"), significance.get("track_record"), confidence
            )
        )
    if "overfitting" in significance:
        told.append(_overfitting_section(significance["overfitting"]))
    return told


def _trials_sentence(trials: Mapping[str, Any]) -> str:
    if not trials:
        return "How many strategies were tried on these bars is not known"
    if trials["distinct"] < 2:
        return "It is the first strategy tried on these bars, as far as the ledger knows"
    runs = formatting.count_of(trials["distinct"], "distinct strategy", "distinct strategies")
    told = f"{runs} tried on these bars"
    effective = trials.get("effective")
    if effective is None:
        return told
    ones = "one" if effective == 1 else "ones"
    return f"{told}, worth {_effective_trials_text(effective)} independent {ones}"


def _effective_trials_text(effective: float | None) -> str:
    return formatting.MISSING if effective is None else formatting.tick_label(round(effective, 1))


def _deflated_sharpe_meaning(record: Mapping[str, Any]) -> str:
    luck = record.get("expected_maximum_sharpe")
    if not luck:
        return "the probability that the true ratio is above zero, as of a first try"
    return (
        "the probability that the true ratio is above "
        f"{formatting.RATIO(luck)}, which the best of so many would reach by luck"
    )


def _trials_section(
    trials: Mapping[str, Any] | None, record: Mapping[str, Any] | None, confidence: float
) -> QuestionSection | UnansweredQuestion:
    question = "How many were tried before this one, and does it outlast them?"
    if not record and not trials:
        return UnansweredQuestion(
            question, "it takes 30 bars of returns that vary, and a ledger of runs"
        )
    trials, record = trials or {}, record or {}
    tables = []
    if trials:
        tables.append(_trial_count_table(trials))
    if record:
        tables.append(_track_record_table(record, confidence))
    return QuestionSection(
        key="trials",
        label="Tries",
        question=question,
        answer=" ".join(
            filter(
                None,
                (
                    _deflated_answer(trials, record, confidence),
                    _minimum_length_answer(record, confidence),
                ),
            )
        ),
        description=(
            "The best of many tries looks good whatever it is worth. Every run on these bars is "
            "kept in a ledger, failed ones too; runs whose returns go together count as fewer "
            "than they are. What was tried elsewhere, or in the head, nobody counted."
        ),
        source=TRIALS_SOURCE,
        tables=tuple(tables),
    )


def _deflated_answer(
    trials: Mapping[str, Any], record: Mapping[str, Any], confidence: float
) -> str:
    deflated, counted = record.get("deflated_sharpe"), _trials_sentence(trials)
    if deflated is None:
        return (
            f"{counted}. There is no deflated Sharpe ratio: the returns are too few or too still."
        )
    if not trials:
        return (
            f"{counted}. Probabilistic Sharpe ratio {format_probability(deflated)}, "
            f"{_deflated_sharpe_meaning(record)}."
        )
    verdict = "It outlasts them" if deflated >= confidence else "It does not outlast them"
    return (
        f"{verdict}. {counted}: deflated Sharpe ratio {format_probability(deflated)}, "
        f"{_deflated_sharpe_meaning(record)}."
    )


def _minimum_length_answer(record: Mapping[str, Any], confidence: float) -> str:
    needed, bars = record.get("minimum_bars"), record.get("bars")
    if needed is None or bars is None:
        return ""
    enough = "there are" if bars >= needed else "there are only"
    return (
        f"Taken for the only try, a record like this needs {formatting.BARS(needed)} for "
        f"{formatting.confidence_level(confidence)} confidence in a ratio above zero; {enough} "
        f"{formatting.BARS(bars)}."
    )


def _trial_count_table(trials: Mapping[str, Any]) -> PlainTable:
    rows = [
        ("Runs in the ledger on these bars", formatting.COUNT(trials.get("runs"))),
        ("of them failed or interrupted", formatting.COUNT(trials.get("failed"))),
        ("Distinct strategies", formatting.COUNT(trials.get("distinct"))),
        ("Configurations tried in tuning", formatting.COUNT(trials.get("tuning"))),
        ("Independent trials they are worth", _effective_trials_text(trials.get("effective"))),
        ("Spread of their Sharpe ratios, a bar", DEVIATION_FORMAT(trials.get("sharpe_deviation"))),
    ]
    if trials.get("since"):
        rows.append(("Counted since", formatting.timestamp(trials["since"])))
    return PlainTable(("What was tried", "Count"), tuple(rows))


def _track_record_table(record: Mapping[str, Any], confidence: float) -> PlainTable:
    needed = (
        f"Bars needed for {formatting.confidence_level(confidence)} confidence in more than zero"
    )
    rows = (
        (
            "Probability of a true ratio above zero",
            format_probability(record.get("probabilistic_sharpe")),
        ),
        (
            "Sharpe ratio that the best of the tries has by luck",
            formatting.RATIO(record.get("expected_maximum_sharpe")),
        ),
        (
            "Probability of a true ratio above that",
            format_probability(record.get("deflated_sharpe")),
        ),
        (needed, formatting.COUNT(record.get("minimum_bars"))),
        ("Bars there are", formatting.COUNT(record.get("bars"))),
        ("Skewness of the returns", formatting.RATIO(record.get("skewness"))),
        ("Kurtosis of the returns, 3 is normal", formatting.RATIO(record.get("kurtosis"))),
    )
    return PlainTable(("What that leaves", "Value"), rows)


def _overfitting_section(
    overfitting: Mapping[str, Any] | None,
) -> QuestionSection | UnansweredQuestion:
    question = "Does the best of several configurations stay ahead on other bars?"
    if not overfitting:
        return UnansweredQuestion(
            question, "it takes two configurations in the ledger, and 60 bars that all have"
        )
    chance = overfitting["probability"]
    count = formatting.count_of(overfitting["configurations"], "configuration")
    verdict = "Rarely" if chance >= 0.5 else "Not always" if chance >= 0.1 else "Mostly"
    return QuestionSection(
        key="overfitting",
        label="Overfitting",
        question=question,
        answer=(
            f"{verdict}: of {count}, the best in one half of the bars was below the median in "
            f"the other half in {formatting.PERCENT(100 * chance)} of the splits, and lost money "
            f"there in {formatting.PERCENT(100 * overfitting['loss_probability'])}."
        ),
        description=(
            f"The bars were cut into {formatting.count_of(overfitting['blocks'], 'block')} and "
            f"every "
            "choice of half of them was compared with the rest. A half or more is what choosing "
            "among equals gives: then the choice was worth nothing."
        ),
        source=OVERFITTING_SOURCE,
        tables=(
            PlainTable(
                ("Probability of backtest overfitting", "Value"),
                (
                    ("Probability", format_probability(chance)),
                    ("Probability of a loss in the other half",
                     format_probability(overfitting["loss_probability"])),
                    ("Median logit of the rank, above 0 is better",
                     formatting.SIGNED_RATIO(overfitting.get("median_logit"))),
                    ("Configurations", formatting.COUNT(overfitting["configurations"])),
                    ("Splits", formatting.COUNT(overfitting["splits"])),
                ),
            ),
        ),
    )  # fmt: skip
