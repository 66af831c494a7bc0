"""Whoever knows the next bar earns absurdly; whoever learns of it one bar late, nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.features.indicator import Indicator
from engine.selftest.check import Check, Row, Seen
from engine.selftest.markets import random_walk
from engine.selftest.passage import holds, strategy, through

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.strategy import Strategy

ABSURD = 10.0
"""A Sharpe ratio a year that nobody has without knowing the future."""

LATE = "persistence"
"""What an oracle one bar late says is the return that is over: the engine's own persistence."""


class Oracle(Indicator):
    """A planted leak: the return of the next bar, close_{t+1} / close_t - 1; 0 on the last."""

    kind: Literal["oracle"] = "oracle"

    @property
    def warmup(self) -> int:
        """None: it needs no past."""
        return 0

    def _measure(self, bars: pd.DataFrame) -> pd.Series[float]:
        return (bars["close"].shift(-1) / bars["close"] - 1.0).fillna(0.0)


def knowing(spec: Strategy) -> Strategy:
    """The strategy with the oracle for its only feature."""
    # Not through a strategy file: no feature that a file can name looks ahead.
    return spec.model_copy(update={"features": (Oracle(),)})


@dataclass(frozen=True)
class Late(Check):
    """An oracle and the same oracle one bar late, on a long random walk."""

    bars: int = 8_000

    @property
    def key(self) -> str:
        """One oracle."""
        return "oracle"

    def observe(self, seed: int, number: int) -> Seen:
        """Sharpe ratio of both, the late one's with its interval."""
        spec = strategy(
            opponents=[{"kind": LATE}],
            windows={"train": 1_000, "validation": 250, "test": 3_400},
            evaluation={"resamples": 1_999, "confidence": 0.99},
        )
        market = random_walk(np.random.default_rng([seed, number]), self.bars)
        passage = through(knowing(spec), market)
        return {
            "bars": len(passage.made.ground.span),
            "early": passage.sharpe("strategy")["estimate"] or 0.0,
            "late": dict(passage.sharpe(LATE)),
        }

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """Two rows: the first shows that the plant is worth something, the second that time is."""
        late = [one["late"] for one in seen]
        covered = [holds(one, 0.0) for one in late]
        early = min(one["early"] for one in seen)
        bars = sum(one["bars"] for one in seen)
        return [
            Row(
                "an oracle",
                "a feature that knows the next bar's return, on noise",
                f"a Sharpe above {ABSURD:.0f}, or nothing could tell a leak",
                f"{early:.1f} over {bars:,} bars",
                early > ABSURD,
                {"sharpe": [one["early"] for one in seen]},
            ),
            Row(
                "one bar late",
                "the same oracle, when the bar is over",
                "nothing: the 99 % interval of its Sharpe holds 0",
                ", ".join(map(_told, late)),
                all(covered),
                {"sharpe": late},
            ),
        ]


def _told(figures: Mapping[str, Any]) -> str:
    if figures["estimate"] is None or figures["low"] is None:
        return "no Sharpe ratio, or none with an interval"
    return "{estimate:.2f} ({low:.2f} to {high:.2f})".format(**figures)
