"""The journal: append-only, whole after a power failure, and checked against itself."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import JournalError, UncertifiedError, UsageError
from engine.live.clock import SystemClock
from engine.live.event_text import describe_event
from engine.live.journal.file import journal_path
from engine.live.journal.reader import JournalReader
from engine.live.journal.tables import TABLES
from engine.live.paper.account import resume_account, start_account, stop_account
from engine.live.paper.account_history import history_path
from engine.live.paper.settings import PaperSettings
from engine.live.paper.status import paper_status
from tests.live.paper.accounts import (
    NAME,
    PaperMarket,
    journal_of,
    problems_of,
    start_paper,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def decided(module_folder: Path) -> PaperMarket:
    """An account that decided 12 bars."""
    market = start_paper(module_folder)
    market.play(12)
    return market


@pytest.fixture
def copied(decided: PaperMarket, tmp_path: Path) -> PaperMarket:
    """The same account in another home."""
    home = tmp_path / "home"
    shutil.copytree(decided.home, home)
    return PaperMarket(
        decided.bars, home, decided.spec, decided.clock, decided.feed, decided.account
    )


@pytest.mark.parametrize("table", sorted(TABLES))
@pytest.mark.parametrize("statement", ["UPDATE {0} SET rowid = -1", "DELETE FROM {0}"])
def test_no_row_is_changed_or_removed(copied, table, statement) -> None:
    with closing(sqlite3.connect(journal_path(copied.home))) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement.format(table))
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        names = ", ".join(f'"{name}"' for name in columns)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(
                f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}"
            )


def test_a_bar_is_decided_once_and_after_those_before_it(copied) -> None:
    with closing(sqlite3.connect(journal_path(copied.home))) as connection:
        for bar in ("bar", "'2024-01-01T00:00:00.000000+00:00'"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(
                    f"INSERT INTO decisions SELECT account, {bar}, decided_at, late, row, targets,"
                    " state FROM decisions LIMIT 1"
                )


ADDITIONS = {
    "an order": "INSERT INTO orders SELECT account, bar, 'CCC', 0.5, 1, 'placed', NULL "
    "FROM decisions",
    "a missed order": "INSERT INTO orders SELECT account, bar, 'CCC', 0.5, 1, 'missed', NULL "
    "FROM decisions",
    "a fill": "INSERT INTO fills SELECT account, bar, 7, 'AAA', 'buy', 1, 1, 0, 0, 1, 0, NULL "
    "FROM decisions",
    "a fill after a margin call": "INSERT INTO fills SELECT account, bar, 7, 'AAA', 'buy', 1, 1, "
    "0, 0, 1, 1, NULL FROM decisions",
    "a symbol": "INSERT INTO bars SELECT account, bar, 'CCC', 1, 1, 1, 1, 1, decided_at "
    "FROM decisions",
    "a bar before all others": "INSERT INTO bars SELECT account, "
    "'2020-01-01T00:00:00.000000+00:00', 'AAA', 1, 1, 1, 1, 1, decided_at FROM decisions LIMIT 1",
    "an equity of no decision": "INSERT INTO equity SELECT account, "
    "'2024-01-16T03:30:00.000000+00:00', 1, 1, '{}' FROM decisions LIMIT 1",
    "an order of no decision": "INSERT INTO orders SELECT account, "
    "'2024-01-16T03:30:00.000000+00:00', 'AAA', 1, 1, 'placed', NULL FROM decisions LIMIT 1",
}


@pytest.mark.parametrize("addition", ADDITIONS.values(), ids=ADDITIONS)
def test_a_decided_bar_gets_no_more_rows(copied, addition) -> None:
    with (
        closing(sqlite3.connect(journal_path(copied.home))) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"rows are written with|a bar comes after"),
    ):
        connection.execute(addition)


@pytest.mark.parametrize("addition", ADDITIONS.values(), ids=ADDITIONS)
def test_rows_that_were_added_in_spite_of_the_triggers_are_found(copied, addition) -> None:
    change_rows(copied, addition)
    assert problems_of(copied)


def change_rows(market: PaperMarket, statement: str) -> None:
    """Changes rows as a program that is not the engine can."""
    with closing(sqlite3.connect(journal_path(market.home), isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement).rowcount


MUTATIONS = {
    "equity of the account": "UPDATE equity SET equity = equity * 1.0000000000000002",
    "fills": "UPDATE fills SET price = price * 1.01",
    "a fill that is lost": "DELETE FROM fills WHERE bar = (SELECT MIN(bar) FROM fills)",
    "targets": "UPDATE orders SET target_weight = 0.123",
    "a bar": "UPDATE bars SET close = close * 1.01 WHERE bar = (SELECT MIN(bar) FROM bars)",
    "a bar that is lost": "DELETE FROM bars WHERE bar = (SELECT MIN(bar) FROM bars)",
    "decided before its end": "UPDATE decisions SET decided_at = bar",
    "another state": "UPDATE decisions SET state = (SELECT MIN(state) FROM decisions)",
    "an order that was not filled": "UPDATE orders SET status = 'missed'",
}


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS)
def test_rows_that_contradict_each_other_are_found(copied, mutation) -> None:
    change_rows(copied, mutation)
    assert problems_of(copied)


def test_rows_of_an_undisturbed_account_follow_from_each_other(copied) -> None:
    assert problems_of(copied) == ()


def test_a_name_is_used_once(copied) -> None:
    with pytest.raises(UsageError, match="account of that name"):
        start_account(
            copied.spec,
            name=NAME,
            capital=1.0,
            settings=PaperSettings(),
            clock=copied.clock,
            home=copied.home,
        )


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "../a", "-a", "a" * 65, "a.", "ä", "a b"])
def test_a_name_that_is_no_file_name_everywhere_is_refused(copied, name) -> None:
    with pytest.raises(UsageError, match="no name of an account"):
        start_account(
            copied.spec,
            name=name,
            capital=1.0,
            settings=PaperSettings(),
            clock=copied.clock,
            home=copied.home,
        )


@pytest.mark.parametrize("capital", [0.0, -1.0, float("nan"), float("inf")])
def test_a_capital_is_positive(copied, capital) -> None:
    with pytest.raises(UsageError, match="needs a capital"):
        start_account(
            copied.spec,
            name="other",
            capital=capital,
            settings=PaperSettings(),
            clock=copied.clock,
            home=copied.home,
        )


def test_a_strategy_that_was_not_tested_for_look_ahead_gets_no_account(copied, tmp_path) -> None:
    with pytest.raises(UncertifiedError) as caught:
        start_account(
            copied.spec,
            name="other",
            capital=1.0,
            settings=PaperSettings(),
            clock=copied.clock,
            home=tmp_path / "untested",
        )
    assert caught.value.exit_code == 4
    assert not journal_path(tmp_path / "untested").exists()


def test_a_stopped_account_is_not_run_until_it_is_resumed(copied) -> None:
    clock = SystemClock()
    assert stop_account(NAME, clock, copied.home)
    assert not stop_account(NAME, clock, copied.home)
    with pytest.raises(UsageError, match="was stopped"):
        copied.look()
    assert resume_account(NAME, clock, copied.home)
    assert not resume_account(NAME, clock, copied.home)
    copied.look()


def test_a_process_leaves_an_account_that_is_stopped(copied) -> None:
    before = journal_of(copied)
    copied.clock.sleep_until(copied.bars.end(copied.coming[15]))
    with copied.process() as run:
        stop_account(NAME, copied.clock, copied.home)
        run.run()
        assert run.names == ()
    assert journal_of(copied) == before


@pytest.mark.slow
def test_a_second_process_is_refused_in_one_line(copied) -> None:
    with copied.process(), pytest.raises(UsageError) as caught:
        copied.look()
    assert str(caught.value).startswith("process ")
    assert f"runs the account {NAME}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_history_that_is_another_one_is_refused(copied) -> None:
    history_path(copied.home, NAME).write_bytes(b"another")
    with pytest.raises(JournalError, match="not the one that it was started with"):
        copied.look()


def test_a_file_of_another_program_is_refused(tmp_path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with pytest.raises(JournalError, match="not a journal of paper accounts"):
        JournalReader(path)
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(JournalError, match="damaged"):
        JournalReader(path)


@pytest.fixture(scope="module")
def interrupted_by_power(module_folder: Path) -> tuple[PaperMarket, Path]:
    """An account, and its files as they are on the disk while its process runs."""
    folder = module_folder / "power"
    folder.mkdir()
    market = start_paper(folder)
    with market.process() as run:
        for bar in market.coming[:12]:
            market.clock.sleep_until(market.bars.end(bar))
            market.clock.sleep_until(market.clock.now() + 2 * market.second)
            run.run(once=True)
        on_disk = module_folder / "on-disk"
        shutil.copytree(market.home, on_disk, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
    return market, on_disk


def restore(
    tmp_path: Path, interrupted_by_power: tuple[PaperMarket, Path], cut: Callable[[int], int]
) -> PaperMarket:
    """The account after a power failure that left a part of the write-ahead log."""
    market, on_disk = interrupted_by_power
    home = tmp_path / "home"
    shutil.copytree(on_disk, home)
    log = journal_path(home).with_name("journal.sqlite-wal")
    content = log.read_bytes()
    log.write_bytes(content[: cut(len(content))])
    return PaperMarket(market.bars, home, market.spec, market.clock, market.feed, market.account)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(60))
def test_a_log_that_was_cut_short_ends_with_a_whole_bar(
    interrupted_by_power, tmp_path, part
) -> None:
    market = restore(tmp_path, interrupted_by_power, lambda size: (part * size) // 59 - part % 3)
    whole, found = journal_of(interrupted_by_power[0]), journal_of(market)
    kept = len(found["decisions"])
    assert problems_of(market) == ()
    for table, rows in found.items():
        assert rows == whole[table][: len(rows)]
    assert len(found["equity"]) == kept
    if part % 12 == 0:
        market.look()
        again = journal_of(market)
        assert [row[:3] for row in again["decisions"]] == [row[:3] for row in whole["decisions"]]
        assert problems_of(market) == ()


DAMAGES = {
    "a state that is no JSON": "UPDATE decisions SET state = '{'",
    "a state of something else": "UPDATE decisions SET state = '{\"account\": 1}'",
    "targets that are no object": "UPDATE decisions SET targets = '[1]'",
    "a target that is no number": 'UPDATE decisions SET targets = \'{"AAA": "much"}\'',
    "an instant that is none": "UPDATE decisions SET decided_at = 'later'",
    "an instant without an offset": "UPDATE decisions SET decided_at = '2024-01-01'",
    "an instant that is a number": "UPDATE decisions SET decided_at = x'01'",
    "a price that is a text": "UPDATE bars SET close = 'high'",
    "an equity that is a text": "UPDATE equity SET equity = 'all of it'",
    "holdings that are no JSON": "UPDATE equity SET holdings = ''",
    "a detail that is no JSON": "UPDATE events SET detail = 'x'",
    "settings of something else": "UPDATE accounts SET settings = '{\"missed\": 1}'",
    "a strategy that is no JSON": "UPDATE accounts SET specification = 'x'",
    "a manifest without a dataset": "UPDATE accounts SET manifest = '{}'",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_row_that_the_engine_did_not_write_is_told_as_a_damaged_journal(copied, damage) -> None:
    change_rows(copied, damage)
    with pytest.raises(JournalError, match="damaged") as caught, copied.journal() as journal:
        paper_status(journal, journal.account(NAME), copied.home, copied.clock)
    error = caught.value
    assert all((error.expected, error.found, error.where, error.fix))
    assert error.exit_code == 1


def test_a_detail_of_another_kind_of_event_is_told_as_a_damaged_journal() -> None:
    with pytest.raises(JournalError, match="damaged"):
        describe_event("late", {"bars": 1})
