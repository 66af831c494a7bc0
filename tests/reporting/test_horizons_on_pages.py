"""Several horizons and intervals on the tearsheet, only where a run has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.reporting.tearsheet import render_tearsheet
from engine.reporting.tearsheet.forecasts import horizon_score_table
from tests.reporting.page import Page, altered, changed

if TYPE_CHECKING:
    from engine.runs.run import Run


@pytest.fixture(scope="module")
def sheet(run: Run) -> Page:
    return Page(render_tearsheet(run))


def test_one_horizon_and_no_quantiles_add_nothing_to_the_forecasts(sheet: Page) -> None:
    assert "By horizon" not in sheet.text
    assert "interval contained" not in sheet.text
    assert "Pinball" not in sheet.text


@pytest.fixture(scope="module")
def many(run: Run) -> Run:
    """Horizons of 1, 5 and 20 bars of which 5 is traded, and quantiles."""
    scores = run.metrics["forecasts"]["strategy"] | {
        "pinball_bps": 31.25,
        "unconditional_pinball_bps": 30.5,
        "intervals": [
            {"low": 0.1, "high": 0.9, "nominal_pct": 80.0, "coverage_pct": 76.31}
            | {"mean_width_bps": 412.5}
        ],
    }
    horizons = {str(bars): scores | {"rmse_bps": 100.0 * bars} for bars in (1, 20, 5)}
    forecasts = run.metrics["forecasts"] | {"strategy": scores | {"horizons": horizons}}
    strategy = run.manifest["strategy"] | {"target": {"horizon": 5, "horizons": [1, 5, 20]}}
    further = [run.predictions.assign(horizon=bars) for bars in (1, 5, 20)]
    return altered(
        changed(run, metrics={"forecasts": forecasts}, manifest={"strategy": strategy}),
        predictions=pd.concat(further, ignore_index=True),
    )


def test_several_horizons_have_a_table(many: Run) -> None:
    section = Page(render_tearsheet(many)).text.split("By horizon")[1].split("Provenance")[0]
    assert re.search(r"1\xa0bar 5\xa0bars, traded 20\xa0bars", section)
    assert re.search(r"RMSE root mean squared error 100\.0\xa0bps 500\.0\xa0bps 2,000\.0", section)


def test_no_horizon_is_marked_as_best(many: Run) -> None:
    labels, rows = horizon_score_table(many.metrics.forecasts["strategy"].horizons, many.horizon)
    assert len(labels) == 3
    assert not any(cell.is_best for row in rows for cell in row.cells)


def test_intervals_show_coverage_and_width(many: Run) -> None:
    text = Page(render_tearsheet(many)).text.replace("\xa0", " ")
    assert (
        "The 80 % forecast interval contained 76.3 % of the outcomes; its mean width was 412.5 bps"
        in text
    )
    assert "Pinball loss of the quantiles: 31.2 bps; of the unconditional" in text


def test_the_return_of_a_window_is_over_the_bars_of_the_traded_horizon(
    many: Run, sheet: Page
) -> None:
    first = many.manifest["windows"][0]
    mine = (many.predictions["horizon"] == 5) & (many.predictions["window"] == first["index"])
    without = altered(many, predictions=many.predictions[~mine])

    def strategy_in(page: Page) -> str:
        return page.text.split("Curves")[1].split()[4]

    assert strategy_in(Page(render_tearsheet(many))) == strategy_in(sheet) != "\N{EN DASH}"
    assert strategy_in(Page(render_tearsheet(without))) == "\N{EN DASH}"
