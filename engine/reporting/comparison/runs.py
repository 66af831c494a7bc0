"""The runs as rows of tables and as lines of a chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, HUES, STRATEGY, Book
from engine.reporting.heading import GRADES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.artifacts import Run
    from engine.evaluation.comparison import Comparison

RIVAL_HUES = tuple(range(HUES.index(BUY_AND_HOLD) + 1, len(HUES) + 1))
"""The reference has the strategy's colour, buy and hold its own, every other run one of these."""

DASHES = 4


@dataclass(frozen=True)
class RunRow:
    """A run in the table of figures; all but `book` is text.

    Attributes:
        book: Its name and colour.
        href: Where its tearsheet is, None where there is none.
        run_id: Its id.
        marks: What it is: the reference, the best.
        cells: Figures on the common bars, in the order of the columns: text, what stands below
            it, and whether it is the best of its column.
    """

    book: Book
    href: str | None
    run_id: str
    marks: tuple[str, ...]
    cells: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True)
class Origin:
    """Where a run comes from, and what its own pages say of its own span."""

    book: Book
    run_id: str
    dataset: str
    first: str
    last: str
    bars: str
    cut: str
    sharpe: str
    trades: str
    cost: str
    evidence: str
    certificate: str
    started: str


def run_books(found: Comparison) -> tuple[Book, ...]:
    """A book a run: the run id as its key; colours first, then dashes, tell them apart."""
    books = []
    for number, (run, label) in enumerate(found.labels.items()):
        place = number - 1
        hue = 0 if number == 0 else RIVAL_HUES[place % len(RIVAL_HUES)]
        dash = 1 if number == 0 else place // len(RIVAL_HUES) % DASHES + 1
        books.append(Book(run, label, "", f"hue-{hue}", f"dash-{dash}"))
    return tuple(books)


def run_rows(
    runs: Sequence[Run],
    found: Comparison,
    books: Sequence[Book],
    link: Callable[[Run], str | None],
) -> list[RunRow]:
    """A row a run, in the order given."""
    return [
        RunRow(each, link(run), run.run_id, _marks(run.run_id, found), _cells(run.run_id, found))
        for run, each in zip(runs, books, strict=True)
    ]


def _marks(run: str, found: Comparison) -> tuple[str, ...]:
    told = (("reference", found.reference), ("highest Sharpe ratio", found.best))
    return tuple(mark for mark, holder in told if holder == run)


def _cells(run: str, found: Comparison) -> tuple[tuple[str, str, bool], ...]:
    figures, sharpe = found.figures[run], found.sharpe[run]
    interval = formatting.RATIO.interval(sharpe.low, sharpe.high)
    difference = found.differences.get(run)
    less = formatting.SIGNED_RATIO(difference.estimate) if difference else "reference"
    return (
        (formatting.RATIO(sharpe.estimate), interval, run == found.best),
        (less, "", False),
        (formatting.SIGNED_PERCENT(figures["total_return_pct"]), "", False),
        (formatting.SIGNED_PERCENT(figures["cagr_pct"]), "", False),
        (formatting.PERCENT(figures["volatility_pct"]), "", False),
        (formatting.PERCENT(figures["max_drawdown_pct"]), "", False),
    )


def origins(runs: Sequence[Run], found: Comparison, books: Sequence[Book]) -> list[Origin]:
    """A row a run: dataset, own span and figures, grade and certificate."""
    return [_origin(run, each, found) for run, each in zip(runs, books, strict=True)]


def _origin(run: Run, each: Book, found: Comparison) -> Origin:
    dataset, span = run.manifest["dataset"], run.metrics["span"]
    figures = run.metrics["books"].get(STRATEGY, {})
    stood_in = " (offline)" if dataset.get("offline") else ""
    lost = found.left_out[run.run_id]
    return Origin(
        book=each,
        run_id=run.run_id,
        dataset=f"{dataset.get('name')}{stood_in}",
        first=formatting.moment(span["first"]),
        last=formatting.moment(span["last"]),
        bars=formatting.COUNT(span["bars"]),
        cut=f"{formatting.COUNT(lost)} cut" if lost else "",
        sharpe=formatting.RATIO(figures.get("sharpe")),
        trades=formatting.COUNT(figures.get("trades")),
        cost=formatting.PERCENT(figures.get("cost_paid_pct")),
        evidence=GRADES.get(run.significance["verdict"]["grade"], formatting.MISSING),
        certificate=_certificate(run),
        started=formatting.moment(run.manifest.get("started_at")),
    )


def _certificate(run: Run) -> str:
    if run.certificate is None:
        return "none"
    return f"passed, {formatting.count_of(len(run.certificate['cuts']), 'cut')}"
