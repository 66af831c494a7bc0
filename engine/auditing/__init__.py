"""Judges backtests that other tools made: their returns, trades and variants as files."""

from engine.auditing.audit import AuditKind, AuditOptions, audit, audit_file
from engine.auditing.backtest import AuditedBacktest
from engine.auditing.judge import AuditResult, AuditSettings
from engine.auditing.tries import count_tries

__all__ = [
    "AuditKind",
    "AuditOptions",
    "AuditResult",
    "AuditSettings",
    "AuditedBacktest",
    "audit",
    "audit_file",
    "count_tries",
]
