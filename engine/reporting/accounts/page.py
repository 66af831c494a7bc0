"""The page of one paper account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.accounts import account_texts
from engine.reporting.accounts.equity_chart import account_chart, chart_legend
from engine.reporting.charts.time_chart import chart_data
from engine.reporting.site import render_site_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reporting.accounts.figures import (
        AccountDetail,
        DecisionFigures,
        FillFigures,
        OrderFigures,
        SinkFigures,
        SymbolFigures,
    )


def render_account(detail: AccountDetail) -> str:
    """The page: equity against the cone, the newest signal, orders, decisions, fills, events."""
    return render_site_page(
        "account.html.j2",
        area="accounts",
        version=detail.version,
        linked_styles=True,
        chart_data=chart_data,
        account=account_texts.describe_account(detail.account),
        max_drawdown=formatting.FINE_PERCENT(detail.max_drawdown_pct),
        chart=account_chart(detail),
        legend=chart_legend(detail),
        comparison=account_texts.describe_event(detail.account.comparison)
        if detail.account.comparison
        else None,
        sinks=[_sink_cells(sink) for sink in detail.account.sinks],
        symbols=[_symbol_cells(each) for each in detail.account.symbols],
        orders=[_order_cells(order) for order in detail.account.orders],
        decisions=[_decision_cells(decision) for decision in detail.decisions],
        decisions_shown=_shown(len(detail.decisions), detail.decision_count, "decision"),
        fills=[_fill_cells(fill) for fill in detail.fills],
        fills_shown=_shown(len(detail.fills), detail.fill_count, "fill"),
        events=[account_texts.describe_event(event) for event in detail.events],
        events_shown=_shown(len(detail.events), detail.event_count, "event"),
    )


def _shown(shown: int, count: int, noun: str) -> str:
    if shown == count:
        return f"{formatting.count_of(count, noun)}, newest first."
    return f"The newest {formatting.COUNT(shown)} of {formatting.count_of(count, noun)}."


def _symbol_cells(each: SymbolFigures) -> tuple[str, ...]:
    return (
        each.symbol,
        account_texts.basis_points(each.forecast),
        account_texts.percent(each.target_weight),
        account_texts.percent(each.held_weight),
        formatting.MONEY(each.value),
        formatting.price(each.close),
    )


def _order_cells(order: OrderFigures) -> tuple[str, ...]:
    due = (
        "waits for a bar that trades, at the earliest"
        if order.due_in_bars == 0
        else "at the next bar,"
        if order.due_in_bars == 1
        else f"in {formatting.BARS(order.due_in_bars)},"
    )
    return (
        order.symbol,
        account_texts.percent(order.target_weight),
        formatting.timestamp(order.decided_on),
        f"{due} {formatting.timestamp(order.due)}",
    )


def _decision_cells(decision: DecisionFigures) -> tuple[str, ...]:
    return (
        formatting.timestamp(decision.bar),
        formatting.instant(decision.decided_at) + (", late" if decision.late else ""),
        formatting.MONEY(decision.equity),
        account_texts.weights_line(decision.targets),
        _forecasts(decision.forecasts),
    )


def _forecasts(forecasts: Mapping[str, float | None]) -> str:
    known = [(symbol, value) for symbol, value in forecasts.items() if value is not None]
    if not known:
        return "no fit"
    if len(known) == 1:
        return account_texts.basis_points(known[0][1])
    limit = account_texts.MAX_LISTED_SYMBOLS
    line = ", ".join(
        f"{symbol} {account_texts.basis_points(value)}" for symbol, value in known[:limit]
    )
    left_out = len(known) - limit
    return f"{line} and {left_out} more" if left_out > 0 else line


def _sink_cells(sink: SinkFigures) -> tuple[str, ...]:
    return (
        sink.name,
        sink.target,
        formatting.MISSING if sink.delivered_at is None else formatting.instant(sink.delivered_at),
        formatting.COUNT(sink.dead_letters),
        sink.failing or "no",
    )


def _fill_cells(fill: FillFigures) -> tuple[str, ...]:
    return (
        formatting.timestamp(fill.bar),
        fill.symbol,
        fill.side + _margin_call(fill.margin_call),
        formatting.price(fill.units),
        formatting.price(fill.price),
        formatting.MONEY(fill.value),
        formatting.MONEY(fill.costs),
    )


def _margin_call(margin_call: bool) -> str:
    return " (margin call)" if margin_call else ""
