"""The significance page: its sections in order, rendered into the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.header import make_run_header
from engine.reporting.holdout import holdout_sections
from engine.reporting.question_section import (
    QuestionSection,
    SignificanceSections,
    UnansweredQuestion,
)
from engine.reporting.registration import registration_sections
from engine.reporting.significance._deployment import deployment_sections
from engine.reporting.significance._diagnostics import diagnostic_sections
from engine.reporting.significance._forecast_tests import forecast_sections
from engine.reporting.significance._paths import path_sections
from engine.reporting.significance._robustness import robustness_sections
from engine.reporting.significance._sharpe import sharpe_sections
from engine.reporting.significance._trials import trial_sections
from engine.reporting.significance._unseen_tail import unseen_tail_sections
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.runs.run import Run

SECTION_BUILDERS = (
    sharpe_sections,
    trial_sections,
    registration_sections,
    holdout_sections,
    forecast_sections,
    robustness_sections,
    path_sections,
    unseen_tail_sections,
    diagnostic_sections,
)
"""From the Sharpe ratio to the diagnostics of the model, the order of the page."""


def render_significance(run: Run) -> str:
    """The page, self-contained, from the run alone; tests that the run does not have are left out.

    Args:
        run: A finished run, of this version or an earlier one.
    """
    significance = run.significance
    sections: SignificanceSections = [
        section for build in SECTION_BUILDERS for section in build(significance)
    ]
    sections += deployment_sections(run)
    method, seed = significance.method, run.manifest.seeds.seed
    return render_template(
        "significance.html.j2",
        page="significance",
        heading=make_run_header(run),
        sections=[part for part in sections if isinstance(part, QuestionSection)],
        unanswered=[part for part in sections if isinstance(part, UnansweredQuestion)],
        bootstrap=method.bootstrap or formatting.MISSING,
        resamples=formatting.COUNT(method.resamples),
        seed=formatting.MISSING if seed is None else str(seed),
        trials_counted="trials" in significance,
        plot_data=plot_data,
    )
