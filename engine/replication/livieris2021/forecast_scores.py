"""The forecast tables: each network's scores over its runs, and what needs no network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.forecasts.price_level_r2 import check_price_level_r2
from engine.replication.livieris2021.scores import (
    PRINTED_DIGITS,
    SCORES,
    compute_scores,
    direction_scores,
    price_error_scores,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.core.types import Vector, WideFrame
    from engine.models import Forecast
    from engine.replication.livieris2021.protocol import PaperProtocol
    from engine.replication.livieris2021.published import PublishedTables
    from engine.training.task import FitTask

PERSISTENCE, DRIFT, ALWAYS_UP = "Persistence", "Persistence + drift", "Always up"
NEAR_DEVIATIONS = 2.0
"""How many deviations of our runs the paper's mean may lie away and still be called near."""


@dataclass(frozen=True)
class NetworkScores:
    """A network's scores on one coin.

    Attributes:
        symbol: The coin.
        model: The network.
        lag: Differences it sees.
        paper: Score -> as printed.
        runs: Score -> one value a run.
        trapped: Runs that fell into the trap of forecast levels, see
            `engine.evaluation.forecasts.price_level_r2`.
    """

    symbol: str
    model: str
    lag: int
    paper: Mapping[str, float]
    runs: Mapping[str, Sequence[float | None]]
    trapped: int = 0

    @cached_property
    def mean(self) -> dict[str, float | None]:
        """Over the runs; None where one of them has no such score."""
        return {name: _mean(values) for name, values in self.runs.items()}

    @cached_property
    def std(self) -> dict[str, float | None]:
        """Of the runs, divisor n - 1; None of a single one."""
        return {name: _sample_std(values) for name, values in self.runs.items()}

    def is_near(self, name: str, *, of_the_mean: bool = False) -> bool:
        """Whether the paper's figure, as printed, lies within `NEAR_DEVIATIONS` of our mean.

        Args:
            name: Of the score.
            of_the_mean: In standard errors of our mean, deviation / sqrt(runs), instead of
                deviations of one run. The paper's own error, a mean of runs too, is not known.
        """
        mean, deviation = self.mean[name], self.std[name]
        if mean is None or deviation is None:
            return False
        if of_the_mean:
            deviation /= len(self.runs[name]) ** 0.5
        rounding = 0.5 * 10.0 ** -PRINTED_DIGITS[name]
        return abs(self.paper[name] - mean) <= NEAR_DEVIATIONS * deviation + rounding

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "symbol": self.symbol,
            "model": self.model,
            "lag": self.lag,
            "paper": dict(self.paper),
            "mean": self.mean,
            "sd": self.std,
            "runs": {name: list(values) for name, values in self.runs.items()},
            "trapped": self.trapped,
            "near": {name: self.is_near(name) for name in SCORES},
            "near_mean": {name: self.is_near(name, of_the_mean=True) for name in SCORES},
        }


@dataclass(frozen=True)
class NaiveScores:
    """A forecast that needs no network.

    Attributes:
        symbol: The coin.
        rule: Which.
        scores: None where the rule claims no such thing.
    """

    symbol: str
    rule: str
    scores: Mapping[str, float | None]

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"symbol": self.symbol, "rule": self.rule, **self.scores}


def score_networks(
    closes: WideFrame,
    protocol: PaperProtocol,
    published: PublishedTables,
    tasks: Sequence[FitTask],
    forecasts: Sequence[Forecast],
) -> list[NetworkScores]:
    """The paper's rows in its order: coin, lag, network.

    Args:
        closes: Of all coins and days.
        protocol: Coins, lags and networks.
        published: What the paper prints.
        tasks: All fits.
        forecasts: One a task.
    """
    made: dict[tuple[str, str], list[Mapping[str, float | None]]] = {}
    trapped: Counter[tuple[str, str]] = Counter()
    for task, forecast in zip(tasks, forecasts, strict=True):
        previous, actual = prices_on_test_days(closes, protocol, task.symbol)
        cell = (task.symbol, task.book)
        made.setdefault(cell, []).append(compute_scores(previous, actual, forecast.test))
        usual = _mean_change(closes[task.symbol].pct_change(), protocol)
        trapped[cell] += check_price_level_r2(
            previous, actual, forecast.test / previous, usual
        ).present
    return [
        NetworkScores(
            coin,
            contender.name,
            lag,
            _published_scores(published, coin, contender.name, lag),
            {n: [run[n] for run in made[coin, f"{contender.name} lag {lag}"]] for n in SCORES},
            trapped[coin, f"{contender.name} lag {lag}"],
        )
        for coin in protocol.coins
        for lag in protocol.lags
        for contender in protocol.contenders
    ]


def score_naive_rules(closes: WideFrame, protocol: PaperProtocol) -> list[NaiveScores]:
    """Yesterday's price, the same with the training part's mean difference, and always up."""
    rows = []
    for coin in protocol.coins:
        previous, actual = prices_on_test_days(closes, protocol, coin)
        drift = _mean_change(closes[coin].diff(), protocol)
        still = np.zeros_like(actual)
        up = actual[1:] > previous[1:]
        always = direction_scores(up, np.full_like(up, fill_value=True))
        rows += [
            NaiveScores(coin, PERSISTENCE, compute_scores(previous, actual, still)),
            NaiveScores(coin, DRIFT, compute_scores(previous, actual, still + drift)),
            NaiveScores(
                coin, ALWAYS_UP, dict.fromkeys(price_error_scores(actual, actual)) | always
            ),
        ]
    return rows


def prices_on_test_days(
    closes: WideFrame, protocol: PaperProtocol, coin: str
) -> tuple[Vector, Vector]:
    """Of each test day: the price of the day before, and its own."""
    days = protocol.split.testing
    values = closes[coin].to_numpy()
    return values[days.start - 1 : days.stop - 1], values[days.start : days.stop]


def _mean_change(changes: pd.Series[float], protocol: PaperProtocol) -> float:
    """Mean change of a day of the training part; its first day has none."""
    return float(changes.iloc[1 : protocol.split.training.stop].mean())


def _published_scores(
    published: PublishedTables, coin: str, model: str, lag: int
) -> dict[str, float]:
    row = published.find_scores(coin, model, lag)
    return {name: getattr(row, name) for name in SCORES}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def _sample_std(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.std(known, ddof=1)) if len(known) == len(values) > 1 else None
