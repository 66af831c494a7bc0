"""A grid of thresholds around the chosen one, for the sensitivity analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine.signals.thresholds import CostMultipleThreshold, FixedThreshold, QuantileThreshold

if TYPE_CHECKING:
    from engine.signals.thresholds import ThresholdSpec

ThresholdUnit: TypeAlias = Literal["bps", "round trips", "quantile"]
EntryExitPair: TypeAlias = tuple[float, float]

_FACTORS = (0.0, 0.5, 1.0, 2.0, 4.0)
_BPS_FROM_ZERO = (0.0, 5.0, 10.0, 20.0, 40.0)
_ROUND_TRIPS_FROM_ZERO = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class ThresholdGridPoint:
    """One threshold of the grid.

    Attributes:
        signal: The signal with this threshold.
        enter: Entry threshold of a long.
        unit: Unit of `enter`.
    """

    signal: ThresholdSpec
    enter: float
    unit: ThresholdUnit


def build_threshold_grid(signal: ThresholdSpec) -> list[ThresholdGridPoint]:
    """The chosen threshold and those around it, each in its own unit, ascending.

    Entry and exit move together: their distances from the neutral value (a return of 0, the
    median) are multiplied by the same factor.

    - `threshold`, `cost_multiple`: 0, a half, 1, 2 and 4 times. An entry of 0 is
      raised to 5, 10, 20 and 40 bps (0.5, 1, 2 and 4 round trips), and the exit stays.
    - `quantile`: entries at a quarter and half the distance from the median, and entries exceeded
      by half and a quarter as many predictions: around 0.7 they are 0.55, 0.6, 0.85 and 0.925.

    Args:
        signal: The strategy's signal, which is among those returned.

    Raises:
        TypeError: There is no grid for this kind of signal.
    """
    if isinstance(signal, FixedThreshold):
        pairs = _multiply_pair(signal.enter_bps, signal.exit_bps, _BPS_FROM_ZERO)
        return [
            _make_grid_point(signal, "bps", {"enter_bps": a, "exit_bps": b}, a) for a, b in pairs
        ]
    if isinstance(signal, CostMultipleThreshold):
        pairs = _multiply_pair(signal.enter, signal.exit, _ROUND_TRIPS_FROM_ZERO)
        return [
            _make_grid_point(signal, "round trips", {"enter": a, "exit": b}, a) for a, b in pairs
        ]
    if isinstance(signal, QuantileThreshold):
        pairs = _quantile_pairs(signal.enter, signal.exit)
        return [_make_grid_point(signal, "quantile", {"enter": a, "exit": b}, a) for a, b in pairs]
    raise TypeError(f"{type(signal).__name__} has no threshold grid")


def _make_grid_point(
    signal: ThresholdSpec, unit: ThresholdUnit, update: dict[str, float], enter: float
) -> ThresholdGridPoint:
    return ThresholdGridPoint(signal.model_copy(update=update), enter, unit)


def _multiply_pair(enter: float, exit: float, from_zero: tuple[float, ...]) -> list[EntryExitPair]:
    if enter == 0:
        return [(raised, exit) for raised in from_zero]
    return [(enter * factor, exit * factor) for factor in _FACTORS]


def _quantile_pairs(enter: float, exit: float) -> list[EntryExitPair]:
    distance, tail = enter - 0.5, 1.0 - enter
    entries = (0.5 + distance / 4, 0.5 + distance / 2, enter, 1.0 - tail / 2, 1.0 - tail / 4)
    # In this order of operations the chosen exit is reproduced exactly.
    exits = (0.5 + (exit - 0.5) * ((entry - 0.5) / distance) for entry in entries)
    return [(round(a, 12), round(b, 12)) for a, b in zip(entries, exits, strict=True)]
