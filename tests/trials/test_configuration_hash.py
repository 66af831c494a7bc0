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
        {"compute": {"backend": "jax", "workers": 3}},
    ],
)
def test_what_trades_the_same_is_the_same_trial(changes) -> None:
    assert hash_configuration(strategy(**changes)) == hash_configuration(strategy())


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"seeds": 2},
        {"model": {"kind": "ridge", "lookback": 6}},
        {"features": []},
        {"costs": {"fee_bps": 11.0}},
        {"something": "that a later engine adds"},
    ],
)
def test_anything_else_is_a_new_trial(changes) -> None:
    assert hash_configuration(strategy(**changes)) != hash_configuration(strategy())


def test_the_order_of_keys_means_nothing() -> None:
    turned = dict(reversed(strategy().items()))
    assert hash_configuration(turned) == hash_configuration(strategy())


def test_every_part_that_is_left_out_is_one_of_a_strategys() -> None:
    from engine.trials.related_runs import UNHASHED_SECTIONS

    assert {*Strategy.model_fields, *Strategy.renamed_keys} >= UNHASHED_SECTIONS
