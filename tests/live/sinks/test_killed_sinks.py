"""A process that is killed at any moment loses no message, and sends again with the same key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.live.sinks.journals import MARKER, decide, make_account
from tests.servers.receiver import receive

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("sink_process.py")
DECISIONS, KILLS = 40, 8

pytestmark = pytest.mark.slow


@contextmanager
def sink_process(journal: Path) -> Iterator[subprocess.Popen[str]]:
    """The running sinks; they end by themselves, where they still run at the end."""
    with subprocess.Popen(
        [sys.executable, PROGRAM, journal],
        env=os.environ | {"PYTHONPATH": str(ROOT), "HOOK_KEY": MARKER},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr.readline() == "running\n"
        try:
            yield process
        finally:
            process.communicate(timeout=60)


def test_a_message_that_was_sent_and_not_recorded_is_sent_again_with_the_same_key(
    tmp_path,
) -> None:
    with receive() as receiver:
        hook = {"kind": "webhook", "url": receiver.url, "secret_env": "HOOK_KEY"}
        journal = make_account(tmp_path, sinks=[hook])
        with sink_process(journal) as process:
            receiver.behaviours = [process.kill]
            decide(journal, 0)
            receiver.wait_for(1)
        for _ in range(2):
            with sink_process(journal):
                pass
        first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert json.loads(first.body)["key"] == first.headers["idempotency-key"]


def test_a_process_ends_although_its_sinks_hang(tmp_path) -> None:
    with receive() as hook, receive() as channel:
        hook.behaviours, channel.behaviours = ["hang"], ["drip headers"]
        address = tmp_path / "address"
        address.write_text(f"json://127.0.0.1:{channel.port}/")
        address.chmod(0o600)
        journal = make_account(
            tmp_path,
            sinks=[
                {"kind": "webhook", "url": hook.url, "secret_env": "HOOK_KEY", "timeout_s": 60},
                {"kind": "apprise", "url_file": str(address), "events": ["decision"]},
                {"kind": "stdout"},
            ],
        )
        with sink_process(journal) as process:
            for number in range(150):  # more than a pipe holds, which nobody reads
                decide(journal, number)
            hook.wait_for(1)
            channel.wait_for(1)
            process.stdin.close()
            assert process.wait(60) == 0
            process.stdin = None  # closed


def test_kills_at_any_moment_leave_each_line_once_and_lose_no_request(tmp_path) -> None:
    rng = np.random.default_rng(3)
    file = tmp_path / "signals.jsonl"
    with receive() as receiver:
        journal = make_account(
            tmp_path,
            sinks=[
                {"kind": "file", "path": str(file)},
                {"kind": "webhook", "url": receiver.url, "secret_env": "HOOK_KEY"},
            ],
        )
        with sink_process(journal):
            pass
        for number in range(DECISIONS):
            decide(journal, number)
        for kill in range(KILLS):
            with sink_process(journal) as process:
                count = len(receiver.requests) + int(rng.integers(1, DECISIONS // KILLS))
                receiver.wait_for(min(count, DECISIONS + kill))
                process.kill()
        with sink_process(journal):
            pass
        sent = receiver.keys
    lines = [json.loads(line)["key"] for line in file.read_text().splitlines()]
    assert len(lines) == DECISIONS
    assert lines == sorted(set(lines))
    assert sorted(set(sent)) == lines
    assert len(sent) <= DECISIONS + KILLS
    assert sent == sorted(sent)
