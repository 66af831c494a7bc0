"""What each network sees, and what it cannot have known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperProtocol
from engine.replication.livieris2021.tasks import build_paper_dataset, make_paper_tasks

LAG = 7
OWN, EVERY = 0, 2
"""Places of Model1 and MICDL among the contenders."""


@pytest.fixture(scope="module")
def closes(paper) -> pd.DataFrame:
    return read_closes(paper, PaperProtocol())


def made(closes: pd.DataFrame, contender: int = OWN, coin: str = "ETH", **changes: object):
    spec = PaperProtocol(**changes)
    return build_paper_dataset(closes, spec, spec.contenders[contender], LAG, coin)


def test_the_parts_are_those_of_the_paper() -> None:
    training, validation, testing = PaperProtocol().split
    assert (len(training), len(validation), len(testing)) == (1153, 94, 153)
    days = pd.date_range(PaperProtocol().first, periods=PaperProtocol().n_days)
    assert str(days[validation.start].date()) == "2020-02-28"
    assert str(days[testing.start].date()) == "2020-06-01"
    assert str(days[-1].date()) == "2020-10-31"


def test_every_day_of_validation_and_test_is_forecast(closes) -> None:
    problem = made(closes)
    assert len(problem.train) == 1153 - LAG - 1  # no difference of the first day
    assert (len(problem.validation), len(problem.test)) == (94, 153)


@pytest.mark.parametrize("contender", [OWN, EVERY])
def test_a_sequence_is_the_last_differences_before_the_day(closes, contender) -> None:
    problem = made(closes, contender)
    spec = PaperProtocol()
    used = ["ETH"] if contender == OWN else list(spec.coins)
    moved = closes[used].diff().to_numpy()
    learnt = moved[1:1152]  # the last difference of the training part is a target alone
    scaled = (moved - learnt.mean(axis=0)) / learnt.std(axis=0)
    days = [range(LAG + 1, 1153), *spec.split[1:]]
    for rows, part in zip((problem.train, problem.validation, problem.test), days, strict=True):
        for row, day in zip(rows, part, strict=True):
            seen = problem.sequences(np.array([row]), LAG)[0]
            np.testing.assert_allclose(seen, scaled[day - LAG : day], rtol=1e-5, atol=1e-6)


def test_the_target_is_the_difference_of_the_coming_day(closes) -> None:
    problem = made(closes)
    moved = closes["ETH"].diff().to_numpy()
    np.testing.assert_array_equal(problem.target[problem.train], moved[LAG + 1 : 1153])
    np.testing.assert_array_equal(problem.target[problem.validation], moved[1153:1247])


def test_nothing_of_a_testing_day_can_be_learnt(closes) -> None:
    assert np.isnan(made(closes).target[made(closes).test]).all()


def test_a_micdl_has_a_branch_a_coin_and_the_others_their_own() -> None:
    kinds = [(each.name, each.inputs) for each in PaperProtocol().contenders]
    assert kinds == [("Model1", "own"), ("Model2", "own"), ("MICDL", "all")]


def corrupted(closes: pd.DataFrame, day: int) -> pd.DataFrame:
    """Every close from that day on is another."""
    changed = closes.copy()
    changed.iloc[day:] = 1.7 * changed.iloc[day:][::-1].to_numpy()
    return changed


def known(problem, day: int) -> list[np.ndarray]:
    """All that decides the forecasts of the testing days up to `day`."""
    first = PaperProtocol().split.testing.start
    seen = problem.test[: day - first + 1]
    learnt = [problem.sequences(rows, LAG) for rows in (problem.train, problem.validation)]
    targets = [problem.target[rows] for rows in (problem.train, problem.validation)]
    return [*learnt, *targets, problem.sequences(seen, LAG)]


@pytest.mark.parametrize("contender", [OWN, EVERY])
@pytest.mark.parametrize("day", [1247, 1248, 1300, 1399])
def test_a_forecast_knows_nothing_of_its_day_or_any_later(closes, contender, day) -> None:
    before, after = (made(c, contender) for c in (closes, corrupted(closes, day)))
    for one, other in zip(known(before, day), known(after, day), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_scaling_of_the_published_code_leaks(closes) -> None:
    day = 1300
    before, after = (made(c, scaling="refit-on-test") for c in (closes, corrupted(closes, day)))
    *learnt, seen = known(before, day)
    *learnt_after, seen_after = known(after, day)
    assert all(map(np.array_equal, learnt, learnt_after))
    assert not np.array_equal(seen[0], seen_after[0])


def test_the_scaling_of_the_published_code_scales_each_part_by_itself(closes) -> None:
    problem = made(closes, EVERY, scaling="refit-on-test")
    testing = problem.inputs[problem.test[0] - LAG + 1 :]
    np.testing.assert_allclose(testing.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(testing.std(axis=0), 1, rtol=1e-5)


def test_every_fit_has_a_seed_and_a_key_of_its_own(closes) -> None:
    tasks = make_paper_tasks(closes, PaperProtocol(), 2)
    assert len(tasks) == 2 * 18
    assert len({task.seed for task in tasks}) == 36
    assert len({task.key("tensorflow", {}) for task in tasks}) == 36


def test_more_runs_leave_those_before_alone(closes) -> None:
    few, more = (make_paper_tasks(closes, PaperProtocol(), runs) for runs in (1, 2))
    keys = [task.key("tensorflow", {}) for task in more]
    assert [task.key("tensorflow", {}) for task in few] == keys[: len(few)]
