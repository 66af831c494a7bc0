"""The leak certificate: an oracle trips it, an honest strategy does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import LookaheadError
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import certify_strategy, make_strategy
from engine.selftest.lookahead_check import OracleFeature, with_oracle
from engine.selftest.synthetic_markets import SYMBOL, garch_market

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPECTED_LEAK = f"features: {SYMBOL}:{OracleFeature().name}"
"""Stage and column that a certificate has to name."""


@dataclass(frozen=True)
class LeakageDetectionCheck(SelfTestCheck):
    """Certificates of honest strategies and, on the same markets, of ones that know the next bar.

    Attributes:
        markets: Even: every second one is the one before again, for the oracle.
    """

    @property
    def key(self) -> str:
        """One certificate."""
        return "certificate"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Which of the two it was, and where the certificate says that it leaks."""
        spec = make_strategy(benchmarks=[{"kind": "mean_reversion"}, {"kind": "persistence"}])
        planted = market_number % 2 == 1
        market = garch_market(np.random.default_rng([seed, market_number // 2]))
        try:
            told = certify_strategy(with_oracle(spec) if planted else spec, market)
        except LookaheadError as error:
            return {"planted": planted, "where": error.where, "cuts": None}
        return {"planted": planted, "where": None, "cuts": len(told["cuts"])}

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails if one oracle gets a certificate, or for another fault; or one honest run none."""
        oracles = [one["where"] for one in observations if one["planted"]]
        honest = [one["cuts"] for one in observations if not one["planted"]]
        caught = sum(bool(where) and where.startswith(EXPECTED_LEAK) for where in oracles)
        clean = sum(bool(cuts) for cuts in honest)
        places = next((where for where in oracles if where), "nothing")
        return [
            CheckResult(
                "certificate: oracle",
                "a feature that knows the next bar's return",
                "no certificate; the feature is named",
                f"{caught} of {len(oracles)} caught, the first at {places}",
                caught == len(oracles),
                {"caught": caught, "planted": len(oracles), "where": oracles},
            ),
            CheckResult(
                "certificate: honest",
                "the same markets without the oracle",
                "a certificate",
                f"{clean} of {len(honest)} certified, over {max(filter(None, honest), default=0)} "
                "cuts each",
                clean == len(honest),
                {"certified": clean, "honest": len(honest), "cuts": honest},
            ),
        ]
