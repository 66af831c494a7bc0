"""A strategy run twice: the second time, every fit is in the store."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from program_timing import time_command

ROOT = Path(__file__).parents[2]
DEFAULT_STRATEGY = ROOT / "strategies" / "micdl.yaml"


def run_twice(strategy: Path) -> dict[str, Any]:
    """Seconds of both runs and how many networks each trained; nothing outside is touched.

    Raises:
        ProgramError: A run failed.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        first_s, first = _time_run(strategy, Path(folder))
        again_s, again = _time_run(strategy, Path(folder))
    return {
        "strategy": strategy.stem,
        "first_s": first_s,
        "first_trained": first["trained"],
        "again_s": again_s,
        "again_trained": again["trained"],
    }


def _time_run(strategy: Path, folder: Path) -> tuple[float, dict[str, int]]:
    command = [
        str(Path(sys.executable).with_name("backtest")),
        *("run", str(strategy), "--offline", "--quiet", "--json"),
        *("--out", str(folder / "reports")),
    ]
    seconds, told = time_command(command, {"BACKTEST_HOME": str(folder / "home")})
    manifest = json.loads((Path(told["run_dir"]) / "manifest.json").read_text())
    return seconds, manifest["fits"]
