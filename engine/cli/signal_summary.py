"""The text of `backtest signal`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd

from engine.cli.terminal import strip_styles
from engine.cli.text_table import ASCII_SIGNS, TextTableColumn, render_table, wrap_text
from engine.core.control_characters import escape_line
from engine.live.freshness import format_age
from engine.reporting import formatting
from engine.reporting.header import describe_due_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.live.signal_document import ModelOfSignal, OrderOfSignal, Signal, SymbolSignal

NO_ORDER = "Nothing to trade: no target changed at this bar, and no earlier order waits."


def render_signal_text(signal: Signal, width: int | None = None, *, coloured: bool = False) -> str:
    """The bar, the forecast and target of each symbol, the orders, and the models.

    Args:
        signal: The signal.
        width: Width of the text; that of the terminal where it is None.
        coloured: Whether to add marks for colours.
    """
    columns = width or shutil.get_terminal_size().columns
    parts = [
        _heading(signal, columns),
        "\n".join(render_table(list(_symbol_columns(signal)), columns)),
        _order_lines(signal, columns),
        "\n".join(wrap_text(line, columns) for line in _origin_lines(signal)),
    ]
    text = "\n\n".join(parts).translate(ASCII_SIGNS)
    return text if coloured else strip_styles(text)


def _heading(signal: Signal, width: int) -> str:
    offline = " (offline dataset)" if signal.offline else ""
    complete = pd.Timestamp(signal.complete_since)
    age = format_age(pd.Timedelta(minutes=signal.age_minutes))
    bar = wrap_text(
        f"decided on {formatting.timestamp(signal.decided_on)}, the newest bar, complete since "
        f"{complete:%Y-%m-%d %H:%M} UTC, {age} ago",
        width,
    )
    return f"{escape_line(f'{signal.strategy} on {signal.dataset}')}{offline}\n{bar}"


def _symbol_columns(signal: Signal) -> Iterator[TextTableColumn]:
    symbols = signal.symbols
    horizon = formatting.count_of(signal.horizon_bars, "bar")
    yield TextTableColumn(0, "Symbol", [each.symbol for each in symbols], align_right=False)
    closes = ["none" if each.close is None else formatting.price(each.close) for each in symbols]
    yield TextTableColumn(4, "Close", closes)
    yield TextTableColumn(
        1, f"Forecast bps, {horizon}", [_bps(each.predicted) for each in symbols]
    )
    if any(each.levels for each in symbols):
        yield TextTableColumn(3, _interval_heading(symbols), [_interval(each) for each in symbols])
    yield TextTableColumn(2, "Held %", [_percent(each.held_weight) for each in symbols])
    yield TextTableColumn(0, "Target %", [_percent(each.target_weight) for each in symbols])
    yield TextTableColumn(
        5,
        "Target since",
        [
            formatting.timestamp(each.target_since) if each.target_since else "-"
            for each in symbols
        ],
    )


def _interval_heading(symbols: tuple[SymbolSignal, ...]) -> str:
    low, high = next(each.levels for each in symbols if each.levels)
    return f"{formatting.confidence_level(high - low)} interval"


def _interval(each: SymbolSignal) -> str:
    return "-" if each.low is None else f"{_bps(each.low)} to {_bps(each.high)}"


def _bps(value: float | None) -> str:
    return formatting.SIGNED_BPS.without_suffix(None if value is None else 10_000 * value)


def _percent(weight: float) -> str:
    return formatting.BARE_PERCENT.without_suffix(100 * weight)


def _order_lines(signal: Signal, width: int) -> str:
    if not signal.orders:
        return wrap_text(NO_ORDER, width)
    lines = [
        "Order (none is sent)" if len(signal.orders) == 1 else "Orders (none is sent)",
        *(
            wrap_text(f"  {_describe_order(order, signal.price)}", width)
            for order in signal.orders
        ),
    ]
    return "\n".join(lines)


def _describe_order(order: OrderOfSignal, price: str) -> str:
    side = "buy" if order.target_weight > order.held_weight else "sell"
    due = None if order.due is None else pd.Timestamp(order.due)
    return (
        f"{side} {escape_line(order.symbol)} to {_percent(order.target_weight)} % of the equity, "
        f"from {_percent(order.held_weight)} %, at the {price} of "
        f"{describe_due_bar(due, order.due_in_bars, order.waited_bars)}, decided on "
        f"{formatting.timestamp(order.decided_on)}"
    )


def _origin_lines(signal: Signal) -> Iterator[str]:
    """What the weights rest on, and where the models and the permission come from."""
    if signal.without_optimum:
        yield (
            f"The rebalancing of {formatting.timestamp(signal.without_optimum)} had no optimum: "
            "the target weights before it stay until the next one."
        )
    yield _describe_models(signal.models, signal.trained)
    yield (
        f"No look-ahead detected in run {formatting.short_hash(signal.certified_by)} "
        f"({formatting.timestamp(signal.certified_at[:10])}), whose evidence is: {signal.grade}."
    )


def _describe_models(models: tuple[ModelOfSignal, ...], trained: int) -> str:
    made = _count_once(model for model in models if not model.failed)
    if not made:
        return "Models: every fit of this window failed and is left out, so that nothing is held."
    first = made[0]
    keys = [formatting.short_hash(model.key) for model in made if model.key]
    parts = [
        f"Models: window {first.window}, {formatting.count_of(len(made), 'fit')}",
        f"trained to {formatting.timestamp(first.trained_to)}" if first.trained_to else "",
        f"validated to {formatting.timestamp(first.validated_to)}" if first.validated_to else "",
        f"keys {', '.join(keys)}" if keys else "",
        f"{trained} trained now" if trained else "none trained now",
    ]
    failed = len(_count_once(model for model in models if model.failed))
    parts += [f"{failed} failed and left out"] if failed else []
    return ", ".join(part for part in parts if part) + "."


def _count_once(models: Iterable[ModelOfSignal]) -> list[ModelOfSignal]:
    """Each fit once, also where it is of several symbols."""
    fits: dict[tuple[object, ...], ModelOfSignal] = {}
    for model in models:
        shared = model.pool or (model.symbol,)
        fits.setdefault((shared, model.window, model.seed, model.horizons), model)
    return list(fits.values())
