"""What is a new trial, and what is the same one again."""

from __future__ import annotations

import pytest

from engine.strategy import Strategy
from engine.trials import hash_configuration
from tests.trials.factories import strategy


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "better"},
        {"description": "now with a story"},
        {"data": {"dataset": "copy-of-made-up", "target": "BTC"}},
        {"benchmarks": []},
        {"opponents": []},
        {"evaluation": {"resamples": 9}},
        {"paths": {"offsets": 8}},
        {"compute": {"backend": "jax", "workers": 3}},
        {"deploy": None},
        {"capital": 5e4},
    ],
)
def test_sections_outside_the_configuration_do_not_change_the_hash(changes) -> None:
    assert hash_configuration(strategy(**changes)) == hash_configuration(strategy())


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"seeds": 2},
        {"model": {"kind": "ridge", "lookback": 6}},
        {"features": []},
        {"costs": {"fee_bps": 11.0}},
        {"deploy": {"precision": "int8"}},
        {"something": "that a later engine adds"},
    ],
)
def test_every_other_change_is_another_configuration(changes) -> None:
    assert hash_configuration(strategy(**changes)) != hash_configuration(strategy())


MINIMUM = {"kind": "itemised", "commission": {"kind": "bps", "bps": 3, "minimum": 1}}


@pytest.mark.parametrize("costs", [MINIMUM, {"kind": "somebody's"}], ids=["minimum", "unknown"])
def test_the_capital_counts_where_costs_may_be_money(costs) -> None:
    small, large = (strategy(costs=costs, capital=capital) for capital in (1e4, 1e6))
    assert hash_configuration(small) != hash_configuration(large)


def test_the_order_of_keys_does_not_matter() -> None:
    turned = dict(reversed(strategy().items()))
    assert hash_configuration(turned) == hash_configuration(strategy())


def test_every_excluded_section_is_one_of_a_strategy() -> None:
    from engine.trials.related_runs import UNHASHED_SECTIONS

    assert {*Strategy.model_fields, *Strategy.renamed_keys} >= UNHASHED_SECTIONS
