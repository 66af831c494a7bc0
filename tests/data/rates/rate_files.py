"""Made-up files of interest rates, written as a user would save them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.data.rates import RateHistory, RateSeriesSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_rates(file: Path, rows: Mapping[str, object], column: str = "rate") -> Path:
    """A file of dates and rates."""
    lines = [f"date,{column}", *(f"{date},{rate}" for date, rate in rows.items())]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return file


def series(file: Path, **settings: object) -> RateSeriesSpec:
    """The section of a strategy that reads it, in per cent."""
    return RateSeriesSpec.model_validate(
        {"file": str(file), "column": "rate", "unit": "percent"} | settings
    )


def history(file: Path, **settings: object) -> RateHistory:
    """The rates of a file over time."""
    return RateHistory.load("rates.risk_free", series(file, **settings))


def days(first: str, periods: int) -> pd.DatetimeIndex:
    """Opens of daily bars."""
    return pd.date_range(first, periods=periods, freq="D", tz="UTC", name="timestamp")
