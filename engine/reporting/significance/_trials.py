"""Trials counted by the ledger: the test of the best of them, probability of overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
    format_probability,
    p_value_equation,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance import (
        OverfittingFigures,
        TrackRecordFigures,
        TrialFigures,
        TrialSelection,
    )

TRIALS_SOURCE = (
    "Maximum of jointly normal Sharpe ratios (Lo 2002; Mertens 2002); Bailey & Lopez de Prado "
    "2012 (probabilistic Sharpe ratio, minimum track record), 2014 (deflated Sharpe ratio); "
    "Bailey et al. 2014 (minimum backtest length)"
)
YEARS = formatting.NumberFormat(1)
STATISTIC = formatting.NumberFormat(2)
OVERFITTING_SOURCE = "Bailey, Borwein, Lopez de Prado & Zhu 2015 (CSCV)"


def trial_sections(significance: Significance) -> SignificanceSections:
    """Trials with the test of the selected run, and the probability of backtest overfitting."""
    sections: SignificanceSections = []
    if "track_record" in significance or "trials" in significance:
        sections.append(_trials_section(significance))
    if "overfitting" in significance:
        sections.append(_overfitting_section(significance.overfitting))
    return sections


def _trials_section(significance: Significance) -> QuestionSection | UnansweredQuestion:
    question = "Is it significant given the number of trials?"
    trials, record = significance.trials, significance.track_record
    selection, confidence = significance.selection, significance.method.confidence
    if not record and not trials:
        return UnansweredQuestion(
            question, "it needs 30 bars of returns that vary, and a ledger of runs"
        )
    tables = [
        *([_selection_table(selection)] if selection and selection.sharpe else []),
        *([_trial_count_table(trials)] if trials else []),
        *([_track_record_table(record, selection, confidence)] if record else []),
    ]
    answers = (
        f"{_selection_verdict(selection)}{_trials_sentence(trials)}.",
        _selection_answer(selection),
        _power_answer(selection),
        _minimum_length_answer(record, confidence) if record else "",
    )
    return QuestionSection(
        key="trials",
        label="Trials",
        question=question,
        answer=" ".join(filter(None, answers)),
        description=(
            "The best of many trials has a high Sharpe ratio, and a lead over holding, even "
            "without skill. Every finished look in the ledger counts by the correlation of its "
            "returns with the others: another start date, target or interval is a further look. "
            "The p-value is "
            "the probability that the best of them is as good without skill. Looks made elsewhere "
            "count only where they are declared, and a ledger that was deleted or left behind "
            "counts for nothing."
        ),
        source=TRIALS_SOURCE,
        tables=tuple(tables),
    )


def _selection_verdict(selection: TrialSelection | None) -> str:
    if not selection or not selection.sharpe:
        return ""
    tests = (selection.sharpe, selection.lead)
    passed = all(test is not None and test.p_value <= selection.level for test in tests)
    return "Significant. " if passed else "Not significant. "


def _trials_sentence(trials: TrialFigures | None) -> str:
    if not trials:
        return "The number of trials is not known"
    declared = (
        f", and {formatting.count_of(trials.elsewhere, 'try', 'tries')} elsewhere are declared"
        if trials.elsewhere
        else ""
    )
    if trials.distinct < 2:
        return f"The ledger has no other look{declared}"
    looks = formatting.count_of(trials.distinct, "look")
    worth = (
        f", equivalent to {_effective_trials_text(trials.effective)} independent trials"
        if trials.effective is not None
        else ""
    )
    since = f" since {formatting.timestamp(trials.since)}" if trials.since else ""
    return f"The ledger counts {looks}{since}{declared}{worth}"


def _effective_trials_text(effective: float | None) -> str:
    return formatting.MISSING if effective is None else formatting.tick_label(round(effective, 1))


def _selection_answer(selection: TrialSelection | None) -> str:
    if not selection or not selection.sharpe:
        return "No test: there are too few returns, or they do not vary."
    sharpe = p_value_equation(selection.sharpe.p_value)
    lead = (
        f"its lead over holding with {p_value_equation(selection.lead.p_value)}"
        if selection.lead
        else "there is no lead over holding to test"
    )
    return f"Without skill the best of them reaches this Sharpe ratio with {sharpe}; {lead}."


def _power_answer(selection: TrialSelection | None) -> str:
    if not selection or not selection.sharpe:
        return ""
    lead = (
        f", and a true lead over holding of {formatting.RATIO(selection.lead.detectable)}"
        if selection.lead
        else ""
    )
    ratio = formatting.RATIO(selection.sharpe.detectable)
    return f"In 80 % of such spans a true Sharpe ratio of {ratio} would be found{lead}.".replace(
        " %", f"{formatting.NO_BREAK_SPACE}%"
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


def _selection_table(selection: TrialSelection) -> PlainTable:
    tests = (selection.sharpe, selection.lead)

    def row(label: str, key: str, number_format: formatting.NumberFormat) -> tuple[str, str, str]:
        own, lead = (number_format(getattr(test, key)) if test else "" for test in tests)
        return label, own, lead or formatting.MISSING

    p_values = [formatting.p_value(test.p_value) if test else "" for test in tests]
    single = [formatting.p_value(test.single_p_value) if test else "" for test in tests]
    level = formatting.PERCENT(100 * selection.level)
    rows = (
        row("Annualised estimate", "estimate", formatting.SIGNED_RATIO),
        row("Statistic, standard normal without skill", "statistic", STATISTIC),
        ("p-value, all trials counted", *(text or formatting.MISSING for text in p_values)),
        ("p-value as a single trial", *(text or formatting.MISSING for text in single)),
        row("Independent trials counted", "effective_trials", YEARS),
        row("Expected best of them without skill", "expected_maximum", formatting.RATIO),
        row(f"Hurdle: exceeded without skill in {level}", "hurdle", formatting.RATIO),
        row("Detectable in 80 % of samples", "detectable", formatting.RATIO),
        row("Bars that carry it", "effective_bars", formatting.COUNT),
    )
    return PlainTable(("Best of all trials", "Sharpe ratio", "Lead over holding"), rows)


def _trial_count_table(trials: TrialFigures) -> PlainTable:
    rows = [
        ("Runs of other looks that ended, and this one", formatting.COUNT(trials.runs)),
        ("Failed or interrupted runs among them", formatting.COUNT(trials.failed)),
        ("Different looks, this one included", formatting.COUNT(trials.distinct)),
        ("Tries elsewhere, declared", formatting.COUNT(trials.elsewhere)),
        ("Configurations tried in tuning", formatting.COUNT(trials.tuning)),
        ("Equivalent independent trials", _effective_trials_text(trials.effective)),
    ]
    if trials.idea:
        rows += [
            ("Looks at this idea: the same settings", formatting.COUNT(trials.idea.looks)),
            ("from start dates", formatting.COUNT(trials.idea.start_dates)),
            ("to end dates", formatting.COUNT(trials.idea.end_dates)),
            ("on targets", formatting.COUNT(trials.idea.targets)),
            ("in datasets", formatting.COUNT(trials.idea.datasets)),
            ("with sets of benchmarks", formatting.COUNT(trials.idea.benchmarks)),
            ("at levels of confidence", formatting.COUNT(trials.idea.confidences)),
        ]
    if trials.since:
        rows.append(("Counted since", formatting.timestamp(trials.since)))
    return PlainTable(("Trials", "Count"), tuple(rows))


def _track_record_table(
    record: TrackRecordFigures, selection: TrialSelection | None, confidence: float
) -> PlainTable:
    needed = (
        f"Minimum track record length, bars, {formatting.confidence_level(confidence)} confidence"
    )
    rows = (
        (
            "Probabilistic Sharpe ratio: true ratio above zero",
            format_probability(record.probabilistic_sharpe),
        ),
        (
            "Deflated Sharpe ratio (2014): above the expected best of all trials",
            format_probability(record.deflated_sharpe),
        ),
        (
            "Minimum backtest length for so many trials, years",
            YEARS(selection.minimum_backtest_years if selection else None),
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
