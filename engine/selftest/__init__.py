"""Tests the engine on generated markets whose properties are known."""

from engine.selftest.base import CheckResult, SelfTestCheck
from engine.selftest.run import CHECKS, SelfTestResult, run_selftest

__all__ = ["CHECKS", "CheckResult", "SelfTestCheck", "SelfTestResult", "run_selftest"]
