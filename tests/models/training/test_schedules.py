"""Learning-rate schedules against rates by hand."""

from __future__ import annotations

import pytest

from engine.models import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    PlateauSchedule,
    StepSchedule,
)

STILL = [0, 1, 2, 3, 4, 5, 6, 7]
"""Best in epoch 0, without a later improvement."""

TABLES = [
    (ConstantSchedule(), STILL, [8, 8, 8, 8, 8, 8, 8, 8]),
    (ExponentialSchedule(factor=0.5), STILL, [8, 4, 2, 1, 0.5, 0.25, 0.125, 0.0625]),
    (StepSchedule(factor=0.5, every=3), STILL, [8, 8, 8, 4, 4, 4, 2, 2]),
    (PlateauSchedule(factor=0.5, patience=2), STILL, [8, 8, 8, 4, 4, 2, 2, 1]),
    (PlateauSchedule(factor=0.5, patience=2), [0, 1, 0, 1, 2, 0, 1, 2], [8, 8, 8, 8, 8, 4, 4, 4]),
    (PlateauSchedule(factor=0.5, patience=2), [0, 0, 0, 0, 0, 0, 0, 0], [8, 8, 8, 8, 8, 8, 8, 8]),
    (
        PlateauSchedule(factor=0.1, patience=1, min_learning_rate=3),
        STILL,
        [8, 8, 3, 3, 3, 3, 3, 3],
    ),
    (
        PlateauSchedule(factor=0.1, patience=1, min_learning_rate=9),
        STILL,
        [8, 8, 8, 8, 8, 8, 8, 8],
    ),
    (CosineSchedule(), STILL, [8, 7.6955, 6.8284, 5.5307, 4, 2.4693, 1.1716, 0.3045]),
    (CosineSchedule(floor=0.5), STILL, [8, 7.8478, 7.4142, 6.7654, 6, 5.2346, 4.5858, 4.1522]),
]


@pytest.mark.parametrize(("schedule", "waited", "rates"), TABLES, ids=lambda x: str(x)[:40])
def test_learning_rates_of_eight_epochs(schedule, waited: list[int], rates: list[float]) -> None:
    given = [schedule.next_learning_rate(8.0, waited[:epoch], max_epochs=8) for epoch in range(8)]
    assert given == pytest.approx(rates, abs=1e-4)
