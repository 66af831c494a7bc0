"""What every book of a run stands on: the same bars, windows and out-of-sample span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.features.build import build_features
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

    @property
    def close(self) -> WideFrame:
        """Closes of the target symbols, all bars."""
        return self.market.wide("close")[list(self.targets)]

    @property
    def span(self) -> pd.DatetimeIndex:
        """The out-of-sample bars."""
        rows = slice(self.windows[0].test.start, self.windows[-1].test.stop)
        return self.history.features.timestamps[rows]


def prepare(spec: Strategy, market: Market) -> Ground:
    """Features, targets and windows, the same for every book.

    Raises:
        UsageError: The target is not in the dataset, not one window fits, or a split within one
            would be empty.
    """
    targets = (_target(spec, market),)
    close = market.wide("close")[list(targets)]
    symbols = market.symbols if spec.inputs == "all" else targets
    features = build_features(market, spec.features, symbols)
    history = History(
        features=features,
        ahead=forward_returns(close, spec.target),
        behind=close.pct_change(spec.target.horizon),
        horizon=spec.target.horizon,
        scaling=spec.scaling,
    )
    lookback = max(model.lookback for model in spec.forecasters().values())
    warmup = history.features.warmup + spec.scaling.warmup + lookback - 1
    windows = walk_forward(
        history.features.timestamps,
        spec.windows,
        first_row=max(warmup, spec.target.horizon),
        horizon=spec.target.horizon,
    )
    if spec.tune is not None:
        for window in windows:  # a split without rows is told before anything is trained
            spec.tune.cut(len(window.train), spec.target.forecast[-1])
    return Ground(market, targets, history, windows)


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
