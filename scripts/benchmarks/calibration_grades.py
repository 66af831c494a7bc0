"""How often a grade is given, on markets where nothing has skill and where one rule has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from graded_rows import GradedRow, rows_with_skill, rows_without_skill
from rich.box import SIMPLE
from rich.table import Table

from engine.core.blas_threads import one_blas_thread
from engine.core.randomness import derive_seed
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import grade_run
from engine.selftest.proportion import estimate_proportion

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from simulation_parts import SimulationParts

RESAMPLES = 499
"""Of each bootstrap; a grade of a run, with 10,000, differs only near a limit."""

GRADES = ("none", "weak", "moderate", "strong")
COLUMNS = {"weak or more": "weak", "moderate or more": "moderate", "strong": "strong"}
LIMITS = {"weak or more": 0.05, "strong": 0.01}
"""Largest rates that are allowed on markets without skill."""

MARKETS_PER_TASK = 10


def measure(options: Namespace, parts: SimulationParts) -> dict[str, Any]:
    """Row and tries -> the rate of each grade with its 99 % interval, and whether it is off."""
    rows = [
        row
        for row in (*rows_without_skill(), *rows_with_skill())
        if options.rows.casefold() in row.name.casefold()
    ]
    tasks = [
        (
            row,
            options.seed,
            range(first, min(first + MARKETS_PER_TASK, options.graded_markets)),
        )
        for row in rows
        for first in range(0, options.graded_markets, MARKETS_PER_TASK)
    ]
    grades: dict[tuple[GradedRow, int], list[str]] = defaultdict(list)
    names = [row.name for row, _, _ in tasks]
    for index, graded in parts.run("grades", _grade_markets, tasks, names):
        for tries, grade in graded:
            grades[tasks[index][0], tries].append(grade)
    return {
        "work": {"markets": options.graded_markets, "resamples": RESAMPLES, "seed": options.seed},
        "limits": LIMITS,
        "rows": [
            {"row": row.name, "skill": row.edge is not None, "tries": tries}
            | {"rates": assess_rates(grades[row, tries], skill=row.edge is not None)}
            for row in rows
            for tries in row.tries
        ],
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints the rows without skill, then those with; a star marks a rate above its limit."""
    table = Table(
        title="{markets} markets a row, {resamples} resamples, seed {seed}: % of the markets in "
        "which the best of all rules tried is graded, and its 99 % interval".format(
            **results["work"]
        ),
        caption="* the interval lies above 5 % (weak or more) or 1 % (strong)",
        box=SIMPLE,
        padding=0,
    )
    table.add_column("", no_wrap=True, min_width=50)
    table.add_column("tries", justify="right", no_wrap=True, min_width=5)
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True, min_width=15)
    for title, skill in (("no rule has skill", False), ("one rule has skill: power", True)):
        table.add_row(f"[bold]{title}")
        before = ""
        for row in results["rows"]:
            if row["skill"] == skill:
                name, before = "" if row["row"] == before else f" {row['row']}", row["row"]
                cells = (_format_cell(row["rates"][column]) for column in COLUMNS)
                table.add_row(name, str(row["tries"]), *cells)
    console.print(table)
    for column, (rate, row) in _find_highest_rates(results["rows"]).items():
        console.print(f"highest without skill, {column}: {rate} ({row})", soft_wrap=True)


def _find_highest_rates(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Column -> the highest rate of all rows without skill, and the first row that has it."""
    highest = {}
    unskilled = [row for row in rows if not row["skill"]]
    for column in COLUMNS if unskilled else ():
        row = max(unskilled, key=lambda row, column=column: row["rates"][column]["rate"])
        rate = _format_cell(row["rates"][column])
        highest[column] = (rate, f"{row['row']}, tries {row['tries']}")
    return highest


def _format_cell(rate: Mapping[str, Any]) -> str:
    low, high = (f"{100 * rate[end]:.1f}" for end in ("low", "high"))
    return f"{100 * rate['rate']:.1f} {low}-{high}{'*' if rate['off'] else ''}"


def assess_rates(grades: Sequence[str], *, skill: bool) -> dict[str, dict[str, Any]]:
    """Column -> share of the grades at least as high; off where it is surely above its limit."""
    rates = {}
    for column, least in COLUMNS.items():
        share = estimate_proportion(GRADES.index(each) >= GRADES.index(least) for each in grades)
        limit = LIMITS.get(column)
        off = not skill and limit is not None and share.low > limit
        rates[column] = share.as_json() | {"off": off}
    return rates


def _grade_markets(row: GradedRow, seed: int, numbers: range) -> list[tuple[int, str]]:
    """Tries and grade of some markets of a row."""
    spec = EvaluationSpec(resamples=RESAMPLES)
    own_seed = derive_seed(seed, "graded markets", row.name)
    graded = []
    with one_blas_thread():
        for number in numbers:
            rng = np.random.default_rng([own_seed, number])
            market = row.market_kind.draw(rng, max(row.tries))
            for tries in row.tries:
                rng = np.random.default_rng([own_seed, number, tries])
                graded.append((tries, grade_run(market.select_best(tries), spec, rng)))
    return graded
