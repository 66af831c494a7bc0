"""Sorting and filtering of tables, compared with the figures of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.evaluation.metrics.round_trips import round_trip_table
from engine.reporting.book_styles import book_style
from tests.browser.drawn import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    import engine
    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow

SMALL = """
<section><table data-sortable data-filter="Filter things"><thead><tr>
<th class="text">Name</th><th>Size</th><th data-sort="text">Code</th><th data-sort="none">Mark</th>
</tr></thead><tbody>
<tr><th class="text">b2</th><td>1,200.5</td><td>x</td><td>?</td></tr>
<tr><th class="text">a</th><td>\N{EN DASH}</td><td>z</td><td>?</td></tr>
<tr><th class="text">b10</th><td data-value="-7">minus seven</td><td>y</td><td>?</td></tr>
<tr><th class="text">c</th><td>\N{MINUS SIGN}3.5 %<small>9</small></td><td>X</td><td>?</td></tr>
</tbody></table></section>
"""


@pytest.fixture
def small(sheet: Page) -> Page:
    """A table of its own under the script of the page."""
    script = sheet.locator("body > script").last.evaluate("(one) => one.textContent")
    sheet.set_content(SMALL)
    sheet.add_script_tag(content=script)
    return sheet


def column(table: Locator, number: int) -> list[str]:
    """Cells of a column, from the top, of the rows that are not hidden."""
    return table.locator("tbody tr:not([hidden])").evaluate_all(
        "(rows, at) => rows.map((row) => row.cells[at].textContent)", number
    )


def test_text_sorts_naturally_and_returns_to_its_order(small: Page) -> None:
    table, head = small.locator("table"), small.get_by_role("button", name="Name")
    seen = []
    for _ in range(3):
        head.click()
        way = small.locator("th").first.get_attribute("aria-sort")
        seen.append((way, column(table, 0)))
    assert seen == [
        ("ascending", ["a", "b2", "b10", "c"]),
        ("descending", ["c", "b10", "b2", "a"]),
        (None, ["b2", "a", "b10", "c"]),
    ]


def test_numbers_sort_by_value_and_missing_ones_come_last(small: Page) -> None:
    table, head = small.locator("table"), small.get_by_role("button", name="Size")
    head.focus()
    head.press("Enter")
    assert column(table, 0) == ["b10", "c", "b2", "a"]
    head.press("Space")
    assert column(table, 0) == ["b2", "c", "b10", "a"]


def test_only_the_sorted_column_is_marked_and_some_cannot_be_sorted(small: Page) -> None:
    small.get_by_role("button", name="Size").click()
    small.get_by_role("button", name="Code").click()
    ways = small.locator("th[aria-sort]").all_inner_texts()
    assert ways == ["Code"]
    assert small.locator("thead button").count() == 3


def test_a_filter_keeps_the_rows_with_every_word_and_counts_them(small: Page) -> None:
    field, table = small.get_by_label("Filter things"), small.locator("table")
    count = small.locator("output")
    assert count.inner_text() == "4 of 4"
    field.fill("B X")
    assert (column(table, 0), count.inner_text()) == (["b2"], "1 of 4")
    field.fill("nothing of the kind")
    assert (column(table, 0), count.inner_text()) == ([], "0 of 4")
    field.fill("")
    assert count.inner_text() == "4 of 4"


def test_the_table_of_fits_sorts_by_the_loss_of_the_run(sheet: Page, run: engine.Run) -> None:
    table = sheet.locator("table", has=sheet.locator("th", has_text="Validation loss")).first
    table.get_by_role("button", name="Validation loss").click()
    lowest = {
        window["index"]: min(
            fit["validation_loss"][fit["best_epoch"] - 1] for fit in window["fits"]
        )
        for window in run.manifest["windows"]
    }
    expected = sorted(lowest, key=lambda index: lowest[index])
    assert [int(number(text)) for text in column(table, 0)] == expected


def test_the_trades_table_sorts_and_filters_the_round_trips_of_the_run(
    sheet: Page, run: engine.Run
) -> None:
    mine = run.trades[run.trades["book"] == "strategy"]
    trips = round_trip_table(mine, run.bars, run.returns.index, fill_price="open")
    table = sheet.locator("#trades table")
    count = sheet.locator("#trades output")
    assert count.inner_text() == f"{len(trips)} of {len(trips)}"
    head = table.get_by_role("button", name="Net return")
    for ascending in (True, False):
        head.click()
        index = sheet.locator("#trades thead th").all_inner_texts().index("Net return")
        shown = [number(text.split("\N{NO-BREAK SPACE}")[0]) for text in column(table, index)]
        expected = trips["return_pct"].sort_values(ascending=ascending)
        assert shown == pytest.approx(expected.tolist(), abs=0.006)
    sheet.get_by_label("Filter trades").fill("short")
    shorts = int((trips["side"] == "short").sum())
    assert 0 < shorts < len(trips)
    assert count.inner_text() == f"{shorts} of {len(trips)}"
    assert set(column(table, 1)) == {"short"}


def test_the_columns_of_the_books_sort_by_a_figure_of_the_run(
    sheet: Page, run: engine.Run
) -> None:
    table = sheet.locator("#books table")
    ratios = {key: figures["sharpe"] for key, figures in run.metrics["books"].items()}
    known = {key: ratio for key, ratio in ratios.items() if ratio is not None}
    labels = {key: book_style(key).label for key in ratios}
    before = table.inner_text()
    head = table.get_by_role("button", name="Sharpe ratio")
    row = table.locator("tbody tr", has_text="Sharpe ratio")
    for sign in (1, -1):
        head.click()
        shown = [text.split("\n")[0] for text in table.locator("thead th").all_inner_texts()]
        expected = sorted(known, key=lambda key, sign=sign: sign * known[key])
        assert shown[: len(known)] == [labels[key] for key in expected]
        cells = row.locator("td").all_inner_texts()
        figures = [number(text.split("\n")[0]) for text in cells[: len(known)]]
        assert figures == pytest.approx([known[key] for key in expected], abs=0.006)
    own = row.locator("td.own").inner_text()
    assert number(own.split("\n")[0]) == pytest.approx(known["strategy"], abs=0.006)
    head.click()
    assert table.inner_text() == before


def test_the_books_of_the_significance_page_sort_by_sharpe_ratio(
    tabs: Callable[[int, str], Tab], run: engine.Run
) -> None:
    page = tabs(1440, "light").open(run.run_dir / "significance.html")
    table = page.locator("#sharpe table").first
    table.get_by_role("button", name="Sharpe ratio", exact=True).click()
    shown = [number(text) for text in column(table, 1) if any(map(str.isdigit, text))]
    figures = [one["estimate"] for one in run.significance["sharpe"].values()]
    assert shown == pytest.approx(sorted(one for one in figures if one is not None), abs=0.006)


def test_sorting_keeps_rows_intact(sheet: Page) -> None:
    rows = "all => all.map((row) => row.textContent)"
    for table in sheet.locator("table[data-sortable='']").all():
        before = table.locator("tbody tr").evaluate_all(rows)
        table.locator("thead button").first.click()
        assert sorted(table.locator("tbody tr").evaluate_all(rows)) == sorted(before)
