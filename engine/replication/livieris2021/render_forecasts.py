"""The forecast tables as text: for each coin the paper's rows, ours and their deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.replication.livieris2021.forecast_scores import ALWAYS_UP, DRIFT, PERSISTENCE
from engine.replication.livieris2021.scores import PRINTED_DIGITS, SCORES
from engine.replication.plain_text import align_columns, format_figure, wrap_note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.replication.livieris2021.forecast_scores import NetworkScores
    from engine.replication.livieris2021.result import Livieris2021Result

HEADING = ["", "", "MAE ", "RMSE ", "R2 ", "Acc % ", "AUC ", "GM ", "Sen ", "Spe "]
RULE_LABELS = {PERSISTENCE: "Persistence", DRIFT: "  + drift", ALWAYS_UP: ALWAYS_UP}
SMALL_ERROR = 0.1
"""Our errors below this have more digits than the three of the paper, which are too few."""


def render_forecast_tables(result: Livieris2021Result) -> str:
    """One table for each coin, with the notes on all of them."""
    tables = [_render_coin(result, coin) for coin in result.protocol.coins]
    if result.runs > 1:
        pairs = [(row, name) for row in result.forecasts for name in SCORES]
        near = sum(row.is_near(name) for row, name in pairs)
        near_mean = sum(row.is_near(name, of_the_mean=True) for row, name in pairs)
        legend = (
            f"sd: of {result.runs} runs. ~ the paper's figure lies within 2 sd of our mean: "
            f"{near} "
            f"of {len(pairs)} do, and {near_mean} within 2 sd / sqrt({result.runs}), the standard "
            "error of our mean."
        )
    else:
        legend = "One run: no standard deviation to compare the paper's figures with."
    naive_note = (
        "Persistence forecasts yesterday's price, which is a tie and counts as down; drift adds "
        "the mean difference of the training part; always up forecasts the direction only."
    )
    return "\n\n".join(
        [*tables, "\n".join(map(wrap_note, [legend, naive_note, *_contradiction_notes(result)]))]
    )


def _contradiction_notes(result: Livieris2021Result) -> list[str]:
    return [f"The paper contradicts itself: {note}" for note in result.notes["forecasts"]]


def _render_coin(result: Livieris2021Result, coin: str) -> str:
    rows = [row for row in result.forecasts if row.symbol == coin]
    digits = _our_digits(rows)
    lines = [HEADING]
    for row in rows:
        lines += _model_lines(row, digits)
    lines += [
        [RULE_LABELS[row.rule], "", *_format_scores(row.scores, digits)]
        for row in result.naive_rules
        if row.symbol == coin
    ]
    days = result.protocol.split.testing
    return f"Forecasts of {coin}, {len(days)} testing days\n" + align_columns(
        lines, label_columns=2
    )


def _our_digits(rows: list[NetworkScores]) -> dict[str, int]:
    small = max(row.paper["rmse"] for row in rows) < SMALL_ERROR
    return {**PRINTED_DIGITS, **(dict.fromkeys(("mae", "rmse"), 5) if small else {})}


def _model_lines(row: NetworkScores, digits: Mapping[str, int]) -> list[list[str]]:
    name = f"{row.model} {row.lag:>{9 - len(row.model) - 1}}"
    paper = [
        # The digits of the paper line up with ours.
        format_figure(row.paper[score], PRINTED_DIGITS[score])
        + " " * (digits[score] - PRINTED_DIGITS[score] + 1)
        for score in SCORES
    ]
    mean, deviation = row.mean, row.std
    ours = [
        format_figure(mean[score], digits[score]) + ("~" if row.is_near(score) else " ")
        for score in SCORES
    ]
    lines = [[name, "paper", *paper], ["", "ours", *ours]]
    if any(value is not None for value in deviation.values()):
        lines.append(["", "sd", *_format_scores(deviation, digits)])
    return lines


def _format_scores(scores: Mapping[str, float | None], digits: Mapping[str, int]) -> list[str]:
    return [format_figure(scores[score], digits[score]) + " " for score in SCORES]
