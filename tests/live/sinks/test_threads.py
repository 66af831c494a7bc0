"""A sink that is slow, down or broken is late, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import UsageError
from engine.live.sinks.config import FileSinkSpec, WebhookSinkSpec
from engine.live.sinks.threads import SinkThreads
from tests.live.sinks.journals import MARKER, decide, make_account, make_clock
from tests.servers.receiver import receive

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.sinks.config import SinkSpec

KEY = {"KEY": MARKER}


@pytest.fixture
def path(tmp_path) -> Path:
    return make_account(tmp_path)


def webhook(url: str, name: str = "hook") -> WebhookSinkSpec:
    return WebhookSinkSpec(name=name, url=url, secret_env="KEY", timeout_s=60)


def start(path: Path, *specs: SinkSpec, notices: list[str] | None = None) -> SinkThreads:
    notify = ([] if notices is None else notices).append
    return SinkThreads(path, "demo", specs, make_clock(), notify, KEY)


def test_others_go_on_while_one_hangs_and_so_does_the_account(path) -> None:
    with receive() as stuck, receive() as working:
        stuck.behaviours.append("hang")
        sinks = start(path, webhook(stuck.url, "stuck"), webhook(working.url, "working"))
        decide(path, 0)
        sinks.wake()
        stuck.wait_for(1)
        for number in range(1, 4):
            decide(path, number)
            sinks.wake()
        working.wait_for(4)
        sinks.close(limit_s=0.1)
        assert len(stuck.requests) == 1


def test_the_end_sends_what_is_due(path, tmp_path) -> None:
    with start(path, FileSinkSpec(path=str(tmp_path / "signals.jsonl"))):
        decide(path, 0)
    (line,) = (tmp_path / "signals.jsonl").read_text().splitlines()
    assert json.loads(line)["account"] == "demo"


def test_the_end_waits_no_longer_than_it_is_told(path) -> None:
    with receive() as stuck:
        stuck.behaviours.append("hang")
        sinks = start(path, webhook(stuck.url))
        decide(path, 0)
        sinks.wake()
        stuck.wait_for(1)
        sinks.finish(limit_s=0.1)
        sinks.close(limit_s=1_000)
    assert len(stuck.requests) == 1


def test_what_was_decided_without_the_sinks_is_sent_when_they_are_back(path, tmp_path) -> None:
    spec = FileSinkSpec(path=str(tmp_path / "signals.jsonl"))
    start(path, spec).close()
    decide(path, 0)
    decide(path, 1)
    start(path, spec).close()
    assert len((tmp_path / "signals.jsonl").read_text().splitlines()) == 2


def test_a_sink_that_cannot_be_opened_is_told_before_any_is_started(path, tmp_path) -> None:
    spec = WebhookSinkSpec(url="https://example.com/", secret_env="NOT_SET")
    with pytest.raises(UsageError, match="NOT_SET"):
        start(path, FileSinkSpec(path=str(tmp_path / "signals.jsonl")), spec)


def test_a_key_that_can_be_guessed_is_refused(path) -> None:
    spec = WebhookSinkSpec(url="https://example.com/", secret_env="SHORT")
    with pytest.raises(UsageError, match="too short"):
        SinkThreads(path, "demo", [spec], make_clock(), [].append, {"SHORT": "guess"})
