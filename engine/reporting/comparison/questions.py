"""The tests of a comparison as questions with answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.evaluation.comparison import listed
from engine.reporting import formatting
from engine.reporting.charts.forest import forest
from engine.reporting.charts.heat import Heat, heat_cells
from engine.reporting.significance.section import (
    Section,
    Table,
    equals,
    holm_note,
    probability,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.evaluation.comparison import Comparison
    from engine.reporting.books import Book

BOOTSTRAP = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised as "
    "in Ledoit & Wolf 2008; Holm 1979"
)


def questions(found: Comparison, books: Sequence[Book]) -> list[Section]:
    """In the order of a sceptic's questions; those that cannot be asked are left out."""
    asked = (_differences(found, books), _better(found), _chosen(found), _overfitted(found))
    return [section for section in (*asked, _alike(found)) if section is not None]


def _differences(found: Comparison, books: Sequence[Book]) -> Section:
    level, reference = formatting.level(found.confidence), found.labels[found.reference]
    rivals = [(book, asdict(found.differences[book.key])) for book in books[1:]]
    apart = [
        book.label
        for book, _ in rivals
        if (found.differences_holm[book.key] or 1.0) < 1 - found.confidence
    ]
    answer = (
        f"{listed(apart)}: told apart from {reference}, having looked at all of them."
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
            formatting.p_value(found.differences_holm[book.key]),
        )
        for book, figures in rivals
    )
    heads = ("Run", "Difference", f"{level} interval", "p, two-sided", "p after Holm")
    return Section(
        key="differences",
        label="Differences",
        question=f"Which runs differ from the reference, {reference}?",
        answer=answer,
        says=f"Sharpe ratio of each run less that of {reference}, with its {level} interval. Bars "
        "are drawn in pairs, so that what moves both runs cancels. The reference is the run that "
        "was named first, and not the best: that one was chosen by these very returns.",
        source=BOOTSTRAP,
        forest=forest(rivals),
        tables=(Table(heads, rows, holm_note(len(rows), "difference")),),
    )


def _better(found: Comparison) -> Section | None:
    tested = [
        (name, told)
        for name, told in (
            (f"the reference, {found.labels[found.reference]}", found.against_reference),
            ("buy and hold", found.against_benchmark),
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
            ", ".join(found.labels[run] for run in told["stepm"]) or "none",
        )
        for name, told in tested
    )
    return Section(
        key="superiority",
        label="Any better?",
        question="Is any run better, all of them counted?",
        answer=" ".join(_verdict(name, told, found.labels) for name, told in tested),
        says="The highest of many Sharpe ratios is high by luck alone. Hansen's test asks whether "
        "the highest is higher than luck makes it; the stepwise test names the runs that are, "
        f"wrongly in at most {formatting.level(1 - found.confidence)} of such comparisons.",
        source="Hansen 2005 (SPA); Romano & Wolf 2005 (StepM)",
        tables=(Table(heads, rows),),
    )


def _verdict(name: str, told: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    better = [labels[run] for run in told["stepm"]]
    if better:
        return f"Better than {name}: {listed(better)}."
    return f"None is better than {name} ({equals(told['spa']['consistent'])})."


def _chosen(found: Comparison) -> Section | None:
    family = found.family
    if family is None or found.best is None:
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
        ("Sharpe ratio of the best", formatting.RATIO(found.sharpe[found.best].estimate)),
        ("Probabilistic Sharpe ratio, as if alone", probability(family.probabilistic_sharpe)),
        ("Deflated Sharpe ratio", probability(family.deflated_sharpe)),
    )
    return Section(
        key="family",
        label="The best",
        question=f"Is the best run, {found.labels[found.best]}, more than the luckiest?",
        answer=f"Deflated Sharpe ratio {probability(family.deflated_sharpe)}, with "
        f"{formatting.count_of(family.counted, 'independent trial')} counted. {known}",
        says="Whoever shows the best of many runs has to say how many there were. The deflated "
        "Sharpe ratio is the probability that the best one's true Sharpe ratio is above what the "
        "luckiest of so many without skill would have reached. Runs that do the same count once.",
        source="Bailey & Lopez de Prado 2014; trials counted as in Lopez de Prado & Lewis 2019",
        tables=(Table(("Figure", "Value"), rows),),
    )


def _overfitted(found: Comparison) -> Section | None:
    told = found.overfitting
    if told is None:
        return None
    rows = (
        ("Probability of overfitting", probability(told.probability)),
        ("Probability of a loss out of sample", probability(told.loss_probability)),
        ("Median logit", formatting.SIGNED_RATIO(told.median_logit)),
        ("Splits", formatting.COUNT(told.splits)),
    )
    share = formatting.PERCENT(100 * told.probability)
    return Section(
        key="overfitting",
        label="Overfitting",
        question="Would the best of one half of the bars have been a good choice in the other?",
        answer=f"In {share} of the splits the run that was best in one half was below the median "
        "in the other; 50 % is what choosing by chance gives.".replace(
            " %", "\N{NO-BREAK SPACE}%"
        ),
        says=f"The bars are cut into {formatting.count_of(told.blocks, 'block')}; in every way to "
        "take half of them the best run is chosen there, and ranked in the rest.",
        source="Bailey, Borwein, Lopez de Prado & Zhu 2015",
        tables=(Table(("Figure", "Value"), rows),),
    )


def _alike(found: Comparison) -> Section:
    names = tuple(found.labels.values())
    independent = len(set(found.clusters.values()))
    numbers = tuple(map(formatting.COUNT, range(1, len(names) + 1)))
    rows = tuple(
        (f"{name} ({number})", heat_cells(row, full=1.0, unit=formatting.RATIO, chosen=None))
        for name, number, row in zip(names, numbers, found.correlations, strict=True)
    )
    together = _together(found)
    return Section(
        key="correlations",
        label="Correlations",
        question="Do the runs do the same?",
        answer=f"The {formatting.count_of(len(names), 'run')} amount to "
        f"{formatting.count_of(independent, 'independent trial')}."
        + (f" One and the same: {'; '.join(together)}." if together else ""),
        says="Correlation of the returns of each bar. Runs of one cluster are one try at luck; "
        "runs that are hardly correlated could be held together.",
        source="Lopez de Prado & Lewis 2019 (clusters)",
        heat=(Heat("Correlation of returns", "with run", numbers, "Run", rows),),
    )


def _together(found: Comparison) -> list[str]:
    clusters: dict[int, list[str]] = {}
    for run, number in found.clusters.items():
        clusters.setdefault(number, []).append(found.labels[run])
    return [listed(names) for names in clusters.values() if len(names) > 1]
