"""Look-ahead: what a feature with the next return earns, and that the leakage test detects it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.core.errors import LookaheadError
from engine.features.base import Indicator
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import certify_strategy, interval_covers, make_strategy, run_stages
from engine.selftest.synthetic_markets import SYMBOL, garch_market, random_walk_market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from engine.strategy import Strategy

MIN_ORACLE_SHARPE = 10.0
"""An annualised Sharpe ratio that no strategy has without look-ahead."""

LATE_ORACLE_BOOK = "persistence"
"""An oracle that is one bar late forecasts the last return, as the persistence model does."""


class OracleFeature(Indicator):
    """A planted leak: the return of the next bar, close_{t+1} / close_t - 1; 0 on the last."""

    kind: Literal["oracle"] = "oracle"

    @property
    def warmup(self) -> int:
        """0: it uses no earlier bar."""
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The next return at each bar."""
        return (bars["close"].shift(-1) / bars["close"] - 1.0).fillna(0.0)


EXPECTED_LEAK = f"features: {SYMBOL}:{OracleFeature().name}"
"""Stage and column that the leakage test has to name."""


def with_oracle(spec: Strategy) -> Strategy:
    """The strategy with the oracle as its only feature."""
    # model_copy skips the validation, which accepts no feature with look-ahead.
    return spec.model_copy(update={"features": (OracleFeature(),)})


@dataclass(frozen=True)
class LateOracleCheck(SelfTestCheck):
    """Runs the oracle, and the oracle one bar late, on a long random walk."""

    bars: int = 8_000

    @property
    def key(self) -> str:
        """One check for both."""
        return "oracle"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Sharpe ratio of both; that of the late oracle with its interval."""
        spec = make_strategy(
            benchmarks=[{"kind": LATE_ORACLE_BOOK}],
            windows={"train": 1_000, "validation": 250, "test": 3_400},
            evaluation={"resamples": 1_999, "confidence": 0.99},
        )
        market = random_walk_market(np.random.default_rng([seed, market_number]), self.bars)
        harness = run_stages(with_oracle(spec), market)
        return {
            "bars": len(harness.result.prepared.span),
            "early": harness.sharpe("strategy")["estimate"] or 0.0,
            "late": dict(harness.sharpe(LATE_ORACLE_BOOK)),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Two rows: the oracle earns a profit, and the late oracle earns none."""
        late = [one["late"] for one in observations]
        covered = [interval_covers(one, 0.0) for one in late]
        early = min(one["early"] for one in observations)
        bars = sum(one["bars"] for one in observations)
        return [
            CheckResult(
                "an oracle",
                "a feature with the return of the next bar, on noise",
                f"a Sharpe ratio above {MIN_ORACLE_SHARPE:.0f}: the leak is profitable",
                f"{early:.1f} over {bars:,} bars",
                early > MIN_ORACLE_SHARPE,
                {"sharpe": [one["early"] for one in observations]},
            ),
            CheckResult(
                "one bar late",
                "the same oracle, known only after the bar has closed",
                "no profit: the 99 % interval of its Sharpe ratio contains 0",
                ", ".join(map(_format_sharpe, late)),
                all(covered),
                {"sharpe": late},
            ),
        ]


def _format_sharpe(figures: Mapping[str, Any]) -> str:
    if figures["estimate"] is None or figures["low"] is None:
        return "no Sharpe ratio, or no interval of it"
    return "{estimate:.2f} ({low:.2f} to {high:.2f})".format(**figures)


@dataclass(frozen=True)
class LeakageDetectionCheck(SelfTestCheck):
    """Runs the leakage test on a strategy without look-ahead, and on the same with the oracle.

    Attributes:
        markets: An even number; each odd-numbered market is the one before it, with the oracle.
    """

    @property
    def key(self) -> str:
        """One check for both."""
        return "certificate"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Which of the two strategies it was, and where the test detects look-ahead."""
        spec = make_strategy(benchmarks=[{"kind": "mean_reversion"}, {"kind": "persistence"}])
        planted = market_number % 2 == 1
        market = garch_market(np.random.default_rng([seed, market_number // 2]))
        try:
            certificate = certify_strategy(with_oracle(spec) if planted else spec, market)
        except LookaheadError as error:
            return {"planted": planted, "where": error.where, "cuts": None}
        return {"planted": planted, "where": None, "cuts": len(certificate["cuts"])}

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails if one oracle is missed or another leak is named, or if one honest run fails."""
        oracles = [one["where"] for one in observations if one["planted"]]
        honest = [one["cuts"] for one in observations if not one["planted"]]
        detected = sum(bool(where) and where.startswith(EXPECTED_LEAK) for where in oracles)
        clean = sum(bool(cuts) for cuts in honest)
        first_location = next((where for where in oracles if where), "nothing")
        return [
            CheckResult(
                "certificate: oracle",
                "a feature with the return of the next bar",
                "look-ahead detected, and the feature named",
                f"{detected} of {len(oracles)} detected, the first at {first_location}",
                detected == len(oracles),
                {"caught": detected, "planted": len(oracles), "where": oracles},
            ),
            CheckResult(
                "certificate: honest",
                "the same markets without the oracle",
                "no look-ahead detected",
                f"{clean} of {len(honest)} without, at {max(filter(None, honest), default=0)} "
                "cutoffs each",
                clean == len(honest),
                {"certified": clean, "honest": len(honest), "cuts": honest},
            ),
        ]
