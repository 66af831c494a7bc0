"""A feed that is silent is told once: a bar is overdue, and nothing has come for long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.live.paper.accounts import NAME, make_bars, start_paper

if TYPE_CHECKING:
    from tests.live.paper.accounts import PaperMarket

LATER = 12
HOUR = pd.Timedelta(hours=1)


@pytest.fixture
def market(tmp_path) -> PaperMarket:
    """Bars of an hour, which stop after two; one more comes later."""
    market = start_paper(tmp_path)
    for number, bar in enumerate(market.coming[2:], start=2):
        if number != LATER:
            market.feed.delay(bar, "never")
    market.play(2)
    return market


def silences(market: PaperMarket) -> list[pd.Timestamp]:
    with market.journal() as journal:
        return [event.bar for event in journal.events(NAME) if event.kind == "silent"]


def test_a_bar_that_is_overdue_for_three_intervals_is_told_once(market) -> None:
    missing = market.coming[2]
    due = market.bars.end(missing)
    market.look(due + 2 * HOUR)
    assert silences(market) == []
    for hours in (3.1, 4, 9):
        market.look(due + hours * HOUR)
    assert silences(market) == [missing]


def test_a_feed_that_speaks_again_may_be_silent_again(market) -> None:
    first, later = market.coming[2], market.coming[LATER]
    market.look(market.bars.end(first) + 4 * HOUR)
    market.look(market.bars.end(later) + pd.Timedelta(minutes=1))
    market.look(market.bars.end(later) + 6 * HOUR)
    assert silences(market) == [first, market.coming[LATER + 1]]


def test_a_process_that_begins_after_days_waits_before_it_complains(market) -> None:
    last = market.coming[LATER]
    begin = market.bars.end(last) + pd.Timedelta(days=3)
    market.look(market.bars.end(last) + 1 * market.second)
    market.clock.sleep_until(begin)
    with market.process() as run:
        for hours, told in ((0, []), (2, []), (4, [market.coming[LATER + 1]])):
            market.clock.sleep_until(begin + hours * HOUR)
            run.run(until=market.clock.now())
            assert silences(market) == told


def test_a_night_and_a_weekend_are_no_silence(tmp_path) -> None:
    bars = make_bars(interval="1d", calendar="XNYS", first="2023-01-02")
    market = start_paper(tmp_path, bars)
    number = next(i for i, bar in enumerate(market.coming) if bar.day_of_week == 4)
    market.play(number + 1)
    market.look(market.bars.end(market.coming[number]) + pd.Timedelta(hours=60))
    assert silences(market) == []


def test_a_clock_that_jumps_ahead_dates_no_silence(market) -> None:
    due = market.bars.end(market.coming[2])
    with market.process() as run:
        for hours, told in ((0.5, []), (8, []), (0.6, []), (2.9, []), (3.7, [due - HOUR])):
            market.clock.time = due + hours * HOUR
            run.run(until=market.clock.now())
            assert silences(market) == told, hours


def test_a_clock_that_stays_ahead_is_believed_after_the_patience(market) -> None:
    ahead = market.bars.end(market.coming[2]) + 6 * HOUR
    with market.process() as run:
        for hours, told in ((-5.5, 0), (0, 0), (2, 0), (3.1, 1)):
            market.clock.time = ahead + hours * HOUR
            run.run(until=market.clock.now())
            assert len(silences(market)) == told, hours
