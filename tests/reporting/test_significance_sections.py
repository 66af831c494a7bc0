"""Sections of the significance page other than the Sharpe ratios, and the verdict block."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.charts.heatmap import heatmap_cells
from engine.reporting.formatting import MINUS_SIGN, MISSING, SIGNED_RATIO
from engine.reporting.sensitivity_surface import break_even_sentence
from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import Page
from tests.reporting.truth import outcome, surface, truth
from tests.runs.documents import make_significance_document

if TYPE_CHECKING:
    from engine.runs.run import Run

SECTIONS = ["sharpe", "differences", "superiority", "trials", "overfitting", "timing", "skill",
            "ranks", "trap", "fragility", "seeds", "path-risk", "stability", "starts", "offsets",
            "combinatorial-paths", "tail", "diagnostics", "method", "reading"]  # fmt: skip


@pytest.fixture(scope="module")
def full(run: Run) -> Run:
    return dataclasses.replace(run, significance=run.significance | truth(run.significance))


@pytest.fixture(scope="module")
def page(full: Run) -> Page:
    return Page(render_significance(full))


def page_with(run: Run, **changes: Any) -> Page:
    return Page(
        render_significance(dataclasses.replace(run, significance=run.significance | changes))
    )


def sections(page: Page) -> list[str]:
    return [
        attributes["id"]
        for tag, attributes in page.elements
        if tag == "section" and "id" in attributes
    ]


def test_each_test_has_a_section_in_order_and_a_link_to_it(page: Page) -> None:
    assert sections(page) == SECTIONS
    links = [
        attributes["href"]
        for tag, attributes in page.elements
        if attributes.get("href", "")[:1] == "#"
    ]
    assert links[1:] == [f"#{key}" for key in SECTIONS]


@pytest.mark.parametrize(
    "text",
    [
        "95\N{NO-BREAK SPACE}% interval, HAC",
        "No: by chance the best of so many books would lead buy and hold by at least as much",
        "(SPA, p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.312)",
        "Not significant. The ledger counts 38\N{NO-BREAK SPACE}looks since 2026-11-01 08:30, and "
        "5\N{NO-BREAK SPACE}tries elsewhere are declared, equivalent to 7.2 independent trials. "
        "Without skill the best of them reaches this Sharpe ratio with p\N{NO-BREAK SPACE}="
        "\N{NO-BREAK SPACE}0.237; its lead over holding with "
        "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.612. In 80\N{NO-BREAK SPACE}% "
        "of such spans a true Sharpe ratio of 0.93 would be found, and a true lead over holding "
        "of 0.93.",
        "needs 3,511\N{NO-BREAK SPACE}bars for 95\N{NO-BREAK SPACE}% confidence in a ratio above "
        "zero; it has 3,780\N{NO-BREAK SPACE}bars.",
        "Not always: of 38\N{NO-BREAK SPACE}configurations, the best in one half",
        "More than chance explains: of 3,402\N{NO-BREAK SPACE}shifts",
        "Its errors are smaller than those of ridge.",
        "Its direction is right no more often than chance",
        "Over 32\N{NO-BREAK SPACE}windows no change has the smallest errors: significantly "
        "smaller than strategy",
        "Yes. The R² of 0.998 on prices is the level-forecast trap",
        "The total return is zero at a cost of 41.0 bps a fill, 2.7 times the 15 charged.",
        "ranges from 0.21 to 0.48. Of the variance of a single seed's ratio, 34.8",
        "1\N{NO-BREAK SPACE}input of 3 may have a unit root: NASDAQ:obv.",
        "The residuals are autocorrelated",
    ],
)
def test_answers_state_the_figures(page: Page, text: str) -> None:
    assert text in page.text


@pytest.mark.parametrize(
    ("symbols", "label"), [({}, "Pesaran-Timmermann"), ({"symbols": 3}, "Direction test, panel")]
)
def test_the_direction_test_has_the_name_of_what_was_computed(
    full: Run, symbols: dict[str, int], label: str
) -> None:
    forecasts = {**full.significance["forecasts"], **symbols}
    text = page_with(full, forecasts=forecasts).text
    labels = {"Pesaran-Timmermann", "Direction test, panel"}
    assert {each for each in labels if each in text} == {label}


def test_each_section_of_figures_names_a_source(page: Page) -> None:
    assert page.text.count("Source: ") == len(SECTIONS) - 2


def test_tables_with_adjusted_p_values_state_the_number_of_tests(page: Page) -> None:
    heads = page.text.count("p after Holm: adjusted for the")
    # The heads of the tables and what the notes begin with; the method names the column too.
    # Break and decay have three such columns, and one note for both.
    assert page.text.count("p after Holm") == 2 * heads + 1 + 2 == 13
    assert "adjusted for the 6 tests of both tables" in page.text
    assert "adjusted for the 5\N{NO-BREAK SPACE}books of this table" in page.text
    for count in ("4\N{NO-BREAK SPACE}comparisons", "3\N{NO-BREAK SPACE}comparisons"):
        assert f"adjusted for the {count} of this table" in page.text
    assert "adjusted for the 3\N{NO-BREAK SPACE}inputs of this table" in page.text


def test_rank_tests_state_the_number_of_windows_and_comparisons(page: Page) -> None:
    assert "aligned ranks over 32\N{NO-BREAK SPACE}windows" in page.text
    assert "p after Finner: adjusted for the 2\N{NO-BREAK SPACE}comparisons" in page.text
    assert "smaller than strategy (p" in page.text, "ridge is not significantly worse"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"p_value": 0.3}, "no model is significantly better than the others"),
        ({"p_value": None, "statistic": None}, "all forecasts have the same errors"),
    ],
)
def test_no_model_is_named_unless_the_joint_test_rejects(
    full: Run, changes: Any, text: str
) -> None:
    page = page_with(full, ranks=full.significance["ranks"] | changes)
    assert text in page.text
    assert "has the smallest errors" not in page.text


def test_the_sensitivity_surface_is_one_heatmap_per_delay(page: Page) -> None:
    kinds = [
        attributes["class"]
        for tag, attributes in page.elements
        if tag == "td" and "class" in attributes
    ]
    cells = [kind.split() for kind in kinds if kind.split()[0] in {"gain", "loss", "none"}]
    assert len(cells) == 100
    assert [cell for cell in cells if "chosen" in cell] == [["gain", "chosen"]]
    assert (
        sum(
            tag == "table" and attributes.get("class") == "heat"
            for tag, attributes in page.elements
        )
        == 4
    )
    assert "Filled 1\N{NO-BREAK SPACE}bar after the decision, as the run was" in page.text
    for sheet in surface()["sharpe"]:
        for row in sheet:
            assert " ".join(SIGNED_RATIO(value) for value in row) in page.text


def test_heatmap_colour_follows_size_and_sign() -> None:
    cells = heatmap_cells(
        [0.5, -1.0, None, 4.0], full_colour=2.0, number_format=SIGNED_RATIO, chosen_index=1
    )
    assert [cell.css for cell in cells] == ["gain", "loss chosen", "none", "gain"]
    assert [cell.strength for cell in cells] == [25, 50, 0, 100]
    assert [cell.text for cell in cells] == ["+0.50", f"{MINUS_SIGN}1.00", MISSING, "+4.00"]


def test_tests_that_do_not_apply_state_the_reason(full: Run) -> None:
    names = ("superiority", "trials", "track_record", "overfitting", "timing", "seeds",
             "fragility", "forecasts", "ranks", "level_trap", "residuals", "inputs",
             "path_risk", "stability", "window_subsets", "offset_paths",
             "combinatorial_paths")  # fmt: skip
    page = page_with(full, **dict.fromkeys((*names, "unseen_tail")))
    assert sections(page) == ["sharpe", "differences", "unanswered", "method", "reading"]
    assert page.text.count("Not answered: ") == 13
    assert "Not answered: it needs two seeds, and there was one." in page.text


def test_a_run_of_an_earlier_version_has_fewer_sections(run: Run) -> None:
    page = Page(render_significance(run))
    assert sections(page) == ["sharpe", "differences", "method", "reading"]
    assert "HAC" not in page.text
    assert "It does not account for the number of strategies tried" in page.text


def test_undefined_figures_are_dashes_and_give_no_answer(full: Run) -> None:
    nothing = outcome(None, None, p_value_holm=None)
    page = page_with(
        full,
        superiority=full.significance["superiority"] | {"spa": dict.fromkeys(("lower", "upper"))},
        track_record=dict.fromkeys(full.significance["track_record"]),
        selection={"level": 0.05},
        timing=None,
        forecasts={"diebold_mariano": {"no_change": nothing}, "pesaran_timmermann": nothing},
        residuals={"ljung_box": nothing, "breusch_godfrey": nothing},
        seeds=full.significance["seeds"]
        | {"sharpe_by_seed": [None, None], "share": None, "sampling_deviation": None},
        level_trap=dict.fromkeys(full.significance["level_trap"]) | {"present": False},
    )
    for text in (
        "No answer: the returns of the books do not vary.",
        "No test: there are too few returns, or they do not vary.",
        "Its errors are not significantly smaller than those of any other forecast.",
        "Its direction cannot be tested",
        "The residuals cannot be tested.",
        "No seed alone has a Sharpe ratio.",
        "No: the level-forecast trap is not present.",
    ):
        assert text in page.text
    assert "None" not in page.text


def test_p_values_of_ratio_and_lead_at_the_level_are_significant(full: Run) -> None:
    found = full.significance["selection"]

    def text(sharpe: float, lead: float | None, **changes: Any) -> str:
        tests = {
            "sharpe": found["sharpe"] | {"p_value": sharpe},
            "lead": None if lead is None else found["lead"] | {"p_value": lead},
        }
        return page_with(full, selection=found | tests, **changes).text

    assert " Significant. The ledger counts 38" in text(0.05, 0.05)
    assert "Not significant." in text(0.051, 0.05)
    assert "Not significant." in text(0.05, 0.051)
    assert "Not significant." in text(0.05, None)
    assert "there is no lead over holding to test" in text(0.05, None)
    first = full.significance["trials"] | {"distinct": 1, "elsewhere": 0}
    assert "The ledger has no other look." in text(0.2, 0.2, trials=first)
    assert "The number of trials is not known." in text(0.2, 0.2, trials=None)
    short = full.significance["track_record"] | {"bars": 3000}
    assert "it has only 3,000\N{NO-BREAK SPACE}bars" in text(0.2, 0.2, track_record=short)


def test_the_page_says_which_p_values_count_the_trials(full: Run) -> None:
    text = page_with(full).text
    assert "the p-values of the section Trials do" in text
    assert "deflated Sharpe ratio above" not in text


def test_the_verdict_of_the_tearsheet_has_the_break_even_cost(full: Run, run: Run) -> None:
    line = break_even_sentence(full.significance)
    assert line in Page(render_tearsheet(full)).text
    assert line == (
        "Its total return is zero at a cost of 41.0\N{NO-BREAK SPACE}bps a fill; "
        "15.0\N{NO-BREAK SPACE}bps were charged."
    )
    assert break_even_sentence(run.significance) == ""


def test_a_verdict_of_several_sentences_is_split_after_the_first(full: Run) -> None:
    verdict = {"grade": "none", "sentence": "It earned 0.5 a year (95 % of it). Two. Three."}
    page = render_significance(
        dataclasses.replace(full, significance=full.significance | {"verdict": verdict})
    )
    assert ">No evidence</span> It earned 0.5 a year (95\N{NO-BREAK SPACE}% of it).</p>" in page
    assert '<p class="remarks">Two. Three.</p>' in page


@pytest.mark.parametrize(
    ("limit", "sharpe", "text"),
    [
        (None, 0.4, "No cost up to 2,000.0\N{NO-BREAK SPACE}bps a fill brings"),
        (None, -0.4, "It earns nothing before costs"),
        (None, None, ""),
        (0.0, -0.4, "It earns nothing before costs"),
        (9.0, -0.1, "Its total return is zero at a cost of 9.0\N{NO-BREAK SPACE}bps a fill"),
    ],
)
def test_break_even_sentence_covers_every_case(
    limit: float | None, sharpe: float | None, text: str
) -> None:
    changed = surface()
    changed |= {"break_even_cost_bps": limit, "chosen": changed["chosen"] | {"sharpe": sharpe}}
    line = break_even_sentence(make_significance_document(fragility=changed))
    assert line.startswith(text)
    assert bool(line) == bool(text)
