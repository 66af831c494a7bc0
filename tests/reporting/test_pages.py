from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.reporting import write_pages
from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from engine.runs.folder import PAGES
from engine.runs.run import Run
from tests.reporting.page import Page, altered, changed
from tests.reporting.truth import truth

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&{{ 7 * 7 }}"
LOADING = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping"}


@pytest.fixture(scope="module")
def sheet(run: Run) -> Page:
    return Page(render_tearsheet(run))


@pytest.fixture(scope="module")
def tests_page(run: Run) -> Page:
    return Page(render_significance(run))


def network_requests(page: Page) -> list[str]:
    found = [
        f"{tag} {name}={value}"
        for tag, attributes in page.elements
        for name, value in attributes.items()
        if name in LOADING or (name.endswith("href") and tag != "a" and value[:1] != "#")
    ]
    code = " ".join(page.code)
    found += re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|import\(|https?://", code)
    return [what for what in found if what != "link href=data:,"]


def test_no_page_loads_anything_from_the_network(sheet: Page, tests_page: Page) -> None:
    assert network_requests(sheet) == []
    assert network_requests(tests_page) == []


def test_three_pages_are_written_each_under_six_megabytes(run: Run, tmp_path: Path) -> None:
    # A strategy that held nothing: quantstats has nothing to draw, which is quick.
    idle = altered(run, returns=run.returns.assign(strategy=0.0))
    write_pages(idle, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{page}.html" for page in PAGES}
    assert all(1_000 < path.stat().st_size < 6e6 for path in tmp_path.iterdir())
    assert "do not vary" in (tmp_path / "quantstats.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_read_back_or_not(run: Run, tmp_path: Path) -> None:
    run.write(tmp_path)
    again = Run.open(tmp_path)
    assert render_tearsheet(again) == render_tearsheet(run)
    assert render_significance(again) == render_significance(run)


@pytest.mark.slow
def test_a_page_of_hourly_bars_stays_under_six_megabytes_and_notes_the_downsampling(
    run: Run,
) -> None:
    index = pd.date_range("2015-01-01", periods=43_800, freq="h", tz="UTC", name="timestamp")
    rng = np.random.default_rng(5)
    returns = pd.DataFrame(
        rng.normal(0, 0.004, (len(index), 6)), index, columns=run.returns.columns
    )
    close = 1.0 + rng.random(43_800)
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    bars = pd.DataFrame({"timestamp": index, "symbol": "SP500", **prices, "volume": 1.0})
    span = run.metrics["span"] | {"periods_per_year": 8_766.0}
    long = altered(
        run,
        returns=returns,
        bars=bars,
        trades=run.trades.iloc[:0],
        metrics=run.metrics | {"span": span},
    )
    html = render_tearsheet(long)
    assert len(html.encode()) < 6e6
    assert re.search(r"Drawn at [\d,]+ of 43,800 bars", html)


def test_the_equity_of_every_book_is_the_product_of_its_returns(run: Run, sheet: Page) -> None:
    for book in run.returns:
        expected = (1 + run.returns[book]).cumprod()
        assert sheet.values("equity", book) == pytest.approx(expected.tolist(), rel=1e-6)


def test_drawdowns_follow_from_equity(run: Run, sheet: Page) -> None:
    growth = (1 + run.returns["strategy"]).cumprod().to_numpy()
    peaks = np.maximum(np.maximum.accumulate(growth), 1.0)
    expected = 100 * (growth / peaks - 1)
    assert sheet.values("drawdown", "strategy") == pytest.approx(expected.tolist(), rel=1e-5)


def test_rolling_sharpe_starts_after_a_full_year(run: Run, sheet: Page) -> None:
    found = sheet.values("rolling-sharpe", "ridge")
    last = run.returns["ridge"].tail(252)
    assert found[:251] == [None] * 251
    assert found[-1] == pytest.approx(last.mean() / last.std() * 252**0.5, rel=1e-5)
    assert set(sheet.values("rolling-sharpe", "persistence")) == {None}


def test_positions_stand_over_the_closes_of_the_same_bars(run: Run, sheet: Page) -> None:
    mine = run.positions.query("book == 'strategy'")
    closes = run.bars.query("symbol == 'SP500'").set_index("timestamp")["close"]
    assert sheet.values("positions-0", "weight") == mine["weight"].tolist()
    assert sheet.values("positions-0", "close") == pytest.approx(
        closes.loc[run.returns.index].tolist(), rel=1e-6
    )


def test_every_chart_has_the_time_of_every_bar(run: Run, sheet: Page) -> None:
    expected = run.returns.index.as_unit("s").asi8.tolist()
    charts = {key: chart for key, chart in sheet.charts.items() if "seconds" in chart}
    assert set(charts) == {
        *("equity", "drawdown", "positions-0", "rolling-sharpe", "rolling-volatility"),
        *("rolling-beta", "rolling-turnover"),
    }
    for chart in charts.values():
        assert np.cumsum(chart["seconds"]).tolist() == expected


def test_every_line_of_a_chart_is_drawn(sheet: Page) -> None:
    drawn = [
        attributes["data-line"]
        for tag, attributes in sheet.elements
        if tag == "path" and "data-line" in attributes and len(attributes["d"]) > 1_000
    ]
    # Equity, drawdown and rolling volatility of six books, rolling Sharpe of the five that trade,
    # the strategy's beta and turnover, one close.
    assert len(drawn) == 6 + 6 + 6 + 5 + 1 + 1 + 1


def test_every_section_with_figures_is_on_the_page_and_in_the_contents(
    run: Run,
) -> None:
    page = Page(render_tearsheet(changed(run, significance=truth(run.significance))))
    sections = [found.get("id") for tag, found in page.elements if tag == "section"]
    links = [found.get("href") for tag, found in page.elements if tag == "a"]
    for key in ("rolling", "windows", "trades", "fragility", "quality", "provenance"):
        assert key in sections
        assert f"#{key}" in links
    assert sections.index("fragility") < sections.index("quality") < sections.index("provenance")


def test_the_verdict_is_above_the_figures(sheet: Page) -> None:
    assert sheet.text.index("No evidence that the strategy") < sheet.text.index("Total return")


def test_an_offline_dataset_is_announced_in_the_header(run: Run, sheet: Page) -> None:
    notice = f"Offline data. {run.manifest['dataset']['notices'][0]}"
    assert sheet.text.index(notice) < sheet.text.index("Would these signals")
    online = run.manifest["dataset"] | {"offline": False, "notices": []}
    assert "Offline data" not in render_tearsheet(changed(run, manifest={"dataset": online}))


def test_which_dataset_an_offline_run_used_is_said_first(run: Run) -> None:
    name = run.manifest["dataset"]["name"]
    used = f"{name} (AAPL) is used instead of stocks, because --offline was given"
    dataset = run.manifest["dataset"] | {"notices": ["a list of today", used]}
    text = Page(render_tearsheet(changed(run, manifest={"dataset": dataset}))).text
    assert f"Offline data. {used}. a list of today." in text


def test_every_sharpe_ratio_carries_its_interval(run: Run, sheet: Page) -> None:
    figures = run.significance["sharpe"]["strategy"]
    low, high = (f"{figures[end]:.2f}".replace("-", "\N{MINUS SIGN}") for end in ("low", "high"))
    assert f"{low} to {high}" in sheet.text


def test_a_figure_that_does_not_exist_is_an_en_dash(run: Run, sheet: Page) -> None:
    assert run.metrics["books"]["persistence"]["sharpe"] is None
    row = sheet.text.split("Sortino ratio")[1].split("Calmar ratio")[0]
    assert row.split()[-1] == "\N{EN DASH}"
    assert "None" not in sheet.text
    assert "nan" not in sheet.text.lower().split()


def test_execution_and_costs_are_in_the_header(sheet: Page) -> None:
    space = "\N{NO-BREAK SPACE}"
    assert "Decided at the close of a bar, filled at the open of the next bar." in sheet.text
    assert f"10.0{space}bps fee and 5.0{space}bps slippage on every fill." in sheet.text


def test_a_longer_delay_is_in_the_header(run: Run) -> None:
    strategy = run.manifest["strategy"] | {"execution": {"delay": 3, "price": "close"}}
    html = render_tearsheet(changed(run, manifest={"strategy": strategy}))
    assert "filled at the close of the bar 3 later" in html


def test_warm_started_fits_are_counted(run: Run, sheet: Page) -> None:
    assert "started warm" not in sheet.text
    windows = [
        window | {"fits": [fit | {"warm": window["index"] > 0} for fit in window["fits"]]}
        for window in run.manifest["windows"]
    ]
    warm = Page(render_tearsheet(changed(run, manifest={"windows": windows})))
    assert "28 of 30\N{NO-BREAK SPACE}fits started warm" in warm.text


def test_every_window_has_its_test_span_return_and_fits(run: Run, sheet: Page) -> None:
    window = run.manifest["windows"][3]
    span = slice(3 * 252, 4 * 252)
    made = 100 * ((1 + run.returns["strategy"].iloc[span]).prod() - 1)
    table = sheet.text.split("One row for each window")[1]
    row = table.split(f"{window['test'][0]} to {window['test'][1]}")[1][:120]
    assert f"{abs(made):.1f}" in row
    epochs = sorted(fit["epochs"] for fit in window["fits"])
    assert f"{epochs[0]} to {epochs[1]}" in row


def test_the_epoch_kept_counts_from_one(run: Run) -> None:
    fit = {"seed": 0, "epochs": 3, "best_epoch": 2}
    fit |= {"train_loss": [3.0, 2.0, 1.25], "validation_loss": [3.0, 2.0, 1.75]}
    window = run.manifest["windows"][0] | {"fits": [fit]}
    page = Page(render_tearsheet(changed(run, manifest={"windows": [window]})))
    assert re.search(r"bps 3 3 1\.25 1\.75", page.text)


def test_provenance_names_bars_versions_seeds_and_command(run: Run, sheet: Page) -> None:
    foot = sheet.text.split("Provenance")[-1]
    for fact in ("3fa94c0b7d12", "backtest run strategies/micdl.yaml", "tensorflow 2.21.0",
                 "seed 7", "NASDAQ", "1999-01-04", "9f86d081884c", "us-indices"):  # fmt: skip
        assert fact in foot
    titles = {attributes.get("title") for _, attributes in sheet.elements}
    assert run.manifest["dataset"]["symbols"]["SP500"]["sha256"] in titles


@pytest.fixture(scope="module")
def hostile(run: Run) -> Run:
    dataset = run.manifest["dataset"]
    facts = dataset["symbols"]["SP500"] | {"source": HOSTILE}
    manifest = {
        "strategy_name": HOSTILE,
        "strategy_file": HOSTILE,
        "command": HOSTILE,
        "target": [HOSTILE],
        "inputs": [HOSTILE],
        "versions": {HOSTILE: HOSTILE},
        "machine": {"platform": HOSTILE},
        "strategy": run.manifest["strategy"]
        | {"description": HOSTILE, "opponents": [{"kind": "ridge", "note": HOSTILE}]},
        "dataset": dataset
        | {"name": HOSTILE, "note": HOSTILE, "notices": [HOSTILE], "symbols": {HOSTILE: facts}},
    }
    verdict = {"verdict": {"grade": "none", "sentence": HOSTILE}}
    method = {"method": run.significance["method"] | {"source": HOSTILE}}
    renamed = {"symbol": {"SP500": HOSTILE}}
    return altered(
        run,
        bars=run.bars.replace(renamed),
        trades=run.trades.replace(renamed),
        positions=run.positions.replace(renamed),
        returns=run.returns.assign(**{HOSTILE: 0.0}),
        manifest=run.manifest | manifest,
        significance=run.significance | verdict | method,
    )


def test_hostile_names_are_text_and_nothing_else(hostile: Run, sheet: Page) -> None:
    page = Page(render_tearsheet(hostile))
    tags = [tag for tag, _ in page.elements]
    assert "img" not in tags
    assert tags.count("script") == [tag for tag, _ in sheet.elements].count("script")
    assert not any(name.startswith("on") for _, found in page.elements for name in found)
    assert page.text.count(HOSTILE) >= 12
    labels = [line["label"] for line in page.charts["equity"]["panels"][0]["lines"]]
    assert HOSTILE in labels


def test_hostile_names_are_text_on_the_significance_page_too(
    hostile: Run, tests_page: Page
) -> None:
    page = Page(render_significance(hostile))
    tags = [tag for tag, _ in page.elements]
    assert "img" not in tags
    assert tags.count("script") == [tag for tag, _ in tests_page.elements].count("script")
    assert page.text.count(HOSTILE) >= 4
