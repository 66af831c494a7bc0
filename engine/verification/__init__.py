"""Checks a run folder: its files, books, figures and verdict; and signs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.verification.check import verify
    from engine.verification.result import RunDifference, StepResult, Verification

__all__ = ["RunDifference", "StepResult", "Verification", "verify"]

__getattr__ = lazy_exports(
    __name__,
    {
        **dict.fromkeys(("RunDifference", "StepResult", "Verification"), "result"),
        "verify": "check",
    },
)
