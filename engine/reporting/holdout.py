"""The bars that were held out: sealed or not, who looked at them, and what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import book_style
from engine.reporting.question_section import QuestionSection, SignificanceSections
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance_registration import HoldoutBook, HoldoutFigures

HOLDOUT_SOURCE = "The trial ledger, a chain of hashes; intervals as those of all bars"


def holdout_sections(significance: Significance) -> SignificanceSections:
    """One section; none where nothing was held out."""
    holdout = significance.holdout
    if holdout is None:
        return []
    return [
        QuestionSection(
            key="holdout",
            label="Holdout",
            question="Does it hold on bars that nobody had looked at?",
            answer=describe_holdout(holdout),
            description=(
                "No stage of a sealed run, its tuning and its pages included, has a bar of the "
                "holdout. `backtest unseal` looks at it, and the ledger has the look before it is "
                "made. The first look is a test; what was changed after it, and looked at again, "
                "is chosen by these bars like by all others. A run without a holdout, or with a "
                "later one, looks at these bars as well."
            ),
            source=HOLDOUT_SOURCE,
            tables=(_looks_table(holdout), *([_books_table(holdout)] if holdout.books else [])),
        )
    ]


def describe_holdout(holdout: HoldoutFigures) -> str:
    """Whether it is sealed, and how often it was looked at."""
    begin = f"The bars from {holdout.sealed_from} on"
    if holdout.sealed:
        told = f"{begin} are sealed: no stage of this run had any of them."
    elif holdout.bars:
        told = f"{begin}, {formatting.count_of(holdout.bars, 'bar')}, are unsealed in this run."
    else:
        told = f"{begin} were held out before; this run was made without a holdout."
    return f"{told} {_describe_looks(holdout)}"


def _describe_looks(holdout: HoldoutFigures) -> str:
    own = 0 if holdout.sealed else 1
    if not holdout.looks:
        return "Nobody has looked at them with this idea, by the ledger."
    if holdout.looks == 1:
        if own and holdout.bars:
            return "It is the first look at them with this idea, by the ledger."
        return "They were looked at once with this idea, by the ledger."
    return (
        f"They were looked at {formatting.COUNT(holdout.looks)} times with this idea, by the "
        "ledger: only the first was a test of what nobody knew."
    )


def _looks_table(holdout: HoldoutFigures) -> PlainTable:
    rows = [
        (f"Unsealed, look {number}", f"{formatting.timestamp(at)} UTC")
        for number, at in enumerate(holdout.unsealings, start=1)
    ]
    rows += [
        ("Looks at this idea that reached into them unsealed", formatting.COUNT(holdout.beyond)),
        ("Looks at other ideas that did", formatting.COUNT(holdout.others)),
    ]
    return PlainTable(("Looks at the holdout", "Ledger"), tuple(rows))


def _books_table(holdout: HoldoutFigures) -> PlainTable:
    heading = (
        *("Holdout", "Total return", "Max drawdown", "Sharpe ratio", "Interval"),
        "Lead of the strategy",
    )
    return PlainTable(heading, tuple(_book_row(*each) for each in holdout.books.items()))


def _book_row(book: str, figures: HoldoutBook) -> tuple[str, ...]:
    def interval(low: float | None, high: float | None) -> str:
        if low is None or high is None:
            return formatting.MISSING
        return f"{formatting.SIGNED_RATIO(low)} to {formatting.SIGNED_RATIO(high)}"

    lead = formatting.SIGNED_RATIO(figures.difference)
    if figures.difference_low is not None:
        lead = f"{lead} ({interval(figures.difference_low, figures.difference_high)})"
    return (
        book_style(book).label,
        formatting.PERCENT(figures.total_return_pct),
        formatting.PERCENT(figures.max_drawdown_pct),
        formatting.RATIO(figures.sharpe),
        interval(figures.low, figures.high),
        lead,
    )
