"""Runs as processes that can be killed, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.runs.folder import DOCUMENTS, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import engine
    from engine.training.store import FitStore


def start(
    strategy: Path, place: Path, name: str, overrides: Mapping[str, object], *options: str
) -> subprocess.Popen[str]:
    """`backtest run` as a process of its own, with a home of that name."""
    settings = [part for path, value in overrides.items() for part in ("--set", f"{path}={value}")]
    return subprocess.Popen(
        [
            *(sys.executable, "-c", "from engine.cli.main import main; main()", "run"),
            *(str(strategy), *settings, "--out", str(place / name), *options),
        ],
        env={**os.environ, "BACKTEST_HOME": str(place / f"home-{name}")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(store: FitStore, fits: int) -> None:
    ends = time.monotonic() + 120
    while len(store.entries()) < fits:
        assert time.monotonic() < ends, "no fit was stored within two minutes"
        time.sleep(0.02)


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(child) for child in children.split()]


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def assert_same(run: engine.Run, other: engine.Run) -> None:
    assert run.run_id == other.run_id
    for name in [f"{t}.parquet" for t in TABLES] + [f"{d}.json" for d in DOCUMENTS]:
        assert (run.run_dir / name).read_bytes() == (other.run_dir / name).read_bytes(), name
