"""Time of an audit of a million bars, and of another tool's check of as many positions."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from program_timing import ProgramError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

BARS = 1_000_000
ROUNDS = 3
HALF_CYCLE = 10_000
"""Bars of a position, long and short in turn."""

_OWN = "import sys; from engine.cli.main import main; sys.exit(main())"
_FAILED = 3
"""Exit codes below are verdicts, of both tools."""


def other_environment(home: Path) -> dict[str, str]:
    """Environment variables of other tools: nothing of the user's but where programs are."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(home)}


def write_bars(folder: Path, verify: Path) -> dict[str, list[str]]:
    """Writes bars of a minute, positions and their returns as Parquet, and gives the commands.

    Args:
        folder: Where the files and pages go.
        verify: The command `monte-neo-verify`.
    """
    rng = np.random.default_rng(0)
    close = 100.0 * np.cumprod(1.0 + 0.0005 * rng.standard_normal(BARS))
    before = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(before, close) * 1.0001, np.minimum(before, close) * 0.9999
    stamps = pd.date_range("2019-01-01", periods=BARS, freq="1min", tz="UTC")
    signal = np.where(np.arange(BARS) // HALF_CYCLE % 2, -1.0, 1.0)
    held = np.concatenate([[0.0], signal[:-1]])
    prices = {"open": before, "high": high, "low": low, "close": close, "volume": 100.0}
    tables = {
        "bars": {"timestamp": stamps, **prices},
        "signals": {"signal": signal},
        "returns": {"timestamp": stamps, "returns": held * (close / before - 1.0)},
    }
    for name, columns in tables.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet")
    bars, signals, returns = (str(folder / f"{name}.parquet") for name in tables)
    own = [sys.executable, "-c", _OWN, "audit", "returns", returns]
    return {
        "this engine": [*own, "--bars", bars, "--out", str(folder / "audit")],
        "monte-neo": [str(verify), "--ohlcv", bars, "--signals", signals],
    }


def time_in_turn(
    commands: Mapping[str, Sequence[str]], home: Path, log: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """The least seconds and processor seconds of each command, over `ROUNDS` in turn.

    The first round compiles what is kept. Other work on the machine takes seconds from all of
    them, and few processor seconds.

    Raises:
        ProgramError: One ends with a code that is no verdict.
    """
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            own = command[0] == sys.executable
            environment = None if own else other_environment(home)
            before, begin = _processor_seconds(), time.perf_counter()
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=environment
            )
            if done.returncode >= _FAILED:
                raise ProgramError((done.stderr or done.stdout)[-2_000:])
            seconds = time.perf_counter() - begin
            rounds[name].append((seconds, _processor_seconds() - before))
            log(f"{name}: {seconds:.1f} s")
    return {
        name: {"seconds": min(taken), "processor": min(used)}
        for name, (taken, used) in (
            (name, zip(*each, strict=True)) for name, each in rounds.items()
        )
    }


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
