"""Thresholds around the chosen one: a strategy that asks for a little less, or more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine.signals.thresholds import CostMultiple, Quantile, Threshold

if TYPE_CHECKING:
    from engine.signals.thresholds import ThresholdSpec

Unit: TypeAlias = Literal["bps", "round trips", "quantile"]
Pair: TypeAlias = tuple[float, float]

_MULTIPLES = (0.0, 0.5, 1.0, 2.0, 4.0)
_BPS_FROM_NOTHING = (0.0, 5.0, 10.0, 20.0, 40.0)
_ROUND_TRIPS_FROM_NOTHING = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Neighbour:
    """One threshold.

    Attributes:
        signal: A whole choice of thresholds.
        enter: Where a long begins.
        unit: In what `enter` is measured.
    """

    signal: ThresholdSpec
    enter: float
    unit: Unit


def neighbours(signal: ThresholdSpec) -> list[Neighbour]:
    """The chosen threshold and those around it, each in its own unit, ascending.

    Entry and exit move together: their distance from what takes no side (a return of 0, the
    median) is multiplied by one factor, so that what lies between keeps its proportion.

    - `threshold`, `cost_multiple`: 0, a half, 1, 2 and 4 times. An entry of 0 has no multiples:
      it is raised to 5, 10, 20 and 40 bps (0.5, 1, 2 and 4 round trips), and the exit stays.
    - `quantile`: an entry a quarter and half as far from the median, and entries that half and a
      quarter as many predictions reach: around 0.7 they are 0.55, 0.6, 0.85 and 0.925.

    Args:
        signal: The strategy's choice, itself among those returned.

    Raises:
        TypeError: A kind that has no neighbours.
    """
    if isinstance(signal, Threshold):
        pairs = _multiples(signal.enter_bps, signal.exit_bps, _BPS_FROM_NOTHING)
        return [_moved(signal, "bps", {"enter_bps": a, "exit_bps": b}, a) for a, b in pairs]
    if isinstance(signal, CostMultiple):
        pairs = _multiples(signal.enter, signal.exit, _ROUND_TRIPS_FROM_NOTHING)
        return [_moved(signal, "round trips", {"enter": a, "exit": b}, a) for a, b in pairs]
    if isinstance(signal, Quantile):
        pairs = _quantiles(signal.enter, signal.exit)
        return [_moved(signal, "quantile", {"enter": a, "exit": b}, a) for a, b in pairs]
    raise TypeError(f"{type(signal).__name__} has no neighbours")


def _moved(signal: ThresholdSpec, unit: Unit, levels: dict[str, float], enter: float) -> Neighbour:
    return Neighbour(signal.model_copy(update=levels), enter, unit)


def _multiples(enter: float, exit: float, from_nothing: tuple[float, ...]) -> list[Pair]:
    if enter == 0:
        return [(raised, exit) for raised in from_nothing]
    return [(enter * factor, exit * factor) for factor in _MULTIPLES]


def _quantiles(enter: float, exit: float) -> list[Pair]:
    far, rare = enter - 0.5, 1.0 - enter
    entries = (0.5 + far / 4, 0.5 + far / 2, enter, 1.0 - rare / 2, 1.0 - rare / 4)
    # In this order the chosen exit comes out of its own entry as it went in.
    exits = (0.5 + (exit - 0.5) * ((entry - 0.5) / far) for entry in entries)
    return [(round(a, 12), round(b, 12)) for a, b in zip(entries, exits, strict=True)]
