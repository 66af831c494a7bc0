"""The tables of `scripts/bench rivals`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Figures = Mapping[str, Mapping[str, Any]]
    Versions = Mapping[str, str]

DRAWS = 20
DAYS_PER_YEAR = 252


def tabulate_functions(tools: Figures, versions: Versions) -> Table:
    """A row a tool: look-ahead found, false alarms, and the time of all twenty functions."""
    shares = next(iter(tools.values()))["shares"]
    names = ["classic", *(f"{float(share):.0%}" for share in shares)]
    table = _table("functions that look ahead, found", [*names, "false alarms", "seconds"])
    for tool, figures in tools.items():
        found = [f"{figures['shares'][share]}/{DRAWS}" for share in shares]
        rows = [*figures["honest"].values(), *figures["leaky"].values()]
        seconds = sum(row["seconds"] for row in rows)
        table.add_row(
            _label(tool, versions),
            _count(figures["leaky"].values()),
            *found,
            _count(figures["honest"].values()),
            f"{seconds:.1f}",
        )
    return table


def tabulate_statistics(tools: Figures, versions: Versions) -> Table:
    """A row a tool and test: printed examples, overfitting, and noise called significant."""
    columns = ["PSR .913", "DSR .9004", "MinTRL 2.73", "PBO noise", "edge", "test at 5 %"]
    table = _table("printed examples, and noise called significant", [*columns, "iid", "AR 0.4"])
    for tool, figures in tools.items():
        overfitting = figures.get("pbo") or [None, None]
        bars = figures.get("mintrl")
        cells = [
            _number(figures.get("psr"), 3),
            _number(figures.get("dsr"), 4),
            _number(bars and bars / DAYS_PER_YEAR, 2),
            *(_number(each, 2) for each in overfitting),
        ]
        label = _label(tool, versions)
        for test, shares in figures["shares"].items():
            found = (f"{100 * share:.1f} %" for share in shares.values())
            table.add_row(label, *cells, test, *found)
            label, cells = "", [""] * len(cells)
    return table


def tabulate_speed(tools: Figures, versions: Versions) -> Table:
    """A row a tool: seconds, processor seconds, and how many times the fastest."""
    table = _table("a million bars of a minute", ["seconds", "processor seconds", "ratio"])
    fastest = min(figures["processor"] for figures in tools.values())
    for tool, figures in tools.items():
        cells = (f"{figures[name]:.1f}" for name in ("seconds", "processor"))
        table.add_row(_label(tool, versions), *cells, f"{figures['processor'] / fastest:.1f}")
    return table


TABLES: dict[str, Callable[[Figures, Versions], Table]] = {
    "functions": tabulate_functions,
    "statistics": tabulate_statistics,
    "speed": tabulate_speed,
}


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _label(tool: str, versions: Versions) -> str:
    return f"{tool} {versions[tool]}" if tool in versions else tool


def _count(rows: Iterable[Mapping[str, Any]]) -> str:
    found = [row["found"] for row in rows]
    return f"{sum(found)}/{len(found)}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
