"""What may happen on the way, for a trader who decides how much to risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting.book_styles import STRATEGY
from engine.reporting.path_risk_texts import (
    path_risk_sentence,
    path_risk_table,
    realised_sentence,
)
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.reporting.tables import PlainTable
    from engine.runs.run import Run


@dataclass(frozen=True)
class PathRiskContent:
    """Sentences, and the figures of the strategy by horizon."""

    finding: str
    realised: str
    table: PlainTable


def path_risk_section(run: Run) -> TearsheetSection | None:
    """Probability of a loss and drawdowns to expect; None for a run without these figures."""
    risk = run.significance.path_risk
    if risk is None or not risk.horizons:
        return None
    return TearsheetSection(
        "path-risk",
        "Risk of the path",
        PathRiskContent(
            finding=path_risk_sentence(risk),
            realised=realised_sentence(risk),
            table=path_risk_table(risk, STRATEGY, ""),
        ),
    )
