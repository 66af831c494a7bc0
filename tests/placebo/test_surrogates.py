"""The whole path of a strategy on surrogates of its market."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.data import load_market
from engine.pipeline.prepare import prepare_data
from engine.placebo.finished_markets import FinishedMarkets
from engine.placebo.surrogates import Surrogates
from engine.strategy import load_strategy
from tests.pipeline.markets import market, write_strategy
from tests.training.chained import Chained
from tests.training.in_process import Counted, InProcess, Interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from engine.pipeline.prepared_data import PreparedData
    from engine.strategy import Strategy

KINDS = ("signs", "blocks", "shifts")


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Strategy:
    return load_strategy(write_strategy(module_folder, market(module_folder / "m", edge=0.4)))


@pytest.fixture(scope="module")
def real(module_folder: Path, strategy: Strategy) -> PreparedData:
    home = module_folder / "home"
    loaded = load_market(
        strategy.data, home=home, offline=False, override=None, progress=NullProgress()
    )
    return prepare_data(strategy, loaded)


@pytest.mark.parametrize("kind", KINDS)
def test_a_surrogate_has_the_windows_of_the_real_market_and_other_features(
    strategy: Strategy, real: PreparedData, kind: str
) -> None:
    drawn = Surrogates(strategy, real, kind, 5).prepare(2)

    assert drawn.windows == real.windows
    features = [each.feature_history.features for each in (real, drawn)]
    tested = real.windows[0].test
    assert features[1].timestamps.equals(features[0].timestamps)
    assert not np.allclose(features[1].values[tested], features[0].values[tested])
    moved = [each.feature_history.forward_returns[1].to_numpy() for each in (real, drawn)]
    assert np.array_equal(*moved, equal_nan=True) == (kind == "shifts")


@pytest.mark.parametrize("kind", KINDS)
def test_a_market_does_not_depend_on_how_many_there_are(
    strategy: Strategy, real: PreparedData, kind: str
) -> None:
    few, many = (
        Surrogates(strategy, real, kind, count).prepare(3).feature_history.features.values
        for count in (5, 50)
    )

    assert np.array_equal(few, many, equal_nan=True)


def test_shifted_features_are_those_of_another_bar_far_away(
    strategy: Strategy, real: PreparedData
) -> None:
    drawn = Surrogates(strategy, real, "shifts", 20)
    own = real.feature_history.features.values
    row = real.windows[0].test.start

    for number in range(1, 21):
        values = drawn.prepare(number).feature_history.features.values
        (source,) = np.flatnonzero((own == values[row]).all(axis=1))
        assert abs(source - row) > 30
        assert np.array_equal(np.sort(values, axis=0), np.sort(own, axis=0), equal_nan=True)


def test_more_shifts_than_there_are_bars_are_refused(
    strategy: Strategy, real: PreparedData
) -> None:
    with pytest.raises(UsageError, match="fewer shifts"):
        Surrogates(strategy, real, "shifts", 690).require_offered()


def test_an_interrupt_keeps_markets_and_fits_and_the_rest_is_measured_once(
    tmp_path: Path, strategy: Strategy, real: PreparedData
) -> None:
    network = strategy.model_copy(update={"model": Chained()})
    drawn, place = Surrogates(network, real, "signs", 3), FinishedMarkets(tmp_path / "kept")
    windows = len(real.windows)
    first, second, third, progress = Interrupted(), InProcess(), InProcess(), Counted()

    with pytest.raises(KeyboardInterrupt):
        drawn.measure_all(place, first, NullProgress())
    with (tmp_path / "kept" / "markets.jsonl").open("a") as file:
        file.write('{"market": 2, "sha')  # what an interrupt cut off
        file.write("\n")
    ratios = drawn.measure_all(place, second, progress)

    assert len(first.fitted) + len(second.fitted) == 3 * windows
    assert drawn.measure_all(place, third, NullProgress()) == ratios
    assert third.fitted == []
    whole = Surrogates(network, real, "signs", 3)
    assert (
        whole.measure_all(FinishedMarkets(tmp_path / "n"), InProcess(), NullProgress()) == ratios
    )
    assert progress.counts[-1][:2] == (3 * windows, 3 * windows)
    assert not (tmp_path / "kept" / "fits").exists()
