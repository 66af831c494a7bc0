"""Orders that a bar could not fill, margin calls, and optima that there were not, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.reporting import formatting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.runs.documents import Metrics


def describe_waits(metrics: Metrics) -> tuple[str, ...]:
    """Sentences on waits of orders, margin calls, failed optima, financing, and useless volumes.

    Args:
        metrics: Of a run.

    Returns:
        Empty where no order waited or was cut, nothing was called, every rebalancing had its
        optimum over all symbols, neither funding nor loans were charged, and every volume of 0 was
        taken for what it says.
    """
    sentences = []
    own = metrics.books.get(STRATEGY_BOOK)
    if own is not None and own.orders_waited:
        bars = formatting.count_of(own.bars_waited or 0, "bar")
        longest = formatting.COUNT(own.longest_wait_bars)
        verb, lengths = "were", f"{bars} in all, the longest {longest}"
        if own.orders_waited == 1:
            verb, lengths = "was", bars
        sentences.append(
            f"{formatting.count_of(own.orders_waited, 'order')} of the strategy {verb} due where "
            "nothing traded (no bar, or a volume of 0) and waited for a bar with a trade, "
            f"{lengths}."
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
    sentences += _describe_optima(metrics)
    sentences += _describe_financing(metrics)
    sentences += [
        f"{symbol}: {formatting.count_of(figures.ignored_bars, 'bar')} with a volume of 0 "
        f"{'counts' if figures.ignored_bars == 1 else 'count'} as traded, because its volumes say "
        "nothing: most bars before moved at a volume of 0, or none had one above 0."
        for symbol, figures in metrics.zero_volume.items()
        if figures.ignored_bars
    ]
    return tuple(sentences)


def _describe_optima(metrics: Metrics) -> Iterator[str]:
    """Of every book: rebalancings without an optimum, and symbols that were left out of some."""
    for name, book in metrics.books.items():
        owner = "The strategy" if name == STRATEGY_BOOK else name
        if book.failed_optima:
            yield (
                f"{owner} had no optimum at {formatting.COUNT(book.failed_optima)} of "
                f"{formatting.count_of(book.rebalancings or 0, 'rebalancing')}, because it was "
                "infeasible or the solver failed, and kept its weights there."
            )
        for symbol, count in book.short_histories.items():
            yield (
                f"{owner} left {symbol} out at {formatting.COUNT(count)} of "
                f"{formatting.count_of(book.rebalancings or 0, 'rebalancing')}: it had too few "
                "closes in the window of the allocation."
            )


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
