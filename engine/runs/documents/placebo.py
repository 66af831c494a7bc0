"""`placebo.json`: the Sharpe ratio of a procedure on surrogate markets, and its p-value."""

from __future__ import annotations

from typing import Literal

from engine.runs.documents.base import Document


class PlaceboDocument(Document):
    """`placebo.json`.

    Attributes:
        strategy: Name of the strategy.
        run_id: Its run on the real bars.
        kind: What the surrogates keep: see `docs/placebo.md`.
        markets: Number of surrogates.
        first: First bar of the returns.
        last: Last bar of them.
        bars: Number of them.
        sharpe: Annualised Sharpe ratio on the real bars; 0 where nothing traded.
        surrogate_sharpes: The same on each surrogate, in their order.
        at_least: Surrogates with at least the real one.
        p_value: (1 + at_least) / (1 + markets), of H0: the real market is one of them.
        median: Median of the surrogates.
        upper: Their 95 % quantile.
    """

    strategy: str
    run_id: str
    kind: Literal["signs", "blocks", "shifts"]
    markets: int
    first: str
    last: str
    bars: int
    sharpe: float
    surrogate_sharpes: tuple[float, ...]
    at_least: int
    p_value: float
    median: float
    upper: float
