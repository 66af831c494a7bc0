"""quantstats' own report on the strategy, as a second opinion from outside this engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.books import book
from engine.reporting.heading import heading
from engine.reporting.rendering import render

if TYPE_CHECKING:
    from engine.artifacts import Run
    from engine.reporting.quantstats_process import Opinion


def quantstats_page(run: Run, opinion: Opinion) -> str:
    """The page, self-contained, from the run and what quantstats made of its returns."""
    from markupsafe import Markup

    return render(
        "quantstats.html.j2",
        page="quantstats",
        heading=heading(run),
        reason=opinion.reason,
        periods=formatting.COUNT(opinion.periods),
        benchmark=book(opinion.benchmark).label if opinion.benchmark else "",
        # Made here from numbers and fixed titles: nothing from outside is in it.
        report=Markup(opinion.body),
    )
