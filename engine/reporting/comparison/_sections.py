"""The tests of a comparison as sections: question, answer, figures, source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.comparison import join_run_labels
from engine.reporting import formatting
from engine.reporting.charts.forest import make_forest_plot
from engine.reporting.charts.heatmap import Heatmap, heatmap_cells
from engine.reporting.question_section import (
    QuestionSection,
    format_probability,
    holm_note,
    p_value_equation,
)
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.comparison import RunComparison
    from engine.reporting.book_styles import BookStyle
    from engine.runs.documents.significance import SuperiorityFigures

BOOTSTRAP_SOURCE = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised as "
    "in Ledoit & Wolf 2008; Holm 1979"
)


def comparison_sections(
    comparison: RunComparison, books: Sequence[BookStyle]
) -> list[QuestionSection]:
    """From the differences to the correlations; tests that do not apply are left out."""
    sections = (
        _differences_section(comparison, books),
        _superiority_section(comparison),
        _selection_bias_section(comparison),
        _overfitting_section(comparison),
        _correlation_section(comparison),
    )
    return [section for section in sections if section is not None]


def _differences_section(comparison: RunComparison, books: Sequence[BookStyle]) -> QuestionSection:
    level, reference = (
        formatting.confidence_level(comparison.confidence),
        comparison.labels[comparison.reference],
    )
    estimates = [(book, comparison.differences[book.key]) for book in books[1:]]
    different = [
        book.label
        for book, _ in estimates
        if (comparison.differences_holm[book.key] or 1.0) < 1 - comparison.confidence
    ]
    answer = (
        f"Significantly different from {reference}: {join_run_labels(different)}, after Holm's "
        "correction for multiple testing."
        if different
        else f"No run differs significantly from {reference}, after Holm's correction for "
        "multiple testing."
    )
    rows = tuple(
        (
            book.label,
            formatting.SIGNED_RATIO(figures.estimate),
            formatting.SIGNED_RATIO.interval(figures.low, figures.high),
            formatting.p_value(figures.p_value),
            formatting.p_value(comparison.differences_holm[book.key]),
        )
        for book, figures in estimates
    )
    heads = ("Run", "Difference", f"{level} interval", "p, two-sided", "p after Holm")
    return QuestionSection(
        key="differences",
        label="Differences",
        question=f"Which runs differ from the reference, {reference}?",
        answer=answer,
        description=f"Sharpe ratio of each run minus that of {reference}, with its {level} "
        "interval. Bars are resampled in pairs, so that common movements cancel. The reference "
        "is the run named first, not the best one, which was selected by these same returns.",
        source=BOOTSTRAP_SOURCE,
        forest=make_forest_plot(estimates),
        tables=(PlainTable(heads, rows, holm_note(len(rows), "difference")),),
    )


def _superiority_section(comparison: RunComparison) -> QuestionSection | None:
    tests = [
        (name, test)
        for name, test in (
            (
                f"the reference, {comparison.labels[comparison.reference]}",
                comparison.against_reference,
            ),
            ("buy and hold", comparison.against_benchmark),
        )
        if test is not None
    ]
    if not tests:
        return None
    heads = ("Better than", "SPA p", "lower", "upper", "Named by StepM")
    rows = tuple(
        (
            name,
            formatting.p_value(test.spa.consistent),
            formatting.p_value(test.spa.lower),
            formatting.p_value(test.spa.upper),
            ", ".join(comparison.labels[run] for run in test.stepm) or "none",
        )
        for name, test in tests
    )
    return QuestionSection(
        key="superiority",
        label="SPA test",
        question="Is any run better, allowing for the choice among them?",
        answer=" ".join(
            _superiority_sentence(name, test, comparison.labels) for name, test in tests
        ),
        description="The highest of many Sharpe ratios is high by chance alone. Hansen's test for "
        "superior predictive ability (SPA) allows for that; the stepwise test (StepM) names the "
        "runs that are better, with a false positive in at most "
        f"{formatting.confidence_level(1 - comparison.confidence)} of such comparisons.",
        source="Hansen 2005 (SPA); Romano & Wolf 2005 (StepM)",
        tables=(PlainTable(heads, rows),),
    )


def _superiority_sentence(name: str, test: SuperiorityFigures, labels: Mapping[str, str]) -> str:
    better = [labels[run] for run in test.stepm]
    if better:
        return f"Better than {name}: {join_run_labels(better)}."
    return f"None is better than {name} ({p_value_equation(test.spa.consistent)})."


def _selection_bias_section(comparison: RunComparison) -> QuestionSection | None:
    bias = comparison.selection_bias
    if bias is None or comparison.best is None:
        return None
    known = (
        f"The ledger had {formatting.count_of(bias.known, 'look')}, equivalent to "
        f"{_trial_count(bias.known_independent)} independent trials, when the last of these runs "
        "was made."
        if bias.known is not None
        else "No ledger was available to these runs."
    )
    rows = (
        ("Runs compared", formatting.COUNT(bias.compared)),
        ("Independent trials among the runs", _trial_count(bias.independent)),
        ("Looks in the ledger", formatting.COUNT(bias.known)),
        ("Independent trials in the ledger", _trial_count(bias.known_independent)),
        ("Independent trials counted", _trial_count(bias.counted)),
        ("Expected maximum Sharpe ratio without skill", formatting.RATIO(bias.luckiest)),
        (
            "Sharpe ratio of the best run",
            formatting.RATIO(comparison.sharpe[comparison.best].estimate),
        ),
        ("p-value, all trials counted", format_probability(bias.p_value)),
        ("p-value of its lead over buy and hold", format_probability(bias.lead_p_value)),
        (
            "Probabilistic Sharpe ratio, as a single trial",
            format_probability(bias.probabilistic_sharpe),
        ),
        ("Deflated Sharpe ratio (2014)", format_probability(bias.deflated_sharpe)),
    )
    return QuestionSection(
        key="selection",
        label="Selection bias",
        question=f"Is the best run, {comparison.labels[comparison.best]}, significant given the "
        "number of trials?",
        answer=f"With {_trial_count(bias.counted)} independent trials counted, the best of them "
        f"reaches this Sharpe ratio without skill with {p_value_equation(bias.p_value)}. {known}",
        description="The p-value is the probability that the best of all trials has such a Sharpe "
        "ratio without skill, from the distribution of the maximum under the correlations of "
        "their returns. The deflated Sharpe ratio of 2014 is shown for comparison.",
        source="Joint normal distribution of the Sharpe ratios (Lo 2002); Bailey & Lopez de Prado "
        "2014",
        tables=(PlainTable(("Figure", "Value"), rows),),
    )


def _trial_count(count: float | None) -> str:
    return formatting.MISSING if count is None else formatting.tick_label(round(count, 1))


def _overfitting_section(comparison: RunComparison) -> QuestionSection | None:
    overfitting = comparison.overfitting
    if overfitting is None:
        return None
    rows = (
        ("Probability of backtest overfitting", format_probability(overfitting.probability)),
        ("Probability of a loss out of sample", format_probability(overfitting.loss_probability)),
        ("Median logit", formatting.SIGNED_RATIO(overfitting.median_logit)),
        ("Splits", formatting.COUNT(overfitting.splits)),
    )
    share = formatting.PERCENT(100 * overfitting.probability)
    return QuestionSection(
        key="overfitting",
        label="Overfitting",
        question="Is the run that is best in one half of the bars also good in the other half?",
        answer=f"In {share} of the splits the run that was best in one half was below the median "
        "in the other; a random choice gives 50 %.".replace(" %", "\N{NO-BREAK SPACE}%"),
        description="The bars are divided into "
        f"{formatting.count_of(overfitting.blocks, 'block')}; for every choice of half of them "
        "the best run is selected there and ranked in the rest (CSCV).",
        source="Bailey, Borwein, Lopez de Prado & Zhu 2015",
        tables=(PlainTable(("Figure", "Value"), rows),),
    )


def _correlation_section(comparison: RunComparison) -> QuestionSection:
    labels = tuple(comparison.labels.values())
    bias = comparison.selection_bias
    numbers = tuple(map(formatting.COUNT, range(1, len(labels) + 1)))
    rows = tuple(
        (
            f"{label} ({number})",
            heatmap_cells(row, full_colour=1.0, number_format=formatting.RATIO, chosen_index=None),
        )
        for label, number, row in zip(labels, numbers, comparison.correlations, strict=True)
    )
    return QuestionSection(
        key="correlations",
        label="Correlations",
        question="Are the returns of the runs correlated?",
        answer=f"The {formatting.count_of(len(labels), 'run')} are equivalent to "
        f"{_trial_count(bias.independent)} independent trials."
        if bias
        else "No run has a Sharpe ratio.",
        description="Correlation of the returns per bar. Runs with a high correlation are worth "
        "hardly more than one trial; runs with a low one could be held in one portfolio.",
        source="Pearson correlation over the common bars",
        heatmaps=(Heatmap("Correlation of returns", "with run", numbers, "Run", rows),),
    )
