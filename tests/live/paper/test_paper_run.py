"""One process for many accounts: each by its calendar, whatever becomes of the others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.errors import JournalError, TrainingError, UnreachableError, UsageError
from engine.core.progress import NullProgress
from engine.live.feeds import StdinFeedSpec
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.account import start_account
from engine.live.paper.account_history import history_path
from engine.live.paper.account_runner import RunContext
from engine.live.paper.run import PaperRun
from engine.live.paper.settings import PaperSettings
from engine.live.sinks.config import WebhookSinkSpec
from tests.data.datasets import RecordingProgress
from tests.live.paper.accounts import (
    NAME,
    PaperMarket,
    ScriptedFeed,
    events_of,
    make_bars,
    problems_of,
    start_paper,
)

if TYPE_CHECKING:
    from engine.live.journal.rows import AccountRow

SECOND = pd.Timedelta(seconds=1)
OTHER = "other"
NO_SECRET = WebhookSinkSpec(
    kind="webhook", url="https://signals.example.com/hook", secret_env="NO_SUCH_VARIABLE"
)


def add_other(market: PaperMarket, settings: PaperSettings | None = None) -> AccountRow:
    """A second account on the same market."""
    return start_account(
        market.spec,
        name=OTHER,
        capital=5.0,
        settings=settings or PaperSettings(),
        clock=market.clock,
        home=market.home,
    )


def process_of_all(market: PaperMarket, feeds: dict[str, object]) -> PaperRun:
    """A process that has taken no account yet."""
    context = RunContext(
        Journal(journal_path(market.home)), market.home, market.clock, NullProgress()
    )
    return PaperRun(
        context,
        make_feed=lambda account, _: feeds.get(
            account.name, ScriptedFeed(market.bars, market.clock)
        ),
    )


def decisions_of(market: PaperMarket, name: str) -> list[tuple[object, ...]]:
    with market.journal() as journal:
        return [(row.bar, row.targets, row.state) for row in journal.decisions(name)]


def test_accounts_of_one_process_decide_alike_and_new_ones_are_taken(tmp_path) -> None:
    market = start_paper(tmp_path)
    with process_of_all(market, {}) as run:
        run.add(NAME)
        run.run(once=True, take_new=True)
        add_other(market)
        for bar in market.coming[:4]:
            market.clock.sleep_until(market.bars.end(bar) + SECOND)
            run.run(once=True, take_new=True)
        assert run.names == (NAME, OTHER)
    assert decisions_of(market, NAME) == decisions_of(market, OTHER)
    assert len(decisions_of(market, OTHER)) == 4


class Failing(ScriptedFeed):
    """A feed that fails until it is repaired."""

    error: Exception | None = None

    def fetch(self, after: pd.Timestamp) -> pd.DataFrame:
        if self.error is not None:
            raise self.error
        return super().fetch(after)


def test_a_server_that_is_down_is_told_once_and_asked_again(tmp_path) -> None:
    market = start_paper(tmp_path)
    add_other(market)
    feed = Failing(market.bars, market.clock)
    feed.error = UnreachableError("the exchange does not answer")
    with process_of_all(market, {NAME: feed}) as run:
        run.add(NAME)
        run.add(OTHER)
        market.clock.sleep_until(market.bars.end(market.coming[2]) + SECOND)
        run.run(until=market.clock.now() + 8 * SECOND)
        assert len(decisions_of(market, OTHER)) == 3
        (told,) = events_of(market, "error")
        assert told.detail["problem"] == "the exchange does not answer"
        feed.error = None
        run.run(until=market.clock.now() + 12 * SECOND)
    assert len(decisions_of(market, NAME)) == 3


@pytest.mark.slow
def test_an_account_that_cannot_go_on_is_left_and_the_others_live(tmp_path) -> None:
    market = start_paper(tmp_path)
    add_other(market)
    feed = Failing(market.bars, market.clock)
    feed.error = TrainingError("a fit failed")
    market.clock.sleep_until(market.bars.end(market.coming[2]) + SECOND)
    with process_of_all(market, {NAME: feed}) as run:
        run.add(NAME)
        run.add(OTHER)
        with pytest.raises(TrainingError):  # when the others end
            run.run(until=market.clock.now() + 5 * SECOND, take_new=True)
        assert run.names == (OTHER,)
    assert len(decisions_of(market, OTHER)) == 3
    with process_of_all(market, {NAME: feed}) as run:
        run.add(NAME)
        with pytest.raises(TrainingError):
            run.run()


def without_history(market: PaperMarket) -> None:
    history_path(market.home, NAME).unlink()


def with_a_sink_that_has_no_secret(market: PaperMarket) -> None:
    rewrite(market, "settings", PaperSettings(sinks=(NO_SECRET,)).model_dump_json())


def with_settings_of_another_program(market: PaperMarket) -> None:
    rewrite(market, "settings", '{"missed": 1}')


def with_a_strategy_that_is_no_json(market: PaperMarket) -> None:
    rewrite(market, "specification", "{")


def with_an_instant_that_is_none(market: PaperMarket) -> None:
    rewrite(market, "history_last", "yesterday")


def rewrite(market: PaperMarket, column: str, value: str) -> None:
    """Another value of the first account, as by a program that is not the engine."""
    with closing(sqlite3.connect(journal_path(market.home), isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER accounts_keep")
        connection.execute(f"UPDATE accounts SET {column} = ? WHERE name = ?", (value, NAME))


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (without_history, JournalError),
        (with_a_sink_that_has_no_secret, UsageError),
        (with_settings_of_another_program, JournalError),
        (with_a_strategy_that_is_no_json, JournalError),
        (with_an_instant_that_is_none, JournalError),
    ],
)
def test_an_account_that_cannot_be_run_is_told_and_left_and_the_others_live(
    tmp_path, spoil, error
) -> None:
    market = start_paper(tmp_path)
    add_other(market)
    spoil(market)
    market.clock.sleep_until(market.bars.end(market.coming[0]) + SECOND)
    with process_of_all(market, {}) as run:
        run.take([NAME, OTHER])
        with pytest.raises(error) as caught:
            run.run(once=True, take_new=True)
        assert run.names == (OTHER,)
    assert len(decisions_of(market, OTHER)) == 1
    (told,) = events_of(market, "error")
    assert told.detail["problem"] == caught.value.problem
    assert all((caught.value.expected, caught.value.found, caught.value.where, caught.value.fix))


@pytest.mark.slow
def test_an_account_that_another_process_runs_is_left_to_it(tmp_path) -> None:
    market = start_paper(tmp_path)
    add_other(market)
    market.clock.sleep_until(market.bars.end(market.coming[0]) + SECOND)
    with process_of_all(market, {}) as run:
        with market.process():
            run.take([NAME, OTHER])
            with pytest.raises(UsageError, match="runs the account small"):
                run.run(once=True, take_new=True)
        assert events_of(market, "error") == []
        assert len(decisions_of(market, OTHER)) == 1
        run.run(once=True, take_new=True)
    assert len(decisions_of(market, NAME)) == 1


def test_one_of_two_accounts_takes_standard_input(tmp_path) -> None:
    market = start_paper(tmp_path, settings=PaperSettings(feed=StdinFeedSpec()))
    add_other(market, PaperSettings(feed=StdinFeedSpec()))
    with process_of_all(market, {}) as run:
        run.take([NAME, OTHER])
        assert run.names == (NAME,)
        with pytest.raises(UsageError, match="one standard input"):
            run.run(once=True)


def test_a_name_that_is_none_of_an_account_takes_no_account(tmp_path) -> None:
    market = start_paper(tmp_path)
    with process_of_all(market, {}) as run:
        with pytest.raises(UsageError, match="no paper account of that name"):
            run.take([NAME, "unknown"])
        assert run.names == ()


def around(date: str, calendar: str, **execution: object) -> dict[str, object]:
    """Daily bars of which the third that comes is of that date."""
    bars = make_bars(first="2022-01-10", interval="1d", calendar=calendar, count=1_000)
    place = list(bars.labels).index(pd.Timestamp(date, tz="UTC"))
    kept = bars.table[bars.table["timestamp"] <= bars.labels[place + 4]]
    overrides = {f"execution.{key}": value for key, value in execution.items()}
    return {
        "bars": replace(bars, table=kept),
        "history": place - 2,
        "overrides": overrides,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("date", "calendar"),
    [
        ("2024-07-03", "XNYS"),  # a half day before a holiday
        ("2024-03-08", "XNYS"),  # the clocks go forward over the weekend
        ("2024-11-01", "XNYS"),  # and back
        ("2024-07-03", "24/7"),
    ],
)
def test_daily_bars_are_decided_before_the_open_that_follows_them(
    tmp_path, date, calendar
) -> None:
    market = start_paper(tmp_path, **around(date, calendar))
    market.play(5)
    with market.journal() as journal:
        assert [row.bar for row in journal.decisions(NAME)] == list(market.coming[:5])
        assert {row.status for row in journal.orders(NAME)} == {"placed"}
        assert not any(row.late for row in journal.decisions(NAME))
    assert events_of(market, "absent") == []
    assert problems_of(market) == ()


@pytest.mark.slow
@pytest.mark.parametrize("execution", [{}, {"delay": 2}, {"price": "close"}])
def test_on_evening_sessions_no_order_is_missed_nor_said_to_be(tmp_path, execution) -> None:
    progress = RecordingProgress()
    market = start_paper(tmp_path, **around("2024-03-08", "CMES", **execution))
    start_account(
        market.spec,
        name=OTHER,
        capital=5.0,
        settings=PaperSettings(),
        clock=market.clock,
        home=market.home,
        progress=progress,
    )
    assert not any("bars of the calendar CMES are" in text for text in progress.notices)
    market.play(5)
    with market.journal() as journal:
        orders = journal.orders(NAME)
    assert orders
    assert {order.status for order in orders} == {"placed"}
    assert problems_of(market) == ()
