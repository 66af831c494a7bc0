"""Consistency checks of the printed tables, and the R2 of forecast price levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.replication.livieris2021.comparison_row import equal_as_printed
from engine.replication.livieris2021.forecast_scores import (
    ALWAYS_UP,
    DRIFT,
    PERSISTENCE,
    prices_on_test_days,
)
from engine.replication.livieris2021.scores import PRINTED_DIGITS
from engine.replication.plain_text import format_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import WideFrame
    from engine.replication.livieris2021.comparison_row import ComparisonRow
    from engine.replication.livieris2021.forecast_scores import NaiveScores, NetworkScores
    from engine.replication.livieris2021.protocol import PaperProtocol
    from engine.replication.livieris2021.ranks import RankTable

HALF_PRINTED_UNIT = 0.0005
"""Half a unit of the last printed digit of all scores but the accuracy."""
SIGNIFICANCE_LEVEL = 0.05
NAIVE_BENCHMARKS = {
    "mae_below_persistence": ("mae", PERSISTENCE),
    "rmse_below_persistence": ("rmse", PERSISTENCE),
    "mae_below_drift": ("mae", DRIFT),
    "rmse_below_drift": ("rmse", DRIFT),
    "accuracy_above_always_up": ("accuracy_pct", ALWAYS_UP),
}
"""Count -> the compared score and the naive rule."""


def find_repeated_statistics(rows: Sequence[ComparisonRow]) -> list[str]:
    """Unit root tests for which the paper prints the value of one coin for the others too."""
    transformed = [row for row in rows if row.labels["series"] == "transformed"]
    owners = [row for row in transformed if row.matches("statistic")]
    if len({row.paper["statistic"] for row in transformed}) > 1 or len(owners) != 1:
        return []
    owner = owners[0]
    others = [
        f"{row.labels['symbol']} {format_figure(row.ours['statistic'], 6)}"
        for row in transformed
        if row is not owner
    ]
    return [
        f"Transformed: the paper prints {owner.labels['symbol']}'s value, "
        f"{format_figure(owner.paper['statistic'], 6)}, for every coin; the others "
        f"are {' and '.join(others)}. The value is that of first differences, which are therefore "
        "the transformation."
    ]


def find_contradictions(
    closes: WideFrame, protocol: PaperProtocol, rows: Sequence[NetworkScores]
) -> list[str]:
    """Published scores of one row that contradict each other by more than rounding.

    Over runs on the same days the mean accuracy follows from the mean sensitivity and
    specificity, the mean AUC is half their sum, and the mean R2 is at most
    1 - (mean RMSE)^2 / variance of the prices, since the mean of squares is no less than the
    square of the mean.
    """
    contradictions = []
    for row in rows:
        previous, actual = prices_on_test_days(closes, protocol, row.symbol)
        up = float(np.mean(actual[1:] > previous[1:]))
        name = f"{row.symbol} {row.model} lag {row.lag}"
        sensitivity, specificity = row.paper["sensitivity"], row.paper["specificity"]
        accuracy = 100 * (sensitivity * up + specificity * (1 - up))
        if abs(row.paper["accuracy_pct"] - accuracy) > 100 * HALF_PRINTED_UNIT + 0.005:
            contradictions.append(
                f"{name}: accuracy {row.paper['accuracy_pct']:.2f} %, but its Sen and Spe "
                f"give {accuracy:.2f} %."
            )
        if abs(row.paper["auc"] - (sensitivity + specificity) / 2) > 2 * HALF_PRINTED_UNIT + 1e-9:
            contradictions.append(f"{name}: AUC {row.paper['auc']:.3f}, not half of Sen + Spe.")
        highest_r2 = 1 - max(row.paper["rmse"] - HALF_PRINTED_UNIT, 0.0) ** 2 / float(
            np.var(actual)
        )
        if row.paper["r2"] - HALF_PRINTED_UNIT > highest_r2:
            contradictions.append(
                f"{name}: R2 {row.paper['r2']:.3f}, but an RMSE of {row.paper['rmse']:.3f} "
                f"allows {highest_r2:.3f} at most."
            )
    return contradictions


def find_mislabelled_tables(tables: Sequence[RankTable]) -> list[str]:
    """Contradictions within the printed tables of ranks."""
    notes = []
    for table in tables:
        if table.printed is None or table.from_printed_ranks is None or table.number is None:
            continue
        name = f"No. {table.number}"
        control = next(model for model, p in table.printed.p_finner.items() if p is None)
        best = next(model for model, p in table.from_printed_ranks.p_finner.items() if p is None)
        if control != best:
            notes.append(
                f"{name}: labels swapped. The control, without a p-value, is printed as "
                f"{control}, but the lowest rank is {best}'s; the p-value in {best}'s row is "
                f"{control}'s."
            )
        elif table.relabelled:
            others = [model for model in table.printed.rank if model != best]
            notes.append(
                f"{name}: labels swapped. The p-values of {' and '.join(others)} are printed in "
                "each other's row: the higher rank has the lower p-value."
            )
        if not ties_leave_ranks_unchanged(table) and all(
            table.rank_matches(model) for model in table.h0
        ):
            shared = ", ".join(
                f"{model} {rank:.3f}" for model, rank in table.from_rows_tied.rank.items()
            )
            notes.append(
                f"{name}: equal scores were ranked by the last bit of a float; average ranks for "
                f"ties give {shared}."
            )
        notes += [
            f"{name}: {model} is rejected with p = {p:.3f}, so not at {SIGNIFICANCE_LEVEL:g}."
            for model, p in table.printed.p_finner.items()
            if p is not None and p > SIGNIFICANCE_LEVEL and table.h0[model] == "reject"
        ]
    return notes


def ties_leave_ranks_unchanged(table: RankTable) -> bool:
    """Whether average ranks for equal scores give the same ranks."""
    pairs = (
        (table.from_published_rows.rank[model], table.from_rows_tied.rank[model])
        for model in table.h0
    )
    return all(equal_as_printed(one, other, 6) for one, other in pairs)


def count_level_trap(
    rows: Sequence[NetworkScores], naive: Sequence[NaiveScores]
) -> dict[str, Any]:
    """Counts the published rows and our rows that beat the naive forecasts.

    A price is nearly equal to the price of the day before, so that any forecast of the level that
    starts from it explains nearly all of its variance. The informative comparisons are the error
    against that of persistence, and the accuracy against that of always forecasting up.
    """
    by_rule = {(row.symbol, row.rule): row.scores for row in naive}

    def count_better(figures: Sequence[tuple[str, Mapping[str, float | None]]]) -> dict[str, Any]:
        r2 = [scores["r2"] or 0.0 for _, scores in figures]
        return {
            "r2_lowest": min(r2),
            "r2_highest": max(r2),
            **{
                name: sum(
                    _is_better(scores[score], by_rule[symbol, rule][score], score)
                    for symbol, scores in figures
                )
                for name, (score, rule) in NAIVE_BENCHMARKS.items()
            },
        }

    persistence_r2 = [row.scores["r2"] or 0.0 for row in naive if row.rule == PERSISTENCE]
    return {
        "rows": len(rows),
        "persistence_r2_lowest": min(persistence_r2),
        "persistence_r2_highest": max(persistence_r2),
        "paper": count_better([(row.symbol, row.paper) for row in rows]),
        "ours": count_better([(row.symbol, row.mean) for row in rows]),
        "fits": sum(len(row.runs["mae"]) for row in rows),
        "fits_trapped": sum(row.trapped for row in rows),
    }


def _is_better(value: float | None, rule: float | None, score: str) -> bool:
    """Whether a score is better than that of a rule, both rounded as in the paper."""
    if value is None or rule is None:
        return False
    one, other = round(value, PRINTED_DIGITS[score]), round(rule, PRINTED_DIGITS[score])
    return one > other if score == "accuracy_pct" else one < other
