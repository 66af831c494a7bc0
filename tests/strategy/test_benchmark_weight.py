"""Rules are levered as far as the sizes of the strategy can be, and no further."""

from __future__ import annotations

import pytest

from engine.selftest.harness import make_strategy

LENT = {"kind": "itemised", "financing_bps_per_year": 600}
PROPORTIONAL = {"kind": "proportional", "full_bps": 50}
VOLATILITY = {"kind": "volatility_target", "target_pct_per_year": 15, "window": 20}


@pytest.mark.parametrize(
    ("sizing", "max_weight", "expected"),
    [
        ({"kind": "fixed", "weight": 1}, 1.5, 1.0),
        ({"kind": "fixed", "weight": 0.5}, 1.5, 1.0),
        ({"kind": "fixed", "weight": 1.2}, 1.5, 1.2),
        ({"kind": "fixed", "weight": 2}, 1.5, 1.5),
        (PROPORTIONAL, 1.5, 1.0),
        (VOLATILITY, 1.5, 1.5),
        ({"kind": "fixed", "weight": 0.5}, 0.8, 0.8),
    ],
)
def test_the_weight_of_the_rules_is_one_that_the_strategy_can_have(
    sizing, max_weight, expected
) -> None:
    levered = {"costs": LENT, "execution": {"maintenance_margin": 0.3}} if max_weight > 1 else {}
    spec = make_strategy(sizing=sizing, max_weight=max_weight, **levered)
    assert spec.benchmark_weight == expected


def test_a_volatility_target_of_the_book_reaches_the_limit() -> None:
    spec = make_strategy(
        data={"dataset": "generated", "targets": "all"},
        portfolio={"volatility_target": {"annual": 0.1, "window": 20}},
        max_weight=1.5,
        costs=LENT,
        execution={"maintenance_margin": 0.3},
    )
    assert spec.benchmark_weight == 1.5
