"""A fit that makes one choice by its test rows is fitted again before several other futures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import LookaheadError
from engine.core.progress import NullProgress
from engine.leakage import run_leakage_test
from engine.models import Ridge
from engine.pipeline.prepare import prepare_data
from engine.pipeline.result import BacktestResult
from engine.pipeline.steps import decide_positions, fit_and_predict, simulate_books
from engine.selftest.harness import make_strategy
from engine.selftest.synthetic_markets import random_walk_market
from engine.training.store import FitStore
from tests.leakage.choosing_models import (
    CostlyPenaltyChoosing,
    CostlySignChoosing,
    HonestCostly,
    PenaltyChoosing,
    SignChoosing,
)
from tests.leakage.leaks import Remembering
from tests.training.in_process import InProcess

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.documents import Certificate

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")

WINDOWS = {"train": 200, "validation": 40, "test": 100}
CHOOSING = [SignChoosing, PenaltyChoosing, CostlySignChoosing, CostlyPenaltyChoosing]


def certify(model: Ridge, seed: int, folder: Path, executor: InProcess) -> Certificate:
    market = random_walk_market(np.random.default_rng(seed), 560)
    spec = make_strategy(windows=WINDOWS).model_copy(
        update={"model": model, "features": (Remembering(),)}
    )
    prepared, store = prepare_data(spec, market), FitStore(folder)
    predictions, fits = fit_and_predict(
        spec, prepared, executor, store, NullProgress(), fresh=False
    )
    weights = decide_positions(spec, prepared, predictions)
    result = BacktestResult(
        spec, prepared, fits, predictions, weights, simulate_books(spec, prepared, weights)
    )
    return run_leakage_test(result, executor, store, NullProgress(), fresh=False)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(1, 8))]
)
@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=pytest.mark.slow if i else ()) for i, kind in enumerate(CHOOSING)],
)
def test_a_fit_that_chooses_by_its_test_rows(kind: type[Ridge], seed: int, tmp_path: Path) -> None:
    with pytest.raises(LookaheadError) as caught:
        certify(kind(lookback=2), seed, tmp_path, InProcess())
    assert caught.value.where.startswith("predictions: strategy")


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in range(1, 5))]
)
def test_an_honest_costly_fit_is_made_again_before_eight_futures_and_then_stored(
    seed: int, tmp_path: Path
) -> None:
    first, second = InProcess(), InProcess()
    made = certify(HonestCostly(lookback=2), seed, tmp_path, first)
    assert made.result == "passed"
    assert made.refit_draws == made.refits == 8
    assert made.probability_missed == 0.5**8
    assert made.probability_missed < 0.01
    assert sum("draw" in fit for fit in first.fitted) == 8
    assert certify(HonestCostly(lookback=2), seed, tmp_path, second) == made
    assert second.fitted == []


@pytest.mark.slow
def test_the_engines_own_models_are_not_fitted_again(tmp_path: Path) -> None:
    made = certify(Ridge(lookback=2), 0, tmp_path, InProcess())
    assert made.refit_draws == made.refits == 0
    assert made.probability_missed is None


@pytest.mark.slow
def test_a_feature_that_leaves_something_else_for_a_stored_fit_is_drawn_afresh(
    tmp_path: Path, monkeypatch
) -> None:
    """The arrays and the model are the same: only the source of a part of the strategy is not."""
    certify(HonestCostly(lookback=2), 0, tmp_path, InProcess())
    monkeypatch.setattr(
        "engine.leakage.fit_comparison.describe_parts", lambda _: {"feature": "another source"}
    )
    again = InProcess()
    certify(HonestCostly(lookback=2), 0, tmp_path, again)
    assert len(again.fitted) == 8
