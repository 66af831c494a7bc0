"""Friedman's aligned ranks with Finner's p-values, from the published rows and from ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.inference.aligned_ranks import compare_with_control, friedman_aligned_ranks
from engine.replication.livieris2021.comparison_row import equal_as_printed
from engine.replication.livieris2021.scores import HIGHER_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.core.types import Matrix
    from engine.replication.livieris2021.forecast_scores import NetworkScores
    from engine.replication.livieris2021.published import PublishedRank

METRICS = ("mae", "rmse", "r2", "accuracy_pct", "auc", "gm")
MIN_RANK_DIGITS = 3
MIN_P_DIGITS = 5
"""Fewest printed decimals of a rank and of a p-value, trailing zeros included."""


@dataclass(frozen=True)
class Ranking:
    """Average aligned rank of each model, with Finner's p-value against the best model.

    Attributes:
        rank: Model -> average aligned rank; the best model has the lowest.
        p_finner: Model -> adjusted p-value; None for the control, the best model.
    """

    rank: Mapping[str, float]
    p_finner: Mapping[str, float | None]

    @classmethod
    def from_average_ranks(cls, rank: Mapping[str, float], datasets: int) -> Ranking:
        """A ranking with the p-values that follow from the ranks."""
        models = list(rank)
        _, compared = compare_with_control(list(rank.values()), datasets)
        p_values = {models[each.model_index]: each.p_value_finner for each in compared}
        return cls(rank, {model: p_values.get(model) for model in models})

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            model: {"rank": self.rank[model], "p_finner": self.p_finner[model]}
            for model in self.rank
        }


@dataclass(frozen=True)
class RankTable:
    """The ranks of one metric, next to the printed table that is assigned to it.

    Attributes:
        metric: The ranked metric.
        number: Number of the printed table, from 1 to 6; None without one.
        printed: The printed ranks and p-values.
        h0: Model -> the printed decision on the hypothesis; None for the control.
        from_printed_ranks: The p-values that follow from the printed ranks.
        from_published_rows: From the published rows; equal scores are ranked by the last bit of a
            float, as in the paper.
        from_rows_tied: From the published rows; equal scores have their average rank.
        ours: From our rows.
        p_value: P-value of the joint test on our rows; None if undefined.
    """

    metric: str
    number: int | None
    printed: Ranking | None
    h0: Mapping[str, str | None]
    from_printed_ranks: Ranking | None
    from_published_rows: Ranking
    from_rows_tied: Ranking
    ours: Ranking
    p_value: float | None

    def rank_matches(self, model: str) -> bool:
        """Whether the printed rank follows from the published rows."""
        printed = None if self.printed is None else self.printed.rank[model]
        return equal_as_printed(
            printed,
            self.from_published_rows.rank[model],
            printed_decimals(printed, MIN_RANK_DIGITS),
        )

    def p_value_matches(self, model: str) -> bool:
        """Whether the printed p-value follows from the printed ranks."""
        if self.printed is None or self.from_printed_ranks is None:
            return False
        printed = self.printed.p_finner[model]
        return equal_as_printed(
            printed, self.from_printed_ranks.p_finner[model], printed_decimals(printed)
        )

    @property
    def relabelled(self) -> bool:
        """Whether the printed p-values follow from the printed ranks, but in other rows."""
        if (
            self.printed is None
            or self.from_printed_ranks is None
            or all(map(self.p_value_matches, self.h0))
        ):
            return False
        pairs = zip(
            _known_p_values(self.printed), _known_p_values(self.from_printed_ranks), strict=True
        )
        return all(equal_as_printed(paper, ours, printed_decimals(paper)) for paper, ours in pairs)

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        printed = {"paper": self.printed, "from_paper_ranks": self.from_printed_ranks}
        return {
            "metric": self.metric,
            "table": self.number,
            **{name: ranking and ranking.as_json() for name, ranking in printed.items()},
            "paper_h0": dict(self.h0),
            "from_paper_rows": self.from_published_rows.as_json(),
            "from_paper_rows_tied": self.from_rows_tied.as_json(),
            "ours": self.ours.as_json(),
            "ours_p_value": self.p_value,
            "equal_rank": {model: self.rank_matches(model) for model in self.ours.rank},
            "equal_p_finner": {model: self.p_value_matches(model) for model in self.ours.rank},
            "relabelled": self.relabelled,
        }


def build_rank_tables(
    rows: Sequence[NetworkScores], printed: Sequence[Sequence[PublishedRank]]
) -> list[RankTable]:
    """Every metric with the printed tables that are assigned to it.

    The file of printed figures names the metric of the first table only. Each table is assigned
    to the metric whose published rows give the nearest ranks.

    Args:
        rows: Rows of the forecast tables.
        printed: The six printed tables.
    """
    models = list(dict.fromkeys(row.model for row in rows))
    assigned = {
        number: nearest_metric(rows, models, table)
        for number, table in enumerate(printed, start=1)
    }
    tables = []
    for metric in METRICS:
        numbers = [number for number, nearest in assigned.items() if nearest == metric]
        if not numbers:
            tables.append(_build_table(rows, models, metric, None, []))
        tables += [
            _build_table(rows, models, metric, number, printed[number - 1]) for number in numbers
        ]
    return tables


def nearest_metric(
    rows: Sequence[NetworkScores], models: Sequence[str], table: Sequence[PublishedRank]
) -> str:
    """The metric whose published rows give the ranks at the least squared distance."""
    printed = {row.model: row.rank for row in table}

    def distance(metric: str) -> float:
        ranks = _average_ranks(
            _published_scores(rows, models, metric), models, metric, rounding=0.0
        )
        return sum((ranks[model] - printed[model]) ** 2 for model in models)

    return min(METRICS, key=distance)


def printed_decimals(value: float | None, least: int = 0) -> int:
    """Decimals of a printed figure: those of its shortest text, and at least `least`."""
    return least if value is None else max(least, len(repr(value).partition(".")[2]))


def _build_table(
    rows: Sequence[NetworkScores],
    models: Sequence[str],
    metric: str,
    number: int | None,
    table: Sequence[PublishedRank],
) -> RankTable:
    by_model = {row.model: row for row in table}
    published, ours = _published_scores(rows, models, metric), _our_scores(rows, models, metric)
    datasets = len(published)
    printed = from_ranks = None
    if by_model:
        # A mean of six ranks is a multiple of 1/12, which gives the digits that are not printed.
        exact = {model: round(12 * by_model[model].rank) / 12 for model in models}
        from_ranks = Ranking.from_average_ranks(exact, datasets)
        printed = Ranking(
            {model: by_model[model].rank for model in models},
            {model: by_model[model].p_finner for model in models},
        )
    higher = HIGHER_IS_BETTER[metric]
    return RankTable(
        metric=metric,
        number=number,
        printed=printed,
        h0={model: by_model[model].h0 if by_model else None for model in models},
        from_printed_ranks=from_ranks,
        from_published_rows=Ranking.from_average_ranks(
            _average_ranks(published, models, metric, rounding=0.0), datasets
        ),
        from_rows_tied=Ranking.from_average_ranks(
            _average_ranks(published, models, metric), datasets
        ),
        ours=Ranking.from_average_ranks(_average_ranks(ours, models, metric), datasets),
        p_value=friedman_aligned_ranks(ours, higher_is_better=higher).p_value,
    )


def _average_ranks(
    scores: Matrix, models: Sequence[str], metric: str, *, rounding: float | None = None
) -> dict[str, float]:
    higher = HIGHER_IS_BETTER[metric]
    if rounding is None:
        ranks = friedman_aligned_ranks(scores, higher_is_better=higher)
    else:
        ranks = friedman_aligned_ranks(scores, higher_is_better=higher, tie_tolerance=rounding)
    return dict(zip(models, ranks.average_ranks, strict=True))


def _published_scores(rows: Sequence[NetworkScores], models: Sequence[str], metric: str) -> Matrix:
    return _score_matrix((row.paper[metric] for row in rows), models)


def _our_scores(rows: Sequence[NetworkScores], models: Sequence[str], metric: str) -> Matrix:
    return _score_matrix((row.mean[metric] for row in rows), models)


def _score_matrix(scores: Iterator[float | None], models: Sequence[str]) -> Matrix:
    """(coins x lags, models), in the order of the rows."""
    return np.array(list(scores), dtype=np.float64).reshape(-1, len(models))


def _known_p_values(ranking: Ranking) -> list[float]:
    return sorted(p for p in ranking.p_finner.values() if p is not None)
