"""Many processes at one ledger, and those that are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.trials import Ledger
from engine.trials.ledger_rows import read_rows
from engine.trials.liveness import PROC_ROOT, host_name, process_start_token, process_state
from tests.trials.factories import finished

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from engine.trials import ledger_schema
from tests.trials.factories import finished
ledger_schema.SYNCHRONOUS = "OFF"
for number in range(int(sys.argv[3])):
    finished(Path(sys.argv[1]), 1000 * int(sys.argv[2]) + number)
"""
WAITING = """
import sys, time
from pathlib import Path
from engine.trials import Ledger
from tests.trials.factories import data_scope, strategy
with Ledger(Path(sys.argv[1])).record(strategy()) as entry:
    entry.set_data_scope(data_scope())
    print("ready", flush=True)
    time.sleep(60)
"""

BROKEN_OFF = """
import os, signal, sys
from pathlib import Path
from engine.trials.ledger_schema import ledger_transaction
with ledger_transaction(Path(sys.argv[1])) as connection:
    connection.execute("PRAGMA cache_size = 1")  # so that changed pages go to the file at once
    for number in range(100, 200):
        connection.execute(
            "INSERT INTO runs SELECT ?, started_at, name, configuration, ?, command, engine, "
            "host, pid, process, family FROM runs WHERE number = 1", (number, "x" * 9000)
        )
    os.kill(os.getpid(), signal.SIGKILL)
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_concurrent_writers_lose_no_row(tmp_path) -> None:
    """They make the file at once, too."""
    path = tmp_path / "ledger.sqlite"
    writers = [start(WRITER, path, number, 6) for number in range(3)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    rows = read_rows(path)
    assert [row.number for row in rows] == list(range(1, 19))
    assert {row.status for row in rows} == {"finished"}
    assert len({row.configuration for row in rows}) == 18
    assert len(Ledger(path).returns([row.number for row in rows])) == 18


@pytest.mark.slow
def test_a_killed_run_was_running_and_is_interrupted(tmp_path) -> None:
    path = tmp_path / "ledger.sqlite"
    with start(WAITING, path) as waiting:
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "ready\n"
        assert [row.status for row in read_rows(path)] == ["running"]
        waiting.kill()
        waiting.communicate(timeout=30)
    (row,) = read_rows(path)
    assert (row.status, row.targets, row.ended_at) == ("interrupted", ("BTC",), None)


@pytest.mark.slow
def test_a_process_killed_while_writing_leaves_an_intact_ledger(tmp_path) -> None:
    path = tmp_path / "ledger.sqlite"
    finished(path)
    whole = path.stat().st_size
    start(BROKEN_OFF, path).communicate(timeout=30)
    assert path.stat().st_size > whole
    assert (tmp_path / "ledger.sqlite-journal").stat().st_size > 0
    assert [row.number for row in read_rows(path)] == [1]
    finished(path, 1)
    assert [row.number for row in read_rows(path)] == [1, 2]
    assert path.stat().st_size < 2 * whole


def test_this_process_runs() -> None:
    assert process_state(os.getpid(), host_name(), process_start_token(os.getpid())) == "running"


def test_a_reused_process_id_does_not_count() -> None:
    assert process_state(os.getpid(), host_name(), "an earlier boot 123") == "ended"


def test_a_zombie_process_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        marked = process_start_token(child.pid)
        assert process_state(child.pid, host_name(), marked) == "running"
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_state(child.pid, host_name(), marked) == "ended"
    assert process_state(child.pid, host_name(), marked) == "ended"


def test_a_process_of_another_host_is_unknown() -> None:
    assert process_state(os.getpid(), "elsewhere", process_start_token(os.getpid())) == "unknown"
    assert process_state(os.getpid(), host_name(), None) == "unknown"


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="there is no ps to ask")
def test_without_proc_the_start_time_comes_from_ps() -> None:
    nowhere = Path("/nowhere")
    token = process_start_token(os.getpid(), nowhere)
    assert token is not None
    assert token == process_start_token(os.getpid(), nowhere)
    assert token != process_start_token(os.getpid()) or not PROC_ROOT.exists()
    assert process_state(os.getpid(), host_name(), token, nowhere) == "running"
