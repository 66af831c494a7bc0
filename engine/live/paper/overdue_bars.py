"""Whether the accounts that looked for bars once have the newest one that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import StaleBarsError
from engine.live.freshness import format_age
from engine.live.paper.stored_documents import schedule_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.live.clock import Clock
    from engine.live.journal.reader import JournalReader

_FORMAT = "%Y-%m-%d %H:%M"
_MAX_TOLD = 5


def require_newest_bars(reader: JournalReader, names: Iterable[str], clock: Clock) -> None:
    """Refuses accounts that lack a bar which is complete by the calendar for the grace time.

    Whatever the reason is: no network, a file that is empty or ends with old rows, a symbol
    without a bar. Accounts on standard input are left out, which has what it was given.

    Args:
        reader: The journal.
        names: Accounts whose feeds were asked.
        clock: The time.

    Raises:
        StaleBarsError: A bar is overdue.
        JournalError: The journal cannot be read.
    """
    told = [(name, text) for name in names if (text := _find_overdue(reader, name, clock.now()))]
    if not told:
        return
    accounts = ", ".join(name for name, _ in told[:_MAX_TOLD])
    left_out = len(told) - _MAX_TOLD
    raise StaleBarsError(
        "bars that are due could not be had",
        expected="the newest bar that is complete by the calendar of the dataset",
        found="; ".join(text for _, text in told[:_MAX_TOLD]),
        where=f"account {accounts}" + (f" and {left_out} more" if left_out > 0 else ""),
        fix="look whether its source has them, and run again when it does",
    )


def _find_overdue(reader: JournalReader, name: str, now: pd.Timestamp) -> str:
    """A sentence about the first bar that is overdue; nothing where none is."""
    account, newest = reader.account(name), reader.newest(name)
    settings = settings_of(account)
    if settings.feed.kind == "stdin":
        return ""
    times = schedule_of(account)
    last = account.history_last if newest is None else newest.bar
    following = next(iter(times.following(last, 1)), None)
    if following is None:
        return ""
    complete_at = times.is_complete_at(following.bar)
    if now <= complete_at + pd.Timedelta(seconds=settings.grace_s):
        return ""
    return (
        f"{name}: the bar {following.bar:{_FORMAT}} of {account.dataset} has been complete for "
        f"{format_age(now - complete_at)}, and has not come"
    )
