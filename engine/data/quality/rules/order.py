"""Bars that do not come oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.violation import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.view import BarsView


def order(view: BarsView) -> list[RuleViolation]:
    """A bar comes after a later one."""
    rows = np.flatnonzero(np.diff(view.timestamps) < 0) + 1
    return [RuleViolation(rows, "bars come after a later bar", "sort")]
