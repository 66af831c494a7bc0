"""The section of the tearsheet about a book of several symbols."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.core.name_lists import list_symbols
from engine.reporting.charts.weights import (
    MAP_LEVELS,
    MAP_STEPS,
    weights_area,
    weights_map,
)
from engine.reporting.tearsheet._equity import equity_section
from engine.reporting.tearsheet.attribution import attribution_section
from engine.reporting.tearsheet.universe import universe_section
from engine.runs.documents.significance_cross_section import CrossSectionFigures
from tests.reporting.page import Page, section_of
from tests.reporting.small_run import Shape, small_run
from tests.reporting.universe_run import universe_run

if TYPE_CHECKING:
    from engine.runs.run import Run

HOSTILE = "<img src=x onerror=alert(1)>"
GROUPS = {"first": ["SYM000", "SYM001"], HOSTILE: ["SYM002", "SYM003", "SYM004"]}


@pytest.fixture(scope="module")
def many() -> Run:
    return universe_run(30, 200, GROUPS)


@pytest.fixture(scope="module")
def few() -> Run:
    return universe_run(4, 200)


def shown(run: Run) -> Page:
    return Page(section_of(universe_section(run)))


def figures(page: Page) -> list[str]:
    return [found.get("id", "") for tag, found in page.elements if tag == "figure"]


def random_weights(symbols: int, bars: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    index = pd.date_range("2015-01-01", periods=bars, freq="D", tz="UTC")
    drawn = rng.normal(size=(bars // 5 + 1, symbols)).repeat(5, axis=0)[:bars]
    values = np.where(np.abs(drawn) > 1.3, np.sign(drawn) / symbols, 0.0)
    return pd.DataFrame(values, index=index, columns=[f"S{each:03d}" for each in range(symbols)])


def test_it_has_the_charts_of_weights_exposures_and_forecasts(many: Run) -> None:
    assert figures(shown(many)) == [
        *("weights", "exposures", "group-weights", "concentration", "quantile-fan", "rank-ic")
    ]


def test_one_symbol_has_no_such_section() -> None:
    assert universe_section(small_run(Shape(bars=120, tested=80))) is None


def test_a_run_of_an_earlier_version_has_none(many: Run) -> None:
    assert many.analysis_files is not None
    without = {**many.analysis.as_dict()}
    del without["universe"]
    document = type(many.analysis).model_validate(without)
    old = replace(many, analysis_files=replace(many.analysis_files, document=document))
    assert universe_section(old) is None
    assert "By symbol" in section_of(attribution_section(old), heading={"span": ""})


def test_every_symbol_is_in_the_table_and_can_be_searched(many: Run) -> None:
    page = shown(many)
    (table,) = [found for tag, found in page.elements if tag == "table" and "data-filter" in found]
    assert table["data-filter"] == "Search symbols"
    for each in many.analysis.universe.symbol_figures:
        assert each.symbol in page.text


def test_bars_are_of_the_symbols_at_both_ends(many: Run) -> None:
    ranked = sorted(many.analysis.universe.symbol_figures, key=lambda each: -each.net_pct)
    content = universe_section(many).content
    best, worst = content.bars.lists
    assert [each.symbol for each in best] == [each.symbol for each in ranked[:10]]
    assert [each.symbol for each in worst] == [each.symbol for each in ranked[-10:]]
    rest = sum(each.net_pct for each in ranked[10:-10])
    assert f"the other 10 gave {rest:+.2f}".replace("-", "\N{MINUS SIGN}") in (
        content.bars.description
    )
    widest = max((*best, *worst), key=lambda each: each.width)
    assert widest.symbol in {ranked[0].symbol, ranked[-1].symbol}
    for each in (*best, *worst):
        assert 0 <= each.start <= each.start + each.width <= 100.01


def test_the_charts_show_the_series_of_the_run(many: Run) -> None:
    page, series = shown(many), many.universe
    np.testing.assert_allclose(page.values("exposures", "net_pct"), series["net_pct"], rtol=1e-6)
    np.testing.assert_allclose(
        page.values("quantile-fan", "group_5"), series["group_5"], rtol=1e-6
    )
    np.testing.assert_allclose(
        page.values("group-weights", "net_pct:first"), series["net_pct:first"], rtol=1e-6
    )


def test_names_from_outside_are_text(many: Run) -> None:
    page = shown(many)
    assert HOSTILE in page.text
    assert not [found for tag, found in page.elements if tag == "img"]


def test_the_finding_is_about_the_book_where_no_symbol_is_significant(few: Run) -> None:
    assert few.analysis.universe.significant_symbols == 0
    assert "none earned or lost more than chance explains" in shown(few).text
    claimed = few.analysis.universe | {"significant_symbols": 2}
    document = few.analysis | {"universe": claimed.as_dict()}
    other = replace(few, analysis_files=replace(few.analysis_files, document=document))
    assert "2 earned or lost more than chance explains" in shown(other).text


def test_a_few_symbols_are_stacked_and_their_weights_are_in_the_tooltip(few: Run) -> None:
    page = shown(few)
    own = few.positions[few.positions["symbol"] == "SYM002"].set_index("timestamp")["weight"]
    assert page.values("weights", "weight-2") == pytest.approx(own.tolist())
    (panel,) = page.charts["weights"]["panels"]
    assert [line["label"] for line in panel["lines"] if line["label"]] == list(few.manifest.target)


@pytest.mark.parametrize("symbols", [2, 6])
def test_the_stack_ends_at_the_sums_of_long_and_short_weights(symbols: int) -> None:
    weights = random_weights(symbols, 60)
    (panel,) = weights_area(weights).panels
    lines = {line.key: line.values for line in panel.lines}
    top, bottom = (lines[f"{side}-{symbols - 1}"] for side in ("long", "short"))
    assert top == pytest.approx(weights.clip(lower=0).sum(axis=1).tolist())
    assert bottom == pytest.approx(weights.clip(upper=0).sum(axis=1).tolist())


def decoded(symbols: int, steps: int, map_levels) -> np.ndarray:
    """Signed strength of each cell, read back from the paths."""
    cells = np.zeros((steps, symbols), dtype=int)
    for level in map_levels:
        sign = 1 if "up-side" in level.css else -1
        strength = sign * int(level.css.rsplit("-", 1)[1])
        for left, height, width in re.findall(r"M(\d+) (\d+)h(\d+)", level.path):
            row = int(int(height) * symbols / 10_000)
            start = round(int(left) * steps / 10_000)
            cells[start : start + round(int(width) * steps / 10_000), row] = strength
    return cells


def test_a_cell_of_the_map_is_the_mean_weight_of_its_closes() -> None:
    weights = random_weights(40, 360)
    drawn = weights_map(weights)
    order = weights.mean().sort_values(ascending=False, kind="stable").index
    means = weights[order].to_numpy().reshape(MAP_STEPS, 3, 40).mean(axis=1)
    expected = np.sign(means) * np.ceil(np.abs(means) / np.abs(means).max() * MAP_LEVELS - 1e-9)
    found = decoded(40, MAP_STEPS, drawn.levels)
    np.testing.assert_array_equal(found, expected.astype(int))


def test_the_map_of_500_symbols_and_2500_bars_is_small_and_names_a_few_rows() -> None:
    drawn = weights_map(random_weights(500, 2_500))
    assert sum(len(level.path) for level in drawn.levels) < 1_200_000
    assert len(drawn.names) <= 24


def test_many_symbols_are_counted_in_the_header() -> None:
    names = [f"S{number}" for number in range(500)]
    assert list_symbols(names[:3]) == "S0, S1, S2"
    assert list_symbols(names) == "500 symbols: S0, S1, S2, S3, S4, S5 and 494 more"


@pytest.mark.slow
def test_the_section_of_500_symbols_and_2500_bars_leaves_room_on_a_page_of_6_mb(many: Run) -> None:
    weights = random_weights(500, 2_500)
    rng = np.random.default_rng(4)
    columns = many.universe.columns.drop("timestamp")
    walks = np.exp(np.cumsum(rng.normal(0, 0.01, (2_500, len(columns))), axis=0))
    one = many.analysis.universe.symbol_figures[0]
    symbols = [one | {"symbol": each} for each in weights.columns]
    assert many.analysis_files is not None
    run = replace(
        many,
        manifest=many.manifest | {"target": list(weights.columns)},
        returns=pd.DataFrame({"strategy": 0.0, "buy_and_hold": 0.0}, index=weights.index),
        positions=weights.rename_axis(index="timestamp", columns="symbol")
        .stack()
        .rename("weight")
        .reset_index()
        .assign(book="strategy"),
        analysis_files=replace(
            many.analysis_files,
            document=many.analysis
            | {"universe": many.analysis.universe | {"symbol_figures": symbols}},
            universe=pd.DataFrame(walks, columns=columns).assign(timestamp=weights.index),
        ),
    )
    html = section_of(universe_section(run))
    assert len(html.encode()) < 2_000_000
    assert Page(html).text.count("S499") >= 1


def test_the_findings_of_the_forecast_charts_are_the_tests_of_the_document(many: Run) -> None:
    mean = {"mean": 0.0012, "t": 2.5, "p_value": 0.013, "bars": 190}
    figures = CrossSectionFigures.model_validate(
        {
            "horizon": 1,
            "symbols": 30.0,
            "rank_ic": mean,
            "rank_ic_by_horizon": {},
            "group_returns": [],
            "spread": mean,
        }
    )
    significance = many.significance.model_copy(update={"cross_section": figures})
    charts = {
        each.key: each
        for each in universe_section(replace(many, significance=significance)).content.charts
    }
    assert "returned +12.0 bps more than the lowest over 1 bar (HAC t +2.50" in (
        charts["quantile-fan"].finding.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert charts["rank-ic"].finding.startswith("The mean rank IC is +0.001 (HAC t +2.50, p 0.013")


def test_positions_of_several_symbols_share_a_scale_that_shows_them(many: Run) -> None:
    charts = [chart for chart, _ in equity_section(many).content.charts[2:]]
    highest = many.positions["weight"].abs().max()
    assert highest < 0.2
    assert len(charts) == 6
    for chart in charts:
        assert chart.panels[1].rescaling.always == (0.0, pytest.approx(highest))


def test_a_symbol_without_a_bar_out_of_sample_has_no_chart_of_positions(many: Run) -> None:
    first = str(many.manifest.target[0])
    gone = (many.bars["symbol"] == first) & (many.bars["timestamp"] >= many.returns.index[0])
    # Held the most, so that it is among those that are drawn.
    positions = many.positions.assign(weight=(many.positions["symbol"] == first) * 0.1)
    charts = equity_section(
        replace(many, bars=many.bars[~gone], positions=positions)
    ).content.charts
    assert first not in [chart.title for chart, _ in charts[2:]]
    assert len(charts[2:]) == 5
