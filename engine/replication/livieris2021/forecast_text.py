"""The forecast tables as text: a table a coin, the paper's row, ours and its deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.replication.grid import aligned, figure, note
from engine.replication.livieris2021.forecasts import ALWAYS_UP, DRIFT, PERSISTENCE
from engine.replication.livieris2021.scores import DIGITS, SCORES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.replication.livieris2021.forecasts import Row
    from engine.replication.livieris2021.outcome import Replication

HEADING = ["", "", "MAE ", "RMSE ", "R2 ", "Acc % ", "AUC ", "GM ", "Sen ", "Spe "]
NAMES = {PERSISTENCE: "Persistence", DRIFT: "  + drift", ALWAYS_UP: ALWAYS_UP}
SMALL = 0.1
"""Errors below this get further digits of ours: the paper's three say next to nothing."""


def forecast_tables(found: Replication) -> str:
    """One table a coin, with the notes on all of them."""
    tables = [_table(found, coin) for coin in found.protocol.coins]
    if found.runs > 1:
        pairs = [(row, name) for row in found.forecasts for name in SCORES]
        near = sum(row.near(name) for row, name in pairs)
        close = sum(row.near(name, of_the_mean=True) for row, name in pairs)
        legend = (
            f"sd: of {found.runs} runs. ~ the paper's figure lies within 2 sd of our mean: {near} "
            f"of {len(pairs)} do, and {close} within 2 sd / sqrt({found.runs}), the error of our "
            "mean alone."
        )
    else:
        legend = "One run: no deviation, and nothing to hold the paper's figures against."
    alike = (
        "Persistence forecasts yesterday's price, which is a tie and so always down; drift adds "
        "the mean difference of the training part; always up claims a direction alone."
    )
    return "\n\n".join([*tables, "\n".join(map(note, [legend, alike, *_notes(found)]))])


def _notes(found: Replication) -> list[str]:
    return [f"The paper contradicts itself: {told}" for told in found.notes["forecasts"]]


def _table(found: Replication, coin: str) -> str:
    rows = [row for row in found.forecasts if row.symbol == coin]
    digits = _digits(rows)
    lines = [HEADING]
    for row in rows:
        lines += _three_lines(row, digits)
    lines += [
        [NAMES[row.rule], "", *_cells(row.scores, digits)]
        for row in found.naive
        if row.symbol == coin
    ]
    days = found.protocol.parts.testing
    return f"Forecasts of {coin}, {len(days)} testing days\n" + aligned(lines, labels=2)


def _digits(rows: list[Row]) -> dict[str, int]:
    small = max(row.paper["rmse"] for row in rows) < SMALL
    return {**DIGITS, **(dict.fromkeys(("mae", "rmse"), 5) if small else {})}


def _three_lines(row: Row, digits: Mapping[str, int]) -> list[list[str]]:
    name = f"{row.model} {row.lag:>{9 - len(row.model) - 1}}"
    paper = [
        # The paper's last digit stands below ours of the same weight.
        figure(row.paper[score], DIGITS[score]) + " " * (digits[score] - DIGITS[score] + 1)
        for score in SCORES
    ]
    mean, deviation = row.mean, row.deviation
    ours = [
        figure(mean[score], digits[score]) + ("~" if row.near(score) else " ") for score in SCORES
    ]
    lines = [[name, "paper", *paper], ["", "ours", *ours]]
    if any(value is not None for value in deviation.values()):
        lines.append(["", "sd", *_cells(deviation, digits)])
    return lines


def _cells(scores: Mapping[str, float | None], digits: Mapping[str, int]) -> list[str]:
    return [figure(scores[score], digits[score]) + " " for score in SCORES]
