"""The strategies that leaks are planted in: those shipped, random ones, and a user's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.randomness import derive_seed
from engine.models import Ridge, TrainingSpec
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.random_strategies import Case, draw_case
from engine.signals.sizing import FixedSizing, IntervalSizing
from engine.strategy import Strategy, load_strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.data import Market

_BARS = 620
"""Bars of the generated markets of the shipped strategies."""

_WINDOWS = {"train": 200, "validation": 30, "test": 50}
_WEEKLY_BARS = 300
"""Further bars, for weeks to warm up."""


DEFAULT_NOTICE = (
    "the shipped strategies run on generated bars, with shorter windows, and with ridge in the "
    "place of networks and of what is tuned"
)


@dataclass(frozen=True)
class CaseSource(ABC):
    """Where a case comes from; small, because worker processes receive it.

    Attributes:
        name: For the table.
    """

    name: str

    @abstractmethod
    def build(self) -> Case:
        """The case; equal sources give equal cases."""


@dataclass(frozen=True)
class RandomCase(CaseSource):
    """A strategy that is drawn.

    Attributes:
        seed: Of the draw.
    """

    seed: int

    def build(self) -> Case:
        """See `draw_case`."""
        return _drawn(self.seed)


@dataclass(frozen=True)
class ShippedCase(CaseSource):
    """A strategy file on generated bars, with windows that fit into them.

    Attributes:
        path: The file.
        seed: Of the bars.
    """

    path: Path
    seed: int

    def build(self) -> Case:
        """The strategy with a cheap model, on three symbols."""
        return _shipped(self.path, self.seed)


@dataclass(frozen=True, eq=False)
class GivenCase(CaseSource):
    """A strategy on its own bars."""

    spec: Strategy
    market: Market

    def build(self) -> Case:
        """As it is; its model is cheap."""
        return Case(self.name, self.spec, self.market)


@lru_cache(maxsize=64)
def _drawn(seed: int) -> Case:
    return draw_case(seed)


@lru_cache(maxsize=16)
def _shipped(path: Path, seed: int) -> Case:
    loaded, _ = with_cheap_model(load_strategy(path))
    data = loaded.data.model_copy(update={"dataset": "generated", "target": None})
    spec = _revalidated(loaded, data=data, windows=_WINDOWS | {"kind": loaded.windows.kind})
    bars = _BARS + (_WEEKLY_BARS if spec.resolutions else 0)
    market = generate_market(np.random.default_rng([seed, 7]), bars, BarPattern())
    return Case(path.stem, spec, market)


def find_shipped_strategies() -> tuple[Path, ...]:
    """The strategy files beside the engine, in a checkout of its repository; () elsewhere."""
    folder = Path(__file__).parents[2] / "strategies"
    return tuple(sorted(folder.glob("*.yaml")))


def with_cheap_model(spec: Strategy) -> tuple[Strategy, str]:
    """The strategy with ridge regressions in the place of costly models, and a sentence about it.

    A search over settings is left out as well: it fits hundreds of models in each window. The
    sentence is empty where nothing was changed.
    """
    costly = [name for name, model in spec.forecasters().items() if model.costly]
    changes: dict[str, Any] = {}
    if spec.model.costly:
        changes["model"] = Ridge(lookback=min(spec.model.lookback, 5))
        changes["training"] = TrainingSpec()
        if spec.scope == "joint":
            changes["scope"] = "pooled" if spec.inputs == "target" else "per_symbol"
        if isinstance(spec.sizing, IntervalSizing):
            changes["sizing"] = FixedSizing()
    if spec.tune is not None:
        changes["tune"] = None
    kept = tuple(each for each in spec.benchmarks if not getattr(each, "costly", False))
    if len(kept) < len(spec.benchmarks):
        changes["benchmarks"] = kept
    if not changes:
        return spec, ""
    if spec.target.strategy != "direct" and "model" in changes:
        changes["target"] = {"horizon": spec.target.horizon, "horizons": spec.target.horizons}
    parts = [
        *([f"the model of {', '.join(costly)} is ridge here"] if "model" in changes else []),
        *(["it is pooled"] if "scope" in changes else []),
        *(["nothing is tuned"] if "tune" in changes else []),
        *(["costly benchmarks are left out"] if "benchmarks" in changes else []),
    ]
    return _revalidated(spec, **changes), f"{spec.name}: {'; '.join(parts)}"


def _revalidated(spec: Strategy, **changes: object) -> Strategy:
    sections = {name: getattr(spec, name) for name in type(spec).model_fields}
    return Strategy.model_validate(sections | changes)


def load_case(path: str, load: Callable[[Strategy], Market]) -> tuple[GivenCase, str]:
    """A user's strategy on its own bars, and a sentence about what was changed in it.

    Args:
        path: The strategy file.
        load: Loads the bars of a strategy.

    Raises:
        BacktestError: The file or its bars cannot be read.
    """
    spec, note = with_cheap_model(load_strategy(Path(path)))
    return GivenCase(spec.name, spec, load(spec)), note


def draw_source(seed: int, purpose: str, number: int) -> RandomCase:
    """A random strategy of a leak test."""
    return RandomCase(f"random {number}", derive_seed(seed, "leaktest", purpose, number))


def default_sources(seed: int, random: int) -> list[CaseSource]:
    """The shipped strategies and some random ones."""
    shipped = [
        ShippedCase(path.stem, path, derive_seed(seed, "leaktest", path.stem))
        for path in find_shipped_strategies()
    ]
    return [*shipped, *(draw_source(seed, "planted", number) for number in range(random))]
