"""A made-up paper: random-walk closes of three coins, and printed figures."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd

from engine.models import CnnLstm, FittedForecaster, Forecaster, Micdl, Prediction
from engine.models.fitted_model import FittedModel
from engine.replication.livieris2021.price_statistics import MOVEMENT_FIELDS, STATISTICS
from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperNetwork, PaperProtocol
from engine.replication.livieris2021.published import PARTS, read_published
from engine.replication.livieris2021.run import compare_with_paper
from engine.replication.livieris2021.scores import SCORES
from engine.replication.livieris2021.tasks import make_paper_tasks
from engine.training.results import FitResults

if TYPE_CHECKING:
    from pathlib import Path

    from engine.replication.livieris2021 import Livieris2021Result

DAYS = 1400


def small_protocol() -> PaperProtocol:
    """The paper's, but for two networks of a few neurons, one lag and one epoch."""
    layers = {"filters": 2, "units": 3}
    usual = PaperProtocol()
    return usual.model_copy(
        update={
            "lags": (5,),
            "contenders": (
                PaperNetwork(name="Model1", network=CnnLstm(dense=4, **layers), inputs="own"),
                PaperNetwork(name="MICDL", network=Micdl(dense=(4, 3), **layers), inputs="all"),
            ),
            "training": usual.training.model_copy(update={"epochs": 1, "batch_size": 256}),
        }
    )


def write_paper(folder: Path, protocol: PaperProtocol | None = None) -> Path:
    """Writes the four files that a user provides."""
    spec = protocol or PaperProtocol()
    folder.mkdir(parents=True, exist_ok=True)
    days = pd.date_range(spec.first, spec.last, freq="D").strftime("%Y-%m-%d")
    rng = np.random.default_rng(3)
    for coin, price in zip(spec.coins, (5000.0, 200.0, 0.3), strict=True):
        closes = price * np.exp(np.cumsum(0.01 * rng.standard_normal(DAYS)))
        table = pd.DataFrame({"timestamp": days, "close": closes})
        table.to_csv(folder / f"{coin}.csv", index=False)
    (folder / "published_tables.json").write_text(json.dumps(printed_figures(spec)))
    return folder


def printed_figures(protocol: PaperProtocol) -> dict[str, Any]:
    """Tables of the right shape with arbitrary figures."""
    by_part = [(coin, part) for coin in protocol.coins for part in PARTS]
    models = [contender.name for contender in protocol.contenders]
    return {
        "source": "made up",
        "descriptive": [
            {"symbol": coin, "part": part, **dict.fromkeys(STATISTICS, 1.5)}
            for coin, part in by_part
        ],
        "movements": [
            {"symbol": coin, "part": part, **dict.fromkeys(MOVEMENT_FIELDS, 40.0)}
            for coin, part in by_part
        ],
        "adf": {
            series: {coin: [-1.5, 0.5] for coin in protocol.coins}
            for series in ("levels", "transformed")
        },
        "forecast": [
            {
                "symbol": coin,
                "model": model,
                "lag": lag,
                **{score: 0.01 * (position + number) for number, score in enumerate(SCORES)},
            }
            for coin in protocol.coins
            for lag in protocol.lags
            for position, model in enumerate(models)
        ],
        "friedman": [
            [
                {
                    "model": model,
                    "rank": 8.0 + position,
                    "p_finner": 0.6 if position else None,
                    "h0": "accepted" if position else None,
                }
                for position, model in enumerate(models)
            ]
        ]
        * 6,
    }


class Recited(Forecaster):
    """Predicts its weights, one a row, whatever the inputs are."""

    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False

    kind: Literal["recited"] = "recited"
    lookback: int

    def fit(self, *_: object) -> FittedForecaster:
        raise NotImplementedError

    def predict(self, fitted: FittedForecaster, *_: object) -> Prediction:
        return Prediction(fitted.weights[0])


@lru_cache
def compared(folder: Path, runs: int) -> Livieris2021Result:
    """A replication with random forecasts instead of trained networks."""
    spec = PaperProtocol()
    closes, published = read_closes(folder, spec), read_published(folder, spec)
    tasks = make_paper_tasks(closes, spec, runs)
    rng = np.random.default_rng(11)
    scale = {coin: float(closes[coin].diff().std()) for coin in spec.coins}
    days = len(spec.split.testing)
    outcomes = [
        FittedModel(
            FittedForecaster(
                Recited(lookback=task.model.lookback),
                weights=(0.2 * scale[task.symbol] * rng.standard_normal(days),),
            ),
            train=np.zeros(len(task.training_set.train)),
            validation=np.zeros(len(task.training_set.validation)),
            realised=np.zeros((len(task.training_set.validation), 1)),
        )
        for task in tasks
    ]
    fits = FitResults(tasks, outcomes, trained=len(tasks), stored=0)
    return compare_with_paper(closes, published, spec, fits, {"keras": "x"})
