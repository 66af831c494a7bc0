"""A paper account on several exchanges: what it waits for, decides, and what it tells."""

from __future__ import annotations

import sqlite3

import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.data import read_manifest
from engine.live.clock import SystemClock
from engine.live.event_text import describe_event
from engine.live.feeds import PollFeedSpec, open_feed
from engine.live.journal.file import journal_path
from engine.live.paper.settings import PaperSettings
from engine.live.paper.status import paper_status
from tests.live.paper.accounts import NAME, journal_of, problems_of
from tests.live.paper.world_accounts import start_world

WORLD = {"NY": "XNYS", "TOKYO": "XTKS", "COIN": "24/7", "SYDNEY": "XASX", "JPYUSD": "24/5"}
KEYS = "currency: USD\ncurrencies: {TOKYO: JPY}\nfx: {JPY: JPYUSD}\n"
EAST = {"COIN": "24/7", "SYDNEY": "XASX", "TOKYO": "XTKS"}
START = {
    "panel": "2022-11-09 00:00:30",
    "book": "2022-12-20 00:00:30",
    "target": "2022-12-20 00:00:30",
}
UNTIL = {"panel": "2022-11-19", "book": "2023-01-11", "target": "2023-01-10"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["panel", "book", "target"])
def test_an_account_on_several_exchanges_is_the_backtest(tmp_path, kind) -> None:
    world = start_world(tmp_path, WORLD, START[kind], kind=kind, keys=KEYS)
    world.play(UNTIL[kind])
    with world.journal() as journal:
        decided = journal.decisions(NAME)
        fills = journal.fills(NAME)
        arrivals = journal.arrivals(NAME)
    assert len(decided) >= 9
    assert len(fills) > 3
    assert not any(row.late for row in decided)
    assert {row.symbol for row in arrivals} == set(WORLD)
    assert problems_of(world) == ()
    found = world.compare()
    assert (found.first, found.causes) == (None, {})


@pytest.mark.slow
def test_processes_that_take_it_in_turns_make_the_journal_of_one(tmp_path) -> None:
    journals = []
    for place, turns in (("one", 0), ("many", 3)):
        world = start_world(tmp_path / place, WORLD, START["panel"], keys=KEYS)
        world.play("2022-11-12 12:00", restart_every=turns)
        journals.append(journal_of(world))
    assert journals[0] == journals[1]
    assert len(journals[0]["decisions"]) == 4


def test_a_bar_that_comes_in_the_grace_time_is_waited_for_and_a_later_one_is_told(
    tmp_path,
) -> None:
    world = start_world(tmp_path, EAST, "2022-11-09 00:00:30")
    world.feed.delay("SYDNEY", "2022-11-09", "17h")  # it closes at 5:00
    world.feed.delay("COIN", "2022-11-09", "10s")
    world.feed.delay("TOKYO", "2022-11-09", "never")
    world.play("2022-11-11 00:01")
    with world.journal() as journal:
        bars = [(row.bar.day, row.symbol) for row in journal.bars(NAME)]
        decided_at = {row.bar.day: row.decided_at for row in journal.decisions(NAME)}
    assert [symbol for day, symbol in bars if day == 9] == ["COIN", "SYDNEY"]
    # Midnight, and half of the grace time of 30 s, since Tokyo's bar never came.
    assert decided_at[9] == pd.Timestamp("2022-11-10 00:00:26", tz="UTC")
    (incomplete,) = world.events("incomplete")
    assert (incomplete.bar.day, incomplete.detail) == (9, {"symbols": ["TOKYO"], "rates": []})
    assert "without the newest bar of TOKYO" in describe_event("incomplete", incomplete.detail)
    assert world.compare().causes == {}


def test_a_bar_that_comes_after_its_row_was_decided_is_not_used_and_told(tmp_path) -> None:
    world = start_world(tmp_path, EAST, "2022-11-09 00:00:30")
    world.feed.delay("TOKYO", "2022-11-09", "20h")
    world.play("2022-11-11 00:01", restart_every=2)
    (unused,) = world.events("unused")
    assert unused.detail == {"symbols": {"TOKYO": ["2022-11-09T00:00:00+00:00"]}}
    assert "TOKYO (1 bar)" in describe_event("unused", unused.detail)
    with world.journal() as journal:
        bars = {(row.bar.day, row.symbol) for row in journal.bars(NAME)}
    assert (9, "TOKYO") not in bars
    assert (10, "TOKYO") in bars
    assert problems_of(world) == ()
    assert world.compare().causes == {}


def test_a_bar_that_is_corrected_is_told_in_the_currency_of_the_book(tmp_path) -> None:
    world = start_world(tmp_path, WORLD, "2022-11-09 00:00:30", keys=KEYS)
    world.feed.revise("TOKYO", "2022-11-09", "40h", 1.25)
    world.feed.revise("JPYUSD", "2022-11-08", "60h", 1.01)
    world.play("2022-11-11 13:00")
    revisions = world.events("revision")
    assert [list(event.detail["symbols"]) for event in revisions] == [["TOKYO"], ["TOKYO"]]
    assert revisions[0].detail["largest_change"] == pytest.approx(0.25)
    assert revisions[1].detail["largest_change"] == pytest.approx(1.25 * 1.01 - 1, rel=0.02)
    assert problems_of(world) == ()


def test_an_order_is_late_by_the_open_of_its_own_exchange(tmp_path) -> None:
    settings = PaperSettings(missed="skip", grace_s=600)
    world = start_world(tmp_path, EAST | {"NY": "XNYS"}, "2022-11-09 00:00:30", settings=settings)
    # The row of the ninth is decided two hours late: Tokyo opened at midnight, the coin's day
    # began; Sydney opens at 23:00 and New York at 13:30.
    world.feed.delay("COIN", "2022-11-09", "2h")
    world.clock.sleep_until(pd.Timestamp("2022-11-10 01:59", tz="UTC"))
    world.play("2022-11-10 23:30")
    with world.journal() as journal:
        status = {(row.bar.day, row.symbol): row.status for row in journal.orders(NAME)}
    late = {symbol: status[9, symbol] for day, symbol in status if day == 9}
    assert late
    expected = {"COIN": "missed", "TOKYO": "missed", "SYDNEY": "placed", "NY": "placed"}
    assert late == {symbol: expected[symbol] for symbol in late}
    assert {"missed", "placed"} <= set(late.values())


def test_an_order_for_an_exchange_on_a_holiday_is_in_time_until_its_next_session(tmp_path) -> None:
    world = start_world(tmp_path, EAST, "2022-11-02 00:00:30", settings=PaperSettings(grace_s=600))
    world.feed.delay("COIN", "2022-11-02", "2h")  # the third is a holiday in Tokyo
    world.clock.sleep_until(pd.Timestamp("2022-11-03 01:59", tz="UTC"))
    world.play("2022-11-05 00:01")
    with world.journal() as journal:
        orders = {row.symbol: row.status for row in journal.orders(NAME) if row.bar.day == 2}
        fills = {row.symbol: row for row in journal.fills(NAME) if row.decided_on.day == 2}
    assert orders["TOKYO"] == "placed"
    assert fills["TOKYO"].bar.day == 4


def test_an_order_that_is_made_good_waits_for_the_next_open_of_its_exchange(tmp_path) -> None:
    settings = PaperSettings(missed="fill_at_next_open", grace_s=600)
    world = start_world(tmp_path, EAST, "2022-11-09 00:00:30", settings=settings)
    world.feed.delay("COIN", "2022-11-09", "2h")
    world.clock.sleep_until(pd.Timestamp("2022-11-10 01:59", tz="UTC"))
    world.play("2022-11-12 00:01")
    with world.journal() as journal:
        orders = {row.symbol: row for row in journal.orders(NAME) if row.bar.day == 9}
        fills = {row.symbol: row for row in journal.fills(NAME) if row.decided_on.day == 9}
    assert orders["TOKYO"].status == "deferred"
    assert fills["TOKYO"].bar.day == 11
    assert orders["SYDNEY"].status == "placed"
    assert fills["SYDNEY"].bar.day == 11  # its session opens on the evening of the tenth
    assert problems_of(world) == ()


def test_the_status_says_at_which_row_an_order_of_each_exchange_is_due(tmp_path) -> None:
    world = start_world(tmp_path, EAST, "2022-11-09 00:00:30")
    world.play("2022-11-10 00:01")
    with world.journal() as journal:
        status = paper_status(journal, world.account, world.home, world.clock)
    due = {order.symbol: (order.due_in_bars, order.due[:10]) for order in status.orders}
    expected = {"COIN": (1, "2022-11-10"), "TOKYO": (1, "2022-11-10"), "SYDNEY": (2, "2022-11-11")}
    assert due
    assert due == {symbol: expected[symbol] for symbol in due}
    assert status.next_bar == "2022-11-10T00:00:00+00:00"
    assert status.next_bar_complete_at == "2022-11-11T00:00:00+00:00"


def test_bars_of_currencies_that_are_no_daily_ones_are_refused(tmp_path) -> None:
    manifest = tmp_path / "hours.yaml"
    manifest.write_text(
        "name: hours\ninterval: 1h\ncalendar: 24/7\nsymbols: [A, B, FX]\ncurrency: USD\n"
        "currencies: {B: EUR}\nfx: {EUR: FX}\nsources: [{kind: files, path: .}]\n"
    )
    with pytest.raises(UsageError, match="by their dates"):
        open_feed(
            PollFeedSpec(),
            read_manifest(str(manifest)),
            home=tmp_path,
            clock=SystemClock(),
            progress=NullProgress(),
        )


def test_a_row_that_the_engine_did_not_join_is_told(tmp_path) -> None:
    world = start_world(tmp_path, EAST, "2022-11-09 00:00:30")
    world.play("2022-11-10 00:01")
    assert problems_of(world) == ()
    with sqlite3.connect(journal_path(world.home)) as connection:
        connection.execute("DROP TRIGGER arrivals_keep")
        connection.execute("UPDATE arrivals SET close = close * 1.01 WHERE symbol = 'TOKYO'")
        connection.execute(
            "UPDATE arrivals SET received_at = '2022-11-09T01:00:00.000000+00:00' "
            "WHERE symbol = 'SYDNEY'"
        )
    problems = problems_of(world)
    assert any("SYDNEY came before its close" in each for each in problems)
    assert any("not joined of the bars that had come" in each for each in problems)
