"""The texts of `backtest paper status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.cli.terminal import BAD, GOOD, NAME, POOR, styled
from engine.cli.text_table import (
    ASCII_SIGNS,
    TextTableColumn,
    output_width,
    prose_width,
    render_table,
    wrap_text,
)
from engine.core.control_characters import escape_line
from engine.live.event_text import describe_event
from engine.live.freshness import format_age
from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.live.paper.status import PaperStatus
    from engine.live.sinks.state import SinkState

_STATE_COLOURS = {"running": GOOD, "idle": POOR, "stopped": NAME}
_EVENT_COLOURS = {"error": BAD, "difference": POOR, "revision": POOR, "missed": POOR}

NO_ACCOUNTS = "No paper account was started: backtest paper start STRATEGY --account NAME"


def render_statuses(statuses: Sequence[PaperStatus]) -> str:
    """A line for each account."""
    if not statuses:
        return NO_ACCOUNTS
    columns = [
        TextTableColumn(0, "Account", [each.account for each in statuses], align_right=False),
        TextTableColumn(
            0,
            "State",
            [each.state for each in statuses],
            align_right=False,
            colours=[_STATE_COLOURS[each.state] for each in statuses],
        ),
        TextTableColumn(3, "Strategy", [each.strategy for each in statuses], align_right=False),
        TextTableColumn(4, "Since", [formatting.timestamp(each.started_at) for each in statuses]),
        TextTableColumn(
            1, "Newest bar", [formatting.timestamp(each.newest_bar) for each in statuses]
        ),
        TextTableColumn(2, "Age", [_age_of_newest(each) for each in statuses]),
        TextTableColumn(0, "Equity", [formatting.PRICE(each.equity) for each in statuses]),
        TextTableColumn(1, "Return %", [_percent(each.total_return) for each in statuses]),
        TextTableColumn(5, "Orders", [formatting.COUNT(len(each.orders)) for each in statuses]),
        TextTableColumn(6, "Missed", [formatting.COUNT(each.missed_orders) for each in statuses]),
    ]
    return _ascii("\n".join(render_table(columns, output_width())))


def render_status(status: PaperStatus) -> str:
    """One account, its positions, orders and newest events."""
    parts = ["\n".join(wrap_text(line, prose_width()) for line in _sentences(status))]
    if status.positions:
        parts.append("\n".join(render_table(list(_position_columns(status)), output_width())))
    blocks = (_order_lines(status), _sink_lines(status), _event_lines(status))
    parts += ["\n".join(lines) for lines in blocks if lines]
    return _ascii("\n\n".join(parts))


def _sentences(status: PaperStatus) -> Iterator[str]:
    process = f", {status.process}" if status.process else ""
    yield (
        f"{status.account}: {escape_line(status.strategy)} on {escape_line(status.dataset)}, "
        f"{status.state}{process}, since {formatting.timestamp(status.started_at)} UTC"
    )
    yield (
        f"equity {formatting.PRICE(status.equity)} of {formatting.PRICE(status.capital)} "
        f"({_percent(status.total_return)} %), cash {formatting.PRICE(status.cash)}"
    )
    if status.newest_bar is None:
        yield "no bar was decided yet"
    else:
        yield (
            f"decided last: the bar {formatting.timestamp(status.newest_bar)}, which ended "
            f"{_age(status.age_minutes)} ago; "
            f"{formatting.count_of(status.decisions, 'decision')}, "
            f"{status.late_decisions:,} late, "
            f"{formatting.count_of(status.missed_orders, 'missed order')}"
        )
    if status.next_bar_complete_at is not None:
        overdue = status.overdue_minutes
        when = f"overdue by {_age(overdue)}" if overdue >= 1 else "complete at "
        if overdue < 1:
            when += f"{formatting.timestamp(status.next_bar_complete_at)} UTC"
        yield f"next bar: {formatting.timestamp(status.next_bar)}, {when}"
    if status.comparison is not None:
        told = describe_event("comparison", status.comparison.detail)
        yield f"{told} ({formatting.timestamp(status.comparison.at[:16])})"
    if status.problems is not None:
        yield f"journal: {'; '.join(status.problems) or 'its newest bars follow from each other'}"


def _position_columns(status: PaperStatus) -> Iterator[TextTableColumn]:
    held = status.positions
    yield TextTableColumn(0, "Symbol", [each.symbol for each in held], align_right=False)
    yield TextTableColumn(3, "Units", [f"{each.units:,.6g}" for each in held])
    yield TextTableColumn(2, "Close", [formatting.price(each.close) for each in held])
    yield TextTableColumn(0, "Held %", [_percent(each.weight) for each in held])
    yield TextTableColumn(1, "Target %", [_percent(each.target_weight) for each in held])


def _order_lines(status: PaperStatus) -> list[str]:
    return [
        wrap_text(
            f"order (none is sent): {escape_line(order.symbol)} to "
            f"{_percent(order.target_weight)} % of the equity, due at the bar "
            f"{formatting.timestamp(order.due)}, decided on "
            f"{formatting.timestamp(order.decided_on)}",
            prose_width(),
        )
        for order in status.orders
    ]


def _sink_lines(status: PaperStatus) -> list[str]:
    return [wrap_text(_sink_sentence(status, sink), prose_width()) for sink in status.sinks]


def _sink_sentence(status: PaperStatus, sink: SinkState) -> str:
    told = (
        "never" if sink.delivered_at is None else f"{formatting.timestamp(sink.delivered_at)} UTC"
    )
    text = f"sink {sink.name} ({escape_line(sink.target)}): told last {told}"
    if sink.failing:
        text += styled(f"; not delivered: {sink.failing}", POOR)
    if sink.dead_letters:
        letters = formatting.count_of(sink.dead_letters, "dead letter")
        resend = f"backtest paper resend {status.account} --sink {sink.name}"
        text += styled(f"; {letters}", BAD) + f": {resend}"
    return text


def _event_lines(status: PaperStatus) -> list[str]:
    """The newest events, the last first."""
    if not status.events:
        return []
    lines = []
    for event in status.events:
        bar = "" if event.bar is None else f", bar {formatting.timestamp(event.bar)}"
        kind = styled(event.kind, _EVENT_COLOURS.get(event.kind))
        text = f"{pd.Timestamp(event.at):%Y-%m-%d %H:%M:%S} {kind}{bar}: "
        text += escape_line(describe_event(event.kind, event.detail))
        lines.append(wrap_text(text, prose_width() - 2).replace("\n", "\n  "))
    return lines


def _age_of_newest(status: PaperStatus) -> str:
    """Of the bar that was decided last; an account that decided none has none."""
    return formatting.MISSING if status.newest_bar is None else _age(status.age_minutes)


def _age(minutes: float) -> str:
    return format_age(pd.Timedelta(minutes=minutes))


def _percent(fraction: float) -> str:
    return formatting.BARE_PERCENT.without_suffix(100 * fraction)


def _ascii(text: str) -> str:
    return text.translate(ASCII_SIGNS)
