"""A run's row: however it ends, it is there once, and the run goes on without a ledger."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager

import pytest

from engine.core.errors import LedgerError, TrainingError
from engine.trials import Ledger
from engine.trials import ledger as ledger_module
from tests.trials.factories import Listener, data_scope, finished, outcome, returns, strategy


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def test_reading_a_missing_ledger_gives_no_runs_and_creates_no_file(ledger) -> None:
    assert ledger.rows() == []
    assert not ledger.path.exists()


def test_a_finished_run_is_known_from_its_beginning_to_its_returns(ledger) -> None:
    with ledger.record(strategy(), "backtest run ridge.yaml") as entry:
        entry.set_data_scope(data_scope())
        entry.finish(outcome(3, tuning=12, certificate={"passed": True}))
    (row,) = ledger.rows()
    assert (row.number, row.status, row.name) == (1, "finished", "ridge")
    assert row.strategy == strategy()
    assert row.command == "backtest run ridge.yaml"
    assert row.engine
    assert row.dataset == data_scope().dataset
    assert (row.targets, row.inputs, row.interval) == (("BTC",), ("BTC", "ETH"), "1d")
    assert (row.first, row.last) == ("2020-01-01T00:00:00+00:00", "2020-07-18T00:00:00+00:00")
    assert (row.bars, row.periods_per_year) == (200, 365.0)
    assert (row.run_id, row.seeds, row.tuning) == ("000000000003", 1, 12)
    assert (row.sharpe, row.grade, row.certificate) == (0.5, "none", {"passed": True})
    assert (row.error, row.problem) == (None, None)
    assert row.started_at <= (row.ended_at or "")
    assert (ledger.returns([1])[1] == returns(3)).all()


def test_an_engine_error_is_recorded_with_its_problem_and_raised(ledger) -> None:
    def run() -> None:
        with ledger.record(strategy()) as entry:
            entry.set_data_scope(data_scope())
            raise TrainingError("window 3 ended with a NaN loss", fix="lower the rate")

    with pytest.raises(TrainingError, match="NaN"):
        run()
    (row,) = ledger.rows()
    assert (row.status, row.error) == ("failed", "TrainingError")
    assert row.problem == "window 3 ended with a NaN loss"
    assert row.targets == ("BTC",)
    assert ledger.returns([1]) == {}


def test_another_error_is_recorded_before_the_bars_are_known(ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.record(strategy()):
        raise ZeroDivisionError("division by zero")
    (row,) = ledger.rows()
    assert (row.status, row.error) == ("failed", "ZeroDivisionError")
    assert (row.problem, row.targets, row.first) == ("division by zero", None, None)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_is_recorded_and_raised(ledger, raised: type[BaseException]) -> None:
    with pytest.raises(raised), ledger.record(strategy()):
        raise raised
    assert [row.status for row in ledger.rows()] == ["interrupted"]


def test_a_run_that_ends_without_a_result_has_failed(ledger) -> None:
    with ledger.record(strategy()):
        pass
    (row,) = ledger.rows()
    assert (row.status, row.problem) == ("failed", "the run ended without a result")


def test_an_error_after_the_outcome_does_not_change_it(ledger) -> None:
    def run() -> None:
        with ledger.record(strategy()) as entry:
            entry.set_data_scope(data_scope())
            entry.finish(outcome())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert [row.status for row in ledger.rows()] == ["finished"]


def test_an_interrupt_right_after_the_outcome_was_written_changes_nothing(
    ledger, monkeypatch
) -> None:
    transaction = ledger_module.ledger_transaction

    @contextmanager
    def interrupted_after_the_outcome(path, **options):
        with transaction(path, **options) as connection:
            yield connection
        if ledger.rows()[0].status == "finished":
            monkeypatch.setattr(ledger_module, "ledger_transaction", transaction)
            raise KeyboardInterrupt

    monkeypatch.setattr(ledger_module, "ledger_transaction", interrupted_after_the_outcome)
    with pytest.raises(KeyboardInterrupt):
        finished(ledger.path)
    assert [row.status for row in ledger.rows()] == ["finished"]


def test_a_run_in_progress_is_running(ledger) -> None:
    with ledger.record(strategy()) as entry:
        assert [row.status for row in ledger.rows()] == ["running"]
        entry.set_data_scope(data_scope())
        entry.finish(outcome())


def test_rows_are_selected_by_an_sql_condition(ledger) -> None:
    finished(ledger.path, 0)
    finished(ledger.path, 1, name="other")
    assert [row.number for row in ledger.rows("name = ?", ("other",))] == [2]


def test_a_run_goes_on_with_a_notice_when_the_ledger_cannot_be_written(
    tmp_path,
) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    listener = Listener()
    with Ledger(tmp_path / "ledger.sqlite").record(strategy(), progress=listener) as entry:
        assert entry.number is None
        entry.set_data_scope(data_scope())
        assert entry.collect_trials(returns()) is None
        entry.finish(outcome())
    assert [notice.partition(":")[0] for notice in listener.notices] == [
        "this run is not counted",
        "the trials before this run are not counted",
    ]
    assert "ledger.sqlite" in listener.notices[0]


def test_a_home_that_cannot_be_created_gives_notices_and_unknown_trials(tmp_path) -> None:
    (tmp_path / "file").touch()
    listener = Listener()
    with Ledger(tmp_path / "file" / "home" / "ledger.sqlite").record(
        strategy(), progress=listener
    ) as entry:
        entry.set_data_scope(data_scope())
        trials = entry.collect_trials(returns())
    assert trials is None
    assert len(listener.notices) == 2


def test_a_damaged_ledger_stops_a_run_before_any_work(ledger) -> None:
    ledger.path.write_bytes(b"no database at all " * 300)
    with pytest.raises(LedgerError, match="damaged"), ledger.record(strategy()):
        pytest.fail("the run began")


def test_a_ledger_damaged_during_a_run_gives_only_a_notice(ledger) -> None:
    listener = Listener()
    with ledger.record(strategy(), progress=listener) as entry:
        ledger.path.write_bytes(b"no database at all " * 300)
        entry.set_data_scope(data_scope())
        assert entry.collect_trials(returns()) is None
        entry.finish(outcome())
    assert len(listener.notices) == 3
    assert all("damaged" in notice for notice in listener.notices)


def test_an_interrupt_does_not_wait_long_for_other_writers(ledger, monkeypatch) -> None:
    monkeypatch.setattr(ledger_module, "INTERRUPT_TIMEOUT_S", 0.05)
    listener = Listener()

    def run() -> None:
        with (
            closing(sqlite3.connect(ledger.path, isolation_level=None)) as other,
            ledger.record(strategy(), progress=listener),
        ):
            other.execute("BEGIN IMMEDIATE")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert "locked" in listener.notices[0]


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
