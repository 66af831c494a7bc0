"""Small made-up windows for tests of forecasters."""

from __future__ import annotations

import numpy as np

from engine.models import WindowDataset


def planted(
    seed: int = 0, *, edge: float = 0.6, rows: int = 460, noise: float = 0.01
) -> WindowDataset:
    """Three series of one column; the return follows the first series' last value by `edge`."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, 3)).astype(np.float32)
    target = noise * (edge * inputs[:, 0] + np.sqrt(1 - edge**2) * rng.normal(size=rows))
    trailing = np.roll(target, 1)
    first = 29
    return WindowDataset(
        inputs=inputs,
        target=target,
        trailing=trailing,
        groups=((0,), (1,), (2,)),
        train=np.arange(first, first + 281),
        validation=np.arange(first + 282, first + 342),
        test=np.arange(first + 343, rows),
    )
