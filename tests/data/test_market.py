"""A market as it was known at the close of a bar."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.testing import make_market

MARKET = make_market(20)
STAMPS = pd.DatetimeIndex(MARKET.bars["timestamp"].unique())


def test_it_has_that_bar_and_those_before() -> None:
    known = MARKET.until(STAMPS[5])
    assert known.bars.equals(MARKET.bars[: 6 * 2])
    assert known.symbols == MARKET.symbols


def test_between_two_bars_the_earlier_one_is_the_last() -> None:
    assert MARKET.until(STAMPS[5] + pd.Timedelta("1min")).bars["timestamp"].max() == STAMPS[5]


def test_before_the_first_bar_there_is_no_market() -> None:
    with pytest.raises(UsageError, match="no bar up to that time") as caught:
        MARKET.until(STAMPS[0] - pd.Timedelta("1min"))
    assert str(STAMPS[0]) in str(caught.value)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="without a time zone"):
        MARKET.until(STAMPS[5].tz_localize(None))
