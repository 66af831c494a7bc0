"""Could this coarser bar have known that? Bars resampled honestly pass, any peek is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import LookaheadError
from engine.data.bars import normalise_bars
from engine.data.resampling import resample_bars
from engine.data.resampling_probe import probe_resampling
from engine.data.sessions import DayBegin
from tests.data.quality.hours import bars_at, session_stamps
from tests.data.quality.tables import walk


def hours(count=2_000, holes=()):
    raw = walk(count, freq="h").drop(index=list(holes))
    return normalise_bars(raw, "X")


def days_of(bars):
    return resample_bars(bars, "1h", "1d", "24/7").bars


def probe(bars, resample, intervals=("1h", "1d")):
    return probe_resampling(bars, resample(bars), resample, intervals)


class TestHonestBars:
    @pytest.mark.parametrize(
        ("calendar", "interval"),
        [
            ("24/7", "4h"),
            ("24/7", "1mo"),
            ("24/5", "1d"),
            ("24/5", "1mo"),
            ("XNYS", "4h"),
            ("XNYS", "1w"),
            ("XTKS", "4h"),
            ("CMES", "1d"),
        ],
    )
    def test_on_every_calendar(self, interval, calendar):
        stamps = session_stamps(
            "XTKS" if calendar == "XTKS" else "CMES", "2022-01-03", "2022-06-30"
        )
        bars = bars_at(stamps)

        def resample(own):
            return resample_bars(own, "1h", interval, calendar).bars

        found = probe(bars, resample, ("1h", interval))
        assert found.cuts >= 4
        assert found.values >= 5 * found.cuts

    def test_with_holes_at_the_ends_of_days_and_over_days(self):
        holes = [23, 47, 48, 49, *range(200, 280), *range(1_000, 1_024)]
        assert probe(hours(holes=holes), days_of).cuts >= 16

    def test_days_that_begin_in_the_evening(self):
        begin = DayBegin.parse("17:00 America/New_York")

        def resample(own):
            return resample_bars(own, "1h", "1d", "24/7", begin).bars

        assert probe(hours(), resample).cuts >= 16

    @pytest.mark.parametrize("count", [1, 24, 30, 60])
    def test_few_bars(self, count):
        probe(hours(count), days_of)


def shifted(column):
    def resample(bars):
        days = days_of(bars)
        return days.assign(**{column: days[column].shift(-1)}).iloc[:-1]

    return resample


def late_label(bars):
    days = days_of(bars)
    return days.iloc[1:].assign(timestamp=days["timestamp"].to_numpy()[:-1]).astype(days.dtypes)


def smoothed(bars):
    days = days_of(bars)
    return days.assign(close=days["close"].rolling(3, center=True, min_periods=1).mean())


def filled(bars):
    days = days_of(bars)
    return days.assign(volume=days["volume"].where(days.index % 5 > 0).bfill())


def one_hour_more(bars):
    later = bars["timestamp"] - pd.Timedelta(hours=1)
    return days_of(bars.assign(timestamp=later).iloc[1:].reset_index(drop=True))


def scaled(bars):
    days = days_of(bars)
    return days.assign(volume=days["volume"] / days["volume"].max())


@pytest.mark.parametrize(
    "resample",
    [*map(shifted, ("close", "high")), late_label, smoothed, filled, one_hour_more, scaled],
)
def test_a_peek_is_an_error_that_names_its_bar(resample):
    with pytest.raises(LookaheadError) as caught:
        probe(hours(), resample)
    assert caught.value.exit_code == 4
    assert "resampling of X from 1h to 1d" in caught.value.where
    assert np.any([name in caught.value.where for name in ("open", "high", "close", "volume")])
