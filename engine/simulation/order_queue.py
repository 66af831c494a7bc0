"""The orders of an account at a bar: which are filled, which wait, which a margin call cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.signals.orders import Order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from engine.simulation.account import Account, BarPrices, Holding


def queue_orders(account: Account, orders: Iterable[Order]) -> tuple[Order, ...]:
    """The orders of an account and those decided since, in the order of their decisions.

    After a margin call those decided by the last close are cancelled, and an order closes each
    position at the next bar, or at the first one at which its symbol trades.
    """
    queue = (*account.orders, *orders)
    called_at = account.timestamp
    if not account.margin_call or called_at is None:
        return queue
    waiting = [order for order in account.orders if order.margin_call]
    known = {order.symbol for order in waiting}
    closing = [
        Order(symbol=holding.symbol, target_weight=0.0, decided_on=called_at, margin_call=True)
        for holding in account.holdings
        if holding.units != 0 and holding.symbol not in known
    ]
    later = [order for order in queue if order.decided_on > called_at]
    return (*waiting, *closing, *later)


def settle_orders(queue: tuple[Order, ...], account: Account, bar: BarPrices) -> tuple[Order, ...]:
    """The orders at a bar at which delisted symbols are paid out: theirs are to hold nothing.

    Args:
        queue: As by `queue_orders`.
        account: Before the bar.
        bar: The bar.
    """
    if not bar.settled or account.timestamp is None:
        return queue
    called = account.margin_call
    paid = [
        Order(
            symbol=holding.symbol,
            target_weight=0.0,
            decided_on=account.timestamp,
            margin_call=called and holding.units != 0,
        )
        for holding in account.holdings
        if holding.symbol in bar.settled
    ]
    return (*(order for order in queue if order.symbol not in bar.settled), *paid)


def hold_back(queue: tuple[Order, ...], bar: BarPrices) -> tuple[Order, ...]:
    """The orders at a bar; those whose price at it is before their decision are due at the next.

    Args:
        queue: As by `settle_orders`.
        bar: The bar.
    """
    if not bar.instants:
        return queue
    return tuple(
        order.model_copy(update={"due_in_bars": 2})
        if order.due_in_bars <= 1 and _is_too_early(order, bar)
        else order
        for order in queue
    )


def _is_too_early(order: Order, bar: BarPrices) -> bool:
    """Whether the price of the bar is before the decision; what is paid out waits for none."""
    if order.not_before is None or order.symbol in bar.settled:
        return False
    instant = bar.instants.get(order.symbol)
    return instant is not None and instant < order.not_before


def newest_decisions(orders: Iterable[Order]) -> dict[str, float]:
    """Symbol -> the target that the strategy decided last."""
    return {order.symbol: order.target_weight for order in orders if not order.margin_call}


def find_due(
    orders: tuple[Order, ...], bar: BarPrices, holdings: Mapping[str, Holding]
) -> dict[str, Order]:
    """The orders to fill at the bar, by symbol."""
    newest = _find_newest_due(orders, holdings)
    return {symbol: orders[number] for symbol, number in newest.items() if bar.fills(symbol)}


def find_waiting(
    orders: tuple[Order, ...], holdings: Mapping[str, Holding], filled: Collection[str]
) -> tuple[Order, ...]:
    """The orders that wait on after a bar.

    Args:
        orders: Those of `find_due`.
        holdings: Those of `find_due`.
        filled: Symbols whose order was filled to the end.
    """
    newest = _find_newest_due(orders, holdings)
    waiting = []
    for number, order in enumerate(orders):
        if order.due_in_bars > 1:
            waiting.append(order.model_copy(update={"due_in_bars": order.due_in_bars - 1}))
        elif newest.get(order.symbol) == number and order.symbol not in filled:
            late = {"due_in_bars": 0, "waited_bars": order.waited_bars + 1}
            waiting.append(order.model_copy(update=late))
    return tuple(waiting)


def _find_newest_due(orders: tuple[Order, ...], holdings: Mapping[str, Holding]) -> dict[str, int]:
    """Symbol -> place of its last order that is due; without those that take back others."""
    newest: dict[str, int] = {}
    replacing = set()
    for number, order in enumerate(orders):
        if order.due_in_bars <= 1:
            if order.symbol in newest:
                replacing.add(order.symbol)
            newest[order.symbol] = number
    for symbol in replacing:
        filled = holdings[symbol].target_weight if symbol in holdings else 0.0
        if orders[newest[symbol]].target_weight == filled:
            del newest[symbol]
    return newest
