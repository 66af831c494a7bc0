"""Checks bars against quality rules, repairs them on request, and refuses unfit ones."""

from engine.data.quality.check_symbol import CheckedBars, CheckSettings, check_bars
from engine.data.quality.findings import AppliedRepair, Finding, rule_severity
from engine.data.quality.gate import QualityGate, QualityLog
from engine.data.quality.registry import RULES, rule_name
from engine.data.quality.repairs import REPAIRS

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
