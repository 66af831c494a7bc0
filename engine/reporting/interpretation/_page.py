"""The interpretation page: its sections in order, rendered into the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting.charts.xy_plot import plot_data
from engine.reporting.formatting import count_of, typeset
from engine.reporting.header import make_run_header
from engine.reporting.interpretation._inputs import movers_section, outcome_section
from engine.reporting.interpretation._lookback import (
    attention_section,
    lookback_section,
    symbol_attention_section,
)
from engine.reporting.interpretation._rules import bar_section, completeness_section, rules_section
from engine.reporting.question_section import QuestionSection, UnansweredQuestion
from engine.reporting.templating import render_template

if TYPE_CHECKING:
    from engine.reporting.question_section import SignificanceSections
    from engine.runs.documents.interpretation import Interpretation
    from engine.runs.run import Run


def render_interpretation(run: Run, document: Interpretation) -> str:
    """The page, self-contained.

    Args:
        run: A finished run.
        document: What its forecasts depend on.
    """
    sections: SignificanceSections = [
        *bar_section(document),
        movers_section(document),
        outcome_section(document),
        lookback_section(document),
        *attention_section(document),
        *symbol_attention_section(document),
        *rules_section(document),
        completeness_section(document),
    ]
    return render_template(
        "interpretation.html.j2",
        page="interpretation",
        heading=make_run_header(run),
        sentence=typeset(document.sentence),
        fits=f"{count_of(document.windows, 'window')} with "
        f"{count_of(document.seeds, 'fit')} each of {document.model}",
        sections=[part for part in sections if isinstance(part, QuestionSection)],
        unanswered=[part for part in sections if isinstance(part, UnansweredQuestion)],
        plot_data=plot_data,
    )
