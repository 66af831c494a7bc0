"""The folder that keeps state between runs: bars, fits, the trial ledger."""

from __future__ import annotations

import os
from pathlib import Path


def backtest_home(home: Path | str | None = None) -> Path:
    """`home` if given, else the environment's BACKTEST_HOME, else `.backtest` in this folder."""
    return Path(home or os.environ.get("BACKTEST_HOME") or ".backtest")
