"""What the significance page and the tearsheet say of everything but Sharpe ratios."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from engine.reporting.charts.heatmap import heatmap_cells
from engine.reporting.formatting import MINUS_SIGN, MISSING, SIGNED_RATIO
from engine.reporting.significance import render_significance
from engine.reporting.significance.robustness import break_even_sentence
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import Page
from tests.reporting.truth import outcome, surface, truth

if TYPE_CHECKING:
    from engine.runs.run import Run

SECTIONS = ["sharpe", "differences", "superiority", "trials", "overfitting", "timing", "skill",
            "ranks", "trap", "fragility", "seeds", "diagnostics", "method", "reading"]  # fmt: skip


@pytest.fixture(scope="module")
def full(run: Run) -> Run:
    return dataclasses.replace(run, significance=run.significance | truth(run.significance))


@pytest.fixture(scope="module")
def page(full: Run) -> Page:
    return Page(render_significance(full))


def but(run: Run, **changes: Any) -> Page:
    return Page(
        render_significance(dataclasses.replace(run, significance=run.significance | changes))
    )


def sections(page: Page) -> list[str]:
    return [found["id"] for tag, found in page.elements if tag == "section" and "id" in found]


def test_every_test_has_its_section_in_the_order_of_a_sceptic_and_a_link_to_it(page: Page) -> None:
    assert sections(page) == SECTIONS
    links = [found["href"] for tag, found in page.elements if found.get("href", "")[:1] == "#"]
    assert links[1:] == [f"#{key}" for key in SECTIONS]


@pytest.mark.parametrize(
    "said",
    [
        "95\N{NO-BREAK SPACE}% interval, HAC",
        "Is any book better than buy and hold, all of them counted? No: luck alone would put",
        "(SPA, p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.312)",
        "It does not outlast them. 38\N{NO-BREAK SPACE}distinct strategies tried on these bars, "
        "worth 7 independent ones: deflated Sharpe ratio 0.731",
        "needs 3,511\N{NO-BREAK SPACE}bars for 95\N{NO-BREAK SPACE}% confidence in a ratio above "
        "zero; there are 3,780\N{NO-BREAK SPACE}bars.",
        "Not always: of 38\N{NO-BREAK SPACE}configurations, the best in one half",
        "More than by chance: of 3,402\N{NO-BREAK SPACE}shifts",
        "Its errors are smaller than those of ridge.",
        "Its direction is no better than chance",
        "Over 32\N{NO-BREAK SPACE}windows no change has the smallest errors: better than strategy",
        "Yes. The R² of 0.998 on prices is the level-forecast trap",
        "ratio stays above zero at costs up to 41.0 bps a fill, 2.7 times the 15 charged",
        "goes from 0.21 to 0.48. Of the uncertainty of a single seed's ratio, 34.8",
        "1\N{NO-BREAK SPACE}input of 3 may have a unit root: NASDAQ:obv.",
        "The errors hang together over time",
    ],
)
def test_the_answer_is_a_plain_sentence(page: Page, said: str) -> None:
    assert said in page.text


def test_every_section_of_figures_names_a_source(page: Page) -> None:
    assert page.text.count("Source: ") == len(SECTIONS) - 2


def test_every_table_with_an_adjusted_column_says_so_and_over_how_many(page: Page) -> None:
    heads = page.text.count("p after Holm: adjusted for the")
    # The heads of the tables and what the notes begin with; the method names the column too.
    assert page.text.count("p after Holm") == 2 * heads + 1 == 9
    assert "adjusted for the 5\N{NO-BREAK SPACE}books of this table" in page.text
    for count in ("4\N{NO-BREAK SPACE}comparisons", "3\N{NO-BREAK SPACE}comparisons"):
        assert f"adjusted for the {count} of this table" in page.text
    assert "adjusted for the 3\N{NO-BREAK SPACE}inputs of this table" in page.text


def test_models_ranked_over_windows_are_told_with_how_many_were_compared(page: Page) -> None:
    assert "aligned ranks over 32\N{NO-BREAK SPACE}windows" in page.text
    assert "p after Finner: adjusted for the 2\N{NO-BREAK SPACE}comparisons" in page.text
    assert "better than strategy (p" in page.text, "ridge is not surely behind"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"p_value": 0.3}, "no model is better than the others by more than chance"),
        ({"p_value": None, "statistic": None}, "all have the same errors"),
    ],
)
def test_without_a_joint_finding_no_model_is_named(full: Run, changes: Any, said: str) -> None:
    page = but(full, ranks=full.significance["ranks"] | changes)
    assert said in page.text
    assert "has the smallest errors" not in page.text


def test_the_surface_is_a_map_a_delay_with_every_figure_written_out(page: Page) -> None:
    kinds = [found["class"] for tag, found in page.elements if tag == "td" and "class" in found]
    cells = [kind.split() for kind in kinds if kind.split()[0] in {"gain", "loss", "none"}]
    assert len(cells) == 100
    assert [cell for cell in cells if "chosen" in cell] == [["gain", "chosen"]]
    assert (
        sum(tag == "table" and found.get("class") == "heat" for tag, found in page.elements) == 4
    )
    assert "Filled 1\N{NO-BREAK SPACE}bar after the decision, as the run was" in page.text
    for sheet in surface()["sharpe"]:
        for row in sheet:
            assert " ".join(SIGNED_RATIO(value) for value in row) in page.text


def test_colour_grows_with_the_figure_and_its_side_follows_the_sign() -> None:
    cells = heatmap_cells(
        [0.5, -1.0, None, 4.0], full_colour=2.0, number_format=SIGNED_RATIO, chosen_index=1
    )
    assert [cell.css for cell in cells] == ["gain", "loss chosen", "none", "gain"]
    assert [cell.strength for cell in cells] == [25, 50, 0, 100]
    assert [cell.text for cell in cells] == ["+0.50", f"{MINUS_SIGN}1.00", MISSING, "+4.00"]


def test_what_could_not_be_asked_says_why_in_one_line(full: Run) -> None:
    names = ("superiority", "trials", "track_record", "overfitting", "timing", "seeds",
             "fragility", "forecasts", "ranks", "level_trap", "residuals", "inputs")  # fmt: skip
    page = but(full, **dict.fromkeys(names))
    assert sections(page) == ["sharpe", "differences", "unasked", "method", "reading"]
    assert page.text.count("Not answered: ") == 9
    assert "Not answered: it takes two seeds, and there was one." in page.text


def test_a_run_of_an_earlier_version_is_asked_nothing_it_does_not_know(run: Run) -> None:
    page = Page(render_significance(run))
    assert sections(page) == ["sharpe", "differences", "method", "reading"]
    assert "HAC" not in page.text
    assert "Nor does it know how many other strategies were tried" in page.text


def test_figures_that_are_not_defined_are_dashes_and_no_answer_is_made_of_them(full: Run) -> None:
    nothing = outcome(None, None, p_value_holm=None)
    page = but(
        full,
        superiority=full.significance["superiority"] | {"spa": dict.fromkeys(("lower", "upper"))},
        track_record=dict.fromkeys(full.significance["track_record"]),
        timing={"sharpe": None, "p_value": None, "shifts": None},
        forecasts={"diebold_mariano": {"no_change": nothing}, "pesaran_timmermann": nothing},
        residuals={"ljung_box": nothing, "breusch_godfrey": nothing},
        seeds=full.significance["seeds"]
        | {"sharpe_by_seed": [None, None], "share": None, "sampling_deviation": None},
        level_trap=dict.fromkeys(full.significance["level_trap"]) | {"present": False},
    )
    for said in (
        "There is no answer: the books' returns do not vary.",
        "There is no deflated Sharpe ratio",
        "Its errors are not smaller than anyone's, no change included. Its direction cannot be",
        "The errors cannot be tested.",
        "No seed alone has a Sharpe ratio.",
        "No: the level-forecast trap is not present.",
    ):
        assert said in page.text
    assert "None" not in page.text


def test_a_deflated_ratio_at_the_level_outlasts_the_tries(full: Run) -> None:
    record = full.significance["track_record"]
    enough = but(full, track_record=record | {"deflated_sharpe": 0.95})
    assert "It outlasts them." in enough.text
    first = full.significance["trials"] | {"distinct": 1, "effective": 1}
    alone = but(full, trials=first, track_record=record | {"expected_maximum_sharpe": 0.0})
    assert "the first strategy tried on these bars, as far as the ledger knows" in alone.text
    assert "the probability that the true ratio is above zero, as of a first try" in alone.text
    unknown = but(full, trials=None, track_record=record | {"expected_maximum_sharpe": 0.0})
    assert "How many strategies were tried on these bars is not known. Prob" in unknown.text
    assert "outlasts them." not in unknown.text
    short = but(full, track_record=record | {"deflated_sharpe": 0.9499, "bars": 3000})
    assert "It does not outlast them." in short.text
    assert "there are only 3,000\N{NO-BREAK SPACE}bars" in short.text


def test_the_tearsheet_has_the_break_even_cost_in_the_verdict(full: Run, run: Run) -> None:
    line = break_even_sentence(full.significance)
    assert line in Page(render_tearsheet(full)).text
    assert line == (
        "Its Sharpe ratio is zero at a cost of 41.0\N{NO-BREAK SPACE}bps a fill; "
        "15.0\N{NO-BREAK SPACE}bps were charged."
    )
    assert break_even_sentence(run.significance) == ""


def test_a_long_verdict_is_a_claim_and_remarks(full: Run) -> None:
    verdict = {"grade": "none", "sentence": "It earned 0.5 a year (95 % of it). Two. Three."}
    page = render_significance(
        dataclasses.replace(full, significance=full.significance | {"verdict": verdict})
    )
    assert ">No evidence</span> It earned 0.5 a year (95\N{NO-BREAK SPACE}% of it).</p>" in page
    assert '<p class="remarks">Two. Three.</p>' in page


@pytest.mark.parametrize(
    ("limit", "sharpe", "said"),
    [
        (None, 0.4, "No cost up to 2,000.0\N{NO-BREAK SPACE}bps a fill brings"),
        (None, -0.4, "It loses before costs"),
        (None, None, ""),
        (9.0, -0.1, "Its Sharpe ratio is zero at a cost of 9.0\N{NO-BREAK SPACE}bps a fill"),
    ],
)
def test_a_break_even_cost_that_does_not_exist_is_told_for_what_it_is(
    limit: float | None, sharpe: float | None, said: str
) -> None:
    told = surface()
    told |= {"break_even_cost_bps": limit, "chosen": told["chosen"] | {"sharpe": sharpe}}
    line = break_even_sentence({"fragility": told})
    assert line.startswith(said)
    assert bool(line) == bool(said)
