"""Runs a strategy twice: in the second run every fit is in the store."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from program_timing import time_command

ROOT = Path(__file__).parents[2]
DEFAULT_STRATEGY = ROOT / "strategies" / "micdl.yaml"


def run_twice(strategy: Path, *, pages: bool = True) -> dict[str, Any]:
    """Run times and numbers of trained fits of both runs, in a temporary home.

    Raises:
        ProgramError: A run failed.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        first_s, first = _time_run(strategy, Path(folder), pages=pages)
        second_s, second = _time_run(strategy, Path(folder), pages=pages)
    return {
        "strategy": strategy.stem,
        "first_s": first_s,
        "first_trained": first["trained"],
        "again_s": second_s,
        "again_trained": second["trained"],
    }


def _time_run(strategy: Path, folder: Path, *, pages: bool) -> tuple[float, dict[str, int]]:
    command = [
        str(Path(sys.executable).with_name("backtest")),
        *("run", str(strategy), "--offline", "--quiet", "--json"),
        *("--out", str(folder / "reports")),
        *(() if pages else ("--no-pages",)),
    ]
    seconds, output = time_command(command, {"BACKTEST_HOME": str(folder / "home")})
    manifest = json.loads((Path(output["run_dir"]) / "manifest.json").read_text())
    return seconds, manifest["fits"]
