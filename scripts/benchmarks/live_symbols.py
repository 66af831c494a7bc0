"""Program: a bar of many symbols by the bar loop: all their features, and one decision.

Beside it the forecasts of as many symbols by one fit, together and one after another.
Arguments: numbers of symbols, comma-separated; bars of each. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from live_workload import (
    FEATURES,
    HISTORY,
    LOOKBACK,
    MODELS,
    following_bars,
    make_market,
    make_spec,
    start_loop,
)

from engine.features.stream import FeatureStream
from engine.live.loop import bar_loop
from engine.live.loop.window_models import WindowModels
from engine.models.fitted_model import FeatureRows
from engine.models.shared_prediction import PredictionRequest, predict_requests
from engine.training.store import FitStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.models.fitted_model import FittedModel

WARM_UP_BARS = 5
LONGEST_TURN = 60
"""Bars of a turn: many of a few symbols, one of many, so that no turn starts with cold caches."""

STAGES: dict[str, tuple[Any, str]] = {
    "features": (FeatureStream, "advance"),
    "forecast": (WindowModels, "predict"),
    "decision": (bar_loop, "decide"),
    "account": (bar_loop, "step"),
}


def main() -> None:
    """Moves over the bars of each market in turn, and prints CPU milliseconds a bar."""
    counts, turns = [int(number) for number in sys.argv[1].split(",")], int(sys.argv[2])
    in_turn = {count: max(1, LONGEST_TURN // count) for count in counts}
    loops, waiting = {}, {}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for count in counts:
            bars = WARM_UP_BARS + turns * in_turn[count]
            market = make_market(HISTORY + bars, count)
            home = Path(folder) / str(count)
            loops[count] = start_loop(make_spec(MODELS["LSTM(50)"]), market, home)
            waiting[count] = following_bars(market)
        fitted = _load_fit(Path(folder) / str(min(counts)))
    stages: dict[str, float] = defaultdict(float)
    for name, (owner, function) in STAGES.items():
        setattr(owner, function, _timed(getattr(owner, function), name, stages))
    taken: dict[int, list[dict[str, float]]] = {count: [] for count in counts}
    for count in counts:
        for bar in waiting[count][:WARM_UP_BARS]:
            loops[count].advance(bar)
    for turn in range(turns):
        for count in counts:
            first = WARM_UP_BARS + turn * in_turn[count]
            for bar in waiting[count][first : first + in_turn[count]]:
                stages.clear()
                start = time.process_time()
                loops[count].advance(bar)
                taken[count].append({"bar": time.process_time() - start, **stages})
    figures: dict[str, Any] = {
        str(count): {
            name: 1e3 * float(np.median([each[name] for each in seconds])) for name in seconds[0]
        }
        for count, seconds in taken.items()
    }
    sys.stdout.write(json.dumps(figures | {"forecasts": _time_forecasts(fitted, max(counts))}))


def _timed(call: Callable[..., Any], name: str, stages: dict[str, float]) -> Callable[..., Any]:
    """The function, which adds its CPU seconds to those of its stage."""

    def run(*arguments: object, **named: object) -> object:
        start = time.process_time()
        try:
            return call(*arguments, **named)
        finally:
            stages[name] += time.process_time() - start

    return run


def _load_fit(home: Path) -> FittedModel:
    store = FitStore(home / "fits")
    fitted = store.get(store.find_keys("")[0])
    assert fitted is not None
    return fitted


def _time_forecasts(fitted: FittedModel, symbols: int, rounds: int = 7) -> dict[str, float]:
    """CPU milliseconds of the forecasts of so many symbols by one fit, and of one of them."""
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(LOOKBACK, len(FEATURES))) for _ in range(symbols)]
    at = np.array([LOOKBACK - 1])
    requests = [
        PredictionRequest(fitted, FeatureRows(own, np.zeros(LOOKBACK)), at) for own in rows
    ]
    ways: dict[str, Callable[[], Any]] = {
        "one": lambda: [predict_requests([request]) for request in requests[:50]],
        "together": lambda: predict_requests(requests),
        "in turn": lambda: [predict_requests([request]) for request in requests],
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, call in ways.items():
            start = time.process_time()
            call()
            taken[way].append(time.process_time() - start)
    shares = {"one": 1 / min(50, symbols), "together": 1.0, "in turn": 1.0}
    return {way: 1e3 * shares[way] * float(np.median(taken[way])) for way in ways}


if __name__ == "__main__":
    main()
