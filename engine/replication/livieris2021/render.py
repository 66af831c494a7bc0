"""Renders the replication for a terminal of 80 columns: the paper's tables next to ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.replication.livieris2021.price_statistics import MOVEMENT_FIELDS, STATISTICS
from engine.replication.livieris2021.render_forecasts import render_forecast_tables
from engine.replication.livieris2021.render_ranks import render_ranks
from engine.replication.plain_text import align_columns, format_figure, wrap_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.replication.livieris2021.comparison_row import ComparisonRow
    from engine.replication.livieris2021.result import Livieris2021Result

TITLE = """\
An Advanced CNN-LSTM Model for Cryptocurrency Forecasting
Livieris, Kiriakidou, Stavroyiannis & Pintelas (2021), Electronics 10(3) 287"""
LEGEND = "= our rounded figure equals the printed one   ! it does not"
LEAK_WARNING = (
    "LEAKS: --scaling refit-on-test scales each part by its own mean and deviation, as the "
    "authors' published code does. The forecasts of the testing part depend on later days; their "
    "scores are no evidence of skill."
)
PART_LABELS = {"training": "training", "validation": "valid.", "testing": "testing"}
COUNT_LABELS = {
    "mae_below_persistence": "MAE below persistence",
    "mae_below_drift": "MAE below persistence + drift",
    "rmse_below_persistence": "RMSE below persistence",
    "rmse_below_drift": "RMSE below persistence + drift",
    "accuracy_above_always_up": "accuracy above always up",
}


def render_replication(result: Livieris2021Result) -> str:
    """All tables, each with a short note."""
    parts = [
        TITLE,
        *([wrap_note(LEAK_WARNING)] if result.protocol.scaling != "train" else []),
        _render_protocol(result),
        LEGEND,
        _render_descriptive(result.descriptive),
        _render_movements(result.movements),
        _render_stationarity(result.stationarity, result.notes["adf"]),
        render_forecast_tables(result),
        _render_level_trap(result.level_trap),
        render_ranks(result.ranks, result.notes["ranks"]),
        _render_fits(result),
    ]
    return "\n\n".join(parts)


def _render_protocol(result: Livieris2021Result) -> str:
    spec, training = result.protocol, result.protocol.training
    scaled_by = "the training part" if spec.scaling == "train" else "each part itself"
    rows = [
        ("Data", f"daily closes of {', '.join(spec.coins)}, {spec.first} to {spec.last}"),
        ("Split", f"validation from {spec.validation_from}, testing from {spec.test_from}"),
        ("Forecast", "next day's first difference; price = actual price before + difference"),
        ("Inputs", f"differences, scaled by {scaled_by}; Model1 and Model2 have"),
        ("", "those of the coin alone, MICDL those of every coin, a branch each"),
        ("Training", f"Adam, MSE, {training.epochs} epochs, batches of {training.batch_size},"),
        ("", "best weights by validation loss, patience 10, plateau x 0.75 after 5"),
        ("Scores", "days up and down, a tie is down; AUC of hard labels; GM of counts"),
        ("Runs", f"{result.runs} of each network, lag and coin, each with a different seed"),
    ]
    return align_columns(rows, label_columns=2, gap=2)


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
        labels = [str(row.labels["symbol"]), PART_LABELS[str(row.labels["part"])]]
        lines += [[*labels, "paper", *paper], ["", "", "ours", *ours]]
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
                + " Counted within each part, whose first day has none; days without "
                "a change are left out."
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
    """The mark after a figure that the paper prints too."""
    return "=" if matches else "!"


def _count_matches(rows: Sequence[ComparisonRow]) -> str:
    equal = sum(row.matches(name) for row in rows for name in row.paper)
    return f"{equal} of {sum(len(row.paper) for row in rows)} figures equal the paper's."


def _render_level_trap(counts: Mapping[str, Any]) -> str:
    """Counts of the rows that beat the naive forecasts, with the R2 of prices."""
    rows = counts["rows"]
    lines = [
        [f"Rows of {rows} with", "paper", "ours"],
        *(
            [name, str(counts["paper"][key]), str(counts["ours"][key])]
            for key, name in COUNT_LABELS.items()
        ),
    ]
    r2_note = (
        f"The level-forecast trap: R2 on prices is {_format_r2_range(counts['paper'])} in the "
        f"paper's rows and "
        f"{_format_r2_range(counts['ours'])} in ours, and it is "
        f"{_format_r2_range(counts, 'persistence_')} for yesterday's "
        "price, which has no skill. It shows that a price is close to the one before, not "
        "that the forecasts have skill."
    )
    return "\n".join(
        [
            "Against naive forecasts",
            align_columns(lines, gap=2),
            wrap_note(r2_note),
            wrap_note(_direction_sentence(counts)),
            wrap_note(
                f"By the engine's test {counts['fits_trapped']} of our {counts['fits']} "
                f"fits are "
                "in the trap: an R2 of 0.9 or more on prices, errors not significantly below "
                "those of persistence and drift, direction not significantly above always up."
            ),
        ]
    )


def _format_r2_range(figures: Mapping[str, Any], prefix: str = "") -> str:
    return f"{figures[f'{prefix}r2_lowest']:.3f} to {figures[f'{prefix}r2_highest']:.3f}"


def _direction_sentence(counts: Mapping[str, Any]) -> str:
    phrases = {
        who: "none" if not counts[who]["accuracy_above_always_up"] else "not every"
        for who in ("paper", "ours")
    }
    if set(phrases.values()) == {"none"}:
        return (
            "Direction: no row, published or ours, is right more often than always forecasting up."
        )
    beating = ", ".join(
        f"{counts[who]['accuracy_above_always_up']} of {counts['rows']} in {name}"
        for who, name in (("paper", "the paper"), ("ours", "ours"))
    )
    return (
        f"Direction: a higher accuracy than always forecasting up have {beating}. Of "
        f"{counts['rows']} rows on one test span some have it by chance."
    )


def _render_fits(result: Livieris2021Result) -> str:
    return wrap_note(f"Fits: {result.trained} trained, {result.stored} from the store.")
