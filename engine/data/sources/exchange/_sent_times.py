"""The times that a request for candles asks for, read from the request as it was sent.

ccxt decides which window of time it asks an exchange for, and its `features` often name another
one. The request itself is the one place where the window stands.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote_plus

_NUMBER = re.compile(r"(?<![\d.])\d{10,19}(?!\d)")
_DATE = re.compile(r"(?<!\d)(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):(\d\d):(\d\d))?(?![\d])")

_EARLIEST_MS = 946_684_800_000  # 2000-01-01
_LATEST_MS = 4_102_444_800_000  # 2100-01-01

_PER_MS = (1_000, 1, 1e-3, 1e-6)
"""Milliseconds in a unit of numbers that count seconds, milli-, micro- or nanoseconds."""


def parse_sent_times(request: str) -> tuple[int, ...]:
    """Every time in a request, in milliseconds since 1970, ascending, each once.

    Args:
        request: Address and body. Times are numbers since 1970 in seconds to nanoseconds, and
            dates (`2024-01-02T00:00:00`, `20240102`).
    """
    text = unquote_plus(request.partition("://")[2].partition("/")[2] or request)
    times = set()
    for number in _NUMBER.findall(text):
        candidates = (int(int(number) * factor) for factor in _PER_MS)
        times |= {time for time in candidates if _EARLIEST_MS <= time < _LATEST_MS}
    for match in _DATE.finditer(text):
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        try:
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            continue
        times.add(int(moment.timestamp()) * 1_000)
    return tuple(sorted(time for time in times if _EARLIEST_MS <= time < _LATEST_MS))
