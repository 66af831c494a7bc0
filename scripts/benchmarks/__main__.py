"""`scripts/bench NAME` runs one benchmark."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser

import calibration
import certificate_cost
import evaluation_cost
import feature_speed
import live
import model_zoo
import nights
import read_speed
import rivals
import training_speed
import universe
import warm_start
from program_timing import ProgramError
from rich.console import Console

from engine.core.errors import UsageError

BENCHMARKS = {
    "calibration": calibration,
    "certificate": certificate_cost,
    "features": feature_speed,
    "live": live,
    "nights": nights,
    "read": read_speed,
    "refit": training_speed,
    "rivals": rivals,
    "truth": evaluation_cost,
    "universe": universe,
    "warm": warm_start,
    "zoo": model_zoo,
}
WIDTH = 110
"""Width of a table that is written to a file."""


def main() -> int:
    """Runs the benchmark and prints a table or one JSON object; progress goes to stderr."""
    arguments = ArgumentParser(prog="scripts/bench", description=__doc__)
    names = arguments.add_subparsers(dest="name", required=True, metavar="NAME")
    for name, benchmark in BENCHMARKS.items():
        command = names.add_parser(name, help=benchmark.__doc__, description=benchmark.__doc__)
        command.add_argument("--json", action="store_true", help="one JSON object on stdout")
        benchmark.add_arguments(command)
    options = arguments.parse_args()
    benchmark = BENCHMARKS[options.name]
    try:
        results = benchmark.measure(options, lambda text: sys.stderr.write(f"{text}\n"))
    except ProgramError as error:
        sys.stderr.write(f"a measured program failed: {error}\n")
        return 1
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    if options.json:
        sys.stdout.write(json.dumps(results, indent=2) + "\n")
    else:
        console = Console()
        benchmark.show(results, console if console.is_terminal else Console(width=WIDTH))
    return 0


if __name__ == "__main__":
    sys.exit(main())
