"""The replication on a terminal of 80 columns: the paper's tables beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.replication.livieris2021.price_statistics import MOVEMENT_FIELDS, STATISTICS
from engine.replication.livieris2021.render_forecasts import render_forecast_tables
from engine.replication.livieris2021.render_level_trap import render_level_trap
from engine.replication.livieris2021.render_ranks import render_ranks
from engine.replication.plain_text import align_columns, format_figure, wrap_note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.replication.livieris2021.comparison_row import ComparisonRow
    from engine.replication.livieris2021.result import Livieris2021Result

TITLE = """\
An Advanced CNN-LSTM Model for Cryptocurrency Forecasting
Livieris, Kiriakidou, Stavroyiannis & Pintelas (2021), Electronics 10(3) 287"""
LEGEND = "= ours, rounded, is what the paper prints   ! it is not"
LEAK_WARNING = (
    "LEAKS: --scaling refit-on-test scales each part by its own mean and deviation, as the "
    "authors' published code does. The testing part's future shapes its forecasts; its scores "
    "are no evidence of anything."
)
PART_LABELS = {"training": "training", "validation": "valid.", "testing": "testing"}


def render_replication(result: Livieris2021Result) -> str:
    """All tables, a short note under each."""
    parts = [
        TITLE,
        *([wrap_note(LEAK_WARNING)] if result.protocol.scaling != "train" else []),
        _render_protocol(result),
        LEGEND,
        _render_descriptive(result.descriptive),
        _render_movements(result.movements),
        _render_stationarity(result.stationarity, result.notes["adf"]),
        render_forecast_tables(result),
        render_level_trap(result.level_trap),
        render_ranks(result.ranks, result.notes["ranks"]),
        _render_fits(result),
    ]
    return "\n\n".join(parts)


def _render_protocol(result: Livieris2021Result) -> str:
    spec, training = result.protocol, result.protocol.training
    whose = "the training part" if spec.scaling == "train" else "each part's own"
    kept = [
        ("Data", f"daily closes of {', '.join(spec.coins)}, {spec.first} to {spec.last}"),
        ("Split", f"validation from {spec.validation_from}, testing from {spec.test_from}"),
        ("Forecast", "next day's first difference; price = actual price before + difference"),
        ("Inputs", f"differences, scaled by {whose}; Model1 and Model2 see"),
        ("", "those of the coin alone, MICDL those of every coin, a branch each"),
        ("Training", f"Adam, MSE, {training.epochs} epochs, batches of {training.batch_size},"),
        ("", "best weights by validation loss, patience 10, plateau x 0.75 after 5"),
        ("Scores", "days up and down, a tie is down; AUC of hard labels; GM of counts"),
        ("Runs", f"{result.runs} of each network, lag and coin, each with its own seed"),
    ]
    return align_columns(kept, label_columns=2, gap=2)


def _render_descriptive(rows: Sequence[ComparisonRow]) -> str:
    heading = ["", "", "", "Min ", "Max ", "Mean ", "Std ", "Median ", "Skew ", "Kurt "]
    return "\n".join(
        [
            "Descriptive statistics of the closes",
            align_columns([heading, *_comparison_lines(rows, STATISTICS)], label_columns=3),
            wrap_note(
                _count_matches(rows)
                + " Deviation, skewness and excess kurtosis of the population."
            ),
        ]
    )


def _comparison_lines(rows: Sequence[ComparisonRow], names: Sequence[str]) -> list[list[str]]:
    lines = []
    for row in rows:
        paper = [format_figure(row.paper[name], row.digits[name]) + " " for name in names]
        ours = [
            format_figure(row.ours[name], row.digits[name]) + match_mark(matches=row.matches(name))
            for name in names
        ]
        whose = [str(row.labels["symbol"]), PART_LABELS[str(row.labels["part"])]]
        lines += [[*whose, "paper", *paper], ["", "", "ours", *ours]]
    return lines


def _render_movements(rows: Sequence[ComparisonRow]) -> str:
    group = ["", "", "paper", "", "", "", "ours", "", "", ""]
    heading = ["", "", *(["Up ", "% ", "Down ", "% "] * 2)]
    lines = [
        [
            str(row.labels["symbol"]),
            PART_LABELS[str(row.labels["part"])],
            *(format_figure(row.paper[name], row.digits[name]) + " " for name in MOVEMENT_FIELDS),
            *(
                format_figure(row.ours[name], row.digits[name])
                + match_mark(matches=row.matches(name))
                for name in MOVEMENT_FIELDS
            ),
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "Movements",
            align_columns([group, heading, *lines], label_columns=2, gap=2),
            wrap_note(
                _count_matches(rows)
                + " Counted within a part, whose first day has none; days without a "
                "change are left out."
            ),
        ]
    )


def _render_stationarity(rows: Sequence[ComparisonRow], notes: Sequence[str]) -> str:
    group = ["", "", "paper", "", "ours", ""]
    heading = ["", "", "t ", "p ", "t ", "p "]
    names = ("statistic", "p_value")
    lines = [
        [
            str(row.labels["series"]),
            str(row.labels["symbol"]),
            *(format_figure(row.paper[name], row.digits[name]) + " " for name in names),
            *(
                format_figure(row.ours[name], row.digits[name])
                + match_mark(matches=row.matches(name))
                for name in names
            ),
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "Augmented Dickey-Fuller test",
            align_columns([group, heading, *lines], label_columns=2, gap=2),
            wrap_note(_count_matches(rows) + " With a constant, lags by BIC, all days."),
            *map(wrap_note, notes),
        ]
    )


def match_mark(*, matches: bool) -> str:
    """Behind a figure that has to be the paper's."""
    return "=" if matches else "!"


def _count_matches(rows: Sequence[ComparisonRow]) -> str:
    same = sum(row.matches(name) for row in rows for name in row.paper)
    return f"{same} of {sum(len(row.paper) for row in rows)} figures are the paper's."


def _render_fits(result: Livieris2021Result) -> str:
    return wrap_note(f"Fits: {result.trained} trained, {result.stored} from the store.")
