"""Backtests model-driven trading strategies walk-forward, with tests for chance and look-ahead.

The packages, in the order of the flow of data; a package imports only from those above it:

    core        array shapes, errors, hashing, seeds, versions, progress
    config      YAML files to frozen specifications
    data        bars from sources, validated, cached            -> Market
    features    indicators known at each close, the target      -> Features
    splits      train, validation and test rows, scaling        -> WalkForwardWindow
    models      forecasters: networks, ridge, persistence       -> Forecast
    training    every window and seed, on every core            -> Predictions
    portfolio   shares of several symbols, limits, rebalancing  -> weights
    signals     predicted return to target weight, benchmarks   -> weights
    simulation  fills under costs, one step after deciding      -> SimulationResult
    runs        the run folder                                  -> Run
    evaluation  metrics, forecast scores, significance          -> metrics, verdict
    trials      the trial ledger, every look counted            -> TrialSet
    comparison  several runs compared with each other
    reporting   tearsheet, significance, comparison and index pages
    strategy    the YAML file with the configuration of every stage
    pipeline    the stages as functions: prepare, fit, decide, simulate
    leakage     the leakage test on every run                   -> certificate
    backtest    run(strategy) -> Run, and sweeps
    live        the newest bar: fit, predict, signal            -> Signal
    testing     contract tests of models, features, sizings, costs and benchmarks
    selftest    the engine tested on generated markets
    replication published results repeated under their own protocol
    auditing    backtests of other tools judged from their files
    placebo     the path of a strategy on surrogate markets      -> p-value
    verification  a run folder checked against itself, and signed
    server      paper accounts and runs in a browser
    cli         the `backtest` command
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.auditing import audit
    from engine.backtest import run, run_sweep
    from engine.core.errors import ContractError
    from engine.evaluation.analysis import open_run
    from engine.features.base import FeatureSpec, Indicator
    from engine.live import (
        FittedStrategy,
        Replay,
        Signal,
        fit,
        load_market,
        predict,
        replay,
        signal,
    )
    from engine.models import Forecaster
    from engine.models.fitted_model import FittedModel
    from engine.models.model_file import load_model, save_model
    from engine.runs.run import Run
    from engine.signals.benchmarks import BenchmarkRule
    from engine.signals.decision import decide
    from engine.signals.orders import Order, place_orders
    from engine.signals.sizing import SizingSpec
    from engine.simulation.account import Account, BarPrices, Fill
    from engine.simulation.bar_step import step
    from engine.simulation.costs import CostModel
    from engine.strategy import Strategy
    from engine.verification import verify

__all__ = [
    "Account",
    "BarPrices",
    "BenchmarkRule",
    "ContractError",
    "CostModel",
    "FeatureSpec",
    "Fill",
    "FittedModel",
    "FittedStrategy",
    "Forecaster",
    "Indicator",
    "Order",
    "Replay",
    "Run",
    "Signal",
    "SizingSpec",
    "Strategy",
    "audit",
    "decide",
    "fit",
    "load_market",
    "load_model",
    "open_run",
    "place_orders",
    "predict",
    "replay",
    "run",
    "run_sweep",
    "save_model",
    "signal",
    "step",
    "verify",
]

_EXPORTS = {
    "Account": "engine.simulation.account",
    "BarPrices": "engine.simulation.account",
    "BenchmarkRule": "engine.signals.benchmarks",
    "ContractError": "engine.core.errors",
    "CostModel": "engine.simulation.costs",
    "FeatureSpec": "engine.features.base",
    "Fill": "engine.simulation.account",
    "FittedModel": "engine.models.fitted_model",
    "FittedStrategy": "engine.live",
    "Forecaster": "engine.models",
    "Indicator": "engine.features.base",
    "Order": "engine.signals.orders",
    "Replay": "engine.live",
    "Run": "engine.runs.run",
    "Signal": "engine.live",
    "SizingSpec": "engine.signals.sizing",
    "Strategy": "engine.strategy",
    "audit": "engine.auditing",
    "decide": "engine.signals.decision",
    "fit": "engine.live",
    "load_market": "engine.live",
    "load_model": "engine.models.model_file",
    "open_run": "engine.evaluation.analysis",
    "place_orders": "engine.signals.orders",
    "predict": "engine.live",
    "replay": "engine.live",
    "run": "engine.backtest",
    "run_sweep": "engine.backtest",
    "save_model": "engine.models.model_file",
    "signal": "engine.live",
    "step": "engine.simulation.bar_step",
    "verify": "engine.verification",
}


def __getattr__(name: str) -> object:
    """Imports an export on first access: `backtest --help` needs none of them."""
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
