"""One panel for each window: parts, losses, and the Sharpe ratios of its test bars."""

from __future__ import annotations

import copy
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.return_metrics import sharpe
from engine.reporting.header import make_run_header
from engine.reporting.tearsheet.windows import windows_section
from tests.reporting.conftest import TEST, WINDOWS
from tests.reporting.page import Page, changed, section_of
from tests.reporting.truth import surface

if TYPE_CHECKING:
    from engine.reporting.charts.windows import WindowPanel
    from engine.reporting.tearsheet.section import TearsheetSection
    from engine.runs.run import Run

SEEDS = [[0.5 + window / 10, -0.25] for window in range(WINDOWS)]


def with_seeds(run: Run, ratios: list[list[float | None]] | None = None) -> Run:
    seeds = {"count": 2, "seed_deviation": 0.1, "sharpe_by_window": ratios or SEEDS}
    return changed(run, significance={"seeds": seeds})


def panels(section: TearsheetSection) -> tuple[WindowPanel, ...]:
    found: tuple[WindowPanel, ...] = section.content.panels.panels
    return found


def of_window(run: Run, book: str, window: int) -> float | None:
    """Over the 252 bars of its test part, one window behind the other."""
    returns = run.returns[book].to_numpy()[window * TEST : (window + 1) * TEST]
    return sharpe(returns, 252.0)


def test_the_ratios_of_a_panel_are_those_of_its_test_bars(run: Run) -> None:
    for panel in panels(windows_section(run)):
        for book, text in (("strategy", panel.strategy), ("buy_and_hold", panel.benchmark)):
            ratio = of_window(run, book, panel.index)
            assert ratio is not None
            assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(ratio, abs=0.005)


def test_marks_of_all_panels_share_one_axis(run: Run) -> None:
    section = windows_section(with_seeds(run))
    zero = section.content.panels.zero_position
    ratios, positions = [], []
    for panel in panels(section):
        assert [mark.css for mark in panel.markers] == ["seed", "seed", "benchmark", "strategy"]
        books = [of_window(run, book, panel.index) for book in ("buy_and_hold", "strategy")]
        ratios += [*SEEDS[panel.index], *books]
        positions += [mark.position for mark in panel.markers]
    # A straight line from ratio to position, through the zero that is drawn.
    slope, start = np.polyfit(ratios, positions, 1)
    assert np.abs(np.polyval([slope, start], ratios) - positions).max() < 0.02
    assert start == pytest.approx(zero, abs=0.02)
    assert 0 <= min(positions) < max(positions) <= 100


def test_the_parts_of_a_panel_share_the_axis_of_the_timeline(run: Run) -> None:
    section = windows_section(run)
    rows = dict(section.content.timeline.rows)
    assert all(panel.spans == rows[panel.index] for panel in panels(section))


def test_every_fit_has_two_curves_and_their_range(run: Run) -> None:
    for panel, window in zip(panels(windows_section(run)), run.manifest["windows"], strict=True):
        assert [curve.css for curve in panel.curves] == ["train", "validation"] * 2
        losses = [x for fit in window["fits"] for x in fit["train_loss"] + fit["validation_loss"]]
        epochs = max(fit["epochs"] for fit in window["fits"])
        assert panel.loss_range == (
            f"loss {min(losses):#.3g} to {max(losses):#.3g}, {epochs}\N{NO-BREAK SPACE}epochs"
        )


def test_the_sentence_counts_the_windows(run: Run) -> None:
    section = windows_section(with_seeds(run))
    pairs = [
        [of_window(run, book, window) or 0.0 for book in ("strategy", "buy_and_hold")]
        for window in range(WINDOWS)
    ]
    above = sum(mine > 0 for mine, _ in pairs)
    ahead = sum(mine > theirs for mine, theirs in pairs)
    apart = np.median([max(each) - min(each) for each in SEEDS])
    assert section.content.finding.replace("\N{NO-BREAK SPACE}", " ") == (
        f"Of 15 windows the strategy had a Sharpe ratio above zero in {above}, and above that of "
        f"buy and hold in {ahead}. The median range of its seeds, each traded alone, was "
        f"{apart:.2f}."
    )


def test_a_note_says_that_an_older_run_has_no_seed_ratios(run: Run) -> None:
    section = windows_section(run)
    assert "did not keep the Sharpe ratios of the seeds" in section.content.seeds_note
    assert not any(mark.css == "seed" for panel in panels(section) for mark in panel.markers)
    alone = changed(run, manifest={"seeds": {"seed": 7, "count": 1}})
    assert windows_section(alone).content.seeds_note == ""


def test_a_seed_without_a_position_in_a_window_has_no_mark(run: Run) -> None:
    ratios: list[list[float | None]] = [[None, 0.5] for _ in range(WINDOWS)]
    panel = panels(windows_section(with_seeds(run, ratios)))[0]
    assert [mark.css for mark in panel.markers].count("seed") == 1
    assert panel.seeds == "+0.50 to +0.50"


def test_models_without_epochs_have_panels_without_curves(run: Run) -> None:
    windows = copy.deepcopy(run.manifest["windows"])
    for window in windows:
        window["fits"] = [{"seed": 0, "epochs": 0, "train_loss": [], "validation_loss": []}]
    section = windows_section(changed(run, manifest={"windows": windows}))
    assert {panel.loss_range for panel in panels(section)} == {""}
    html = section_of(section, heading=make_run_header(run))
    assert html.count('<figure class="window">') == WINDOWS
    assert 'class="curves"' not in html


def test_failed_fits_are_counted_in_their_panel(run: Run) -> None:
    windows = copy.deepcopy(run.manifest["windows"])
    windows[2]["fits"][1] = {"seed": 1, "symbol": "SP500", "failed": "the loss is not a number"}
    section = windows_section(changed(run, manifest={"windows": windows}))
    failed = [panel.failed_fits.replace("\N{NO-BREAK SPACE}", " ") for panel in panels(section)]
    assert failed == ["", "", "1 of 2 fits left out", *[""] * (WINDOWS - 3)]
    assert len(panels(section)[2].curves) == 2


def test_an_ensemble_draws_each_member(run: Run) -> None:
    windows = copy.deepcopy(run.manifest["windows"])
    members: list[dict[str, Any]] = windows[0]["fits"]
    windows[0]["fits"] = [{"seed": 0, "epochs": 0, "train_loss": [], "members": members}]
    panel = panels(windows_section(changed(run, manifest={"windows": windows})))[0]
    assert len(panel.curves) == 4


def test_sixty_windows_are_sixty_panels_of_few_bytes(run: Run) -> None:
    index = pd.DatetimeIndex(run.returns.index)
    edges = np.linspace(0, len(index), 61).astype(int)
    before = [index[0].isoformat(), index[1].isoformat()]
    many = [
        run.manifest["windows"][0]
        | {"index": number, "train": before, "validation": before}
        | {"test": [index[start].isoformat(), index[stop - 1].isoformat()]}
        for number, (start, stop) in enumerate(itertools.pairwise(edges))
    ]
    section = windows_section(changed(run, manifest={"windows": many}))
    ratios = [panel.strategy for panel in panels(section)]
    for number in (0, 31, 59):
        part = run.returns["strategy"].to_numpy()[edges[number] : edges[number + 1]]
        expected = sharpe(part, 252.0)
        assert expected is not None
        found = float(ratios[number].replace("\N{MINUS SIGN}", "-"))
        assert found == pytest.approx(expected, abs=0.005)
    html = section_of(section, heading=make_run_header(run))
    assert html.count('<figure class="window">') == 60
    assert len(html) < 400_000
    assert "Window 59" in Page(html).text


def test_no_entry_level_is_shown_where_forecasts_are_compared(run: Run) -> None:
    heading = make_run_header(run)
    assert "Enter above" in section_of(windows_section(run), heading=heading)
    ranked = surface() | {"threshold": [5.0], "threshold_bps": [5.0]}
    compared = changed(run, significance={"fragility": ranked})
    assert "Enter above" not in section_of(windows_section(compared), heading=heading)
