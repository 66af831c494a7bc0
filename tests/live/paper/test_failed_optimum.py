"""A rebalancing of an account that has no optimum."""

from __future__ import annotations

from engine.live.event_text import describe_event
from engine.live.paper.history import paper_history
from engine.live.paper.status import paper_status
from tests.live.paper.accounts import events_of, make_bars, start_paper

ALLOCATION = {"kind": "risk_parity", "window": 30, "max_share": 0.4}
"""With one or two positions no shares of at most 0.4 add up to the whole."""


def test_it_is_an_event_of_its_bar_in_status_and_history(tmp_path) -> None:
    market = start_paper(
        tmp_path,
        make_bars(symbols=("AAA", "BBB", "CCC")),
        overrides={
            "data.targets": "all",
            "portfolio": {"allocation": ALLOCATION},
            "sizing": {"kind": "fixed", "weight": 1.0},
        },
    )
    market.play(8)
    told = events_of(market, "optimum")
    with market.journal() as journal:
        counts = [
            state.count('"failed_optima":')
            for state in (row.state for row in journal.decisions("small"))
        ]
        status = paper_status(journal, market.account, market.home, market.clock, check=False)
        history = paper_history(journal, market.account)
    assert 0 < len(told) <= 8
    assert sum(counts) >= len(told)
    so_far = [event.detail["failed_optima"] for event in told]
    assert so_far == list(range(so_far[0], so_far[0] + len(told)))
    assert all(event.bar in market.coming for event in told)
    assert any(event.kind == "optimum" for event in status.events)
    assert any(event.kind == "optimum" for event in history.events)
    assert "no optimum" in describe_event("optimum", told[-1].detail)
