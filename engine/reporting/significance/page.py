"""The page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.heading import heading
from engine.reporting.rendering import render
from engine.reporting.significance.books import told_of_books
from engine.reporting.significance.forecasts import told_of_diagnostics, told_of_forecasts
from engine.reporting.significance.robustness import told_of_robustness
from engine.reporting.significance.section import Section, Told, Unasked
from engine.reporting.significance.tries import told_of_tries

if TYPE_CHECKING:
    from engine.artifacts import Run

FAMILIES = (
    told_of_books,
    told_of_tries,
    told_of_forecasts,
    told_of_robustness,
    told_of_diagnostics,
)
"""In the order of a sceptic's questions."""


def significance_page(run: Run) -> str:
    """The page, self-contained, from the run alone; what the run was not asked is left out."""
    found = run.significance
    told: Told = [part for family in FAMILIES for part in family(found)]
    method = found["method"]
    return render(
        "significance.html.j2",
        page="significance",
        heading=heading(run),
        sections=[part for part in told if isinstance(part, Section)],
        unasked=[part for part in told if isinstance(part, Unasked)],
        bootstrap=method.get("bootstrap") or formatting.MISSING,
        resamples=formatting.COUNT(method.get("resamples")),
        seed=str(run.manifest.get("seeds", {}).get("seed", formatting.MISSING)),
        counted="trials" in found,
    )
