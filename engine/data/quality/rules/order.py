"""Bars that do not come oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample


def order(sample: Sample) -> list[Spotted]:
    """A bar comes after a later one."""
    rows = np.flatnonzero(np.diff(sample.stamps) < 0) + 1
    return [Spotted(rows, "bars come after a later bar", "sort")]
