"""Texts about one account that both pages show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.reporting import formatting
from engine.reporting.site import ACCOUNTS_URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reporting.accounts.figures import AccountFigures, EventFigures

MAX_LISTED_SYMBOLS = 4
"""Symbols named in a line; the others are counted."""


MAX_EVENT_CHARACTERS = 400

EVENT_LABELS = {
    "started": "Started",
    "resumed": "Resumed",
    "stopped": "Stopped",
    "missed": "Orders missed",
    "late": "Bars late",
    "absent": "Bars absent",
    "revision": "Bar revised",
    "difference": "Differs from the backtest",
    "comparison": "Compared with the backtest",
    "trained": "Models fitted",
    "clock": "Clock set",
    "error": "Error",
    "silent": "No bars come",
}


@dataclass(frozen=True)
class EventText:
    """One event as text: when, what, about which bar, and what more is known."""

    at: str
    label: str
    bar: str
    detail: str
    is_alert: bool


@dataclass(frozen=True)
class AccountText:
    """The state of an account as text.

    Attributes:
        name: Its name.
        url: Address of its page.
        strategy: Name of the strategy.
        facts: Dataset, interval, calendar, start.
        state: `stopped`, `overdue`, `idle` or `running`: a CSS class too.
        state_label: The same in words.
        equity: Money.
        total_return: Since the start, signed.
        gained: `gain`, `loss` or empty.
        cash: Money.
        decided_bar: Newest bar that was decided.
        decided: `decided`, `decided late` or `no decision yet`.
        decided_at: When; empty before the first decision.
        targets: Target weights in one line.
        held: Weights held, in one line.
        newest_bar: Newest bar known.
        age: How long ago that ended.
        due: Whether the next bar is expected, due or overdue.
        due_at: When it has to be there; empty where none is expected.
        counts: Decisions, late and missed bars, revisions, differences: label and number.
        alerts: Newest alerts.
        certified_by: Id of the run that tested the strategy.
        run_url: Its page; empty where there is none.
    """

    name: str
    url: str
    strategy: str
    facts: tuple[str, ...]
    state: str
    state_label: str
    equity: str
    total_return: str
    gained: str
    cash: str
    decided_bar: str
    decided: str
    decided_at: str
    targets: str
    held: str
    newest_bar: str
    age: str
    due: str
    due_at: str
    counts: tuple[tuple[str, str], ...]
    alerts: tuple[EventText, ...]
    certified_by: str
    run_url: str


def account_url(name: str) -> str:
    """Address of the page of an account on the server."""
    return f"{ACCOUNTS_URL}accounts/{quote(name, safe='')}"


def describe_account(account: AccountFigures) -> AccountText:
    """All texts of an account."""
    change = 100.0 * (account.equity / account.capital - 1.0)
    state, label = _state(account)
    return AccountText(
        name=account.name,
        url=account_url(account.name),
        strategy=account.strategy,
        facts=_facts(account),
        state=state,
        state_label=label,
        equity=formatting.MONEY(account.equity),
        total_return=formatting.SIGNED_FINE_PERCENT(change),
        gained="gain" if change > 0 else "loss" if change < 0 else "",
        cash=formatting.MONEY(account.cash),
        decided_bar=formatting.timestamp(account.decided_bar),
        decided=_decided(account),
        decided_at=formatting.instant(account.decided_at) if account.decided_at else "",
        targets=weights_line({each.symbol: each.target_weight for each in account.symbols}),
        held=weights_line({each.symbol: each.held_weight for each in account.symbols}),
        newest_bar=formatting.timestamp(account.newest_bar),
        age=formatting.age(account.age_s),
        due=_due(account),
        due_at=formatting.instant(account.due_at)
        if account.due_at is not None and not account.stopped
        else "",
        counts=_counts(account),
        alerts=tuple(describe_event(event) for event in account.alerts),
        certified_by=account.certified_by,
        run_url=account.run_url,
    )


def describe_event(event: EventFigures) -> EventText:
    """An event as text; a kind that is not known here has its own name as label."""
    left_out = len(event.text) - MAX_EVENT_CHARACTERS
    text = (
        event.text
        if left_out <= 0
        else f"{event.text[:MAX_EVENT_CHARACTERS]}\N{HORIZONTAL ELLIPSIS}"
    )
    return EventText(
        at=formatting.instant(event.at),
        label=EVENT_LABELS.get(event.kind, event.kind.replace("_", " ").capitalize()),
        bar=formatting.timestamp(event.bar) if event.bar is not None else "",
        detail=formatting.typeset(text),
        is_alert=event.is_alert,
    )


def weights_line(weights: Mapping[str, float]) -> str:
    """Weights of several symbols in one line, the largest first; flat ones are left out."""
    if not weights:
        return formatting.MISSING
    held = sorted(
        ((symbol, weight) for symbol, weight in weights.items() if weight),
        key=lambda pair: -abs(pair[1]),
    )
    if not held:
        return "flat"
    line = ", ".join(f"{symbol} {percent(weight)}" for symbol, weight in held[:MAX_LISTED_SYMBOLS])
    left_out = len(held) - MAX_LISTED_SYMBOLS
    return f"{line} and {left_out} more" if left_out > 0 else line


def percent(fraction: float | None) -> str:
    """A fraction as a signed percentage; `MISSING` where there is none."""
    return formatting.PERCENT(None if fraction is None else 100.0 * fraction)


def basis_points(fraction: float | None) -> str:
    """A fraction in basis points, signed."""
    return formatting.SIGNED_BPS(None if fraction is None else 10_000.0 * fraction)


def _state(account: AccountFigures) -> tuple[str, str]:
    if account.stopped:
        return "stopped", "Stopped"
    if account.overdue_s is not None:
        return "overdue", f"No bar for {formatting.age(account.age_s)}"
    if not account.process:
        return "idle", "No process runs it"
    return "running", "Running"


def _facts(account: AccountFigures) -> tuple[str, ...]:
    offline = " (offline)" if account.offline else ""
    return (
        f"{account.dataset}{offline}",
        f"bars of {account.interval}, calendar {account.calendar}",
        f"started {formatting.timestamp(account.created_at.floor('min'))} UTC with "
        f"{formatting.MONEY(account.capital)}",
    )


def _decided(account: AccountFigures) -> str:
    if account.decided_at is None:
        return "no decision yet"
    return "decided late" if account.decided_late else "decided"


def _due(account: AccountFigures) -> str:
    if account.stopped:
        return "stopped: no bar is expected"
    if account.due_at is None:
        return "the calendar does not say when the next one is due"
    if account.overdue_s is None:
        return "next one due by"
    return f"next one overdue for {formatting.age(account.overdue_s)}, since"


def _counts(account: AccountFigures) -> tuple[tuple[str, str], ...]:
    events = account.event_counts
    counts = {
        "decisions": account.decision_count,
        "late bars": account.late_bars,
        "absent bars": account.absent_bars,
        "missed orders": account.missed_orders,
        "revisions": events.get("revision", 0),
        "differences": events.get("difference", 0),
        "errors": events.get("error", 0),
    }
    if account.sinks:
        counts["failed deliveries"] = sum(sink.dead_letters for sink in account.sinks)
    return tuple((label, formatting.COUNT(count)) for label, count in counts.items())
