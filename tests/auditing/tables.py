"""Returns, bars and files for tests of audits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 400


def days(count: int = DAYS, start: str = "2020-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=count, freq="D", tz="UTC", name="date")


def noise(mean: float = 0.0, seed: int = 0, count: int = DAYS) -> pd.Series:
    """Daily returns of 1 % deviation, with exactly this mean."""
    drawn = np.random.default_rng(seed).normal(0.0, 0.01, count)
    return pd.Series(drawn - drawn.mean() + mean, days(count), name="returns")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def write_csv(values: pd.Series | pd.DataFrame, path: Path) -> Path:
    values.to_csv(path, date_format="%Y-%m-%d")
    return path
