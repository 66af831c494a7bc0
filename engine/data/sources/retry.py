"""Repeats a request that failed, with pauses, and reads the pause that a server asks for."""

from __future__ import annotations

import math
import random
import re
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
    """Returns the result of `request`, with a retry after each pause while that may help.

    Args:
        request: Sends the request once.
        should_retry: Whether a retry may help after this error.
        clients: The pauses and their jitter.
        requested_pause_s: Pause in seconds that the server requested with this error; a shorter
            pause is lengthened to it.
        deadline: Latest time on the monotonic clock. A pause that would end after it is not
            started, and the error is raised.
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
    """The longer of the two pauses, plus a random share of `pause` up to `jitter`."""
    # This randomness changes no figure of a run, so it takes no seed.
    return max(pause, requested or 0.0) + jitter * pause * random.random()


def parse_retry_after(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header requests; None without a header or with an invalid one.

    Args:
        header: Whole seconds, or an HTTP date (RFC 9110, section 10.2.3).
        now: The instant from which a date is counted; the present if None.
    """
    if header is None:
        return None
    if re.fullmatch("[0-9]{1,15}", header.strip()):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
