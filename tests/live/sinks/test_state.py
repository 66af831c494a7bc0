"""The status of an account says how its sinks stand, and changes nothing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.live.sinks.config import WebhookSinkSpec
from engine.live.sinks.outbox import Attempt, Outbox
from engine.live.sinks.state import read_sink_states
from tests.live.sinks.journals import MARKER, decide, give_up, make_account, make_clock

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.sinks.state import SinkState

SPEC = WebhookSinkSpec(name="hook", url="https://example.com/signals", secret_env="KEY")


@pytest.fixture
def path(tmp_path) -> Path:
    return make_account(tmp_path)


def state_of(path: Path) -> SinkState:
    (state,) = read_sink_states(path, "demo", [SPEC])
    return state


def test_before_the_first_message(path) -> None:
    state = state_of(path)
    assert (state.delivered_at, state.failing, state.dead_letters) == (None, "", 0)
    assert (state.kind, state.target) == ("webhook", "webhook https://example.com/...")
    assert MARKER not in repr(state)


def test_what_was_taken_and_what_was_given_up_and_what_fails_now(path) -> None:
    now = make_clock().now()
    give_up(path, range(2), "hook")
    with closing(Outbox(path, "demo", "hook", SPEC.events)) as outbox:
        decide(path, 2)
        outbox.record(outbox.next_pending(), Attempt(1, now, "delivered"))
        decide(path, 3)
        later = now + pd.Timedelta(minutes=1)
        outbox.record(outbox.next_pending(), Attempt(1, later, "failed", "HTTP 503", later))
        state = state_of(path)
        assert state.delivered_at == now.isoformat()
        assert (state.failing, state.dead_letters) == ("HTTP 503", 2)
        outbox.record(outbox.next_pending(), Attempt(2, later, "delivered"))
        outbox.record(outbox.dead()[0], Attempt(11, later, "delivered"))
    assert (state_of(path).failing, state_of(path).dead_letters) == ("", 1)
