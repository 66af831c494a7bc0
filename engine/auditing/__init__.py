"""Judges backtests that other tools made: their returns, trades and variants as files."""

from engine.auditing.audit import (
    FILE_FORMATS,
    AuditKind,
    AuditOptions,
    audit_file,
    read_bars,
)
from engine.auditing.audit_values import audit
from engine.auditing.backtest import AuditedBacktest
from engine.auditing.code_probe import CodeFinding, CodeProbe, probe_function
from engine.auditing.judge import AuditResult, AuditSettings
from engine.auditing.tries import count_tries
from engine.auditing.user_function import load_function

__all__ = [
    "FILE_FORMATS",
    "AuditKind",
    "AuditOptions",
    "AuditResult",
    "AuditSettings",
    "AuditedBacktest",
    "CodeFinding",
    "CodeProbe",
    "audit",
    "audit_file",
    "count_tries",
    "load_function",
    "probe_function",
    "read_bars",
]
