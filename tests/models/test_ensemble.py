"""Ensembles: combination of members, validation weights, seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engine.core.errors import TrainingError
from engine.models import (
    AlwaysUp,
    Drift,
    Ensemble,
    FittedForecaster,
    GradientBoosting,
    Lstm,
    Model,
    Persistence,
    Prediction,
    Ridge,
    TrainingSpec,
)
from tests.models.planted_data import change, fit_and_predict, planted

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
    kind: ClassVar[str] = "fixed"

    def model_dump(self, mode: str) -> dict[str, str]:
        return {"kind": self.name}

    def fit(self, training_set, training, seed) -> FittedForecaster:
        if self.fails:
            raise TrainingError("the loss is not a number")
        level = float(seed) if self.level is None else self.level
        return FittedForecaster(self, (np.array([level]),))

    def predict(self, fitted, inputs, rows) -> Prediction:
        level = np.full(len(rows), fitted.weights[0][0])
        spread = level[:, None] + np.array([-1.0, 0.0, 1.0])
        return Prediction(level, spread if self.with_quantiles else None)


def ensemble(*members, combine="mean", seeds=1) -> Ensemble:
    """An ensemble of stand-ins, built without validation."""
    return Ensemble.model_construct(members=members, combine=combine, seeds=seeds)


def member_forecasts(model: Ensemble, seed: int = 7) -> list[float]:
    """The forecast of each member, from the members' own weights."""
    fitted = model.fit(planted().training_set, TrainingSpec(), seed)
    return [float(member.weights[0][0]) for member in fitted.members]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("combine", "by_hand"), [("mean", np.mean), ("median", np.median)])
def test_mean_and_median_are_by_row(combine, by_hand, part) -> None:
    window = planted()
    alone = [getattr(fit_and_predict(member, window), part) for member in MEMBERS]
    together = fit_and_predict(Ensemble(members=MEMBERS, combine=combine), window)
    np.testing.assert_allclose(getattr(together, part), by_hand(alone, axis=0), rtol=1e-12)


def test_validation_weights_are_inverse_squared_errors_of_the_validation_rows() -> None:
    window = planted()
    alone = [fit_and_predict(member, window) for member in MEMBERS]
    truth = window.target[window.training_set.validation]
    precision = [1 / np.mean((f.validation - truth) ** 2) for f in alone]
    shares = np.array(precision) / sum(precision)
    together = fit_and_predict(Ensemble(members=MEMBERS, combine="validation_weighted"), window)
    np.testing.assert_allclose(together.fitted.weights[0], shares, rtol=1e-12)
    for part in PARTS:
        by_hand = sum(w * getattr(f, part) for w, f in zip(shares, alone, strict=True))
        np.testing.assert_allclose(getattr(together, part), by_hand, rtol=1e-9)


def test_validation_weights_depend_on_validation_rows_only() -> None:
    """The members fit nothing, so only the weights could change."""
    window = planted()
    model = ensemble(
        FixedForecast(level=0.0), FixedForecast(level=0.02), combine="validation_weighted"
    )
    rows = window.training_set.validation
    target = np.full_like(window.target, np.nan)
    target[rows] = window.target[rows]
    before, after = (
        model.fit(w.training_set, TrainingSpec(), 0).weights[0]
        for w in (window, change(window, target=target))
    )
    assert before.tobytes() == after.tobytes()


def test_members_without_validation_error_have_all_the_weight() -> None:
    window = planted()
    window = change(window, target=np.full_like(window.target, 0.25))
    model = ensemble(
        FixedForecast(level=0.25),
        FixedForecast(level=0.25),
        FixedForecast(level=9.0),
        combine="validation_weighted",
    )
    fitted = model.fit(window.training_set, TrainingSpec(), 0)
    np.testing.assert_allclose(fitted.weights[0], [0.5, 0.5, 0.0], atol=1e-12)


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
    forecast = fit_and_predict(ensemble(one, other), planted())
    np.testing.assert_allclose(forecast.quantiles, np.tile([0, 1, 2], (len(forecast.test), 1)))
    np.testing.assert_allclose(forecast.quantiles[:, 1], forecast.test)
    mixed = fit_and_predict(ensemble(one, FixedForecast(level=2.0)), planted())
    assert mixed.quantiles is None


def test_the_error_of_a_failed_member_names_it() -> None:
    with pytest.raises(
        TrainingError, match=r"name='b'.* in the ensemble: the loss is not a number"
    ):
        fit_and_predict(ensemble(FixedForecast("a"), FixedForecast("b", fails=True)), planted())


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
