"""Funding in a paper account: rates in time, late ones, and those that never come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.live.event_text import describe_event
from engine.live.paper.account import start_account
from engine.live.paper.account_difference import FUNDING
from engine.live.paper.backtest_comparison import BacktestComparison
from engine.live.paper.settings import PaperSettings
from tests.live.paper.accounts import NAME, events_of, journal_of, problems_of
from tests.live.paper.funded_accounts import start_funded

if TYPE_CHECKING:
    from engine.live.paper.account_difference import Difference
    from tests.live.paper.funded_accounts import FundedAccount

BARS = 22
"""Of an hour each: with payments at the bars 6, 14 and 22 after the start."""


def compare(market: FundedAccount) -> tuple[Difference, Difference]:
    """On the bars and rates that came, and on all of them."""
    with market.journal() as journal:
        comparison = BacktestComparison(
            journal, market.account, market.home, progress=NullProgress()
        )
        return comparison.on_received_bars(), comparison.on_present_bars(market.whole)


def payments(market: FundedAccount) -> list[int]:
    """Places of the payments that come while the account lives."""
    due = sorted(set(market.rates.rows["timestamp"]))
    return [place for place, at in enumerate(due) if at > market.bars.end(market.coming[0])]


@pytest.mark.parametrize("price", ["open", pytest.param("close", marks=pytest.mark.slow)])
def test_rates_that_come_in_time_are_charged_as_in_the_backtest(tmp_path, price) -> None:
    market = start_funded(tmp_path, price=price)
    market.rates.delay(payments(market)[0], "9s")  # within half of the grace time
    market.play(BARS)
    received, present = compare(market)
    assert (received.bars, received.first, received.causes) == (BARS, None, {})
    assert (present.first, present.equity) == (None, 0)
    assert events_of(market, "funding") == []
    assert problems_of(market) == ()
    with market.journal() as journal:
        assert len(journal.funding(NAME)) >= 4
        paid = [row.state for row in journal.decisions(NAME) if '"funding":' in row.state]
    assert paid


@pytest.mark.parametrize("price", ["open", pytest.param("close", marks=pytest.mark.slow)])
def test_a_rate_that_comes_late_is_corrected_by_what_its_bar_would_have_paid(
    tmp_path, price
) -> None:
    in_time, late = (start_funded(tmp_path / name, price=price) for name in ("one", "two"))
    first = payments(late)[0]
    late.rates.delay(first, "3h")
    late.rates.delay(first + 1, "90min")
    for market in (in_time, late):
        market.play(BARS)
    received, present = compare(late)
    assert (received.first, received.causes) == (None, {})
    assert set(present.causes) == {FUNDING}
    assert present.targets == 0
    assert problems_of(late) == ()
    told = [event.detail for event in events_of(late, "funding")]
    corrected = [each["corrected"] for each in told if each["corrected"]]
    assert [each["rates"] for each in corrected] == [{"AAA": 1, "BBB": 1}] * 2
    assert sum(bool(each["lacking"]) for each in told) == 3 + 2
    assert "have not come" in describe_event("funding", told[0])
    assert "corrected: AAA (1), BBB (1)" in describe_event("funding", told[3])
    # The same payments in the end, by accounts that held the same.
    one, two = (market_equity(market) for market in (in_time, late))
    assert one != two
    assert one == pytest.approx(two, rel=1e-5)


def market_equity(market: FundedAccount) -> float:
    with market.journal() as journal:
        newest = journal.newest_equity(NAME)
    assert newest is not None
    return newest.equity


def test_a_rate_that_never_comes_is_told_at_every_bar_and_charges_nothing(tmp_path) -> None:
    market = start_funded(tmp_path)
    for place in reversed(payments(market)):
        market.rates.delay(place, "never")
    market.play(9)
    told = events_of(market, "funding")
    assert [event.detail["lacking"] for event in told] == [["AAA", "BBB"]] * len(told)
    assert 1 <= len(told) < 9
    received, present = compare(market)
    assert received.first is None
    assert set(present.causes) == {FUNDING}


@pytest.mark.slow
def test_processes_that_take_it_in_turns_make_the_journal_of_one(tmp_path) -> None:
    journals = []
    for place, turns in (("one", (12,)), ("many", (3, 5, 8, 12))):
        market = start_funded(tmp_path / place)
        market.rates.delay(payments(market)[0], "2h")
        for bars in turns:
            market.play(bars)
        journals.append(journal_of(market))
    assert journals[0] == journals[1]


def test_costs_that_refuse_a_late_rate_are_refused(tmp_path) -> None:
    market = start_funded(tmp_path)
    costs = market.spec.costs.model_copy(
        update={"funding": market.spec.costs.funding.model_copy(update={"missing": "refuse"})}
    )
    spec = market.spec.model_copy(update={"costs": costs})
    with pytest.raises(UsageError, match="may come after its bar"):
        start_account(
            spec,
            name="other",
            capital=1.0,
            settings=PaperSettings(),
            clock=market.clock,
            home=market.home,
        )
