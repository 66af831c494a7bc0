"""The section `rates` of a strategy: a risk-free rate, and what cash earns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import Field, field_validator

from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LOWEST_RATE, HIGHEST_RATE = -0.05, 0.5
"""Annual rates outside of these are taken for another unit."""

RATE_EXPECTED = (
    f"a rate a year as a fraction, from {LOWEST_RATE:g} to {HIGHEST_RATE:g}: 0.03 is 3 % a year"
)


class RateSeriesSpec(Spec):
    """Annual rates that change over time, in the rows of a CSV file.

    A rate applies to the bars that open after its row was published, until the next one applies.
    Rows without a value are skipped.

    Attributes:
        file: Path of the CSV file, absolute or relative to the strategy file.
        column: Column of the rates.
        unit: Of the column: `percent` (5.25 is 5.25 % a year) or `fraction` (0.0525 is the same).
        date: Column of the dates, as 2024-01-31 or an ISO 8601 timestamp, UTC where it has no
            offset; the first column where it is not given.
        lag_days: Days from the date of a row to its publication; 1 is the end of the row's day.
            A rate that is published in the evening (UTC) of the next business day needs 5, for
            weekends with a holiday.
    """

    file: str = Field(min_length=1)
    column: str = Field(min_length=1)
    unit: Literal["percent", "fraction"]
    date: str | None = None
    lag_days: float = Field(default=1.0, ge=0, le=366)


Rate: TypeAlias = float | RateSeriesSpec


class RatesSpec(Spec):
    """Interest rates, annual: 0.03 is 3 % a year; or a series `{file, column, unit}`.

    Attributes:
        risk_free: Risk-free rate: Sharpe and Sortino ratios, alpha and beta are those of the
            returns above it. Where cash earns more, that is the risk-free rate.
        cash: Yield on the cash that a book holds; `risk_free` is the same rate.
    """

    risk_free: Rate = 0.0
    cash: Literal["risk_free"] | Rate = 0.0

    @field_validator("risk_free", "cash")
    @classmethod
    def _check_unit(cls, rate: Rate | str) -> Rate | str:
        if isinstance(rate, float) and not LOWEST_RATE <= rate <= HIGHEST_RATE:
            meant = rate / 100
            plausible = LOWEST_RATE <= meant <= HIGHEST_RATE
            raise ValueError(RATE_EXPECTED + (f"; {rate:g} % is {meant:g}" if plausible else ""))
        return rate

    def beside(self, folder: Path) -> RatesSpec:
        """The same rates, with the paths of their files taken from `folder`."""

        def moved(rate: object) -> object:
            if not isinstance(rate, RateSeriesSpec):
                return rate
            return rate.model_copy(update={"file": str(folder / rate.file)})

        return self.model_copy(
            update={"risk_free": moved(self.risk_free), "cash": moved(self.cash)}
        )


def drop_rate_files(rates: Mapping[str, Any]) -> dict[str, Any]:
    """The section as JSON without the paths of its files, which name no rate by themselves."""
    return {
        key: {name: value for name, value in rate.items() if name != "file"}
        if isinstance(rate, dict)
        else rate
        for key, rate in rates.items()
    }
