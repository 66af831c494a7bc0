"""Every kind of the engine keeps its contract, by the checks that users run over theirs."""

from __future__ import annotations

import pytest
from threadpoolctl import threadpool_limits

from engine.features.config import FEATURE_KINDS
from engine.features.cross_asset import CrossAsset
from engine.models import MODEL_KINDS, Drift, Ensemble, Ridge
from engine.models.networks.base import Network
from engine.signals.config import SIZING_KINDS
from engine.simulation.config import COST_KINDS
from engine.strategy import BENCHMARK_KINDS
from engine.testing import (
    check_benchmark,
    check_costs,
    check_feature,
    check_model,
    check_sizing,
)
from tests.parts.distribution import run_python

FIRST_BAR = {"rsi": 2e-4, "macd": 1e-5}
"""What another first bar may change past the warm-up, for features that smooth without an end."""


def kind_of(part: type) -> str:
    return part.model_fields["kind"].default


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize("part", FEATURE_KINDS.built_in, ids=kind_of)
def test_every_feature_keeps_the_contract(part) -> None:
    feature = part(symbol="OTHER") if issubclass(part, CrossAsset) else part()
    check_feature(feature, first_bar_tolerance=FIRST_BAR.get(feature.kind, 1e-9))


@pytest.mark.parametrize("part", SIZING_KINDS.built_in, ids=kind_of)
def test_every_sizing_keeps_the_contract(part) -> None:
    check_sizing(part())


@pytest.mark.parametrize("part", COST_KINDS.built_in, ids=kind_of)
def test_every_cost_model_keeps_the_contract(part) -> None:
    check_costs(part())
    other = {
        "fixed": {"fee_bps": 0, "slippage_bps": 0, "by_symbol": {"AAA": {"fee_bps": 3}}},
        "itemised": {"spread": {"kind": "abdi_ranaldo"}, "impact": {}, "max_participation": 0.1},
    }[kind_of(part)]
    check_costs(part.model_validate(other | {"borrow_bps_per_year": 300}))


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(part, marks=pytest.mark.slow if getattr(part, "is_optimised", False) else ())
        for part in BENCHMARK_KINDS.built_in
    ],
    ids=kind_of,
)
def test_every_benchmark_keeps_the_contract(part) -> None:
    check_benchmark(part())


LIGHT = [part for part in MODEL_KINDS.built_in if not issubclass(part, Network)]
NETWORKS = [part for part in MODEL_KINDS.built_in if issubclass(part, Network)]


@pytest.mark.parametrize("part", LIGHT, ids=kind_of)
def test_every_model_without_keras_keeps_the_contract(part) -> None:
    if part is Ensemble:
        check_model(Ensemble(members=(Ridge(), Drift()), combine="validation_weighted"))
    else:
        check_model(part())


CHECK_NETWORKS = """
import sys
from engine.models import MODEL_KINDS, Adam, TrainingSpec
from engine.testing import check_model
training = TrainingSpec(epochs=6, batch_size=32, optimizer=Adam(learning_rate=0.005))
for part in MODEL_KINDS.built_in:
    if part.__name__ in sys.argv[1:]:
        check_model(part(lookback=8), training=training)
        print(part.__name__)
"""


@pytest.mark.slow
def test_every_network_keeps_the_contract() -> None:
    # A process of its own: the first Keras of a process decides its threads and its backend.
    names = [part.__name__ for part in NETWORKS]
    assert run_python("-c", CHECK_NETWORKS, *names).stdout.split() == names
