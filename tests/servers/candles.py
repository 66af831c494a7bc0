"""Candles for servers to serve: a price that wanders, the same on every call."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Candle:
    seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def candles(first: int, count: int, step: int = 86_400, scale: float = 100.0) -> list[Candle]:
    """`count` candles from `first` (seconds since 1970), `step` seconds apart."""
    made = []
    for i in range(count):
        at, to = (scale * (1 + 0.2 * math.sin(k / 7) + k / 900) for k in (i, i + 1))
        made.append(
            Candle(first + i * step, at, max(at, to) * 1.01, min(at, to) * 0.99, to, 10.0 + i % 5)
        )
    return made
