"""What every book of a run stands on: the same bars, windows and out-of-sample span."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.evaluation import ledger
from engine.features.build import build_features
from engine.features.resolutions import CoarseFeatures, coarse_features
from engine.features.target import forward_returns
from engine.refit.problems import History
from engine.windows.walk_forward import Window, walk_forward

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.market import Market
    from engine.strategy import Strategy
    from engine.types import WideFrame


@dataclass(frozen=True)
class Ground:
    """What every book stands on: the same bars, windows and out-of-sample span."""

    market: Market
    targets: tuple[str, ...]
    history: History
    windows: tuple[Window, ...]

    @cached_property
    def close(self) -> WideFrame:
        """Closes of the target symbols, all bars."""
        return self.market.wide("close")[list(self.targets)]

    @property
    def span(self) -> pd.DatetimeIndex:
        """The out-of-sample bars."""
        rows = slice(self.windows[0].test.start, self.windows[-1].test.stop)
        return self.history.features.timestamps[rows]

    def told(self) -> ledger.Ground:
        """What the trial ledger keeps of it."""
        return ledger.Ground(
            dataset=self.market.identity,
            targets=self.targets,
            inputs=tuple(symbol for symbol, _ in self.history.features.groups),
            span=self.span,
            periods_per_year=self.market.periods_per_year,
        )


def prepare(spec: Strategy, market: Market) -> Ground:
    """Features, targets and windows, the same for every book.

    Raises:
        UsageError: The target is not in the dataset, a resolution is not coarser than its bars,
            not one window fits, or a split within one would be empty.
    """
    targets = (_target(spec, market),)
    close = market.wide("close")[list(targets)]
    symbols = market.symbols if spec.inputs == "all" else targets
    features = build_features(market, spec.features, symbols)
    history = History(
        features=features,
        ahead={bars: forward_returns(close, bars) for bars in spec.target.measured},
        behind={bars: close.pct_change(bars) for bars in spec.target.measured},
        target=spec.target,
        scaling=spec.scaling,
        coarse=tuple(
            coarse_features(market, interval, spec.features, symbols)
            for interval in spec.resolutions
        ),
    )
    lookback = max(model.lookback for model in spec.forecasters().values())
    warmup = history.features.warmup + spec.scaling.warmup + lookback - 1
    windows = walk_forward(
        history.features.timestamps,
        spec.windows,
        first_row=max(
            warmup,
            spec.target.longest,
            *(_first_row(part, history, lookback) for part in history.coarse),
        ),
        horizon=spec.target.longest,
    )
    if spec.tune is not None:
        for window in windows:  # a split without rows is told before anything is trained
            spec.tune.cut(len(window.train), spec.target.longest)
    return Ground(market, targets, history, windows)


def _first_row(part: CoarseFeatures, history: History, lookback: int) -> int:
    """The first row that has a whole sequence of coarse bars behind it."""
    scaling = history.scaling.warmup
    needed = part.features.warmup + scaling + lookback
    row = int(part.latest.searchsorted(needed - 1))
    if row < len(part.latest):
        return row
    raise UsageError(
        f"There are too few {part.interval} bars",
        expected=f"at least {needed} complete ones: {part.features.warmup} to warm up the "
        f"features, {scaling} for the scaling, {lookback} for a lookback",
        found=f"{part.latest[-1] + 1} in {len(part.latest)} bars",
        where="resolutions",
        fix=f"leave {part.interval} out, shorten the features or the lookback, or take a longer "
        "history",
    )


def _target(spec: Strategy, market: Market) -> str:
    target = spec.data.target
    if target in market.symbols:
        return target
    if target is None or market.identity["offline"]:
        return market.symbols[0]
    raise UsageError(
        "the target is not in the dataset",
        expected=f"one of {', '.join(market.symbols)}",
        found=target,
        where="data.target",
        fix=f"choose one of them, or add {target} to the dataset",
    )
