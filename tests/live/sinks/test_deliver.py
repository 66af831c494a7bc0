"""Every message once and in order, whatever fails; attempts outlive the process."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import JournalError
from engine.live.sinks.deliver import deliver_pending, retry_delay_s
from engine.live.sinks.outbox import Outbox
from engine.live.sinks.sink import DeliveryError
from tests.hypothesis_examples import examples
from tests.live.sinks.journals import (
    RecordingSink,
    bar,
    decide,
    file_size_limit,
    happen,
    make_account,
    make_clock,
)

if TYPE_CHECKING:
    from pathlib import Path

ALL = ("decision", "order", "alert")


class Deliveries:
    """The deliveries of one sink of the account `demo`; each round is a process of its own."""

    def __init__(self, path: Path, events: tuple[str, ...] = ALL, attempts: int = 4) -> None:
        self.path, self.events, self.attempts = path, events, attempts
        self.clock, self.notices = make_clock(), []
        with closing(self.outbox()) as outbox:
            outbox.begin(self.clock.now())

    def outbox(self) -> Outbox:
        return Outbox(self.path, "demo", "hook", self.events)

    def round(self, sink: RecordingSink, outbox: Outbox | None = None) -> pd.Timestamp | None:
        with nullcontext(outbox) if outbox else closing(self.outbox()) as opened:
            return deliver_pending(
                opened,
                sink,
                attempts=self.attempts,
                clock=self.clock,
                rng=np.random.default_rng(7),
                notify=self.notices.append,
            )

    def pass_time(self, seconds: float) -> None:
        self.clock.time += pd.Timedelta(seconds=seconds)

    def dead_keys(self) -> list[str]:
        with closing(self.outbox()) as outbox:
            return [each.message.key for each in outbox.dead()]


@pytest.fixture
def path(tmp_path) -> Path:
    return make_account(tmp_path)


def key(number: int) -> str:
    return f"demo/{bar(number).isoformat(timespec='microseconds')}/decision"


def test_each_decision_is_one_message_in_order(path) -> None:
    deliveries, sink = Deliveries(path), RecordingSink()
    decide(path, 0)
    decide(path, 1, 0.4, places_order=True)
    assert deliveries.round(sink) is None
    assert sink.keys == [key(0), key(1)]
    decide(path, 2)
    deliveries.round(sink)
    assert sink.keys == [key(0), key(1), key(2)]


def test_a_message_says_what_was_decided_and_when_it_is_filled(path) -> None:
    deliveries, sink = Deliveries(path), RecordingSink()
    decide(path, 4, 0.4, places_order=True)  # a Friday
    deliveries.round(sink)
    (message,) = sink.taken
    assert (message.symbols[0].target_weight, message.symbols[0].held_weight) == (0.4, 0.25)
    (order,) = message.orders
    assert (order.due, order.price) == ("2026-01-12T00:00:00.000000+00:00", "open")
    assert message.equity == 51_000.0
    assert "A: buy, from 25.0 % to 40.0 % of the equity, at the open of 2026-01-12" in message.text
    assert message.text.endswith("No order is sent to a market.")


def test_a_sink_is_told_what_it_asks_for(path) -> None:
    orders, alerts = Deliveries(path, ("order",)), Deliveries(path, ("alert",))
    decide(path, 0)
    decide(path, 1, 0.4, places_order=True)
    happen(path, "trained", 1)
    happen(path, "missed", 2)
    for deliveries, kinds in ((orders, ["decision"]), (alerts, ["alert"])):
        sink = RecordingSink()
        deliveries.round(sink)
        assert [message.kind for message in sink.taken] == kinds


@pytest.mark.parametrize(
    ("kind", "detail", "sentence"),
    [
        ("clock", {"seconds": 7200}, "clock, bar 2026-01-05: the clock was set back by 7,200 s. "),
        ("error", {"problem": "no answer"}, "error, bar 2026-01-05: no answer. "),
        # A detail that another version of the engine wrote does not hold back what follows.
        ("missed", {"bars": 3}, 'missed, bar 2026-01-05: {"bars": 3}. '),
        ("error", {"problem": "x" * 9_000}, "xxx.... No order"),
    ],
)
def test_an_alert_is_a_sentence(path, kind, detail, sentence) -> None:
    deliveries, sink = Deliveries(path), RecordingSink()
    happen(path, kind, 0, detail)
    deliveries.round(sink)
    (message,) = sink.taken
    assert sentence in message.text
    assert len(message.text) < 1_000
    assert message.detail == detail


def test_a_new_sink_is_not_told_the_past(path) -> None:
    decide(path, 0)
    happen(path, "missed", 0)
    deliveries, sink = Deliveries(path), RecordingSink()
    decide(path, 1)
    deliveries.round(sink)
    assert sink.keys == [key(1)]


def test_a_message_that_is_not_taken_holds_back_the_later_ones_and_is_tried_when_due(path) -> None:
    deliveries = Deliveries(path)
    decide(path, 0)
    decide(path, 1)
    sink = RecordingSink([DeliveryError("HTTP 503")])
    due = deliveries.round(sink)
    assert sink.taken == []
    assert deliveries.clock.now() < due
    assert deliveries.round(sink) == due  # not yet
    assert sink.taken == []
    deliveries.clock.time = due
    assert deliveries.round(sink) is None
    assert sink.keys == [key(0), key(1)]


def test_the_receiver_may_ask_for_a_longer_pause(path) -> None:
    deliveries = Deliveries(path)
    decide(path, 0)
    due = deliveries.round(RecordingSink([DeliveryError("HTTP 429", retry_after_s=90.0)]))
    assert due == deliveries.clock.now() + pd.Timedelta(seconds=90)


def test_after_the_last_attempt_a_message_is_a_dead_letter_and_the_next_one_is_sent(path) -> None:
    deliveries = Deliveries(path, attempts=3)
    decide(path, 0)
    decide(path, 1)
    sink = RecordingSink([DeliveryError("HTTP 503")] * 3)
    for _ in range(3):
        deliveries.round(sink)
        deliveries.pass_time(3600)
    assert sink.keys == [key(1)]
    assert deliveries.dead_keys() == [key(0)]
    assert "backtest paper resend demo --sink hook" in deliveries.notices[-1]


def test_a_refused_message_is_a_dead_letter_at_once(path) -> None:
    deliveries = Deliveries(path)
    decide(path, 0)
    decide(path, 1)
    sink = RecordingSink([DeliveryError("HTTP 400", permanent=True)])
    deliveries.round(sink)
    assert (sink.keys, deliveries.dead_keys()) == ([key(1)], [key(0)])


def test_an_error_of_a_sink_is_a_failed_attempt(path) -> None:
    deliveries = Deliveries(path)
    decide(path, 0)
    deliveries.round(RecordingSink([RuntimeError("text of a channel")]))
    assert deliveries.notices == [
        "account demo, sink hook: not delivered, the sink failed (RuntimeError); it is tried again"
    ]


def test_a_clock_that_is_set_back_does_not_stop_the_attempts(path) -> None:
    deliveries = Deliveries(path)
    decide(path, 0)
    sink = RecordingSink([DeliveryError("HTTP 503")])
    deliveries.round(sink)
    deliveries.pass_time(-30 * 86_400)
    deliveries.round(sink)
    assert sink.keys == [key(0)]


def test_a_message_that_was_taken_and_could_not_be_recorded_is_not_sent_again(path) -> None:
    deliveries, sink = Deliveries(path), RecordingSink()
    decide(path, 0)
    with closing(deliveries.outbox()) as outbox:
        with file_size_limit(1), pytest.raises(JournalError):
            deliveries.round(sink, outbox)
        deliveries.round(sink, outbox)
    deliveries.round(sink)
    assert sink.keys == [key(0)]


@given(number=st.integers(1, 50), seed=st.integers(0, 2**32))
def test_the_pause_doubles_up_to_ten_minutes(number, seed) -> None:
    longest = min(2.0 ** (number - 1), 600.0)
    assert longest / 2 <= retry_delay_s(number, np.random.default_rng(seed)) <= longest


@pytest.mark.slow  # each of the examples is a journal of its own
@examples(25)
@given(outcomes=st.lists(st.sampled_from(["taken", "later", "never"]), max_size=12))
def test_every_message_is_taken_in_order_or_is_a_dead_letter(outcomes, tmp_path_factory) -> None:
    path = make_account(tmp_path_factory.mktemp("home"))
    deliveries = Deliveries(path, attempts=3)
    kinds = {
        "later": DeliveryError("HTTP 503"),
        "never": DeliveryError("HTTP 400", permanent=True),
    }
    sink = RecordingSink()
    for number in range(4):
        decide(path, number)
    for outcome in outcomes:
        if outcome in kinds:
            sink.failures.append(kinds[outcome])
        deliveries.round(sink)
        deliveries.pass_time(3600)
    for _ in range(20):
        deliveries.round(sink)
        deliveries.pass_time(3600)
    assert sink.keys == sorted(sink.keys)
    assert sorted([*sink.keys, *deliveries.dead_keys()]) == [key(number) for number in range(4)]
