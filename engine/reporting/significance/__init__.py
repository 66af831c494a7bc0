"""The significance page: each test as question, answer, figures and source."""

from engine.reporting.significance._forecast_tests import forecast_sections
from engine.reporting.significance._page import render_significance
from engine.reporting.significance._paths import path_sections
from engine.reporting.significance._sharpe import sharpe_sections
from engine.reporting.significance._trials import trial_sections
from engine.reporting.significance._unseen_tail import unseen_tail_sections

__all__ = [
    "forecast_sections",
    "path_sections",
    "render_significance",
    "sharpe_sections",
    "trial_sections",
    "unseen_tail_sections",
]
