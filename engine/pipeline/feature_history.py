"""Features and returns of all bars, at once and bar by bar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import UsageError
from engine.features.build import build_features
from engine.features.resolutions import build_coarse_features
from engine.features.stream import FeatureStream
from engine.features.target import forward_returns, over_own_bars, trailing_returns
from engine.training.feature_history import FeatureHistory
from engine.training.panel_rows import PanelRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import WideFrame
    from engine.data import Market
    from engine.strategy import Strategy
from engine.pipeline.schedules import bars_before_decision, first_usable_row
from engine.pipeline.traded_symbols import has_own_inputs, input_symbols, resolve_targets


def build_history(spec: Strategy, market: Market) -> FeatureHistory:
    """Features and returns of all bars: `prepare_data` without windows.

    Args:
        spec: The strategy.
        market: Its bars, complete and in the order of time.

    Raises:
        UsageError: The target is not in the dataset, or a resolution is not coarser than its bars,
            or symbols are to be compared and there is one.
        InvalidBarsError: A feature is not finite past its warm-up.
    """
    targets = resolve_targets(spec, market)
    _check_compared(spec, targets)
    close = market.wide("close", targets)
    symbols = input_symbols(spec, market)
    horizons = spec.target.return_horizons
    ahead, behind = (
        over_own_bars(function) if market.has_absences else function
        for function in (forward_returns, trailing_returns)
    )
    later, earlier = (
        {bars: _of_members(spec, market, function(close, bars)) for bars in horizons}
        for function in (ahead, behind)
    )
    history = FeatureHistory(
        features=build_features(market, spec.features, symbols),
        forward_returns={bars: spec.target.relate(returns) for bars, returns in later.items()},
        trailing_returns={bars: spec.target.relate(returns) for bars, returns in earlier.items()},
        target=spec.target,
        scaling=spec.scaling,
        coarse=tuple(
            build_coarse_features(market, interval, spec.features, symbols)
            for interval in spec.resolutions
        ),
        own_inputs=has_own_inputs(spec, targets) or (market.is_panel and spec.is_panel),
    )
    if not market.is_panel:
        return history
    _require_own_bars(spec)
    first = first_usable_row(spec, history)
    present, members, listed = (
        wide[list(targets)] for wide in (market.present, market.members, market.listed)
    )
    decided = bars_before_decision(spec, history.features)
    unbroken = 1
    if spec.scope == "joint":
        unbroken = max(model.lookback for model in spec.forecasters().values())
    rows = PanelRows(present, members, listed, first, decided, max(horizons), unbroken)
    return replace(history, panel=rows, uncompared=later if spec.target.compares_symbols else {})


def _of_members(spec: Strategy, market: Market, returns: WideFrame) -> WideFrame:
    """The returns; where symbols are compared, those of the members of a bar alone."""
    if not (spec.target.compares_symbols and market.is_panel):
        return returns
    return returns.where(market.members[list(returns.columns)])


def _require_own_bars(spec: Strategy) -> None:
    """Refuses a panel for a strategy whose rows need bars of several symbols at once."""
    if not spec.is_panel:
        raise UsageError(
            "the strategy does not take a market whose symbols lack bars",
            expected="several `data.targets`, `inputs: target`, no resolution and no feature of "
            "several symbols; or bars of every symbol at each timestamp",
            found=f"symbols without bars at some timestamps, and `inputs: {spec.inputs}`",
            where="data",
            fix="load the bars with engine.load_market(strategy), which joins them where needed",
        )


def _check_compared(spec: Strategy, targets: Sequence[str]) -> None:
    """Whether there are symbols to compare, where the target or the model does."""
    where = "target.transform" if spec.target.compares_symbols else "scope"
    if len(targets) < 2 and (spec.target.compares_symbols or spec.scope == "joint"):
        raise UsageError(
            "the strategy compares target symbols, and there is one",
            expected="two target symbols or more",
            found=", ".join(targets),
            where=where,
            fix="trade more symbols (data.targets), or leave it out",
        )


def make_feature_stream(spec: Strategy, market: Market) -> FeatureStream:
    """The streaming form of the features of `prepare_data`, for bars of the same symbols.

    Args:
        spec: The strategy.
        market: Its bars; only their symbols and interval are used.

    Raises:
        UsageError: The target is not in the dataset, or a resolution is not coarser than its bars.
    """
    return FeatureStream(
        spec.features,
        market.symbols,
        input_symbols(spec, market),
        market.interval,
        spec.resolutions,
        gaps=spec.is_panel,
    )
