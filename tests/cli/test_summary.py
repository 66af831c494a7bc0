from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.cli.run_summary import render_run_text
from tests.runs.documents import make_certificate

if TYPE_CHECKING:
    from engine.runs.run import Run


def table_of(text: str) -> list[str]:
    return text.split("\n\n")[1].splitlines()


def test_the_summary_at_80_columns(finished: Run) -> None:
    assert render_run_text(finished, width=80) == (
        "micdl on SP500, us-indices (offline stand-in)\n"
        "out of sample 2003-06-02 to 2018-12-31, 3,900 bars\n"
        "\n"
        "Book          Return %  CAGR %  Sharpe           95 %   DD %  Trades  Cost %\n"
        "Strategy         +41.2    +3.5    0.42  -0.11 to 0.93  -18.4   1,204    14.2\n"
        "Buy and hold      -3.0    +3.5       -              -  -18.4       1    14.2\n"
        "\n"
        "Forecasts: direction right on 51.2 % of bars (always up: 54.0 %),\n"
        "R\u00b2 against no change -0.0031\n"
        "\n"
        "Verdict: No evidence that the strategy has skill.\n"
        "\n"
        "Evidence: none\n"
        "\n"
        "tearsheet    reports/micdl/0123456789ab/tearsheet.html\n"
        "significance reports/micdl/0123456789ab/significance.html\n"
        "quantstats   reports/micdl/0123456789ab/quantstats.html"
    )


def test_without_pages_it_says_how_to_draw_them(finished: Run) -> None:
    told = render_run_text(replace(finished, run_dir=Path("reports/micdl/bare")), width=80)
    assert told.endswith("No pages yet: backtest report reports/micdl/bare draws them.")


@pytest.mark.parametrize("width", range(24, 200, 7))
def test_no_line_of_the_table_is_wider_than_the_terminal(finished: Run, width: int) -> None:
    assert max(map(len, table_of(render_run_text(finished, width)))) <= width


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (30, ["Book", "Return %", "Sharpe"]),
        (64, ["Book", "Return %", "Sharpe", "95 %", "DD %", "Trades"]),
    ],
)
def test_a_narrow_terminal_keeps_the_columns_that_matter(
    finished: Run, width: int, headings: list[str]
) -> None:
    shown = table_of(render_run_text(finished, width))[0]

    assert [part.strip() for part in shown.split("  ") if part.strip()] == headings


def test_a_wide_terminal_shows_every_column(finished: Run) -> None:
    heading = table_of(render_run_text(finished, 200))[0]

    assert heading.rstrip().endswith("In market %  Hits %  Break-even bps")


def test_a_long_verdict_is_wrapped_between_words(finished: Run) -> None:
    verdict = {"grade": "none", "sentence": "no evidence " * 20}
    wordy = replace(finished, significance=finished.significance | {"verdict": verdict})

    lines = render_run_text(wordy, 80).split("\n\n")[3].splitlines()

    assert len(lines) == 4
    assert {line.split()[-1] for line in lines} <= {"no", "evidence"}


def test_how_many_fits_started_warm_is_told(finished: Run) -> None:
    days = {part: ["2016-01-04", "2016-12-30"] for part in ("train", "validation", "test")}
    windows = [{"index": n, **days, "fits": [{"warm": n == 1}]} for n in range(2)]
    warm = replace(finished, manifest=finished.manifest | {"windows": windows})

    assert (
        "1 of 2 fits started warm, from the weights of the window before; the others from\n"
        "random ones."
    ) in render_run_text(warm, 80)


def test_a_run_without_forecasts_of_the_strategy_has_no_line_on_skill(finished: Run) -> None:
    silent = replace(finished, metrics=finished.metrics | {"forecasts": {}})

    assert "Forecasts:" not in render_run_text(silent, 80)


def test_several_horizons_and_intervals_have_a_line_each(finished: Run) -> None:
    scores = finished.metrics["forecasts"]["strategy"]
    scores["horizons"] = {
        bars: scores | {"r2_vs_persistence": r2}
        for bars, r2 in (("1", -0.0031), ("10", 0.012), ("5", None))
    }
    scores["intervals"] = [
        {"low": 0.05, "high": 0.95}
        | {"nominal_pct": 90.0, "coverage_pct": 87.25, "mean_width_bps": 512.0},
        {"low": 0.25, "high": 0.75}
        | {"nominal_pct": 50.0, "coverage_pct": 51.0, "mean_width_bps": 200.0},
    ]
    metrics = finished.metrics | {"forecasts": {"strategy": scores}}

    told = render_run_text(replace(finished, metrics=metrics), 80).split("\n\n")[2].splitlines()

    assert told[2:] == [
        "R\u00b2 by horizon: 1 bar -0.0031, 5 bars -, 10 bars +0.0120",
        "Intervals: the 90 % one held 87.2 %, the 50 % one held 51.0 % of the outcomes",
    ]


def test_what_look_ahead_was_looked_for_in_has_a_line(finished: Run) -> None:
    told = make_certificate(sentence="no look-ahead found at 9 cuts (features, fills)")
    text = render_run_text(replace(finished, certificate=told), width=80)
    assert "\n\nCertificate: no look-ahead found at 9 cuts (features, fills)\n\n" in text
    assert "Certificate" not in render_run_text(finished, width=80)
