"""The replication on a terminal of 80 columns: the paper's tables beside ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.replication.grid import aligned, figure, note
from engine.replication.livieris2021.forecast_text import forecast_tables
from engine.replication.livieris2021.rank_text import rank_section
from engine.replication.livieris2021.series import MOVES, STATISTICS
from engine.replication.livieris2021.trap_text import trap_section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.replication.livieris2021.beside import Beside
    from engine.replication.livieris2021.outcome import Replication

TITLE = """\
An Advanced CNN-LSTM Model for Cryptocurrency Forecasting
Livieris, Kiriakidou, Stavroyiannis & Pintelas (2021), Electronics 10(3) 287"""
LEGEND = "= ours, rounded, is what the paper prints   ! it is not"
LEAK = (
    "LEAKS: --scaling refit-on-test scales each part by its own mean and deviation, as the "
    "authors' published code does. The testing part's future shapes its forecasts; its scores "
    "are no evidence of anything."
)
SHORT = {"training": "training", "validation": "valid.", "testing": "testing"}


def printed(found: Replication) -> str:
    """All tables, a short note under each."""
    parts = [
        TITLE,
        *([note(LEAK)] if found.protocol.scaling != "train" else []),
        _protocol(found),
        LEGEND,
        _descriptive(found.descriptive),
        _movements(found.movements),
        _stationarity(found.stationarity, found.notes["adf"]),
        forecast_tables(found),
        trap_section(found.trap),
        rank_section(found.ranks, found.notes["ranks"]),
        _fits(found),
    ]
    return "\n\n".join(parts)


def _protocol(found: Replication) -> str:
    spec, training = found.protocol, found.protocol.training
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
        ("Runs", f"{found.runs} of each network, lag and coin, each with its own seed"),
    ]
    return aligned(kept, labels=2, gap=2)


def _descriptive(rows: Sequence[Beside]) -> str:
    heading = ["", "", "", "Min ", "Max ", "Mean ", "Std ", "Median ", "Skew ", "Kurt "]
    return "\n".join(
        [
            "Descriptive statistics of the closes",
            aligned([heading, *_two_lines(rows, STATISTICS)], labels=3),
            note(_count(rows) + " Deviation, skewness and excess kurtosis of the population."),
        ]
    )


def _two_lines(rows: Sequence[Beside], names: Sequence[str]) -> list[list[str]]:
    lines = []
    for row in rows:
        paper = [figure(row.paper[name], row.digits[name]) + " " for name in names]
        ours = [
            figure(row.ours[name], row.digits[name]) + mark(same=row.same(name)) for name in names
        ]
        whose = [str(row.labels["symbol"]), SHORT[str(row.labels["part"])]]
        lines += [[*whose, "paper", *paper], ["", "", "ours", *ours]]
    return lines


def _movements(rows: Sequence[Beside]) -> str:
    group = ["", "", "paper", "", "", "", "ours", "", "", ""]
    heading = ["", "", *(["Up ", "% ", "Down ", "% "] * 2)]
    lines = [
        [
            str(row.labels["symbol"]),
            SHORT[str(row.labels["part"])],
            *(figure(row.paper[name], row.digits[name]) + " " for name in MOVES),
            *(
                figure(row.ours[name], row.digits[name]) + mark(same=row.same(name))
                for name in MOVES
            ),
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "Movements",
            aligned([group, heading, *lines], labels=2, gap=2),
            note(
                _count(rows) + " Counted within a part, whose first day has none; days without a "
                "change are left out."
            ),
        ]
    )


def _stationarity(rows: Sequence[Beside], notes: Sequence[str]) -> str:
    group = ["", "", "paper", "", "ours", ""]
    heading = ["", "", "t ", "p ", "t ", "p "]
    names = ("statistic", "p_value")
    lines = [
        [
            str(row.labels["series"]),
            str(row.labels["symbol"]),
            *(figure(row.paper[name], row.digits[name]) + " " for name in names),
            *(
                figure(row.ours[name], row.digits[name]) + mark(same=row.same(name))
                for name in names
            ),
        ]
        for row in rows
    ]
    return "\n".join(
        [
            "Augmented Dickey-Fuller test",
            aligned([group, heading, *lines], labels=2, gap=2),
            note(_count(rows) + " With a constant, lags by BIC, all days."),
            *map(note, notes),
        ]
    )


def mark(*, same: bool) -> str:
    """Behind a figure that has to be the paper's."""
    return "=" if same else "!"


def _count(rows: Sequence[Beside]) -> str:
    same = sum(row.same(name) for row in rows for name in row.paper)
    return f"{same} of {sum(len(row.paper) for row in rows)} figures are the paper's."


def _fits(found: Replication) -> str:
    return note(f"Fits: {found.trained} trained, {found.stored} from the store.")
