"""The page of several runs."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from engine.comparison import compare_opened_runs
from engine.reporting.formatting import NO_BREAK_SPACE
from engine.runs.run import Run
from tests.reporting.page import Page, changed
from tests.reporting.sweep_runs import BARS, DAYS, IDS, make_run, write_comparison_page, write_run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    late = make_run(3)
    late = dataclasses.replace(late, returns=late.returns.iloc[60:])
    return [make_run(0), make_run(1, mean=0.003), make_run(2, model={"kind": "mlp"}), late]


@pytest.fixture(scope="module")
def html(runs: list[Run], tmp_path_factory: pytest.TempPathFactory) -> str:
    return read(write_comparison_page(runs, tmp_path_factory.mktemp("compared")))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def section(html: str, key: str) -> str:
    """The text of one part of the page."""
    return Page(re.search(rf'<(section|footer) id="{key}">.*?</\1>', html, re.DOTALL)[0]).text


def test_verdict_comes_first_and_the_differing_settings_second(page: Page) -> None:
    text = page.text
    question = text.index("Is the best of these runs better than the others")
    answer = text.index("evidence that the best of these 4 runs")
    differs = text.index("Settings that differ")
    assert question < answer < differs < text.index("Sharpe ratio Difference to reference")
    assert "4\N{NO-BREAK SPACE}runs compared" in text


def test_differing_settings_are_listed_with_the_value_of_each_run(html: str) -> None:
    text = section(html, "settings")
    assert "signal.enter_bps" in text
    assert "model.kind" in text
    assert "mlp" in text
    assert "costs.fee_bps" not in text
    for value in ("0.0", "5.0", "10.0", "15.0"):
        assert value in text
    assert "Sharpe ratio" in text


def test_runs_with_equal_settings_are_reported_as_equal(runs: list[Run], tmp_path: Path) -> None:
    twin = dataclasses.replace(runs[0], run_id=IDS[4])
    html = read(write_comparison_page([runs[0], twin], tmp_path))
    assert "None: the runs differ in their names alone." in section(html, "settings")
    assert "No run differs significantly from" in section(html, "differences")


def test_keys_are_rows_where_there_are_more_keys_than_runs(
    runs: list[Run], tmp_path: Path
) -> None:
    more = changed(runs[1], manifest={"strategy": {f"key_{n}": n for n in range(5)}})
    text = section(read(write_comparison_page([runs[0], more], tmp_path)), "settings")
    assert text.index("Key") < text.index("key_0") < text.index("key_1")


def test_sharpe_ratios_are_those_of_the_common_bars(runs: list[Run], html: str) -> None:
    text = section(html, "runs")
    common = DAYS[60:]
    assert f"{BARS - 60}{NO_BREAK_SPACE}bars" in text
    for run in runs:
        returns = run.returns["strategy"].loc[common]
        ratio = returns.mean() / returns.std() * 252**0.5
        assert f"{abs(ratio):.2f}" in text
        assert run.run_id in text
    assert "lost up to 60" in Page(html).text


def test_equity_chart_has_every_run_and_buy_and_hold(runs: list[Run], page: Page) -> None:
    for run in runs:
        growth = (1 + run.returns["strategy"].loc[DAYS[60:]]).cumprod()
        assert page.values("equity", run.run_id) == pytest.approx(growth.tolist(), rel=1e-6)
    market = (1 + runs[0].returns["buy_and_hold"].loc[DAYS[60:]]).cumprod()
    assert page.values("equity", "buy_and_hold") == pytest.approx(market.tolist(), rel=1e-6)
    buttons = [
        attributes["data-book"] for tag, attributes in page.elements if "data-book" in attributes
    ]
    assert buttons == [*IDS[:4], "buy_and_hold"]
    hues = [attributes["class"] for _, attributes in page.elements if "data-book" in attributes]
    assert len(set(hues)) == 5


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("differences", "p after Holm"),
        ("superiority", "Named by StepM"),
        ("superiority", "buy and hold"),
        ("selection", "Deflated Sharpe ratio"),
        ("selection", "No ledger was available"),
        ("overfitting", "of the splits the run that was best in one half"),
        ("correlations", "independent trial"),
        ("origins", "made-up"),
        ("provenance", "backtest run strategies/ridge.yaml --set signal.enter_bps=15"),
        ("provenance", f"backtest compare {' '.join(IDS[:4])}"),
    ],
)
def test_each_test_has_a_section(html: str, key: str, text: str) -> None:
    assert text in section(html, key)


def test_trials_in_the_ledger_are_counted(runs: list[Run], tmp_path: Path) -> None:
    trials = {"distinct": 21, "effective": 17, "sharpe_deviation": 0.01, "runs": 30, "failed": 1}
    known = changed(runs[0], significance={"trials": trials})
    text = Page(read(write_comparison_page([known, runs[1]], tmp_path))).text
    assert "With 17 independent trials counted" in text
    assert f"The ledger had 21{NO_BREAK_SPACE}looks" in text


def test_correlations_are_those_of_the_comparison(runs: list[Run], html: str) -> None:
    table = compare_opened_runs(runs).correlations
    text = section(html, "correlations")
    assert f"{table[0][1]:.2f}" in text
    assert "1.00" in text


def test_same_runs_give_same_bytes_and_the_order_sets_the_reference(
    runs: list[Run], tmp_path: Path
) -> None:
    again = write_comparison_page(runs, tmp_path / "a").read_bytes()
    assert write_comparison_page(runs, tmp_path / "deep" / "b").read_bytes() == again
    other = read(write_comparison_page(runs[::-1], tmp_path / "c"))
    assert "reference, kind=ridge, enter_bps=15" in section(other, "differences")


def test_names_link_to_the_tearsheets_that_exist(runs: list[Run], tmp_path: Path) -> None:
    folder = write_run(runs[0], tmp_path / "a folder with 100% & more")
    (folder / "tearsheet.html").write_text("here", encoding="utf-8")
    opened = Run.open(folder)

    file = write_comparison_page([opened, runs[1]], tmp_path / "comparisons" / "x")

    links = [
        attributes["href"]
        for tag, attributes in Page(read(file)).elements
        if tag == "a" and not attributes["href"].startswith("#")
    ]
    assert len(links) == 1
    assert read(file.parent / unquote(links[0])) == "here"


def test_runs_of_different_symbols_are_compared_with_a_warning(
    runs: list[Run], tmp_path: Path
) -> None:
    manifest = runs[1].manifest | {"target": ["XYZ"]}
    other = dataclasses.replace(runs[1], manifest=manifest)
    text = Page(read(write_comparison_page([runs[0], other], tmp_path))).text
    assert "do not trade the same symbols" in text
    assert "Buy and hold" not in text


def test_a_run_that_never_trades_can_be_compared(runs: list[Run], tmp_path: Path) -> None:
    idle = make_run(4)
    idle = dataclasses.replace(idle, returns=idle.returns.assign(strategy=0.0))
    page = Page(read(write_comparison_page([idle, *runs[:2]], tmp_path)))
    assert "nan" not in page.text.lower().split()
    assert not re.search(r"None(?! is better| can be told|:)", page.text)
    assert set(page.values("equity", idle.run_id)) == {1.0}
