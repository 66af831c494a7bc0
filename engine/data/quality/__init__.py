"""Checks bars against quality rules, repairs them on request, and refuses unfit ones."""

from engine.data.quality._check_symbol import CheckedBars, CheckSettings, check_bars
from engine.data.quality._registry import RULES, rule_name
from engine.data.quality._repairs import REPAIRS
from engine.data.quality.findings import AppliedRepair, Finding, rule_severity
from engine.data.quality.gate import QualityGate, QualityLog

__all__ = [
    "REPAIRS",
    "RULES",
    "AppliedRepair",
    "CheckSettings",
    "CheckedBars",
    "Finding",
    "QualityGate",
    "QualityLog",
    "check_bars",
    "rule_name",
    "rule_severity",
]
