"""A planted leak: one function of the engine replaced by one that reads later bars."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from engine.features.build import build_features
from engine.features.several_symbols import compute_together
from engine.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from engine.core.types import BoolVector
    from engine.data import Market
    from engine.leakage.comparison import ComparedStage
    from engine.pipeline.prepared_data import PreparedData

Function: TypeAlias = "Callable[..., Any]"
"""A function of the engine, of any signature."""


_QUICK_FEATURES: tuple[dict[str, Any], ...] = (
    {"kind": "log_return"},
    {"kind": "volatility", "window": 5},
)
"""Features that a few coarser bars warm up."""

_COARSER = {
    "1m": "5m",
    "5m": "30m",
    "15m": "1h",
    "30m": "4h",
    "1h": "4h",
    "4h": "1d",
    "1d": "1w",
    "1w": "1mo",
}
"""Interval of bars -> a coarser one with several of them."""


@dataclass(frozen=True, eq=False)
class Plant:
    """What a leak is made for: one strategy on its bars.

    Attributes:
        prepared: Prepared from the real bars, before anything was replaced.
        seed: Seed of every draw.
        seen: `bars`: the market of the strategy's interval that features were computed of last.
            A leak reads later bars here that none of its arguments holds, as a user's global
            variable would.
    """

    prepared: PreparedData
    seed: int
    seen: dict[str, Market] = field(default_factory=dict)

    def draw_rows(self, count: int, share: float) -> BoolVector:
        """A random share of rows; of a longer history the first rows are the same ones."""
        chosen: BoolVector = np.random.default_rng(self.seed).random(count) < share
        return chosen

    @property
    def window(self) -> int:
        """One of the windows, the same for every call."""
        return self.seed % len(self.prepared.windows)


@dataclass(frozen=True)
class Leak:
    """One kind of look-ahead, planted by the replacement of one function.

    Attributes:
        name: Of the kind, unique.
        summary: What it does, as a sentence without a full stop.
        stage: Where it belongs, and what the leakage test has to name.
        function: Dotted name of the function that is replaced: in its module and wherever a
            module of the engine has imported it.
        replace: The function, and what it is planted in -> the function that takes its place.
        needs: Sections of a strategy without which it has no effect.
        needs_coarser: Whether it needs coarser bars; a strategy without them gets some.
        needs_panel: Whether it needs symbols that lack bars, and members; it is planted in a
            strategy on a generated panel.
        reads_bars_aside: Whether it reads `Plant.seen`.
        over_exchanges: Whether the symbols have to be on several exchanges.
        model: Name of a class of `user_models` that takes the place of the strategy's model.
    """

    name: str
    summary: str
    stage: ComparedStage
    function: str
    replace: Callable[[Function, Plant], Function] = field(repr=False)
    needs: Mapping[str, Any] = field(default_factory=dict)
    needs_coarser: bool = False
    needs_panel: bool = False
    reads_bars_aside: bool = False
    over_exchanges: bool = False
    model: str | None = None

    def adapt(self, spec: Strategy, interval: str) -> Strategy:
        """The strategy with what the leak needs to have an effect.

        Args:
            spec: The strategy.
            interval: Length of its bars.
        """
        needs = dict(self.needs)
        if self.needs_coarser and not spec.resolutions:
            needs |= {"resolutions": [_COARSER[interval]], "features": _QUICK_FEATURES}
        if not needs:
            return spec
        if spec.portfolio.allocation.by_rank and {"signal", "sizing"} & needs.keys():
            needs = {"portfolio": {}} | needs  # a book by rank has no threshold
        sections = {name: getattr(spec, name) for name in type(spec).model_fields}
        return Strategy.model_validate(sections | needs)

    @contextmanager
    def planted(self, plant: Plant) -> Iterator[None]:
        """The engine with the leak, and without it afterwards."""
        with ExitStack() as replaced:
            # Most leaks change an indicator of one symbol, which is then computed by itself.
            together = f"{compute_together.__module__}.{compute_together.__name__}"
            replaced.enter_context(_replaced(together, lambda _: lambda *_: None))
            if self.reads_bars_aside:
                name = f"{build_features.__module__}.{build_features.__name__}"
                replaced.enter_context(_replaced(name, lambda honest: _noting(honest, plant)))
            replaced.enter_context(
                _replaced(self.function, lambda honest: self.replace(honest, plant))
            )
            yield


def _noting(honest: Function, plant: Plant) -> Function:
    def build_and_note(market: Market, *rest: Any) -> Any:
        if market.interval == plant.prepared.market.interval:
            plant.seen["bars"] = market
        return honest(market, *rest)

    return build_and_note


@contextmanager
def _replaced(dotted_name: str, change: Callable[[Function], Function]) -> Iterator[None]:
    owner, attribute = _find_owner(dotted_name)
    honest = vars(owner)[attribute]
    leaking = change(honest)
    if isinstance(owner, type):
        setattr(owner, attribute, leaking)
        try:
            yield
        finally:
            setattr(owner, attribute, honest)
        return
    _exchange(honest, leaking)
    try:
        yield
    finally:
        # Modules that were imported meanwhile have the leaking function.
        _exchange(leaking, honest)


def find_function(dotted_name: str) -> Function:
    """The function that a dotted name stands for now, honest or not."""
    owner, attribute = _find_owner(dotted_name)
    found: Function = vars(owner)[attribute]
    return found


def _find_owner(dotted_name: str) -> tuple[Any, str]:
    """The module or class that defines a function, and the function's own name."""
    path, _, name = dotted_name.rpartition(".")
    try:
        return import_module(path), name
    except ModuleNotFoundError:
        module, _, owner = path.rpartition(".")
        return getattr(import_module(module), owner), name


def _exchange(old: Function, new: Function) -> None:
    """Puts a function in the place of another in every module of the engine."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "engine":
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)
