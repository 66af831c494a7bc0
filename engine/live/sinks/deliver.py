"""Sends the pending messages of one sink, with retries that outlive the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.live.sinks.outbox import Attempt
from engine.live.sinks.sink import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from engine.live.clock import Clock
    from engine.live.sinks.outbox import Outbox, Pending
    from engine.live.sinks.sink import Sink

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 600.0
LONGEST_WAIT_S = 3_600.0
"""Longest time between two attempts, also where a receiver asks for more."""


def deliver_pending(
    outbox: Outbox,
    sink: Sink,
    *,
    attempts: int,
    clock: Clock,
    rng: np.random.Generator,
    notify: Callable[[str], None],
) -> pd.Timestamp | None:
    """Sends the pending messages in order, up to the first one that is not taken.

    A message that is not taken is tried again later: after `FIRST_RETRY_S` seconds, then after
    twice as many and so on up to `LONGEST_RETRY_S`, each time multiplied by a random number
    between 1/2 and 1, or when the receiver asks for it. The later messages wait, so that they
    come in order. After the last attempt, or where the receiver refuses the message itself, it
    becomes a dead letter.

    Args:
        outbox: The messages.
        sink: Takes them.
        attempts: Attempts for each message.
        clock: The time.
        rng: For the length of the pauses.
        notify: Receives a line where a message is not taken, and where one is again.

    Returns:
        When the next attempt is due; None where nothing is pending.

    Raises:
        JournalError: The journal cannot be read or written. A message that was taken and could
            not be recorded is recorded before the next one is sent.
    """
    while (pending := outbox.next_pending()) is not None:
        before = outbox.last_attempt(pending.message.key)
        due = _due(before, clock.now())
        if due is not None:
            return due
        number = 1 if before is None else before.number + 1
        attempt = send_once(sink, pending, number, attempts, clock, rng)
        told = _describe(outbox, attempt, attempts)
        if told:
            notify(told)
        outbox.record(pending, attempt)
        if attempt.outcome == "failed":
            return attempt.retry_at
    return None


def send_once(
    sink: Sink,
    pending: Pending,
    number: int,
    attempts: int,
    clock: Clock,
    rng: np.random.Generator,
) -> Attempt:
    """One attempt to deliver a message; what a sink raises becomes the outcome."""
    try:
        sink.send(pending.message, clock.now())
    except DeliveryError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - of a channel of apprise, whose text may have a token
        failure = DeliveryError(f"the sink failed ({type(error).__name__})")
    else:
        return Attempt(number, clock.now(), "delivered")
    now = clock.now()
    if failure.permanent or number >= attempts:
        return Attempt(number, now, "dead", failure.reason)
    wait_s = max(retry_delay_s(number, rng), failure.retry_after_s or 0.0)
    retry_at = now + pd.Timedelta(microseconds=round(1e6 * min(wait_s, LONGEST_WAIT_S)))
    return Attempt(number, now, "failed", failure.reason, retry_at)


def retry_delay_s(number: int, rng: np.random.Generator) -> float:
    """Seconds from the failed attempt `number` to the next one."""
    longest = min(FIRST_RETRY_S * 2.0 ** (number - 1), LONGEST_RETRY_S)
    return longest * float(rng.uniform(0.5, 1.0))


def _due(before: Attempt | None, now: pd.Timestamp) -> pd.Timestamp | None:
    """When the next attempt is due; None where that is now."""
    if before is None or before.retry_at is None:
        return None
    wait = before.retry_at - now
    # Above the longest wait the clock was set back.
    is_waiting = pd.Timedelta(0) < wait <= pd.Timedelta(seconds=LONGEST_WAIT_S)
    return before.retry_at if is_waiting else None


def _describe(outbox: Outbox, attempt: Attempt, attempts: int) -> str:
    """A line about a first failure, a dead letter, or a success after failures; else empty."""
    where = f"account {outbox.account}, sink {outbox.sink}"
    if attempt.outcome == "dead":
        return (
            f"{where}: a message was given up after {attempt.number} of {attempts} attempts: "
            f"{attempt.reason}; backtest paper resend {outbox.account} --sink {outbox.sink}"
        )
    if attempt.outcome == "failed" and attempt.number == 1:
        return f"{where}: not delivered, {attempt.reason}; it is tried again"
    if attempt.outcome == "delivered" and attempt.number > 1:
        return f"{where}: delivered at attempt {attempt.number}"
    return ""
