"""Backtests model-driven trading strategies, walk-forward, and tells the truth about them.

The flow of the data is the tree; imports go one way, from the last to the first:

    data        bars from sources, validated, cached        -> Market
    features    indicators known at each close, the target  -> Features
    windows     train, validation and test rows, scaling    -> Window
    models      forecasters: networks, ridge, persistence   -> Forecast
    refit       every window and seed, on every core        -> Predictions
    signals     predicted return to target weight, rules    -> weights
    simulation  fills under costs, one step after deciding  -> Result
    evaluation  metrics, forecast scores, significance      -> metrics, verdict
    reporting   tearsheet, significance page
    strategy    the YAML that composes all of the above
    pipeline    run(strategy) -> Run: the order of the stages
    replication published results, repeated under their own protocol
    cli         the `backtest` command
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.artifacts import Run
    from engine.pipeline import run, run_family
    from engine.strategy import Strategy

__all__ = ["Run", "Strategy", "run", "run_family"]

_HOMES = {
    "Run": "engine.artifacts",
    "Strategy": "engine.strategy",
    "run": "engine.pipeline",
    "run_family": "engine.pipeline",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what is exported has no type in common
    """Loads an export when it is first asked for: `backtest --help` needs none of them."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
