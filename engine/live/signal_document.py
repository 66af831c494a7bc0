"""The signal as a document: what `backtest signal --json` prints."""

from __future__ import annotations

from engine.runs.documents.base import Document, DocumentPart


class SymbolSignal(DocumentPart):
    """One symbol at the bar that was decided on.

    Attributes:
        symbol: Its name.
        close: Close of that bar, in the currency of the bars; the last one where a symbol of a
            panel has none, and None before its first.
        predicted: Forecast of the return over the horizon, a fraction, mean over the seeds; None
            where no fit could be made.
        low: Lower end of the interval around it, a fraction.
        high: Upper end.
        levels: Probabilities below `low` and below `high`: the outermost quantiles of a model that
            has some, else the quantiles of the window's validation residuals. None without.
        target_weight: Share of the equity to hold; negative is short.
        target_since: Bar whose close set this target; None where it never was another than 0.
        held_weight: Share of the equity that the strategy's book holds at the close.
    """

    symbol: str
    close: float | None
    predicted: float | None
    low: float | None
    high: float | None
    levels: tuple[float, float] | None
    target_weight: float
    target_since: str | None
    held_weight: float


class OrderOfSignal(DocumentPart):
    """An order that is not filled at the bar that was decided on.

    Attributes:
        symbol: What is traded.
        decided_on: Bar whose close decided it.
        target_weight: Share of the equity to hold after it.
        held_weight: Share held at the newest close.
        due: Bar at which it is filled, by the calendar; None where that does not say.
        due_in_bars: 1 is the bar after the newest one.
        waited_bars: Bars at which it was due and nothing traded.
    """

    symbol: str
    decided_on: str
    target_weight: float
    held_weight: float
    due: str | None
    due_in_bars: int
    waited_bars: int


class ModelOfSignal(DocumentPart):
    """A fit that made the forecast.

    Attributes:
        symbol: Its target.
        window: Number of the window.
        seed: Number of the seed, from 0.
        horizons: Bars ahead; empty where one fit has all of them.
        key: Its key in the store, see `backtest fits show`; None for a fit that is made anew each
            time, as of ridge.
        trained_to: Last train row, ISO 8601.
        validated_to: Last validation row.
        failed: Whether the fit failed and is left out.
        pool: The symbols that share the fit, where it is of several.
    """

    symbol: str
    window: int
    seed: int
    horizons: tuple[int, ...]
    key: str | None
    trained_to: str | None
    validated_to: str | None
    failed: bool
    pool: tuple[str, ...] = ()


class Signal(Document):
    """What a strategy says at its newest complete bar. Times are ISO 8601, UTC.

    Attributes:
        strategy: Name of the strategy.
        dataset: Name of the dataset.
        offline: Whether the offline dataset was used.
        interval: Length of a bar.
        asked_at: The present instant, or that of `--as-of`.
        decided_on: The newest complete bar.
        complete_since: When it ended.
        age_minutes: From then to `asked_at`.
        certified_by: Id of the newest run whose leakage test passed.
        certified_at: When that run ended.
        grade: Grade of its verdict.
        price: Price of the fill's bar: `open` or `close`.
        horizon_bars: Bars ahead that the forecasts are for.
        symbols: Each target symbol.
        orders: Orders not filled yet, the first due first; none where nothing changes.
        models: The fits of the newest window.
        trained: Number of costly fits that had to be trained.
        without_optimum: Bar of the newest rebalancing, where it had no optimum, so that the
            weights before it stay; None where it had one, or where no allocation is an optimum.
    """

    strategy: str
    dataset: str
    offline: bool
    interval: str
    asked_at: str
    decided_on: str
    complete_since: str
    age_minutes: float
    certified_by: str
    certified_at: str
    grade: str | None
    price: str
    horizon_bars: int
    symbols: tuple[SymbolSignal, ...]
    orders: tuple[OrderOfSignal, ...]
    models: tuple[ModelOfSignal, ...]
    trained: int
    without_optimum: str | None = None
