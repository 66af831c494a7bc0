"""The strategies that leaks are planted in by default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.selftest.leak_cases import ShippedCase, find_shipped_strategies, with_cheap_model
from engine.strategy import load_strategy

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", find_shipped_strategies(), ids=lambda path: path.stem)
def test_every_shipped_strategy_is_a_case_with_a_cheap_model(path: Path) -> None:
    case = ShippedCase(path.stem, path, 1).build()
    assert not any(model.costly for model in case.spec.forecasters().values())
    assert case.spec.data.dataset == "generated"


def test_a_joint_network_is_replaced_by_a_pooled_ridge_which_is_said() -> None:
    joint = [load_strategy(path) for path in find_shipped_strategies()]
    (spec,) = (each for each in joint if each.scope == "joint")
    cheap, said = with_cheap_model(spec)
    assert (cheap.scope, cheap.model.kind) == ("pooled", "ridge")
    assert "it is pooled" in said
