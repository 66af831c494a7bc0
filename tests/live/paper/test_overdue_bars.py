"""A bar is overdue after its end and the grace time, by the calendar of the dataset."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import StaleBarsError
from engine.live.feeds import StdinFeedSpec
from engine.live.paper.overdue_bars import require_newest_bars
from engine.live.paper.settings import PaperSettings
from tests.live.paper.accounts import NAME, PaperMarket, make_bars, start_paper


def require_at(market: PaperMarket, instant: pd.Timestamp) -> None:
    market.clock.sleep_until(instant)
    with market.journal() as journal:
        require_newest_bars(journal, [NAME], market.clock)


def test_a_bar_is_overdue_once_its_grace_time_has_passed(tmp_path) -> None:
    market = start_paper(tmp_path, settings=PaperSettings(grace_s=60))
    first = market.bars.end(market.coming[0])
    require_at(market, first + 60 * market.second)
    with pytest.raises(StaleBarsError) as error:
        require_at(market, first + 61 * market.second)
    assert error.value.exit_code == 3
    market.look()
    require_at(market, market.clock.now())


@pytest.mark.slow
def test_no_bar_is_overdue_over_a_weekend(tmp_path) -> None:
    bars = make_bars(interval="1d", calendar="XNYS", first="2023-01-02")
    market = start_paper(tmp_path, bars)
    friday = next(bar for bar in market.coming if bar.day_of_week == 4)
    market.look(bars.end(friday) + market.second)
    require_at(market, bars.end(friday) + pd.Timedelta(hours=60))


def test_standard_input_has_what_it_was_given(tmp_path) -> None:
    market = start_paper(tmp_path, settings=PaperSettings(feed=StdinFeedSpec()))
    require_at(market, market.bars.end(market.coming[5]))
