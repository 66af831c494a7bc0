"""A made-up paper: closes of three coins that walk at random, and figures printed of them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.models import CnnLstm, Forecast, Micdl
from engine.refit.fits import Fits
from engine.replication.livieris2021.closes import read_closes
from engine.replication.livieris2021.fits import plan
from engine.replication.livieris2021.protocol import Contender, Protocol
from engine.replication.livieris2021.published import PARTS, read_published
from engine.replication.livieris2021.scores import SCORES
from engine.replication.livieris2021.series import MOVES, STATISTICS
from engine.replication.livieris2021.steps import compare

if TYPE_CHECKING:
    from pathlib import Path

    from engine.replication.livieris2021 import Replication

DAYS = 1400


def small_protocol() -> Protocol:
    """The paper's, but for two networks of a few neurons, one lag and one epoch."""
    layers = {"filters": 2, "units": 3}
    usual = Protocol()
    return usual.model_copy(
        update={
            "lags": (5,),
            "contenders": (
                Contender(name="Model1", network=CnnLstm(dense=4, **layers), inputs="own"),
                Contender(name="MICDL", network=Micdl(dense=(4, 3), **layers), inputs="all"),
            ),
            "training": usual.training.model_copy(update={"epochs": 1, "batch_size": 256}),
        }
    )


def write_paper(folder: Path, protocol: Protocol | None = None) -> Path:
    """The four files, as a user would have them."""
    spec = protocol or Protocol()
    folder.mkdir(parents=True, exist_ok=True)
    days = pd.date_range(spec.first, spec.last, freq="D").strftime("%Y-%m-%d")
    rng = np.random.default_rng(3)
    for coin, price in zip(spec.coins, (5000.0, 200.0, 0.3), strict=True):
        closes = price * np.exp(np.cumsum(0.01 * rng.standard_normal(DAYS)))
        table = pd.DataFrame({"timestamp": days, "close": closes})
        table.to_csv(folder / f"{coin}.csv", index=False)
    (folder / "published_tables.json").write_text(json.dumps(printed_figures(spec)))
    return folder


def printed_figures(protocol: Protocol) -> dict[str, Any]:
    """Tables of the right shape; the figures are anybody's."""
    by_part = [(coin, part) for coin in protocol.coins for part in PARTS]
    models = [contender.name for contender in protocol.contenders]
    return {
        "source": "made up",
        "descriptive": [
            {"symbol": coin, "part": part, **dict.fromkeys(STATISTICS, 1.5)}
            for coin, part in by_part
        ],
        "movements": [
            {"symbol": coin, "part": part, **dict.fromkeys(MOVES, 40.0)} for coin, part in by_part
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
                **{score: 0.01 * (place + number) for number, score in enumerate(SCORES)},
            }
            for coin in protocol.coins
            for lag in protocol.lags
            for place, model in enumerate(models)
        ],
        "friedman": [
            [
                {
                    "model": model,
                    "rank": 8.0 + place,
                    "p_finner": 0.6 if place else None,
                    "h0": "accepted" if place else None,
                }
                for place, model in enumerate(models)
            ]
        ]
        * 6,
    }


@lru_cache
def compared(folder: Path, runs: int) -> Replication:
    """A replication whose networks guess at random: nothing is trained."""
    spec = Protocol()
    closes, published = read_closes(folder, spec), read_published(folder, spec)
    tasks = plan(closes, spec, runs)
    rng = np.random.default_rng(11)
    scale = {coin: float(closes[coin].diff().std()) for coin in spec.coins}
    outcomes = [
        Forecast(
            np.zeros(len(task.problem.train)),
            np.zeros(len(task.problem.validation)),
            0.2 * scale[task.symbol] * rng.standard_normal(len(task.problem.test)),
        )
        for task in tasks
    ]
    fits = Fits(tasks, outcomes, trained=len(tasks), stored=0)
    return compare(closes, published, spec, fits, {"keras": "x"})
