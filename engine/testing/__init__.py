"""Contract tests of parts, for a user's own classes as well as for the engine's.

Each check raises `ContractError`, an `AssertionError`, that names the part and the rule:

    from engine.testing import check_model

    def test_my_model_keeps_the_contract() -> None:
        check_model(MyModel())
"""

from __future__ import annotations

from engine.core.errors import ContractError
from engine.testing.costs import check_costs
from engine.testing.features import check_feature
from engine.testing.markets import make_bars, make_market
from engine.testing.models import check_model, make_example
from engine.testing.signals import check_benchmark, check_sizing

__all__ = [
    "ContractError",
    "check_benchmark",
    "check_costs",
    "check_feature",
    "check_model",
    "check_sizing",
    "make_bars",
    "make_example",
    "make_market",
]
