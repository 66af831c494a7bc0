"""The tables of aligned ranks as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.replication.grid import aligned, figure, note
from engine.replication.livieris2021.findings import LEVEL
from engine.replication.livieris2021.ranks import P_DIGITS, RANK_DIGITS, decimals

if TYPE_CHECKING:
    from collections.abc import Sequence

from engine.replication.livieris2021.ranks import RankTable

NAMES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R2",
    "accuracy_pct": "Accuracy",
    "auc": "AUC",
    "gm": "GM",
}
RANK, P_VALUE = 4, 6
"""Decimals of ours: the most that the paper prints."""


def rank_section(tables: Sequence[RankTable], notes: Sequence[str]) -> str:
    """All tables side by side with what follows from the paper's own rows and ranks."""
    lines = [
        ["", "aligned", "rank", "", "Finner's", "p-value", ""],
        ["", "paper ", "its rows ", "ours ", "paper ", "its ranks ", "ours "],
    ]
    for table in tables:
        lines += _lines(table)
    told = (
        "6 problems: 3 coins x 2 lags; the lowest rank is the best. Its rows: ranks of the "
        "published scores, which have three digits. Its ranks: p-values of the printed ranks. "
        "No. 1 is the paper's Table 7, of the MAE; the printed figures hold no caption of the "
        "five after it, which stand beside the score whose ranks are nearest."
    )
    joint = ", ".join(
        f"{NAMES[metric]} {figure(p_value, 3)}"
        for metric, p_value in {table.metric: table.p_value for table in tables}.items()
    )
    return "\n".join(
        [
            "Friedman's aligned ranks and Finner's step-down p-values against the best",
            aligned(lines, gap=2),
            note(told),
            note(f"Joint test that the models are alike, on our rows, p: {joint}."),
            note(_behind(tables)),
            *map(note, _unfitting(tables)),
            *map(note, notes),
        ]
    )


def _behind(tables: Sequence[RankTable]) -> str:
    """Which models are behind the best on our rows, by Finner's p-values."""
    told = []
    for table in {table.metric: table for table in tables}.values():
        best = next(model for model, p_value in table.ours.p_finner.items() if p_value is None)
        told += [
            f"{model} is behind {best} in {NAMES[table.metric]} (p = {figure(p_value, 3)})"
            for model, p_value in table.ours.p_finner.items()
            if p_value is not None and p_value <= LEVEL
        ]
    return f"On our rows, at {LEVEL:g}: {'; '.join(told) or 'no model is behind the best'}."


def _lines(table: RankTable) -> list[list[str]]:
    title = NAMES[table.metric]
    title += f" (no. {table.number})" if table.number else " (not in print)"
    lines = [[title]]
    for model in table.ours.rank:
        rank = p_value = ""
        rank_mark = p_mark = " "
        if table.printed is not None and table.from_ranks is not None:
            rank = _as_printed(table.printed.rank[model], RANK_DIGITS, RANK)
            p_value = _as_printed(table.printed.p_finner[model], P_DIGITS, P_VALUE)
            rank_mark = "=" if table.same_rank(model) else " "
            p_mark = "=" if table.same_p(model) else "!"
        from_ranks = table.from_ranks.p_finner[model] if table.from_ranks else None
        lines.append(
            [
                f"  {model}",
                rank,
                figure(table.from_rows.rank[model], RANK) + rank_mark,
                figure(table.ours.rank[model], RANK) + " ",
                p_value,
                figure(from_ranks, P_VALUE) + p_mark if table.from_ranks else "",
                figure(table.ours.p_finner[model], P_VALUE) + " ",
            ]
        )
    return lines


def _as_printed(value: float | None, least: int, most: int) -> str:
    """With the digits that the paper prints, the point where that of `most` digits stands."""
    digits = decimals(value, least)
    return figure(value, digits) + " " * ((most - digits if value is not None else 0) + 1)


def _unfitting(tables: Sequence[RankTable]) -> list[str]:
    """Metrics of the forecast tables whose ranks no printed table is near."""
    told = []
    for table in tables:
        if table.number is None:
            ranks = ", ".join(f"{m} {rank:.3f}" for m, rank in table.from_rows.rank.items())
            told.append(
                f"{NAMES[table.metric]}: none of the six printed tables is near its "
                f"published rows, whose ranks are {ranks}."
            )
    by_metric: dict[str, list[int]] = {}
    for table in tables:
        if table.number is not None:
            by_metric.setdefault(table.metric, []).append(table.number)
    told += [
        f"{NAMES[metric]}: nos. {' and '.join(map(str, numbers))} are both nearest to its rows, "
        "and cannot both be of it."
        for metric, numbers in by_metric.items()
        if len(numbers) > 1
    ]
    return told
