"""A run's row: however it ends, it is there once, and the run goes on without a ledger."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from engine.core.errors import LedgerError, TrainingError
from engine.trials import Ledger
from engine.trials import ledger as ledger_module
from tests.trials.factories import Listener, finished, ground, outcome, returns, strategy


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def test_a_ledger_that_is_not_there_has_no_runs_and_is_not_made_by_looking(ledger) -> None:
    assert ledger.rows() == []
    assert not ledger.path.exists()


def test_a_finished_run_is_known_from_its_beginning_to_its_returns(ledger) -> None:
    with ledger.record(strategy(), "backtest run ridge.yaml") as entry:
        entry.set_data_scope(ground())
        entry.finish(outcome(3, tuning=12, certificate={"passed": True}))
    (row,) = ledger.rows()
    assert (row.number, row.status, row.name) == (1, "finished", "ridge")
    assert row.strategy == strategy()
    assert row.command == "backtest run ridge.yaml"
    assert row.engine
    assert row.dataset == ground().dataset
    assert (row.targets, row.inputs, row.interval) == (("BTC",), ("BTC", "ETH"), "1d")
    assert (row.first, row.last) == ("2020-01-01T00:00:00+00:00", "2020-07-18T00:00:00+00:00")
    assert (row.bars, row.periods_per_year) == (200, 365.0)
    assert (row.run_id, row.seeds, row.tuning) == ("000000000003", 1, 12)
    assert (row.sharpe, row.grade, row.certificate) == (0.5, "none", {"passed": True})
    assert (row.error, row.problem) == (None, None)
    assert row.started_at <= (row.ended_at or "")
    assert (ledger.returns([1])[1] == returns(3)).all()


def test_an_error_of_the_engine_is_noted_with_its_problem_and_raised_on(ledger) -> None:
    def run() -> None:
        with ledger.record(strategy()) as entry:
            entry.set_data_scope(ground())
            raise TrainingError("window 3 ended with a NaN loss", fix="lower the rate")

    with pytest.raises(TrainingError, match="NaN"):
        run()
    (row,) = ledger.rows()
    assert (row.status, row.error) == ("failed", "TrainingError")
    assert row.problem == "window 3 ended with a NaN loss"
    assert row.targets == ("BTC",)
    assert ledger.returns([1]) == {}


def test_any_other_error_is_noted_too_before_the_bars_are_known(ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.record(strategy()):
        raise ZeroDivisionError("division by zero")
    (row,) = ledger.rows()
    assert (row.status, row.error) == ("failed", "ZeroDivisionError")
    assert (row.problem, row.targets, row.first) == ("division by zero", None, None)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_is_noted_and_raised_on(ledger, raised: type[BaseException]) -> None:
    with pytest.raises(raised), ledger.record(strategy()):
        raise raised
    assert [row.status for row in ledger.rows()] == ["interrupted"]


def test_a_run_that_ends_without_a_word_has_failed(ledger) -> None:
    with ledger.record(strategy()):
        pass
    (row,) = ledger.rows()
    assert (row.status, row.problem) == ("failed", "the run ended without a result")


def test_what_goes_wrong_after_the_outcome_does_not_change_it(ledger) -> None:
    def run() -> None:
        with ledger.record(strategy()) as entry:
            entry.set_data_scope(ground())
            entry.finish(outcome())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert [row.status for row in ledger.rows()] == ["finished"]


def test_an_interrupt_right_after_the_outcome_was_written_changes_nothing(
    ledger, monkeypatch
) -> None:
    write = ledger_module.LedgerEntry._write

    def interrupted_after(self, table: str, *given) -> None:
        write(self, table, *given)
        if table == "outcomes":
            monkeypatch.setattr(ledger_module.LedgerEntry, "_write", write)
            raise KeyboardInterrupt

    monkeypatch.setattr(ledger_module.LedgerEntry, "_write", interrupted_after)
    with pytest.raises(KeyboardInterrupt):
        finished(ledger.path)
    assert [row.status for row in ledger.rows()] == ["finished"]


def test_while_it_runs_it_is_running(ledger) -> None:
    with ledger.record(strategy()) as entry:
        assert [row.status for row in ledger.rows()] == ["running"]
        entry.set_data_scope(ground())
        entry.finish(outcome())


def test_rows_are_chosen_by_what_they_hold(ledger) -> None:
    finished(ledger.path, 0)
    finished(ledger.path, 1, name="other")
    assert [row.number for row in ledger.rows("name = ?", ("other",))] == [2]


def test_a_ledger_that_cannot_be_written_when_a_run_begins_is_told_and_the_run_goes_on(
    tmp_path,
) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    heard = Listener()
    with Ledger(tmp_path / "ledger.sqlite").record(strategy(), progress=heard) as entry:
        assert entry.number is None
        entry.set_data_scope(ground())
        assert entry.collect_trials(returns()) is None
        entry.finish(outcome())
    assert [notice.partition(":")[0] for notice in heard.notices] == [
        "this run is not counted",
        "the trials before this run are not counted",
    ]
    assert "ledger.sqlite" in heard.notices[0]


def test_a_home_that_cannot_be_made_is_told_and_has_no_other_trials(tmp_path) -> None:
    (tmp_path / "file").touch()
    heard = Listener()
    with Ledger(tmp_path / "file" / "home" / "ledger.sqlite").record(
        strategy(), progress=heard
    ) as entry:
        entry.set_data_scope(ground())
        trials = entry.collect_trials(returns())
    assert trials is not None
    assert trials.distinct == 1
    assert len(heard.notices) == 1


def test_a_ledger_that_is_damaged_when_a_run_begins_refuses_it_before_any_work(ledger) -> None:
    ledger.path.write_bytes(b"no database at all " * 300)
    with pytest.raises(LedgerError, match="damaged"), ledger.record(strategy()):
        pytest.fail("the run began")


def test_a_ledger_that_is_damaged_while_a_run_trains_costs_it_nothing_but_a_notice(ledger) -> None:
    heard = Listener()
    with ledger.record(strategy(), progress=heard) as entry:
        ledger.path.write_bytes(b"no database at all " * 300)
        entry.set_data_scope(ground())
        assert entry.collect_trials(returns()) is None
        entry.finish(outcome())
    assert len(heard.notices) == 3
    assert all("damaged" in notice for notice in heard.notices)


def test_an_interrupt_waits_for_no_other_writer_for_long(ledger, monkeypatch) -> None:
    monkeypatch.setattr(ledger_module, "INTERRUPT_TIMEOUT_S", 0.05)
    heard = Listener()

    def run() -> None:
        with (
            closing(sqlite3.connect(ledger.path, isolation_level=None)) as other,
            ledger.record(strategy(), progress=heard),
        ):
            other.execute("BEGIN IMMEDIATE")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert "locked" in heard.notices[0]


def test_a_writer_waits_for_the_others(ledger) -> None:
    finished(ledger.path)
    with closing(
        sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, other.execute, ["COMMIT"]).start()
        finished(ledger.path, 1)
    assert [row.status for row in ledger.rows()] == ["finished", "finished"]


def test_threads_of_one_process_write_side_by_side(ledger) -> None:
    threads = [threading.Thread(target=finished, args=(ledger.path, n)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.status for row in ledger.rows()] == ["finished"] * 6
    assert len({row.configuration for row in ledger.rows()}) == 6
