"""Accounts on calendars whose next session opens before midnight UTC."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.live.newest_signal import signal
from tests.live.paper.accounts import HISTORY, NAME, events_of, make_bars, problems_of, start_paper

BARS = 12
FIRST = {"XASX": "2022-03-20", "CMES": "2022-04-10", "XNZE": "2022-03-20"}
"""So that the bars to come lie in January, when Sydney opens at 23:00 UTC of the day before."""


@pytest.mark.parametrize("calendar", sorted(FIRST))
def test_an_order_of_every_close_is_filled_at_the_next_open(tmp_path, calendar) -> None:
    bars = make_bars(first=FIRST[calendar], interval="1d", calendar=calendar)
    market = start_paper(tmp_path, bars)
    assert {bar.month for bar in market.coming[:BARS]} <= {12, 1, 2}
    market.play(BARS)
    with market.journal() as journal:
        orders, fills = list(journal.orders(NAME)), list(journal.fills(NAME))
        decided = list(journal.decisions(NAME))
    opens = dict(zip(market.coming, market.coming[1:], strict=False))
    assert [row.bar for row in decided] == list(market.coming[:BARS])
    assert {order.status for order in orders} == {"placed"}
    due = {(opens[order.bar], order.symbol) for order in orders if order.bar != decided[-1].bar}
    assert {(fill.bar, fill.symbol) for fill in fills} == due
    assert len(due) > 1
    assert not any(row.late for row in decided)
    assert events_of(market, "missed") == events_of(market, "late") == []
    assert problems_of(market) == ()


def test_a_signal_is_of_the_new_bar_from_its_close_on(tmp_path) -> None:
    market = start_paper(
        tmp_path, make_bars(first=FIRST["CMES"], interval="1d", calendar="CMES"), history=HISTORY
    )
    last, before = market.bars.labels[HISTORY - 1], market.bars.labels[HISTORY - 2]
    close = market.bars.end(last)
    asked = {
        seconds: signal(market.spec, as_of=close + pd.Timedelta(seconds=seconds), home=market.home)
        for seconds in (-1, 1)
    }
    assert asked[-1].decided_on == before.isoformat()
    assert asked[1].decided_on == last.isoformat()
    assert asked[1].complete_since == close.isoformat()
