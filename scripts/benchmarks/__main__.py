"""`scripts/bench NAME`: one benchmark a name."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

import calibration
import evaluation_cost
import feature_speed
import model_zoo
import training_speed
import warm_start
from program_timing import ProgramError
from rich.console import Console

BENCHMARKS = {
    "calibration": calibration,
    "features": feature_speed,
    "refit": training_speed,
    "truth": evaluation_cost,
    "warm": warm_start,
    "zoo": model_zoo,
}
WIDTH = 110
"""Columns of a table that goes to a file."""


def main() -> int:
    """Measures, and prints a table or one JSON object; what is going on goes to stderr."""
    arguments = ArgumentParser(prog="scripts/bench", description=__doc__)
    names = arguments.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, benchmark in BENCHMARKS.items():
        chosen = names.add_parser(name, help=benchmark.__doc__, description=benchmark.__doc__)
        chosen.add_argument("--json", action="store_true", help="one JSON object on stdout")
        benchmark.add_arguments(chosen)
    given = arguments.parse_args()
    benchmark = BENCHMARKS[given.name]
    try:
        found = benchmark.measure(given, lambda text: sys.stderr.write(f"{text}\n"))
    except ProgramError as error:
        sys.stderr.write(f"a measured program failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        console = Console()
        benchmark.show(found, console if console.is_terminal else Console(width=WIDTH))
    return 0


if __name__ == "__main__":
    sys.exit(main())
