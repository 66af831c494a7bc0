"""`scripts/bench calibration`: error rates and power of single tests and of grades, simulated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import calibration_grades
import calibration_tests
from simulation_parts import SimulationParts

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

TABLES = {"tests": calibration_tests, "grades": calibration_grades}


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the tables to measure and the sizes of the simulation."""
    parser.add_argument(
        "--tables", nargs="+", choices=TABLES, default=list(TABLES), help="default: both"
    )
    parser.add_argument("--markets", type=int, default=500, help="of each process, for the tests")
    parser.add_argument("--bars", type=int, default=750, help="of each market, for the tests")
    parser.add_argument("--resamples", type=int, default=999, help="of each bootstrap, likewise")
    parser.add_argument("--graded-markets", type=int, default=400, help="of each row of grades")
    parser.add_argument(
        "--rows", default="", metavar="TEXT", help="only the rows of grades whose name has TEXT"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, help="default: one per core")
    parser.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="keep finished parts in FILE, and go on from those that it has",
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Table -> its results; equal for equal seeds, whatever the number of workers."""
    parts = SimulationParts(options, log)
    return {name: TABLES[name].measure(options, parts) for name in options.tables}


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints the tables one after the other."""
    for name, result in results.items():
        TABLES[name].show(result, console)
