"""The strategy's growth by the state of the market, by year and by symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.attribution import Contributions, Part, parts
from engine.evaluation.regimes import REGIMES
from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY, book
from engine.reporting.charts.attribution import beside_plot
from engine.reporting.market_states import SAYS, market_states
from engine.reporting.significance.section import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.artifacts import Run
    from engine.reporting.charts.plot import Plot
    from engine.types import WideFrame

UNIT = formatting.SIGNED_PERCENT
UNKNOWN = "not known yet"
STATE = "State at the close before"


@dataclass(frozen=True)
class Words:
    """Of a group: its key, its title, what its parts are, and how they were made."""

    key: str
    title: str
    axis: str
    says: str


@dataclass(frozen=True)
class Group:
    """Bars parted in one way.

    Attributes:
        words: What it is called.
        parts: Together the whole.
        holding: Log return of buy and hold on the bars of each part; None without such a book, or
            where symbols are in different parts at the same time.
    """

    words: Words
    parts: tuple[Part, ...]
    holding: tuple[float, ...] | None


VOLATILITY = Words(
    "volatility",
    "By volatility",
    "volatility at the close before",
    f"Log return after costs. {SAYS}",
)
TREND = Words(
    "trend", "By trend", "trend at the close before", "Log return after costs, states as before."
)
YEARS = Words(
    "years",
    "By year",
    "Year",
    "Log return after costs. Years of UTC; the first and the last may be partial.",
)
SYMBOLS = Words("symbols", "By symbol", "Symbol", "Log return after costs of each position.")


def groups_of(run: Run, made: Contributions) -> list[Group]:
    """By volatility, trend and year, and by symbol where there are several."""
    index = pd.DatetimeIndex(run.returns.index)
    symbols = list(made.held.columns)

    groups = [
        _group(
            words,
            made,
            market_states(run, words.key, before=True),
            _holding(run) if len(symbols) == 1 else None,
            REGIMES[words.key].values(),
        )
        for words in (VOLATILITY, TREND)
    ]
    year = index.year.astype(str)
    years = pd.DataFrame(dict.fromkeys(symbols, year), index=index, dtype="object")
    groups.append(_group(YEARS, made, years, _holding(run), sorted(set(years.iloc[:, 0]))))
    if len(symbols) > 1:
        names = pd.DataFrame({symbol: str(symbol) for symbol in symbols}, index=index)
        groups.append(_group(SYMBOLS, made, names, None, list(map(str, symbols))))
    return groups


def _holding(run: Run) -> pd.Series[float] | None:
    """Log returns of buy and hold; None without that book, or where it lost everything."""
    held = run.returns.get(BUY_AND_HOLD)
    return None if held is None or (held <= -1).any() else np.log1p(held)


def _group(
    words: Words,
    made: Contributions,
    labels: WideFrame,
    holding: pd.Series[float] | None,
    order: Iterable[str],
) -> Group:
    """Parts in the given order, the unlabelled last.

    `holding` only where every symbol has the same label.
    """
    places = {name: place for place, name in enumerate(order)}
    found = sorted(parts(made, labels), key=lambda part: places.get(part.name, len(places)))
    if holding is None:
        return Group(words, tuple(found), None)
    label = labels.iloc[:, 0].fillna("").to_numpy()
    sums = tuple(float(holding[label == part.name].sum()) for part in found)
    return Group(words, tuple(found), sums)


def group_plot(group: Group, span: str) -> Plot:
    """Log returns after costs, beside those of holding."""
    columns = [(book(STRATEGY), [part.net for part in group.parts])]
    if group.holding is not None:
        columns.append((book(BUY_AND_HOLD), list(group.holding)))
    return beside_plot(
        f"attribution-{group.words.key}",
        (group.words.title, group.words.axis),
        columns,
        [part.name or UNKNOWN for part in group.parts],
        finding=_best_and_worst(group),
        says=group.words.says,
        span=span,
    )


def _best_and_worst(group: Group) -> str:
    ranked = sorted(group.parts, key=lambda part: part.net)
    worst, best = ranked[0], ranked[-1]
    if best.net == worst.net == 0:
        return "Nothing was earned or lost in any of them."
    told = f"All of it, {_named(best)}"
    if len(ranked) > 1:
        told = f"Best {_named(best)}; worst {_named(worst)}"
    if group.holding is None:
        return f"{told}."
    ahead = sum(part.net > held for part, held in zip(group.parts, group.holding, strict=True))
    return (
        f"{told}; ahead of holding in {formatting.COUNT(ahead)} of "
        f"{formatting.COUNT(len(group.parts))}."
    )


def _named(part: Part) -> str:
    return f"{part.name or UNKNOWN}, {UNIT(100 * part.net)}"


def group_tables(groups: Sequence[Group]) -> tuple[Table, ...]:
    """Share of the bars, gross, costs and net of each part, and the whole."""
    states = [group for group in groups if group.words in (VOLATILITY, TREND)]
    others = [[group] for group in groups if group not in states]
    return tuple(_table(together) for together in (states, *others))


def _table(groups: Sequence[Group]) -> Table:
    words = groups[0].words
    head, title = (
        (STATE, "By state of the market") if len(groups) > 1 else (words.axis, words.title)
    )
    rows = [
        _row(_called(group, part, several=len(groups) > 1), part, held)
        for group in groups
        for part, held in zip(
            group.parts, group.holding or (None,) * len(group.parts), strict=True
        )
    ]
    last = groups[-1]
    whole = Part(
        "",
        sum(part.share for part in last.parts),
        sum(part.gross for part in last.parts),
        sum(part.cost for part in last.parts),
    )
    rows.append(_row("all", whole, None if last.holding is None else sum(last.holding)))
    heads = (head, "Bars", "Before costs", "Costs", "After costs")
    if last.holding is None:
        return Table(heads, tuple(row[:-1] for row in rows), title=title)
    return Table((*heads, "Buy and hold"), tuple(rows), title=title)


def _called(group: Group, part: Part, *, several: bool) -> str:
    name = part.name or UNKNOWN
    return f"{group.words.key}, {name}" if several else name


def _row(name: str, part: Part, holding: float | None) -> tuple[str, ...]:
    return (
        name,
        formatting.PERCENT(100 * part.share),
        UNIT(100 * part.gross),
        UNIT(100 * part.cost),
        UNIT(100 * part.net),
        UNIT(None if holding is None else 100 * holding),
    )
