"""Calendar features on known dates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.features.config import CalendarFeature, TurnOfMonth


def at(*stamps: str) -> pd.DataFrame:
    index = pd.DatetimeIndex(stamps, tz="UTC", name="timestamp").as_unit("us")
    return pd.DataFrame(index=index)


def turning(feature: TurnOfMonth, first: str, last: str, every: str = "D") -> list[str]:
    """Days of a span that count as the turn of a month."""
    bars = pd.DataFrame(index=pd.date_range(first, last, freq=every, tz="UTC"))
    return [f"{day:%m-%d}" for day, turn in feature.compute(bars).items() if turn]


@pytest.mark.parametrize(
    ("cycle", "stamps", "degrees"),
    [
        (
            "hour_of_day",
            ("2024-01-01 00:00", "2024-05-05 06:00", "2024-05-05 13:30"),
            (0, 90, 202.5),
        ),
        (
            "day_of_week",
            ("2024-01-01", "2024-01-02 23:59", "2024-01-07"),
            (0, 360 / 7, 6 * 360 / 7),
        ),
        ("month_of_year", ("2024-01-31", "2024-04-01", "1999-12-31"), (0, 90, 330)),
    ],
)
def test_sine_and_cosine_determine_the_phase(cycle, stamps, degrees) -> None:
    sine, cosine = (
        CalendarFeature(cycle=cycle, wave=w).compute(at(*stamps)) for w in ("sine", "cosine")
    )
    found = np.degrees(np.arctan2(sine, cosine)) % 360
    np.testing.assert_allclose(found, degrees, atol=1e-9)


def test_adjacent_phases_have_close_values() -> None:
    bars = at("2023-12-31", "2024-01-01", "2024-07-01")
    waves = np.column_stack(
        [CalendarFeature(cycle="month_of_year", wave=w).compute(bars) for w in ("sine", "cosine")]
    )
    across_new_year, half_a_year = np.linalg.norm(waves[1] - waves[[0, 2]], axis=1)
    assert across_new_year < 0.6 < half_a_year


def test_the_hour_of_daily_bars_and_the_day_of_weeks_are_constant() -> None:
    days = at("2024-01-01", "2024-02-03", "2024-03-05")
    assert CalendarFeature(cycle="hour_of_day").compute(days).nunique() == 1
    mondays = at("2024-01-01", "2024-01-08", "2024-02-05")
    assert CalendarFeature(cycle="day_of_week", wave="cosine").compute(mondays).nunique() == 1


def test_turn_of_month_is_the_last_and_the_first_three_days() -> None:
    assert turning(TurnOfMonth(), "2024-02-20", "2024-03-10") == [
        *("02-29", "03-01", "03-02", "03-03"),
    ]


def test_turn_of_month_without_a_leap_day_is_a_day_earlier() -> None:
    assert turning(TurnOfMonth(first=0), "2023-02-20", "2023-03-10") == ["02-28"]


def test_turn_of_month_can_count_weekdays_only() -> None:
    weekdays = TurnOfMonth(days="weekdays")
    # 31 August 2024 is a Saturday: its last weekday is Friday the 30th.
    assert turning(weekdays, "2024-08-20", "2024-09-10", "B") == [
        *("08-30", "09-02", "09-03", "09-04"),
    ]


def test_turn_of_month_covers_every_bar_of_a_day() -> None:
    assert turning(TurnOfMonth(first=1), "2024-01-31", "2024-02-02", "12h") == [
        *("01-31", "01-31", "02-01", "02-01"),
    ]
