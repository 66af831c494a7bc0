"""The leak certificate: an oracle trips it, an honest strategy does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import CertificateError
from engine.selftest.check import Check, Row, Seen
from engine.selftest.markets import SYMBOL, garch_walk
from engine.selftest.oracle import Oracle, knowing
from engine.selftest.passage import certified, strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

CULPRIT = f"features: {SYMBOL}:{Oracle().name}"
"""Stage and column that a certificate has to name."""


@dataclass(frozen=True)
class Proof(Check):
    """Certificates of honest strategies and, on the same markets, of ones that know the next bar.

    Attributes:
        markets: Even: every second one is the one before again, for the oracle.
    """

    @property
    def key(self) -> str:
        """One certificate."""
        return "certificate"

    def observe(self, seed: int, number: int) -> Seen:
        """Which of the two it was, and where the certificate says that it leaks."""
        spec = strategy(opponents=[{"kind": "mean_reversion"}, {"kind": "persistence"}])
        planted = number % 2 == 1
        market = garch_walk(np.random.default_rng([seed, number // 2]))
        try:
            told = certified(knowing(spec) if planted else spec, market)
        except CertificateError as error:
            return {"planted": planted, "where": error.where, "cuts": None}
        return {"planted": planted, "where": None, "cuts": len(told["cuts"])}

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """Fails if one oracle gets a certificate, or for another fault; or one honest run none."""
        oracles = [one["where"] for one in seen if one["planted"]]
        honest = [one["cuts"] for one in seen if not one["planted"]]
        caught = sum(bool(where) and where.startswith(CULPRIT) for where in oracles)
        clean = sum(bool(cuts) for cuts in honest)
        places = next((where for where in oracles if where), "nothing")
        return [
            Row(
                "certificate: oracle",
                "a feature that knows the next bar's return",
                "no certificate; the feature is named",
                f"{caught} of {len(oracles)} caught, the first at {places}",
                caught == len(oracles),
                {"caught": caught, "planted": len(oracles), "where": oracles},
            ),
            Row(
                "certificate: honest",
                "the same markets without the oracle",
                "a certificate",
                f"{clean} of {len(honest)} certified, over {max(filter(None, honest), default=0)} "
                "cuts each",
                clean == len(honest),
                {"certified": clean, "honest": len(honest), "cuts": honest},
            ),
        ]
