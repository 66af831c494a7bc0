"""The tables of aligned ranks as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.replication.livieris2021.consistency import SIGNIFICANCE_LEVEL
from engine.replication.livieris2021.ranks import MIN_P_DIGITS, MIN_RANK_DIGITS, printed_decimals
from engine.replication.plain_text import align_columns, format_figure, wrap_note

if TYPE_CHECKING:
    from collections.abc import Sequence

from engine.replication.livieris2021.ranks import RankTable

METRIC_LABELS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R2",
    "accuracy_pct": "Accuracy",
    "auc": "AUC",
    "gm": "GM",
}
MAX_RANK_DIGITS, MAX_P_DIGITS = 4, 6
"""Decimals of ours: the most that the paper prints."""


def render_ranks(tables: Sequence[RankTable], notes: Sequence[str]) -> str:
    """All tables, next to the ranks and p-values that follow from the paper's rows and ranks."""
    lines = [
        ["", "aligned", "rank", "", "Finner's", "p-value", ""],
        ["", "paper ", "its rows ", "ours ", "paper ", "its ranks ", "ours "],
    ]
    for table in tables:
        lines += _table_lines(table)
    legend = (
        "6 problems: 3 coins x 2 lags; the lowest rank is the best. Its rows: ranks of the "
        "published scores, which have three digits. Its ranks: p-values of the printed ranks. "
        "No. 1 is the paper's Table 7, of the MAE; the captions of the other five are not in the "
        "file, so each is assigned to the score with the nearest ranks."
    )
    joint = ", ".join(
        f"{METRIC_LABELS[metric]} {format_figure(p_value, 3)}"
        for metric, p_value in {table.metric: table.p_value for table in tables}.items()
    )
    return "\n".join(
        [
            "Friedman's aligned ranks and Finner's step-down p-values against the best",
            align_columns(lines, gap=2),
            wrap_note(legend),
            wrap_note(f"Joint test that all models are equal, on our rows, p: {joint}."),
            wrap_note(_significantly_worse(tables)),
            *map(wrap_note, _unmatched_metrics(tables)),
            *map(wrap_note, notes),
        ]
    )


def _significantly_worse(tables: Sequence[RankTable]) -> str:
    """The models that are significantly worse than the best on our rows, by Finner."""
    findings = []
    for table in {table.metric: table for table in tables}.values():
        best = next(model for model, p_value in table.ours.p_finner.items() if p_value is None)
        findings += [
            f"{model} is worse than {best} in {METRIC_LABELS[table.metric]} (p = "
            f"{format_figure(p_value, 3)})"
            for model, p_value in table.ours.p_finner.items()
            if p_value is not None and p_value <= SIGNIFICANCE_LEVEL
        ]
    return (
        f"On our rows, at {SIGNIFICANCE_LEVEL:g}: "
        f"{'; '.join(findings) or 'no model is worse than the best'}."
    )


def _table_lines(table: RankTable) -> list[list[str]]:
    title = METRIC_LABELS[table.metric]
    title += f" (no. {table.number})" if table.number else " (not in print)"
    lines = [[title]]
    for model in table.ours.rank:
        rank = p_value = ""
        rank_mark = p_mark = " "
        if table.printed is not None and table.from_printed_ranks is not None:
            rank = _format_as_printed(table.printed.rank[model], MIN_RANK_DIGITS, MAX_RANK_DIGITS)
            p_value = _format_as_printed(table.printed.p_finner[model], MIN_P_DIGITS, MAX_P_DIGITS)
            rank_mark = "=" if table.rank_matches(model) else " "
            p_mark = "=" if table.p_value_matches(model) else "!"
        from_ranks = table.from_printed_ranks.p_finner[model] if table.from_printed_ranks else None
        lines.append(
            [
                f"  {model}",
                rank,
                format_figure(table.from_published_rows.rank[model], MAX_RANK_DIGITS) + rank_mark,
                format_figure(table.ours.rank[model], MAX_RANK_DIGITS) + " ",
                p_value,
                format_figure(from_ranks, MAX_P_DIGITS) + p_mark
                if table.from_printed_ranks
                else "",
                format_figure(table.ours.p_finner[model], MAX_P_DIGITS) + " ",
            ]
        )
    return lines


def _format_as_printed(value: float | None, least: int, most: int) -> str:
    """With the digits of the paper, aligned at the decimal point with figures of `most` digits."""
    digits = printed_decimals(value, least)
    return format_figure(value, digits) + " " * ((most - digits if value is not None else 0) + 1)


def _unmatched_metrics(tables: Sequence[RankTable]) -> list[str]:
    """Metrics without a printed table, and metrics with more than one."""
    notes = []
    for table in tables:
        if table.number is None:
            ranks = ", ".join(
                f"{m} {rank:.3f}" for m, rank in table.from_published_rows.rank.items()
            )
            notes.append(
                f"{METRIC_LABELS[table.metric]}: none of the six printed tables is nearest to "
                f"its published rows, whose ranks are {ranks}."
            )
    by_metric: dict[str, list[int]] = {}
    for table in tables:
        if table.number is not None:
            by_metric.setdefault(table.metric, []).append(table.number)
    notes += [
        f"{METRIC_LABELS[metric]}: nos. {' and '.join(map(str, numbers))} are both nearest to "
        "its rows; at most one of them belongs to it."
        for metric, numbers in by_metric.items()
        if len(numbers) > 1
    ]
    return notes
