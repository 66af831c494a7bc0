"""What a loop computes while it waits: of networks, up to the last step, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from engine.live.loop.recent_rows import RecentRows
from engine.live.loop.window_models import WindowModels
from engine.models import FittedForecaster, Mlp, Ridge
from engine.models.fitted_model import FittedModel
from engine.signals.decision_levels import DecisionLevels
from tests.models.hand_networks import COLUMNS, NETWORK, make_network
from tests.models.served_models import fit_model
from tests.parts.own_parts import OwnModel

KEPT = 6


@dataclass(frozen=True, eq=False)
class AskedModel(FittedModel):
    """A fit that keeps what it was asked."""

    asked: list[tuple[np.ndarray, list[int]]] = field(default_factory=list)

    def predict(self, rows, at):
        self.asked.append((rows.features.copy(), at.tolist()))
        return super().predict(rows, at)


def asked_model(forecaster: FittedForecaster) -> AskedModel:
    served = fit_model(Ridge(lookback=2))
    return AskedModel(
        forecaster, served.train, served.validation, served.realised, served.transform
    )


def recent_rows(symbols: tuple[str, ...] = ("AAA",)) -> RecentRows:
    rng = np.random.default_rng(2)
    return RecentRows(
        KEPT,
        1,
        rng.normal(100, 7, (KEPT, COLUMNS)),
        rng.normal(50, 1, (KEPT + 1, len(symbols))),
        symbols,
        dict.fromkeys(symbols, slice(None)),
        (),
    )


def window_models(**members: list[AskedModel]) -> WindowModels:
    own = {symbol: [(model, 0) for model in models] for symbol, models in members.items()}
    return WindowModels(own, DecisionLevels(0, {}, {}, {}), ())


def test_a_network_is_asked_for_a_next_bar_that_repeats_the_newest() -> None:
    first, second = asked_model(make_network(1)), asked_model(make_network(2))
    rows = recent_rows()
    window_models(AAA=[first, second]).prepare_next(rows)
    for model in (first, second):
        ((features, at),) = model.asked
        assert at == [len(features) - 1]
        np.testing.assert_array_equal(features[-1], rows.features[-1])
        np.testing.assert_array_equal(features[:-1], rows.features[-len(features) + 1 :])


def test_the_rows_are_as_before() -> None:
    rows = recent_rows()
    before = rows.features.copy(), rows.closes.copy()
    window_models(AAA=[asked_model(make_network())]).prepare_next(rows)
    np.testing.assert_array_equal(rows.features, before[0])
    np.testing.assert_array_equal(rows.closes, before[1])


def test_a_forecast_is_the_same_without_it() -> None:
    rows, models = recent_rows(), window_models(AAA=[asked_model(make_network())])
    alone = models.predict(rows).predicted
    models.prepare_next(recent_rows().repeat_newest())
    assert models.predict(rows).predicted == alone


def test_cheap_models_and_those_of_a_user_are_not_asked() -> None:
    cheap = asked_model(fit_model(Ridge(lookback=2)).forecaster)
    network = make_network()
    own = asked_model(replace(network, model=OwnNetwork(lookback=NETWORK.lookback)))
    window_models(AAA=[cheap, own, asked_model(FittedForecaster(OwnModel()))]).prepare_next(
        recent_rows()
    )
    assert cheap.asked == own.asked == []


def test_a_fit_that_symbols_share_is_not_asked() -> None:
    network = make_network()
    one, two = asked_model(network), asked_model(network)
    window_models(AAA=[one], BBB=[two]).prepare_next(recent_rows(("AAA", "BBB")))
    assert one.asked == two.asked == []


class OwnNetwork(Mlp):
    """A user's network."""
