"""Numbers that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample


def missing_open(sample: Sample) -> list[Spotted]:
    """The open is 0 or empty, and every other value of the bar is there.

    Vendors write 0 for the opens of early decades, of which only high, low and close are known.
    """
    opens = sample.prices[:, 0]
    others = np.column_stack([sample.prices[:, 1:], sample.volume])
    whole = np.isfinite(others).all(axis=1) & (others[:, :3] > 0).all(axis=1)
    rows = np.flatnonzero(whole & (np.isnan(opens) | (opens == 0.0)))
    return [Spotted(rows, "bars have no open", "open_from_previous_close")]


def missing_values(sample: Sample) -> list[Spotted]:
    """A price or the volume is no finite number."""
    finite = np.isfinite(sample.prices).all(axis=1) & np.isfinite(sample.volume)
    complaint = "bars have no number where a price or volume should be"
    return [Spotted(np.flatnonzero(~finite), complaint, "drop_missing")]
