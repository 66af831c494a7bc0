"""Repeats a request that failed, with pauses, and reads the pause that a server asks for."""

from __future__ import annotations

import math
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.data.sources.client_settings import ClientSettings

T = TypeVar("T")


def _no_requested_pause(_: Exception) -> None:
    return None


def call_with_retries(
    request: Callable[[], T],
    should_retry: Callable[[Exception], bool],
    clients: ClientSettings,
    *,
    requested_pause_s: Callable[[Exception], float | None] = _no_requested_pause,
    deadline: float = math.inf,
) -> T:
    """The answer of `request`, tried once more after each pause while `again(error)` says so.

    Args:
        request: Asks once.
        should_retry: Whether asking again may help after this error.
        clients: The pauses, and how far chance lengthens them.
        requested_pause_s: Seconds for which the server asked, with this error, to be left alone; a
            shorter pause becomes as long.
        deadline: End of the time there is, on the monotonic clock. A pause that would reach beyond
            it is not begun, and the error stands.
    """
    for pause in clients.retry_pauses_s:
        try:
            return request()
        except Exception as error:
            wait = _pause_s(pause, requested_pause_s(error), clients.jitter)
            if not should_retry(error) or time.monotonic() + wait > deadline:
                raise
        time.sleep(wait)
    return request()


def _pause_s(pause: float, requested: float | None, jitter: float) -> float:
    """The longer of the two, and on top of it up to `jitter` of the pause."""
    # Chance is the point here and shapes no figure of a run, so that it has no seed.
    return max(pause, requested or 0.0) + jitter * pause * random.random()


def parse_retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for; None where it asks for none or is no such one.

    Args:
        header: Whole seconds, or an HTTP date (RFC 9110, section 10.2.3).
        now: The instant from which a date is counted; the present one unless given.
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
