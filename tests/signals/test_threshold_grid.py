"""The grid of thresholds around the chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.signals.hysteresis import EntryExitThresholds
from engine.signals.threshold_grid import build_threshold_grid
from engine.signals.thresholds import (
    CostMultipleThreshold,
    FixedThreshold,
    QuantileThreshold,
    ThresholdSpec,
)

if TYPE_CHECKING:
    from engine.core.types import Vector

CHOICES = [
    FixedThreshold(enter_bps=7.3, exit_bps=-1.1, side="long_short"),
    FixedThreshold(enter_bps=0, exit_bps=-4),
    CostMultipleThreshold(enter=0.7, exit=0.3),
    CostMultipleThreshold(enter=0, exit=0),
    QuantileThreshold(enter=0.7, exit=0.5),
    QuantileThreshold(enter=0.81, exit=0.63, side="long_short"),
]


@pytest.mark.parametrize("signal", CHOICES, ids=str)
def test_the_threshold_grid_has_the_chosen_one_and_only_valid_ones(
    signal: ThresholdSpec,
) -> None:
    around = build_threshold_grid(signal)
    assert [each.signal for each in around].count(signal) == 1
    entries = [each.enter for each in around]
    assert entries == sorted(set(entries))
    assert len(entries) == 5
    for each in around:
        assert type(signal).model_validate(each.signal.model_dump()) == each.signal
        assert each.signal.side == signal.side


@pytest.mark.parametrize(
    ("signal", "unit", "pairs"),
    [
        (FixedThreshold(enter_bps=5, exit_bps=2), "bps",
         [(0, 0), (2.5, 1), (5, 2), (10, 4), (20, 8)]),
        (FixedThreshold(enter_bps=0, exit_bps=-1), "bps",
         [(0, -1), (5, -1), (10, -1), (20, -1), (40, -1)]),
        (CostMultipleThreshold(enter=1, exit=0), "round trips",
         [(0, 0), (0.5, 0), (1, 0), (2, 0), (4, 0)]),
        (QuantileThreshold(enter=0.7, exit=0.6), "quantile",
         [(0.55, 0.525), (0.6, 0.55), (0.7, 0.6), (0.85, 0.675), (0.925, 0.7125)]),
    ],
)  # fmt: skip
def test_entry_and_exit_are_scaled_together(
    signal: ThresholdSpec, unit: str, pairs: list[tuple[float, float]]
) -> None:
    around = build_threshold_grid(signal)
    names = ("enter_bps", "exit_bps") if isinstance(signal, FixedThreshold) else ("enter", "exit")
    found = [tuple(getattr(each.signal, name) for name in names) for each in around]
    assert found == pairs
    assert [each.enter for each in around] == [enter for enter, _ in pairs]
    assert {each.unit for each in around} == {unit}


class Always(ThresholdSpec):
    def compute_thresholds(self, train: Vector, round_trip: float) -> EntryExitThresholds:
        return EntryExitThresholds.symmetric(round_trip, float(train.min()))


def test_a_signal_kind_without_a_threshold_grid_is_an_error() -> None:
    with pytest.raises(TypeError, match="Always has no threshold grid"):
        build_threshold_grid(Always())
