"""Whoever knows the next bar earns absurdly; whoever learns of it one bar late, nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.features.base import Indicator
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import interval_covers, make_strategy, run_stages
from engine.selftest.synthetic_markets import random_walk_market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.strategy import Strategy

MIN_ORACLE_SHARPE = 10.0
"""A Sharpe ratio a year that nobody has without knowing the future."""

LATE_ORACLE_BOOK = "persistence"
"""What an oracle one bar late says is the return that is over: the engine's own persistence."""


class OracleFeature(Indicator):
    """A planted leak: the return of the next bar, close_{t+1} / close_t - 1; 0 on the last."""

    kind: Literal["oracle"] = "oracle"

    @property
    def warmup(self) -> int:
        """None: it needs no past."""
        return 0

    def _compute_raw(self, bars: pd.DataFrame) -> pd.Series[float]:
        return (bars["close"].shift(-1) / bars["close"] - 1.0).fillna(0.0)


def with_oracle(spec: Strategy) -> Strategy:
    """The strategy with the oracle for its only feature."""
    # Not through a strategy file: no feature that a file can name looks ahead.
    return spec.model_copy(update={"features": (OracleFeature(),)})


@dataclass(frozen=True)
class LateOracleCheck(SelfTestCheck):
    """An oracle and the same oracle one bar late, on a long random walk."""

    bars: int = 8_000

    @property
    def key(self) -> str:
        """One oracle."""
        return "oracle"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Sharpe ratio of both, the late one's with its interval."""
        spec = make_strategy(
            benchmarks=[{"kind": LATE_ORACLE_BOOK}],
            windows={"train": 1_000, "validation": 250, "test": 3_400},
            evaluation={"resamples": 1_999, "confidence": 0.99},
        )
        market = random_walk_market(np.random.default_rng([seed, market_number]), self.bars)
        passage = run_stages(with_oracle(spec), market)
        return {
            "bars": len(passage.result.prepared.span),
            "early": passage.sharpe("strategy")["estimate"] or 0.0,
            "late": dict(passage.sharpe(LATE_ORACLE_BOOK)),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Two rows: the first shows that the plant is worth something, the second that time is."""
        late = [one["late"] for one in observations]
        covered = [interval_covers(one, 0.0) for one in late]
        early = min(one["early"] for one in observations)
        bars = sum(one["bars"] for one in observations)
        return [
            CheckResult(
                "an oracle",
                "a feature that knows the next bar's return, on noise",
                f"a Sharpe above {MIN_ORACLE_SHARPE:.0f}, or nothing could tell a leak",
                f"{early:.1f} over {bars:,} bars",
                early > MIN_ORACLE_SHARPE,
                {"sharpe": [one["early"] for one in observations]},
            ),
            CheckResult(
                "one bar late",
                "the same oracle, when the bar is over",
                "nothing: the 99 % interval of its Sharpe holds 0",
                ", ".join(map(_format_sharpe, late)),
                all(covered),
                {"sharpe": late},
            ),
        ]


def _format_sharpe(figures: Mapping[str, Any]) -> str:
    if figures["estimate"] is None or figures["low"] is None:
        return "no Sharpe ratio, or none with an interval"
    return "{estimate:.2f} ({low:.2f} to {high:.2f})".format(**figures)
