"""The forecast tables: scores of each network over its runs, and of naive rules."""

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
    from engine.replication.livieris2021.protocol import PaperProtocol
    from engine.replication.livieris2021.published import PublishedTables
    from engine.training.task import FitTask

PERSISTENCE, DRIFT, ALWAYS_UP = "Persistence", "Persistence + drift", "Always up"
NEAR_DEVIATIONS = 2.0
"""Largest distance, in standard deviations of our runs, at which the paper's mean is near."""


@dataclass(frozen=True)
class NetworkScores:
    """The scores of one network on one coin.

    Attributes:
        symbol: The coin.
        model: The network.
        lag: Number of differences in its input.
        paper: Score -> the printed figure.
        runs: Score -> one value for each run.
        trapped: Runs with a high R2 of prices without skill, see
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
        """Mean over the runs; None if a run lacks the score."""
        return {name: _mean(values) for name, values in self.runs.items()}

    @cached_property
    def std(self) -> dict[str, float | None]:
        """Standard deviation of the runs, divisor n - 1; None for a single run."""
        return {name: _sample_std(values) for name, values in self.runs.items()}

    def is_near(self, name: str, *, of_the_mean: bool = False) -> bool:
        """Whether the paper's figure, as printed, lies within `NEAR_DEVIATIONS` of our mean.

        Args:
            name: Name of the score.
            of_the_mean: Measure in standard errors of our mean, deviation / sqrt(runs), instead of
                standard deviations of one run. The error of the paper's mean is unknown.
        """
        mean, deviation = self.mean[name], self.std[name]
        if mean is None or deviation is None:
            return False
        if of_the_mean:
            deviation /= len(self.runs[name]) ** 0.5
        rounding = 0.5 * 10.0 ** -PRINTED_DIGITS[name]
        return abs(self.paper[name] - mean) <= NEAR_DEVIATIONS * deviation + rounding

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
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
    """The scores of a naive rule on one coin.

    Attributes:
        symbol: The coin.
        rule: The rule.
        scores: None for scores that the rule does not have.
    """

    symbol: str
    rule: str
    scores: Mapping[str, float | None]

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"symbol": self.symbol, "rule": self.rule, **self.scores}


def score_networks(
    closes: WideFrame,
    protocol: PaperProtocol,
    published: PublishedTables,
    tasks: Sequence[FitTask],
    predictions: Sequence[Vector],
) -> list[NetworkScores]:
    """The rows of the forecast tables in the order of the paper: coin, lag, network.

    Args:
        closes: Closes of all coins and days.
        protocol: The protocol of the paper.
        published: The printed tables.
        tasks: All fit tasks.
        predictions: For each task the predicted difference of each testing day.
    """
    scores: dict[tuple[str, str], list[Mapping[str, float | None]]] = {}
    trapped: Counter[tuple[str, str]] = Counter()
    for task, predicted in zip(tasks, predictions, strict=True):
        previous, actual = prices_on_test_days(closes, protocol, task.symbol)
        cell = (task.symbol, task.book)
        scores.setdefault(cell, []).append(compute_scores(previous, actual, predicted))
        mean_return = _mean_change(closes[task.symbol].pct_change(), protocol)
        trapped[cell] += check_price_level_r2(
            previous, actual, predicted / previous, mean_return
        ).present
    return [
        NetworkScores(
            coin,
            contender.name,
            lag,
            _published_scores(published, coin, contender.name, lag),
            {n: [run[n] for run in scores[coin, f"{contender.name} lag {lag}"]] for n in SCORES},
            trapped[coin, f"{contender.name} lag {lag}"],
        )
        for coin in protocol.coins
        for lag in protocol.lags
        for contender in protocol.contenders
    ]


def score_naive_rules(closes: WideFrame, protocol: PaperProtocol) -> list[NaiveScores]:
    """Persistence, persistence plus the mean training difference, and always up."""
    rows = []
    for coin in protocol.coins:
        previous, actual = prices_on_test_days(closes, protocol, coin)
        drift = _mean_change(closes[coin].diff(), protocol)
        no_change = np.zeros_like(actual)
        up = actual[1:] > previous[1:]
        always = direction_scores(up, np.full_like(up, fill_value=True))
        rows += [
            NaiveScores(coin, PERSISTENCE, compute_scores(previous, actual, no_change)),
            NaiveScores(coin, DRIFT, compute_scores(previous, actual, no_change + drift)),
            NaiveScores(
                coin, ALWAYS_UP, dict.fromkeys(price_error_scores(actual, actual)) | always
            ),
        ]
    return rows


def prices_on_test_days(
    closes: WideFrame, protocol: PaperProtocol, coin: str
) -> tuple[Vector, Vector]:
    """The price of the day before each test day, and of each test day."""
    days = protocol.split.testing
    values = closes[coin].to_numpy()
    return values[days.start - 1 : days.stop - 1], values[days.start : days.stop]


def _mean_change(changes: pd.Series[float], protocol: PaperProtocol) -> float:
    """Mean daily change within the training part, whose first day has none."""
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
