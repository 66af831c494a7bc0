from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from engine.cli.run_summary import render_run_text, run_document
from tests.runs.documents import make_certificate

if TYPE_CHECKING:
    from engine.runs.run import Run

LONG_TEXT = "no evidence " * 20


def changed(run: Run, **documents: Any) -> Run:
    """The run with other values of some keys of its documents."""
    return replace(
        run, **{name: getattr(run, name) | changes for name, changes in documents.items()}
    )


def table_of(text: str) -> list[str]:
    return text.split("\n\n")[1].splitlines()


def test_the_summary_at_80_columns(finished: Run) -> None:
    assert render_run_text(finished, width=80) == (
        "micdl on SP500, us-indices (offline dataset)\n"
        "out of sample 2003-06-02 to 2018-12-31, 3,900 bars\n"
        "Sharpe ratio: risk-free rate 0\n"
        "\n"
        "Book          Return %  CAGR %  Sharpe           95 %  MDD %  Trades  Cost %\n"
        "Strategy         +41.2    +3.5    0.42  -0.11 to 0.93  -18.4   1,204    14.2\n"
        "Buy and hold      -3.0    +3.5       -              -  -18.4       1    14.2\n"
        "\n"
        "Forecasts: directional accuracy 51.2 % (always up: 54.0 %),\n"
        "R\u00b2 against no change -0.0031\n"
        "\n"
        "Verdict: No evidence that the strategy has skill.\n"
        "\n"
        "Evidence: none\n"
        "\n"
        "Orders due at the next open: none\n"
        "\n"
        "tearsheet    reports/micdl/0123456789ab/tearsheet.html\n"
        "significance reports/micdl/0123456789ab/significance.html\n"
        "quantstats   reports/micdl/0123456789ab/quantstats.html"
    )


def test_without_pages_it_names_the_command_that_writes_them(finished: Run) -> None:
    text = render_run_text(replace(finished, run_dir=Path("reports/micdl/bare")), width=80)
    assert text.endswith("No pages yet: backtest report reports/micdl/bare writes them.")


@pytest.mark.parametrize("width", range(24, 200, 7))
def test_no_line_of_the_table_is_wider_than_the_terminal(finished: Run, width: int) -> None:
    assert max(map(len, table_of(render_run_text(finished, width)))) <= width


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (30, ["Book", "Return %", "Sharpe"]),
        (64, ["Book", "Return %", "Sharpe", "95 %", "MDD %", "Trades"]),
    ],
)
def test_a_narrow_terminal_keeps_the_columns_that_matter(
    finished: Run, width: int, headings: list[str]
) -> None:
    shown = table_of(render_run_text(finished, width))[0]

    assert [part.strip() for part in shown.split("  ") if part.strip()] == headings


def test_a_wide_terminal_shows_every_column(finished: Run) -> None:
    heading = table_of(render_run_text(finished, 200))[0]

    assert heading.rstrip().endswith("Exposure %  Hit rate %  Break-even bps")


def test_a_long_verdict_is_wrapped_between_words(finished: Run) -> None:
    run = changed(finished, significance={"verdict": {"grade": "none", "sentence": LONG_TEXT}})

    lines = render_run_text(run, 80).split("\n\n")[3].splitlines()

    assert len(lines) == 4
    assert {line.split()[-1] for line in lines} <= {"no", "evidence"}


def test_the_number_of_warm_starts_is_stated(finished: Run) -> None:
    days = ["2020-01-01", "2020-12-31"]
    window = dict.fromkeys(("train", "validation", "test"), days)
    windows = [
        {"index": index, **window, "fits": [{"warm": warm}]}
        for index, warm in enumerate((False, True))
    ]

    text = render_run_text(changed(finished, manifest={"windows": windows}), 80)
    assert "\n1 of 2 fits started warm, " in text


def test_a_run_without_forecasts_has_no_line_on_them(finished: Run) -> None:
    run = changed(finished, metrics={"forecasts": {}})

    assert "Forecasts:" not in render_run_text(run, 80)


def test_several_horizons_and_intervals_have_a_line_each(finished: Run) -> None:
    scores = finished.metrics.forecasts["strategy"]
    horizons = {
        bars: scores | {"r2_vs_persistence": r2}
        for bars, r2 in (("1", -0.0031), ("10", 0.012), ("5", None))
    }
    wide = {"low": 0.05, "high": 0.95, "nominal_pct": 90.0, "coverage_pct": 87.25}
    narrow = {"low": 0.25, "high": 0.75, "nominal_pct": 50.0, "coverage_pct": 51.0}
    many = scores | {"horizons": horizons, "intervals": [wide, narrow]}
    run = changed(finished, metrics={"forecasts": {"strategy": many}})

    lines = render_run_text(run, 80).split("\n\n")[2].splitlines()

    assert lines[2:] == [
        "R\u00b2 by horizon: 1 bar -0.0031, 5 bars -, 10 bars +0.0120",
        "Coverage: 87.2 % of the 90 % interval, 51.0 % of the 50 % interval",
    ]


def test_the_look_ahead_test_has_a_line(finished: Run) -> None:
    compared = {stage: {"columns": 1, "values": 10} for stage in ("features", "fills")}
    certificate = make_certificate(compared=compared)
    text = render_run_text(replace(finished, certificate=certificate), width=80)
    assert "\n\nNo look-ahead detected at 1 cutoff (features, fills)\n\n" in text
    probed = certificate | {"features": {"cuts": 275, "bars": 4832}}
    text = " ".join(render_run_text(replace(finished, certificate=probed), width=80).split())
    assert "at 1 cutoff (features, fills); features probed at 275 bars" in text
    assert "look-ahead" not in render_run_text(finished, width=80)


def with_orders(run: Run, **execution: Any) -> Run:
    """The run with a long decided at its last close."""
    positions = run.positions.assign(weight=[0.0, 0.5])
    predictions = pd.DataFrame(
        {
            "timestamp": positions["timestamp"],
            "symbol": "SP500",
            "horizon": 1,
            "seed": 0,
            "predicted": [0.0, 0.00123],
        }
    )
    strategy = {**run.manifest.strategy, "execution": execution}
    dataset = run.manifest.dataset | {"interval": "1d", "calendar": "XNYS"}
    changed_run = changed(run, manifest={"strategy": strategy, "dataset": dataset})
    return replace(changed_run, positions=positions, predictions=predictions)


def test_orders_that_are_due_are_a_table(finished: Run) -> None:
    assert render_run_text(with_orders(finished), width=80).split("\n\n")[5] == (
        "Orders due at the next open\n"
        "Symbol  Decided on         Due  Held %  Target %  Forecast bps\n"
        "SP500   2018-12-31  2019-01-02     0.0     +50.0         +12.3"
    )


@pytest.mark.parametrize(
    ("execution", "title"),
    [
        ({"delay": 1, "price": "close"}, "Orders due at the next close\n"),
        ({"delay": 3, "price": "open"}, "Orders due after the last bar\n"),
    ],
)
def test_the_title_says_when_orders_are_due(
    finished: Run, execution: dict[str, Any], title: str
) -> None:
    assert title in render_run_text(with_orders(finished, **execution), width=80)


def test_an_order_without_a_dated_bar_says_how_far_ahead_it_is(finished: Run) -> None:
    run = with_orders(finished, delay=2)
    undated = changed(run, manifest={"dataset": run.manifest.dataset | {"calendar": None}})
    assert " in 2 bars " in render_run_text(undated, width=80)
    assert run_document(undated)["next_orders"][0]["due"] is None


def test_next_orders_are_plain_values_in_json(finished: Run) -> None:
    (order,) = run_document(with_orders(finished))["next_orders"]
    assert order == {
        "decided_on": "2018-12-31T00:00:00+00:00",
        "symbol": "SP500",
        "target_weight": 0.5,
        "held_weight": 0.0,
        "due_in_bars": 1,
        "due": "2019-01-02T00:00:00+00:00",
        "waited_bars": 0,
        "predicted": 0.00123,
    }


def test_the_summary_states_the_rates(finished: Run) -> None:
    rates = {
        "risk_free_rate": {"mean_pct": 3.0, "lowest_pct": 3.0, "highest_pct": 3.0},
        "cash_yield": {"mean_pct": 1.844, "lowest_pct": 0.0, "highest_pct": 5.3},
    }
    run = changed(finished, metrics=rates)
    line = "Sharpe ratio: risk-free 3 % a year; cash earns 1.84 % a year on average\n"
    assert line in render_run_text(run, width=80)
    assert {name: run_document(run)[name] for name in rates} == rates
    assert run_document(finished)["risk_free_rate"]["mean_pct"] == 0.0
