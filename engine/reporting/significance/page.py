"""The page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.header import make_run_header
from engine.reporting.significance.forecast_tests import diagnostic_sections, forecast_sections
from engine.reporting.significance.robustness import robustness_sections
from engine.reporting.significance.section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
)
from engine.reporting.significance.sharpe import sharpe_sections
from engine.reporting.significance.trials import trial_sections
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.runs.run import Run

SECTION_BUILDERS = (
    sharpe_sections,
    trial_sections,
    forecast_sections,
    robustness_sections,
    diagnostic_sections,
)
"""In the order of a sceptic's questions."""


def render_significance(run: Run) -> str:
    """The page, self-contained, from the run alone; what the run was not asked is left out."""
    found = run.significance
    told: SignificanceSections = [part for family in SECTION_BUILDERS for part in family(found)]
    method = found["method"]
    return render_template(
        "significance.html.j2",
        page="significance",
        heading=make_run_header(run),
        sections=[part for part in told if isinstance(part, QuestionSection)],
        unasked=[part for part in told if isinstance(part, UnansweredQuestion)],
        bootstrap=method.get("bootstrap") or formatting.MISSING,
        resamples=formatting.COUNT(method.get("resamples")),
        seed=str(run.manifest.get("seeds", {}).get("seed", formatting.MISSING)),
        counted="trials" in found,
    )
