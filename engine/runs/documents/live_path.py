"""The live path of a strategy compared with its backtest, value by value."""

from __future__ import annotations

from engine.runs.documents.base import DocumentPart


class ValueCounts(DocumentPart):
    """Numbers of values of each kind.

    Attributes:
        forecasts: Forecasts and their quantiles, mean over the seeds.
        levels: Entry and exit thresholds.
        weights: Target weights.
        orders: Target weights of the orders that were placed.
        fills: Size, price, fee, cost of slippage, equity and order of execution of each fill.
        equity: Return, held weight, borrow cost and interest of each bar, and its margin call.
    """

    forecasts: int = 0
    levels: int = 0
    weights: int = 0
    orders: int = 0
    fills: int = 0
    equity: int = 0

    @property
    def by_kind(self) -> dict[str, int]:
        """Kind -> number, of all kinds."""
        return {kind: getattr(self, kind) for kind in type(self).model_fields}

    @property
    def total(self) -> int:
        """Of all kinds."""
        return sum(self.by_kind.values())


class FirstDifference(DocumentPart):
    """The earliest value that differs.

    Attributes:
        bar: Its bar, ISO 8601.
        kind: One of the kinds of `ValueCounts`.
        symbol: Its symbol; empty where it is of the whole book.
        name: Which value of the kind.
        live: On the live path; None where it has none.
        backtest: Of what it was compared with; None where that has none.
        compared_with: `backtest`, or `run` and its id.
    """

    bar: str
    kind: str
    symbol: str
    name: str
    live: float | None
    backtest: float | None
    compared_with: str


class LivePath(DocumentPart):
    """The newest bars of a run, replayed one by one through the loop of a paper account.

    Attributes:
        bars: How many.
        compared: Values that were compared with those of the run.
        differing: Those of them whose bits differ.
        first_difference: None where all are equal.
        own_parts: Kinds of the strategy's parts that are not the engine's own.
    """

    bars: int
    compared: ValueCounts
    differing: ValueCounts
    first_difference: FirstDifference | None = None
    own_parts: tuple[str, ...] = ()
