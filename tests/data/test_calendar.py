from __future__ import annotations

import pytest

from engine.core.errors import UsageError
from engine.data.calendar import periods_per_year


@pytest.mark.parametrize(
    ("calendar", "interval", "periods"),
    [
        ("24/7", "1d", 365),
        ("24/7", "1h", 365 * 24),
        ("24/7", "1m", 365 * 1440),
        ("24/7", "1w", 365 / 7),
        ("XNYS", "1d", 252),
        ("XNYS", "1w", 365 / 7),
        ("XNYS", "1h", 252 * 7),
        ("XNYS", "4h", 252 * 2),
        ("XNYS", "30m", 252 * 13),
        ("XNYS", "1m", 252 * 390),
        ("XLON", "1d", 253),
    ],
)
def test_a_year_has_as_many_bars_as_its_calendar_is_open(calendar, interval, periods):
    assert periods_per_year(calendar, interval) == pytest.approx(periods)


def test_a_lunch_break_has_no_bars():
    # Hong Kong: 9:30 to 12:00 and 13:00 to 16:00.
    assert periods_per_year("XHKG", "30m") / periods_per_year("XHKG", "1d") == 5 + 6


@pytest.mark.parametrize("interval", ["1d", "1w"])
def test_an_unknown_calendar_is_an_error_with_a_suggestion(interval):
    with pytest.raises(UsageError, match="XNYS"):
        periods_per_year("XNYZ", interval)
