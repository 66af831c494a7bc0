"""A decided bar as a line, for the process that runs the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.live.event_text import describe_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.live.journal.journal import JournalEntry
    from engine.live.paper.account_runner import AccountRunner

MAX_LINES = 20
"""Bars that came together and are told one by one; of more the newest alone."""

_FORMAT = "%Y-%m-%d %H:%M"


def describe_waiting(runner: AccountRunner) -> str:
    """What an account does when a process takes it."""
    name, newest = runner.account.name, runner.newest
    following = next(iter(runner.times.following(newest, 1)), None)
    text = f"{name}: continues after the bar {newest:{_FORMAT}}"
    if following is None:
        return text
    complete = runner.times.is_complete_at(following.bar)
    return f"{text}; the next, {following.bar:{_FORMAT}}, is complete at {complete:{_FORMAT}} UTC"


def describe_entries(entries: Sequence[JournalEntry], capital: float) -> Iterator[str]:
    """A line for each bar, and one for each of its events."""
    if len(entries) > MAX_LINES:
        first, last = entries[0].decision, entries[-1].decision
        yield f"{first.account}: {len(entries):,} bars decided, {first.bar:{_FORMAT}} to " + (
            f"{last.bar:{_FORMAT}}"
        )
        entries = entries[-1:]
    for entry in entries:
        yield _describe_entry(entry, capital)
        for event in entry.events:
            yield f"{entry.decision.account}: {event.kind}: " + describe_event(
                event.kind, event.detail
            )


def _describe_entry(entry: JournalEntry, capital: float) -> str:
    decision = entry.decision
    parts = [f"{decision.account}: {decision.bar:{_FORMAT}}"]
    parts += [
        f"{fill.side} {capital * fill.size:,.6g} {fill.symbol} at {fill.price:,.6g}"
        for fill in entry.fills
    ]
    parts += [
        f"order {order.status}: {order.symbol} to {100 * order.target_weight:.1f} %"
        for order in entry.orders
    ]
    parts.append(f"equity {capital * entry.equity.equity:,.2f}")
    return ", ".join(parts)
