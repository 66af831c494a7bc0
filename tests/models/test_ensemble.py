"""Ensembles: combination of members, validation weights, seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engine.core.errors import TrainingError
from engine.models import (
    AlwaysUp,
    Drift,
    Ensemble,
    Forecast,
    GradientBoosting,
    Lstm,
    Model,
    Persistence,
    Ridge,
    TrainingSpec,
)
from tests.models.planted_data import planted

MEMBERS = (Ridge(), Persistence(), AlwaysUp())
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class FixedForecast:
    """Takes the place of a member; forecasts its seed, or given numbers."""

    name: str = "told"
    level: float | None = None
    lookback: int = 1
    stochastic: bool = True
    fails: bool = False
    with_quantiles: bool = False

    def model_dump(self, mode: str) -> dict[str, str]:  # noqa: ARG002
        return {"kind": self.name}

    def fit_predict(self, dataset, training, seed) -> Forecast:  # noqa: ARG002
        if self.fails:
            raise TrainingError("the loss is not a number")
        level = float(seed) if self.level is None else self.level
        forecast = Forecast.constant(dataset, level)
        spread = level + np.tile([-1.0, 0.0, 1.0], (len(dataset.test), 1))
        return replace(forecast, quantiles=spread if self.with_quantiles else None)


def ensemble(*members, combine="mean", seeds=1) -> Ensemble:
    """An ensemble of stand-ins, built without validation."""
    return Ensemble.model_construct(members=members, combine=combine, seeds=seeds)


def member_forecasts(model: Ensemble, seed: int = 7) -> list[float]:
    """The forecast of each member, from the members' own weights."""
    return [
        float(m.weights[0][0]) for m in model.fit_predict(planted(), TrainingSpec(), seed).members
    ]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("combine", "by_hand"), [("mean", np.mean), ("median", np.median)])
def test_mean_and_median_are_by_row(combine, by_hand, part) -> None:
    problem = planted()
    alone = [getattr(m.fit_predict(problem, TrainingSpec(), 0), part) for m in MEMBERS]
    together = Ensemble(members=MEMBERS, combine=combine).fit_predict(problem, TrainingSpec(), 0)
    np.testing.assert_allclose(getattr(together, part), by_hand(alone, axis=0), rtol=1e-12)


def test_validation_weights_are_inverse_squared_errors_of_the_validation_rows() -> None:
    problem = planted()
    alone = [m.fit_predict(problem, TrainingSpec(), 0) for m in MEMBERS]
    truth = problem.target[problem.validation]
    precision = [1 / np.mean((f.validation - truth) ** 2) for f in alone]
    shares = np.array(precision) / sum(precision)
    together = Ensemble(members=MEMBERS, combine="validation_weighted").fit_predict(
        problem, TrainingSpec(), 0
    )
    np.testing.assert_allclose(together.weights[0], shares, rtol=1e-12)
    for part in PARTS:
        by_hand = sum(w * getattr(f, part) for w, f in zip(shares, alone, strict=True))
        np.testing.assert_allclose(getattr(together, part), by_hand, rtol=1e-9)


def test_validation_weights_depend_on_validation_rows_only() -> None:
    """The members fit nothing, so only the weights could change."""
    problem = planted()
    model = ensemble(
        FixedForecast(level=0.0), FixedForecast(level=0.02), combine="validation_weighted"
    )
    target = np.full_like(problem.target, np.nan)
    target[problem.validation] = problem.target[problem.validation]
    before, after = (
        model.fit_predict(p, TrainingSpec(), 0).weights[0]
        for p in (problem, replace(problem, target=target))
    )
    assert before.tobytes() == after.tobytes()


def test_members_without_validation_error_have_all_the_weight() -> None:
    problem = planted()
    problem = replace(problem, target=np.full_like(problem.target, 0.25))
    model = ensemble(
        FixedForecast(level=0.25),
        FixedForecast(level=0.25),
        FixedForecast(level=9.0),
        combine="validation_weighted",
    )
    forecast = model.fit_predict(problem, TrainingSpec(), 0)
    np.testing.assert_allclose(forecast.weights[0], [0.5, 0.5, 0.0], atol=1e-12)


def test_every_member_and_every_fit_has_its_own_seed() -> None:
    seeds = member_forecasts(
        ensemble(FixedForecast("a"), FixedForecast("b"), FixedForecast("a"), seeds=2)
    )
    assert len(seeds) == len(set(seeds)) == 6


def test_a_deterministic_member_is_fitted_once() -> None:
    assert (
        len(
            member_forecasts(
                ensemble(FixedForecast("a"), FixedForecast("b", stochastic=False), seeds=3)
            )
        )
        == 4
    )


def test_removing_or_moving_a_member_changes_no_other_seed() -> None:
    a, b, c = FixedForecast("a"), FixedForecast("b"), FixedForecast("c")
    of_a, of_b, of_c = member_forecasts(ensemble(a, b, c))
    assert member_forecasts(ensemble(c, a)) == [of_c, of_a]
    assert member_forecasts(ensemble(b, a, c)) == [of_b, of_a, of_c]


def test_another_seed_of_the_ensemble_gives_every_member_another() -> None:
    model = ensemble(FixedForecast("a"), FixedForecast("b"))
    assert not set(member_forecasts(model, seed=7)) & set(member_forecasts(model, seed=8))


def test_lookback_costly_and_stochastic_follow_the_members() -> None:
    light = Ensemble(members=(Ridge(lookback=9), Drift()))
    assert (light.lookback, light.costly, light.stochastic) == (9, False, False)
    boosted = Ensemble(members=(Drift(), GradientBoosting(lookback=4)))
    assert (boosted.lookback, boosted.costly, boosted.stochastic) == (4, True, False)
    deep = Ensemble(members=(light, Ensemble(members=(Lstm(lookback=20),))))
    assert (deep.lookback, deep.costly, deep.stochastic) == (20, True, True)


def test_quantiles_are_combined_where_every_member_has_them() -> None:
    one, other = (FixedForecast(level=v, with_quantiles=True) for v in (0.0, 2.0))
    forecast = ensemble(one, other).fit_predict(planted(), TrainingSpec(), 0)
    np.testing.assert_allclose(forecast.quantiles, np.tile([0, 1, 2], (len(forecast.test), 1)))
    np.testing.assert_allclose(forecast.quantiles[:, 1], forecast.test)
    mixed = ensemble(one, FixedForecast(level=2.0)).fit_predict(planted(), TrainingSpec(), 0)
    assert mixed.quantiles is None


def test_the_error_of_a_failed_member_names_it() -> None:
    with pytest.raises(
        TrainingError, match=r"name='b'.* in the ensemble: the loss is not a number"
    ):
        ensemble(FixedForecast("a"), FixedForecast("b", fails=True)).fit_predict(
            planted(), TrainingSpec(), 0
        )


def test_it_is_read_from_a_strategy_with_any_members() -> None:
    inner = {"kind": "ensemble", "members": [{"kind": "drift"}], "combine": "median"}
    given = {"kind": "ensemble", "members": [{"kind": "lstm", "units": [8]}, inner]}
    model = TypeAdapter(Model).validate_python(given)
    assert model == Ensemble(
        members=(Lstm(units=(8,)), Ensemble(members=(Drift(),), combine="median"))
    )
    assert TypeAdapter(Model).validate_python(model.model_dump(mode="json")) == model


def test_an_empty_space_is_an_error() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Ensemble(members=())
