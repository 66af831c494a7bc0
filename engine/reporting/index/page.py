"""The index as a page: a row a run, to sort, search and tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.artifacts import PAGES
from engine.reporting import formatting
from engine.reporting.books import book
from engine.reporting.heading import GRADES
from engine.reporting.rendering import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.index.entries import Compared, Entry, Summary


@dataclass(frozen=True)
class Cell:
    """A figure as text, and as the number that it sorts by; empty where there is none."""

    text: str
    value: str
    below: str = ""


@dataclass(frozen=True)
class Row:
    """A run; all is text.

    Attributes:
        tick: `<strategy>/<run id>`, quoted: the value of its tick.
        run_id: Its id.
        name: Of the strategy.
        symbols: What was traded.
        dataset: Which bars, and whether the offline ones.
        first: First out-of-sample bar.
        last: The last one.
        figures: Sharpe ratio with its interval, strongest opponent, return, drawdown.
        grade: Of the evidence, as a class.
        badge: The same in words.
        certificate: What was looked for.
        started: When it ran, UTC.
        links: Its pages: label and address.
    """

    tick: str
    run_id: str
    name: str
    symbols: str
    dataset: str
    first: str
    last: str
    figures: tuple[Cell, ...]
    grade: str
    badge: str
    certificate: str
    started: str
    links: tuple[tuple[str, str], ...]


def index_page(found: Sequence[Entry], comparisons: Sequence[Compared], place: str) -> str:
    """The page, self-contained but for its links to other pages.

    Args:
        found: Every run.
        comparisons: Every comparison.
        place: Of the folder, in words.
    """
    whole = [_row(entry, entry.summary) for entry in found if entry.summary]
    damaged = [(entry.address, entry.problem) for entry in found if not entry.summary]
    return render(
        "index.html.j2",
        page="index",
        place=place,
        count=formatting.count_of(len(whole), "run"),
        rows=whole,
        damaged=damaged,
        comparisons=[
            (each.address, page_address(each.address, "comparison"), formatting.moment(each.made))
            for each in comparisons
        ],
    )


def page_address(address: str, page: str) -> str:
    """Where the server has a page of a run."""
    return f"/{quoted(address)}/{page}.html"


def quoted(address: str) -> str:
    """An address as part of another one, whatever bytes a folder's name is made of."""
    return quote(address, errors="surrogateescape")


def _row(entry: Entry, told: Summary) -> Row:
    return Row(
        tick=quoted(entry.address),
        run_id=told.run_id,
        name=told.name,
        symbols=told.symbols,
        dataset=told.dataset + (" (offline)" if told.offline else ""),
        first=told.first,
        last=told.last,
        figures=(
            _cell(formatting.RATIO, told.sharpe, formatting.RATIO.interval(told.low, told.high)),
            _cell(
                formatting.RATIO,
                told.opponent_sharpe,
                book(told.opponent).label if told.opponent else "",
            ),
            _cell(formatting.SIGNED_PERCENT, told.total_return_pct),
            _cell(formatting.PERCENT, told.max_drawdown_pct),
        ),
        grade=told.grade if told.grade in GRADES else "none",
        badge=GRADES.get(told.grade, told.grade),
        certificate=(
            "none" if told.cuts is None else f"passed, {formatting.count_of(told.cuts, 'cut')}"
        ),
        started=told.started_at,
        links=tuple((page, page_address(entry.address, page)) for page in PAGES),
    )


def _cell(unit: formatting.Unit, value: float | None, below: str = "") -> Cell:
    there = value is not None and formatting.exists(value)
    return Cell(unit(value), repr(value) if there else "", below)
