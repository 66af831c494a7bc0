"""The arrays of each network, and that they contain nothing of later days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperProtocol
from engine.replication.livieris2021.tasks import build_paper_arrays, make_paper_tasks

if TYPE_CHECKING:
    from engine.models import ModelInputs, TrainingSet

LAG = 7
OWN, EVERY = 0, 2
"""Indices of Model1 and MICDL in the networks of the protocol."""


@pytest.fixture(scope="module")
def closes(paper) -> pd.DataFrame:
    return read_closes(paper, PaperProtocol())


def build(
    closes: pd.DataFrame, contender: int = OWN, coin: str = "ETH", **changes: object
) -> tuple[TrainingSet, ModelInputs]:
    spec = PaperProtocol(**changes)
    return build_paper_arrays(closes, spec, spec.contenders[contender], LAG, coin)


def test_the_parts_are_those_of_the_paper() -> None:
    training, validation, testing = PaperProtocol().split
    assert (len(training), len(validation), len(testing)) == (1153, 94, 153)
    days = pd.date_range(PaperProtocol().first, periods=PaperProtocol().n_days)
    assert str(days[validation.start].date()) == "2020-02-28"
    assert str(days[testing.start].date()) == "2020-06-01"
    assert str(days[-1].date()) == "2020-10-31"


def test_every_day_of_validation_and_test_is_forecast(closes) -> None:
    training_set, testing = build(closes)
    assert len(training_set.train) == 1153 - LAG - 1  # no difference of the first day
    assert (len(training_set.validation), len(days_of(testing))) == (94, 153)


@pytest.mark.parametrize("contender", [OWN, EVERY])
def test_a_sequence_holds_the_last_differences_before_the_day(closes, contender) -> None:
    training_set, testing = build(closes, contender)
    spec = PaperProtocol()
    used = ["ETH"] if contender == OWN else list(spec.coins)
    differences = closes[used].diff().to_numpy()
    training = differences[1:1152]  # the last difference of the training part is a target alone
    scaled = (differences - training.mean(axis=0)) / training.std(axis=0)
    days = [range(LAG + 1, 1153), *spec.split[1:]]
    parts = [
        (training_set, training_set.train),
        (training_set, training_set.validation),
        (testing, days_of(testing)),
    ]
    for (arrays, rows), part in zip(parts, days, strict=True):
        for row, day in zip(rows, part, strict=True):
            seen = arrays.sequences(np.array([row]), LAG)[0]
            np.testing.assert_allclose(seen, scaled[day - LAG : day], rtol=1e-5, atol=1e-6)


def test_the_target_is_the_next_difference(closes) -> None:
    arrays, _ = build(closes)
    differences = closes["ETH"].diff().to_numpy()
    np.testing.assert_array_equal(arrays.target[arrays.train], differences[LAG + 1 : 1153])
    np.testing.assert_array_equal(arrays.target[arrays.validation], differences[1153:1247])


def test_the_arrays_of_a_fit_end_with_the_last_validation_row(closes) -> None:
    arrays, _ = build(closes)
    assert len(arrays.inputs) == len(arrays.target) == arrays.validation[-1] + 1


def test_a_micdl_has_every_coin_as_input() -> None:
    kinds = [(each.name, each.inputs) for each in PaperProtocol().contenders]
    assert kinds == [("Model1", "own"), ("Model2", "own"), ("MICDL", "all")]


def replace_closes_from(closes: pd.DataFrame, day: int) -> pd.DataFrame:
    """Replaces every close from that day on."""
    changed = closes.copy()
    changed.iloc[day:] = 1.7 * changed.iloc[day:][::-1].to_numpy()
    return changed


def days_of(testing: ModelInputs) -> np.ndarray:
    return np.arange(LAG - 1, len(testing.inputs))


def forecast_inputs(training_set: TrainingSet, testing: ModelInputs, day: int) -> list[np.ndarray]:
    """Everything that determines the forecasts of the testing days up to `day`."""
    seen = days_of(testing)[: day - PaperProtocol().split.testing.start + 1]
    learnt = [training_set.train, training_set.validation]
    inputs = [training_set.sequences(rows, LAG) for rows in learnt]
    targets = [training_set.target[rows] for rows in learnt]
    return [*inputs, *targets, testing.sequences(seen, LAG)]


@pytest.mark.parametrize("contender", [OWN, EVERY])
@pytest.mark.parametrize("day", [1247, 1248, 1300, 1399])
def test_a_forecast_does_not_depend_on_its_day_or_later_ones(closes, contender, day) -> None:
    before, after = (build(c, contender) for c in (closes, replace_closes_from(closes, day)))
    known = (forecast_inputs(*arrays, day) for arrays in (before, after))
    for one, other in zip(*known, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_scaling_of_the_published_code_leaks(closes) -> None:
    day = 1300
    before, after = (
        build(c, scaling="refit-on-test") for c in (closes, replace_closes_from(closes, day))
    )
    *inputs, seen = forecast_inputs(*before, day)
    *inputs_after, seen_after = forecast_inputs(*after, day)
    assert all(map(np.array_equal, inputs, inputs_after))
    assert not np.array_equal(seen[0], seen_after[0])


def test_the_scaling_of_the_published_code_scales_each_part_by_itself(closes) -> None:
    _, testing = build(closes, EVERY, scaling="refit-on-test")
    np.testing.assert_allclose(testing.inputs.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(testing.inputs.std(axis=0), 1, rtol=1e-5)


def test_every_fit_has_its_own_seed_and_key(closes) -> None:
    tasks = make_paper_tasks(closes, PaperProtocol(), 2)
    assert len(tasks) == 2 * 18
    assert len({task.seed for task in tasks}) == 36
    assert len({task.key("tensorflow", {}) for task in tasks}) == 36


def test_more_runs_keep_the_first_fits(closes) -> None:
    few, more = (make_paper_tasks(closes, PaperProtocol(), runs) for runs in (1, 2))
    keys = [task.key("tensorflow", {}) for task in more]
    assert [task.key("tensorflow", {}) for task in few] == keys[: len(few)]
