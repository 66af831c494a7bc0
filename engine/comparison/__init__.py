"""Comparison of several runs on common bars: tests, selection bias of the best, verdict."""

from engine.comparison.compare import compare_opened_runs, compare_runs
from engine.comparison.compared_run import ComparedRun, load_compared_run
from engine.comparison.result import RunComparison
from engine.comparison.selection import SelectionBias
from engine.comparison.settings_diff import SettingDifference
from engine.comparison.verdict import join_run_labels

__all__ = [
    "ComparedRun",
    "RunComparison",
    "SelectionBias",
    "SettingDifference",
    "compare_opened_runs",
    "compare_runs",
    "join_run_labels",
    "load_compared_run",
]
