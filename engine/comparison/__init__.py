"""Several runs judged against each other, and the best of them for having been chosen."""

from engine.comparison.compare import RunComparison, compare_opened_runs, compare_runs
from engine.comparison.compared_run import ComparedRun, load_compared_run
from engine.comparison.selection import SelectionBias
from engine.comparison.settings_diff import SettingDifference
from engine.comparison.verdict import join_names

__all__ = [
    "ComparedRun",
    "RunComparison",
    "SelectionBias",
    "SettingDifference",
    "compare_opened_runs",
    "compare_runs",
    "join_names",
    "load_compared_run",
]
