"""Generated runs for a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.trials import DataScope, Ledger, RunOutcome

if TYPE_CHECKING:
    from pathlib import Path


HOLDING = 99
"""Seed of the returns of buy and hold."""


def strategy(**changes: Any) -> dict[str, Any]:
    """As `Strategy.model_dump` gives it, with the fields that matter here."""
    whole = {
        "name": "ridge",
        "description": "",
        "data": {"dataset": "made-up", "target": None},
        "features": [{"kind": "log_return"}],
        "model": {"kind": "ridge", "lookback": 5},
        "seeds": 1,
        "seed": 7,
        "costs": {"fee_bps": 10.0},
        "benchmarks": [{"kind": "buy_and_hold"}],
        "evaluation": {"resamples": 1000, "confidence": 0.875},
        "compute": {"backend": "tensorflow", "workers": "auto"},
    }
    return whole | changes


def bars(first: str = "2020-01-01", count: int = 200) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, freq="D", tz="UTC", name="timestamp")


def data_scope(first: str = "2020-01-01", count: int = 200, **changes: Any) -> DataScope:
    scope: dict[str, Any] = {
        "dataset": {
            "name": "made-up",
            "interval": changes.pop("interval", "1d"),
            "calendar": "24/7",
            "offline": False,
            "symbols": {"BTC": {"sha256": "ab" * 32}, "ETH": {"sha256": "cd" * 32}},
        },
        "targets": ("BTC",),
        "inputs": ("BTC", "ETH"),
        "span": bars(first, count),
        "periods_per_year": 365.0,
    }
    return DataScope(**(scope | changes))


def returns(seed: int = 0, first: str = "2020-01-01", count: int = 200) -> pd.Series:
    values = 0.01 * np.random.default_rng(seed).standard_normal(count)
    return pd.Series(values, index=bars(first, count), name="strategy")


def outcome(seed: int = 0, first: str = "2020-01-01", count: int = 200, **changes) -> RunOutcome:
    result = {"run_id": f"{seed:012x}", "sharpe": 0.5, "seeds": 1, "grade": "none"}
    own = {"returns": returns(seed, first, count), "holding": returns(HOLDING, first, count)}
    return RunOutcome(**(own | result | changes))


def finished(
    path: Path,
    seed: int = 0,
    *,
    on: DataScope | None = None,
    result: dict[str, Any] | None = None,
    **changes: Any,
):
    """A finished run of another seed of the same strategy."""
    scope = on or data_scope()
    span = scope.span
    with Ledger(path).record(strategy(seed=seed, **changes)) as entry:
        entry.set_data_scope(scope)
        first = f"{span[0]:%Y-%m-%d}"
        entry.finish(outcome(seed, first, len(span), **(result or {})))
    return entry


class Listener:
    """A progress that records the notices."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def stage(self, name: str) -> None: ...

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def line(self, text: str) -> None:
        pass

    def advance(self, done: int, total: int, what: str) -> None: ...
