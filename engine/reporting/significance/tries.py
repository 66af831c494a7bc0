"""What is left of a result once everything that was tried before it is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.section import Section, Table, Told, Unasked, probability

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACK_RECORD = (
    "Bailey & Lopez de Prado 2012 (probabilistic Sharpe ratio, minimum track record), 2014 "
    "(deflated Sharpe ratio)"
)
SPREAD = formatting.Unit(4)
OVERFITTING = "Bailey, Borwein, Lopez de Prado & Zhu 2015 (CSCV)"


def told_of_tries(found: Mapping[str, Any]) -> Told:
    """Trials with the deflated Sharpe ratio, and the probability of backtest overfitting."""
    confidence = found["method"]["confidence"]
    told: Told = []
    if "track_record" in found or "trials" in found:
        told.append(_trials(found.get("trials"), found.get("track_record"), confidence))
    if "overfitting" in found:
        told.append(_overfitting(found["overfitting"]))
    return told


def _counted(trials: Mapping[str, Any]) -> str:
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
    return f"{told}, worth {_trials_count(effective)} independent {ones}"


def _trials_count(effective: float | None) -> str:
    return formatting.MISSING if effective is None else formatting.tick(round(effective, 1))


def _meaning(record: Mapping[str, Any]) -> str:
    luck = record.get("expected_maximum_sharpe")
    if not luck:
        return "the probability that the true ratio is above zero, as of a first try"
    return (
        "the probability that the true ratio is above "
        f"{formatting.RATIO(luck)}, which the best of so many would reach by luck"
    )


def _trials(
    trials: Mapping[str, Any] | None, record: Mapping[str, Any] | None, confidence: float
) -> Section | Unasked:
    question = "How many were tried before this one, and does it outlast them?"
    if not record and not trials:
        return Unasked(question, "it takes 30 bars of returns that vary, and a ledger of runs")
    trials, record = trials or {}, record or {}
    tables = []
    if trials:
        tables.append(_counts(trials))
    if record:
        tables.append(_record(record, confidence))
    return Section(
        key="trials",
        label="Tries",
        question=question,
        answer=" ".join(
            filter(
                None,
                (
                    _deflated_answer(trials, record, confidence),
                    _length_answer(record, confidence),
                ),
            )
        ),
        says=(
            "The best of many tries looks good whatever it is worth. Every run on these bars is "
            "kept in a ledger, failed ones too; runs whose returns go together count as fewer "
            "than they are. What was tried elsewhere, or in the head, nobody counted."
        ),
        source=TRACK_RECORD,
        tables=tuple(tables),
    )


def _deflated_answer(
    trials: Mapping[str, Any], record: Mapping[str, Any], confidence: float
) -> str:
    deflated, counted = record.get("deflated_sharpe"), _counted(trials)
    if deflated is None:
        return (
            f"{counted}. There is no deflated Sharpe ratio: the returns are too few or too still."
        )
    if not trials:
        return (
            f"{counted}. Probabilistic Sharpe ratio {probability(deflated)}, {_meaning(record)}."
        )
    verdict = "It outlasts them" if deflated >= confidence else "It does not outlast them"
    return (
        f"{verdict}. {counted}: deflated Sharpe ratio {probability(deflated)}, {_meaning(record)}."
    )


def _length_answer(record: Mapping[str, Any], confidence: float) -> str:
    needed, bars = record.get("minimum_bars"), record.get("bars")
    if needed is None or bars is None:
        return ""
    enough = "there are" if bars >= needed else "there are only"
    return (
        f"Taken for the only try, a record like this needs {formatting.BARS(needed)} for "
        f"{formatting.level(confidence)} confidence in a ratio above zero; {enough} "
        f"{formatting.BARS(bars)}."
    )


def _counts(trials: Mapping[str, Any]) -> Table:
    rows = [
        ("Runs in the ledger on these bars", formatting.COUNT(trials.get("runs"))),
        ("of them failed or interrupted", formatting.COUNT(trials.get("failed"))),
        ("Distinct strategies", formatting.COUNT(trials.get("distinct"))),
        ("Configurations tried in tuning", formatting.COUNT(trials.get("tuning"))),
        ("Independent trials they are worth", _trials_count(trials.get("effective"))),
        ("Spread of their Sharpe ratios, a bar", SPREAD(trials.get("sharpe_deviation"))),
    ]
    if trials.get("since"):
        rows.append(("Counted since", formatting.moment(trials["since"])))
    return Table(("What was tried", "Count"), tuple(rows))


def _record(record: Mapping[str, Any], confidence: float) -> Table:
    needed = f"Bars needed for {formatting.level(confidence)} confidence in more than zero"
    rows = (
        (
            "Probability of a true ratio above zero",
            probability(record.get("probabilistic_sharpe")),
        ),
        (
            "Sharpe ratio that the best of the tries has by luck",
            formatting.RATIO(record.get("expected_maximum_sharpe")),
        ),
        ("Probability of a true ratio above that", probability(record.get("deflated_sharpe"))),
        (needed, formatting.COUNT(record.get("minimum_bars"))),
        ("Bars there are", formatting.COUNT(record.get("bars"))),
        ("Skewness of the returns", formatting.RATIO(record.get("skewness"))),
        ("Kurtosis of the returns, 3 is normal", formatting.RATIO(record.get("kurtosis"))),
    )
    return Table(("What that leaves", "Value"), rows)


def _overfitting(found: Mapping[str, Any] | None) -> Section | Unasked:
    question = "Does the best of several configurations stay ahead on other bars?"
    if not found:
        return Unasked(
            question, "it takes two configurations in the ledger, and 60 bars that all have"
        )
    chance = found["probability"]
    count = formatting.count_of(found["configurations"], "configuration")
    verdict = "Rarely" if chance >= 0.5 else "Not always" if chance >= 0.1 else "Mostly"
    return Section(
        key="overfitting",
        label="Overfitting",
        question=question,
        answer=(
            f"{verdict}: of {count}, the best in one half of the bars was below the median in "
            f"the other half in {formatting.PERCENT(100 * chance)} of the splits, and lost money "
            f"there in {formatting.PERCENT(100 * found['loss_probability'])}."
        ),
        says=(
            f"The bars were cut into {formatting.count_of(found['blocks'], 'block')} and every "
            "choice of half of them was compared with the rest. A half or more is what choosing "
            "among equals gives: then the choice was worth nothing."
        ),
        source=OVERFITTING,
        tables=(
            Table(
                ("Probability of backtest overfitting", "Value"),
                (
                    ("Probability", probability(chance)),
                    ("Probability of a loss in the other half",
                     probability(found["loss_probability"])),
                    ("Median logit of the rank, above 0 is better",
                     formatting.SIGNED_RATIO(found.get("median_logit"))),
                    ("Configurations", formatting.COUNT(found["configurations"])),
                    ("Splits", formatting.COUNT(found["splits"])),
                ),
            ),
        ),
    )  # fmt: skip
