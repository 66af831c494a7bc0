"""Many bars that wait: nothing is lost when they are interrupted, and they hold up nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.progress import NullProgress
from engine.live.bar_schedule import BarSchedule
from engine.live.clock import SystemClock
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.account import start_account, stop_account
from engine.live.paper.account_runner import RunContext
from engine.live.paper.late_orders import LatePolicy
from engine.live.paper.run import PaperRun
from engine.live.paper.settings import PaperSettings
from engine.signals.orders import Order
from engine.simulation.config import Execution
from tests.live.paper.accounts import (
    NAME,
    PaperMarket,
    ScriptedFeed,
    events_of,
    problems_of,
    start_paper,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WAITING = 12


@pytest.fixture
def market(tmp_path: Path) -> PaperMarket:
    """An account with 12 bars that wait, all late."""
    started = start_paper(tmp_path)
    started.clock.sleep_until(started.bars.end(started.coming[WAITING - 1]) + started.second * 600)
    return started


def act_at_reading(market: PaperMarket, number: int, action: Callable[[], object]) -> None:
    """Does something when the clock is read for that time: amid the bars that wait."""
    readings = iter(range(1, 10_000))

    def now() -> pd.Timestamp:
        if next(readings) == number:
            del market.clock.now
            action()
        return market.clock.time

    market.clock.now = now


def decided(market: PaperMarket) -> int:
    with market.journal() as journal:
        return len(journal.decisions(NAME))


def interrupt() -> None:
    raise KeyboardInterrupt


def test_what_an_interrupted_process_did_not_tell_is_told_by_the_next(market) -> None:
    act_at_reading(market, 9, interrupt)
    with pytest.raises(KeyboardInterrupt):
        market.look()
    assert 0 < decided(market) < WAITING
    assert events_of(market, "missed") == []
    market.look()
    with market.journal() as journal:
        missed = [order for order in journal.orders(NAME) if order.status == "missed"]
        late = [row.bar for row in journal.decisions(NAME) if row.late]
    (told,) = events_of(market, "missed")
    assert told.detail["missed"] == len(missed) > 0
    assert told.detail["decided_on"] == [order.bar.isoformat() for order in missed][-20:]
    (told,) = events_of(market, "late")
    assert told.detail["bars"] == len(late) == WAITING
    assert told.detail["first"] == late[0].isoformat()
    assert problems_of(market) == ()


def test_an_account_that_is_stopped_amid_its_bars_is_left(market) -> None:
    act_at_reading(market, 9, lambda: stop_account(NAME, SystemClock(), market.home))
    with market.process() as run:
        run.run(once=True)
        assert run.names == ()
    assert 0 < decided(market) < WAITING


def test_accounts_take_turns(market) -> None:
    start_account(
        market.spec,
        name="other",
        capital=5.0,
        settings=PaperSettings(),
        clock=market.clock,
        home=market.home,
    )
    context = RunContext(
        Journal(journal_path(market.home)), market.home, market.clock, NullProgress()
    )
    feed = ScriptedFeed(market.bars, market.clock)
    with PaperRun(context, make_feed=lambda *_: feed, turn_bars=5) as run:
        run.add(NAME)
        run.add("other")
        run.run(once=True)
    with market.journal() as journal:
        rows = journal.rows("SELECT account FROM decisions ORDER BY rowid")
    in_turns = [NAME] * 5 + ["other"] * 5
    assert [row["account"] for row in rows] == in_turns * 2 + [NAME] * 2 + ["other"] * 2
    (told,) = events_of(market, "late")
    assert told.detail["bars"] == WAITING


class CountingSchedule(BarSchedule):
    """Bars of a calendar, and how many of them were looked at."""

    looked_at = 0

    def following(self, bar: pd.Timestamp, count: int):
        type(self).looked_at += count
        return super().following(bar, count)


@pytest.mark.parametrize(
    ("missed", "is_newest", "status"),
    [
        ("skip", True, "missed"),
        ("fill_at_next_open", False, "missed"),
        ("fill_at_next_open", True, "deferred"),
    ],
)
def test_the_first_price_to_come_is_looked_for_only_where_an_order_is_made_good(
    missed, is_newest, status
) -> None:
    CountingSchedule.looked_at = 0
    policy = LatePolicy(
        CountingSchedule("1m", "24/7"), Execution(), missed, pd.Timedelta(seconds=30)
    )
    bar = pd.Timestamp("2024-05-10", tz="UTC")
    order = Order(symbol="AAA", target_weight=1.0, decided_on=bar, due_in_bars=1)
    (timed,) = policy.time_orders((order,), bar, bar + pd.Timedelta("1D"), is_newest=is_newest)
    assert timed.status == status
    assert (CountingSchedule.looked_at > 1) == (status == "deferred")
