"""Orders that a bar could not fill, and margin calls, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.reporting import formatting

if TYPE_CHECKING:
    from engine.runs.documents import Metrics


def describe_waits(metrics: Metrics) -> tuple[str, ...]:
    """Sentences on orders that waited, margin calls, funding, loans, and useless volumes.

    Args:
        metrics: Of a run.

    Returns:
        Empty where no order waited or was cut, nothing was called, neither funding nor loans were
        charged, and every volume of 0 was taken for what it says.
    """
    sentences = []
    own = metrics.books.get(STRATEGY_BOOK)
    if own is not None and own.orders_waited:
        bars = formatting.count_of(own.bars_waited or 0, "bar")
        longest = formatting.COUNT(own.longest_wait_bars)
        verb, lengths = "were", f"{bars} in all, one of them {longest}"
        if own.orders_waited == 1:
            verb, lengths = "was", bars
        sentences.append(
            f"{formatting.count_of(own.orders_waited, 'order')} of the strategy {verb} due where "
            f"nothing traded (volume 0) and waited for a bar with a trade, {lengths}."
        )
    if own is not None and own.fills_limited:
        sentences.append(
            "Orders of the strategy were larger than the share of a bar's volume that they may "
            f"take at {formatting.count_of(own.fills_limited, 'bar')}: {own.unfilled_pct or 0:.2g}"
            " % of the value that they asked for waited for the next bar."
        )
    if own is not None and own.margin_calls:
        closes = formatting.count_of(own.margin_calls, "close")
        sentences.append(
            f"The strategy fell below its maintenance margin at {closes}: all positions were "
            "closed at the next fill, until a target changed."
        )
    sentences += _describe_financing(metrics)
    sentences += [
        f"{symbol}: {formatting.count_of(figures.ignored_bars, 'bar')} with a volume of 0 "
        f"{'counts' if figures.ignored_bars == 1 else 'count'} as traded, because its volumes say "
        "nothing: most bars before moved at a volume of 0, or none had one above 0."
        for symbol, figures in metrics.zero_volume.items()
        if figures.ignored_bars
    ]
    return tuple(sentences)


def _describe_financing(metrics: Metrics) -> list[str]:
    """What the strategy paid for funding and loans, and the funding that is not known."""
    own, sentences = metrics.books.get(STRATEGY_BOOK), []
    paid = None if own is None else own.funding_pct
    if paid is not None:
        verb = "received" if paid < 0 else "paid"
        sentences.append(
            f"The strategy {verb} {formatting.PERCENT(abs(paid))} of its equity as funding of "
            "perpetuals, summed over the bars."
        )
    if own is not None and own.loan_interest_pct:
        sentences.append(
            f"Borrowed cash cost the strategy {formatting.PERCENT(own.loan_interest_pct)} of its "
            "equity, summed over the bars."
        )
    sentences += [
        f"{symbol}: the funding rates of {formatting.count_of(count, 'bar')} are not known; "
        "nothing was charged for them."
        for symbol, count in metrics.unfunded_bars.items()
    ]
    return sentences
