"""An account decides each bar once, in time or by its policy, and its journal stays whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.live.paper.settings import PaperSettings
from tests.live.paper.accounts import (
    NAME,
    SYMBOLS,
    PaperMarket,
    events_of,
    journal_of,
    make_bars,
    problems_of,
    start_paper,
)

if TYPE_CHECKING:
    from pathlib import Path

SECOND, HOUR, DAY = (pd.Timedelta(length) for length in ("1s", "1h", "1D"))


def start(folder: Path, missed: str = "skip", **more: object) -> PaperMarket:
    folder.mkdir()
    return start_paper(folder, settings=PaperSettings(missed=missed), **more)


@pytest.fixture
def paper(tmp_path: Path) -> PaperMarket:
    return start(tmp_path / "paper")


@pytest.fixture(scope="module")
def undisturbed(module_folder: Path) -> PaperMarket:
    """20 bars in one process, each decided a second after its end."""
    market = start(module_folder / "undisturbed")
    market.play(20)
    return market


def test_every_bar_is_decided_in_time_and_the_journal_follows_from_itself(undisturbed) -> None:
    with undisturbed.journal() as journal:
        decisions = journal.decisions(NAME)
        orders = journal.orders(NAME)
        fills = journal.fills(NAME)
    assert [row.bar for row in decisions] == list(undisturbed.coming[:20])
    assert not any(row.late for row in decisions)
    assert {row.status for row in orders} == {"placed"}
    assert len(fills) >= 5
    assert problems_of(undisturbed) == ()
    assert [event.kind for event in events_of(undisturbed, "late")] == []


@pytest.mark.slow
def test_a_process_for_each_bar_leaves_the_same_journal(undisturbed, paper) -> None:
    for number in range(20):
        paper.look(paper.bars.end(paper.coming[number]) + SECOND)
    assert journal_of(paper) == journal_of(undisturbed)


@pytest.mark.slow
def test_a_file_that_is_edited_after_the_start_changes_nothing(undisturbed, paper) -> None:
    for file in (paper.home.parent / "market").iterdir():
        file.write_text("nothing of what it was")
    paper.play(20)
    assert journal_of(paper) == journal_of(undisturbed)


def test_a_bar_that_comes_again_is_not_decided_again(paper) -> None:
    paper.play(3)
    before = journal_of(paper)
    paper.look()
    paper.look()
    assert journal_of(paper) == before


def test_an_order_decided_in_time_is_filled_though_nothing_ran_at_its_bar(undisturbed, tmp_path):
    market = start(tmp_path / "paper")
    with undisturbed.journal() as journal:
        (first, *_) = journal.fills(NAME)
    number = list(market.coming).index(first.bar)
    market.play(number)
    market.look(market.bars.end(market.coming[number + 5]))
    with market.journal() as journal:
        assert journal.fills(NAME)[0] == first


def test_missed_orders_are_not_placed_and_the_next_decision_in_time_makes_up(tmp_path) -> None:
    market = start(tmp_path / "paper")
    market.play(4)
    market.look(market.bars.end(market.coming[13]) + 600 * SECOND)
    with market.journal() as journal:
        late = [row for row in journal.decisions(NAME) if row.late]
        orders = journal.orders(NAME, after=market.coming[3])
        fills = journal.fills(NAME, after=market.coming[4])
        held = journal.newest_equity(NAME).holdings
    assert [row.bar for row in late] == list(market.coming[4:14])
    assert {row.status for row in orders} == {"missed"}
    assert fills == ()
    (told,) = events_of(market, "missed")
    assert told.detail["policy"] == "skip"
    assert told.detail["missed"] == len(orders)
    (event,) = events_of(market, "late")
    assert event.detail["bars"] == 10
    market.look(market.bars.end(market.coming[14]) + SECOND)
    with market.journal() as journal:
        decision = journal.newest(NAME)
        placed = journal.orders(NAME, after=market.coming[13])
    weights = {symbol: each["weight"] for symbol, each in held.items()}
    assert [row.status for row in placed] == ["placed"] * len(placed)
    assert placed or decision.targets == pytest.approx(weights, abs=0.05)
    assert problems_of(market) == ()


def test_the_newest_missed_decision_is_filled_at_the_first_open_after_the_restart(
    tmp_path,
) -> None:
    market = start(tmp_path / "paper", "fill_at_next_open")
    market.play(4)
    market.look(market.bars.end(market.coming[13]) + 600 * SECOND)
    with market.journal() as journal:
        *earlier, newest = journal.orders(NAME, after=market.coming[3])
    assert {row.status for row in earlier} <= {"missed"}
    assert (newest.status, newest.bar, newest.due_in_bars) == ("deferred", market.coming[13], 2)
    market.look(market.bars.end(market.coming[15]) + SECOND)
    with market.journal() as journal:
        fills = journal.fills(NAME, after=market.coming[13])
    assert [fill.bar for fill in fills] == [market.coming[15]]
    assert fills[0].decided_on == market.coming[13]
    assert problems_of(market) == ()


def test_a_bar_that_comes_late_is_decided_late(tmp_path) -> None:
    market = start(tmp_path / "paper")
    market.feed.delay(market.coming[2], "20min")
    market.play(2)
    market.look(market.bars.end(market.coming[2]) + 60 * SECOND)
    assert len(journal_of(market)["decisions"]) == 2
    market.look(market.bars.end(market.coming[2]) + 1300 * SECOND)
    with market.journal() as journal:
        newest = journal.newest(NAME)
    assert (newest.bar, newest.late) == (market.coming[2], True)
    (event,) = events_of(market, "late")
    assert event.detail["newest_delay_s"] == 1300
    assert problems_of(market) == ()


def test_a_symbol_without_a_bar_leaves_the_position_as_the_timestamp_is_left_out(tmp_path) -> None:
    market = start(tmp_path / "paper")
    lacking = market.coming[3]
    market.feed.delay(lacking, "never", SYMBOLS[1])
    market.play(6)
    with market.journal() as journal:
        decided = [row.bar for row in journal.decisions(NAME)]
    assert decided == [bar for bar in market.coming[:6] if bar != lacking]
    (event,) = events_of(market, "absent")
    assert event.bar == market.coming[4]
    assert event.detail["incomplete"] == {lacking.isoformat(): [SYMBOLS[0]]}
    assert problems_of(market) == ()


@pytest.mark.slow
def test_a_bar_that_comes_after_a_later_one_was_decided_stays_left_out(tmp_path) -> None:
    market = start(tmp_path / "paper")
    market.feed.delay(market.coming[3], "2h", SYMBOLS[1])
    market.play(6)
    with market.journal() as journal:
        decided = [row.bar for row in journal.decisions(NAME)]
    assert market.coming[3] not in decided
    assert problems_of(market) == ()


@pytest.mark.slow
def test_a_clock_that_is_set_back_decides_nothing_until_it_is_later_than_the_bar(
    undisturbed, tmp_path
) -> None:
    market = start(tmp_path / "paper")
    market.play(10)
    for back in ("2023-01-01", "2024-01-15 20:00"):
        market.clock.set(back)
        market.feed.fetch = lambda _: market.bars.table  # a server whose clock is right
        market.look()
        assert len(journal_of(market)["decisions"]) == 10
    assert [event.kind for event in events_of(market, "clock")] == ["clock", "clock"]
    del market.feed.fetch
    for bar in market.coming[10:20]:
        market.look(market.bars.end(bar) + SECOND)
    assert journal_of(market) == journal_of(undisturbed)
    assert problems_of(market) == ()


def test_a_clock_that_is_set_back_while_bars_are_decided_dates_none_before_its_end(
    tmp_path,
) -> None:
    market = start(tmp_path / "paper")
    market.clock.sleep_until(market.bars.end(market.coming[3]) + SECOND)
    fetch = market.feed.fetch

    def fetch_and_set_back(after: pd.Timestamp) -> pd.DataFrame:
        bars = fetch(after)
        readings = iter([market.clock.time])
        market.clock.now = lambda: next(readings, pd.Timestamp("2024-01-02", tz="UTC"))
        return bars

    market.feed.fetch = fetch_and_set_back
    market.look()
    assert len(journal_of(market)["decisions"]) == 4
    assert problems_of(market) == ()


@pytest.mark.slow
def test_a_clock_that_is_ahead_makes_bars_late_and_decides_none_twice(tmp_path) -> None:
    market = start(tmp_path / "paper")
    market.play(5)
    right = market.clock.now()
    market.clock.sleep_until(right + 3 * HOUR)
    market.look()
    market.clock.set(str(right.tz_localize(None)))
    market.play(12)
    with market.journal() as journal:
        decisions = journal.decisions(NAME)
    assert [row.bar for row in decisions] == list(market.coming[:12])
    assert sum(row.late for row in decisions) == 2
    assert problems_of(market) == ()


def test_a_revised_bar_leaves_the_decision_and_is_told_once(undisturbed, paper) -> None:
    revised = paper.coming[5]
    close = float(
        paper.bars.table.query("timestamp == @revised and symbol == @SYMBOLS[0]")["close"].iloc[0]
    )
    at = paper.bars.end(paper.coming[7])
    paper.feed.revise(revised, SYMBOLS[0], at, close=1.2 * close, high=1.3 * close)
    paper.play(7)
    assert events_of(paper, "revision") == []
    for number in range(7, 10):
        paper.look(paper.bars.end(paper.coming[number]) + SECOND)
    (event,) = events_of(paper, "revision")
    assert event.bar == revised
    assert event.detail["largest_change"] == pytest.approx(0.3, abs=0.02)
    assert event.detail["symbols"][SYMBOLS[0]]["close"] == [close, 1.2 * close]
    assert event.detail["would_differ"] is True
    assert event.detail["first_differing"] >= revised.isoformat()
    expected = journal_of(undisturbed)
    assert journal_of(paper)["decisions"] == expected["decisions"][:10]


def test_a_revision_too_small_to_matter_is_told_as_such(paper) -> None:
    paper.feed.revise(paper.coming[2], SYMBOLS[1], paper.bars.end(paper.coming[3]), volume=5_000.5)
    paper.play(4)
    (event,) = events_of(paper, "revision")
    assert event.detail["largest_change"] == 0
    assert (event.detail["would_differ"], event.detail["compared"]) == (False, 1)


def test_a_new_window_is_fitted_on_the_bars_that_the_account_knew(tmp_path) -> None:
    bars = make_bars(count=500)
    market = start(tmp_path / "paper", bars=bars, history=440)
    market.play(6)
    with market.journal() as journal:
        windows = [row.row["window"] for row in journal.decisions(NAME)]
    assert len(set(windows)) == 2
    assert problems_of(market) == ()


def test_the_first_bar_is_watched_from_the_start(paper) -> None:
    paper.play(2)
    (first, *_) = paper.coming
    (close, high) = paper.bars.table.query("timestamp == @first").iloc[0][["close", "high"]]
    paper.feed.revise(first, SYMBOLS[0], paper.clock.now(), close=1.2 * close, high=1.2 * high)
    paper.look(paper.bars.end(paper.coming[2]) + SECOND)
    (event,) = events_of(paper, "revision")
    assert event.bar == first
    assert event.detail["compared"] == 2
