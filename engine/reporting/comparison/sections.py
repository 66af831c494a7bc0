"""The tests of a comparison as questions with answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.comparison import join_names
from engine.reporting import formatting
from engine.reporting.charts.forest import make_forest_plot
from engine.reporting.charts.heatmap import Heatmap, heatmap_cells
from engine.reporting.significance.section import (
    PlainTable,
    QuestionSection,
    format_probability,
    holm_note,
    p_value_equation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.comparison import RunComparison
    from engine.reporting.book_styles import BookStyle

BOOTSTRAP_SOURCE = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised as "
    "in Ledoit & Wolf 2008; Holm 1979"
)


def comparison_sections(
    comparison: RunComparison, books: Sequence[BookStyle]
) -> list[QuestionSection]:
    """In the order of a sceptic's questions; those that cannot be asked are left out."""
    asked = (
        _differences_section(comparison, books),
        _superiority_section(comparison),
        _selection_bias_section(comparison),
        _overfitting_section(comparison),
    )
    return [
        section for section in (*asked, _correlation_section(comparison)) if section is not None
    ]


def _differences_section(comparison: RunComparison, books: Sequence[BookStyle]) -> QuestionSection:
    level, reference = (
        formatting.confidence_level(comparison.confidence),
        comparison.labels[comparison.reference],
    )
    rivals = [(book, asdict(comparison.differences[book.key])) for book in books[1:]]
    apart = [
        book.label
        for book, _ in rivals
        if (comparison.differences_holm[book.key] or 1.0) < 1 - comparison.confidence
    ]
    answer = (
        f"{join_names(apart)}: told apart from {reference}, having looked at all of them."
        if apart
        else f"None can be told from {reference}, having looked at all of them: such differences "
        "come about by chance on a span like this."
    )
    rows = tuple(
        (
            book.label,
            formatting.SIGNED_RATIO(figures["estimate"]),
            formatting.SIGNED_RATIO.interval(figures["low"], figures["high"]),
            formatting.p_value(figures["p_value"]),
            formatting.p_value(comparison.differences_holm[book.key]),
        )
        for book, figures in rivals
    )
    heads = ("Run", "Difference", f"{level} interval", "p, two-sided", "p after Holm")
    return QuestionSection(
        key="differences",
        label="Differences",
        question=f"Which runs differ from the reference, {reference}?",
        answer=answer,
        description=f"Sharpe ratio of each run less that of {reference}, with its {level} "
        f"interval. Bars "
        "are drawn in pairs, so that what moves both runs cancels. The reference is the run that "
        "was named first, and not the best: that one was chosen by these very returns.",
        source=BOOTSTRAP_SOURCE,
        forest=make_forest_plot(rivals),
        tables=(PlainTable(heads, rows, holm_note(len(rows), "difference")),),
    )


def _superiority_section(comparison: RunComparison) -> QuestionSection | None:
    tested = [
        (name, told)
        for name, told in (
            (
                f"the reference, {comparison.labels[comparison.reference]}",
                comparison.against_reference,
            ),
            ("buy and hold", comparison.against_benchmark),
        )
        if told is not None
    ]
    if not tested:
        return None
    heads = ("Better than", "SPA p", "lower", "upper", "Named by StepM")
    rows = tuple(
        (
            name,
            formatting.p_value(told["spa"]["consistent"]),
            formatting.p_value(told["spa"]["lower"]),
            formatting.p_value(told["spa"]["upper"]),
            ", ".join(comparison.labels[run] for run in told["stepm"]) or "none",
        )
        for name, told in tested
    )
    return QuestionSection(
        key="superiority",
        label="Any better?",
        question="Is any run better, all of them counted?",
        answer=" ".join(
            _superiority_sentence(name, told, comparison.labels) for name, told in tested
        ),
        description="The highest of many Sharpe ratios is high by luck alone. Hansen's test "
        "asks whether "
        "the highest is higher than luck makes it; the stepwise test names the runs that are, "
        f"wrongly in at most {formatting.confidence_level(1 - comparison.confidence)} of such "
        f"comparisons.",
        source="Hansen 2005 (SPA); Romano & Wolf 2005 (StepM)",
        tables=(PlainTable(heads, rows),),
    )


def _superiority_sentence(name: str, test: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    better = [labels[run] for run in test["stepm"]]
    if better:
        return f"Better than {name}: {join_names(better)}."
    return f"None is better than {name} ({p_value_equation(test['spa']['consistent'])})."


def _selection_bias_section(comparison: RunComparison) -> QuestionSection | None:
    family = comparison.selection_bias
    if family is None or comparison.best is None:
        return None
    known = (
        f"The ledger knew {formatting.count_of(family.known, 'strategy', 'strategies')} on these "
        f"bars, worth {formatting.COUNT(family.known_independent)} independent ones, when the "
        "last of these runs was made."
        if family.known is not None
        else "No run knows what else was tried on these bars."
    )
    rows = (
        ("Runs compared", formatting.COUNT(family.compared)),
        ("Independent trials among them", formatting.COUNT(family.independent)),
        ("Strategies that the ledger knew", formatting.COUNT(family.known)),
        ("Independent trials among those", formatting.COUNT(family.known_independent)),
        ("Independent trials counted", formatting.COUNT(family.counted)),
        ("Sharpe ratio of the luckiest of so many", formatting.RATIO(family.luckiest)),
        (
            "Sharpe ratio of the best",
            formatting.RATIO(comparison.sharpe[comparison.best].estimate),
        ),
        (
            "Probabilistic Sharpe ratio, as if alone",
            format_probability(family.probabilistic_sharpe),
        ),
        ("Deflated Sharpe ratio", format_probability(family.deflated_sharpe)),
    )
    return QuestionSection(
        key="family",
        label="The best",
        question=f"Is the best run, {comparison.labels[comparison.best]}, more than the luckiest?",
        answer=f"Deflated Sharpe ratio {format_probability(family.deflated_sharpe)}, with "
        f"{formatting.count_of(family.counted, 'independent trial')} counted. {known}",
        description="Whoever shows the best of many runs has to say how many there were. The "
        "deflated "
        "Sharpe ratio is the probability that the best one's true Sharpe ratio is above what the "
        "luckiest of so many without skill would have reached. Runs that do the same count once.",
        source="Bailey & Lopez de Prado 2014; trials counted as in Lopez de Prado & Lewis 2019",
        tables=(PlainTable(("Figure", "Value"), rows),),
    )


def _overfitting_section(comparison: RunComparison) -> QuestionSection | None:
    told = comparison.overfitting
    if told is None:
        return None
    rows = (
        ("Probability of overfitting", format_probability(told.probability)),
        ("Probability of a loss out of sample", format_probability(told.loss_probability)),
        ("Median logit", formatting.SIGNED_RATIO(told.median_logit)),
        ("Splits", formatting.COUNT(told.splits)),
    )
    share = formatting.PERCENT(100 * told.probability)
    return QuestionSection(
        key="overfitting",
        label="Overfitting",
        question="Would the best of one half of the bars have been a good choice in the other?",
        answer=f"In {share} of the splits the run that was best in one half was below the median "
        "in the other; 50 % is what choosing by chance gives.".replace(
            " %", "\N{NO-BREAK SPACE}%"
        ),
        description=f"The bars are cut into {formatting.count_of(told.blocks, 'block')}; in "
        f"every way to "
        "take half of them the best run is chosen there, and ranked in the rest.",
        source="Bailey, Borwein, Lopez de Prado & Zhu 2015",
        tables=(PlainTable(("Figure", "Value"), rows),),
    )


def _correlation_section(comparison: RunComparison) -> QuestionSection:
    names = tuple(comparison.labels.values())
    independent = len(set(comparison.clusters.values()))
    numbers = tuple(map(formatting.COUNT, range(1, len(names) + 1)))
    rows = tuple(
        (
            f"{name} ({number})",
            heatmap_cells(row, full_colour=1.0, number_format=formatting.RATIO, chosen_index=None),
        )
        for name, number, row in zip(names, numbers, comparison.correlations, strict=True)
    )
    together = _cluster_labels(comparison)
    return QuestionSection(
        key="correlations",
        label="Correlations",
        question="Do the runs do the same?",
        answer=f"The {formatting.count_of(len(names), 'run')} amount to "
        f"{formatting.count_of(independent, 'independent trial')}."
        + (f" One and the same: {'; '.join(together)}." if together else ""),
        description="Correlation of the returns of each bar. Runs of one cluster are one try at "
        "luck; "
        "runs that are hardly correlated could be held together.",
        source="Lopez de Prado & Lewis 2019 (clusters)",
        heatmaps=(Heatmap("Correlation of returns", "with run", numbers, "Run", rows),),
    )


def _cluster_labels(comparison: RunComparison) -> list[str]:
    clusters: dict[int, list[str]] = {}
    for run, number in comparison.clusters.items():
        clusters.setdefault(number, []).append(comparison.labels[run])
    return [join_names(names) for names in clusters.values() if len(names) > 1]
