"""What must change nothing: leverage changes no evidence, and a second time no byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backtest.evaluate import evaluate_backtest
from engine.core.hashing import canonical_json
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import make_strategy, run_stages
from engine.selftest.synthetic_markets import garch_market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.selftest.harness import HarnessResult


@dataclass(frozen=True)
class InvarianceCheck(SelfTestCheck):
    """Each market twice, in whatever process; and its books at twice their leverage.

    Attributes:
        markets: Even: every second one is the one before again.
    """

    @property
    def key(self) -> str:
        """One check of both."""
        return "unchanged"

    def observe(self, seed: int, market_number: int) -> Observation:
        """A digest of every table and figure, and p-values as they are and levered."""
        rng = np.random.default_rng([seed, market_number // 2])
        passage = run_stages(make_strategy(), garch_market(rng))
        levered = {
            name: replace(book, returns=2.0 * book.returns)
            for name, book in passage.result.books.items()
        }
        judged = evaluate_backtest(replace(passage.result, books=levered), passage.metrics)
        return {
            "digest": _hash_result(passage),
            "p_values": _sharpe_p_values(passage.significance),
            "levered": _sharpe_p_values(judged),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Bytes are the same or they are not; p-values may differ by rounding, far below one."""
        digests = [one["digest"] for one in observations]
        same = sum(a == b for a, b in zip(digests[::2], digests[1::2], strict=True))
        pairs, different = len(digests) // 2, len(set(digests))
        furthest = max(
            abs(one["p_values"][book] - one["levered"][book])
            for one in observations
            for book in one["p_values"]
        )
        return [
            CheckResult(
                "twice the leverage",
                "every return of every book doubled",
                "the p-values of the Sharpe ratios stay",
                f"largest change {furthest:.4f}",
                furthest < 1e-9,
                {"largest_change": furthest},
            ),
            CheckResult(
                "the same again",
                f"each of {pairs} markets twice, in any process",
                "the same bytes; of another market, others",
                f"{same} of {pairs} the same, {different} different in all",
                same == pairs == different,
                {"pairs": pairs, "same": same, "different": different},
            ),
        ]


def _sharpe_p_values(significance: Mapping[str, Any]) -> dict[str, float]:
    return {book: figures["p_value"] for book, figures in significance["sharpe"].items()}


def _hash_result(harness: HarnessResult) -> str:
    """SHA-256 over forecasts, weights, returns, fills and figures."""
    digest = hashlib.sha256()
    for name, book in harness.result.books.items():
        digest.update(name.encode())
        digest.update(harness.result.weights[name].to_numpy().tobytes())
        digest.update(book.returns.to_numpy().tobytes())
        digest.update(book.trades[["size", "price", "fee"]].to_numpy().tobytes())
    for made in harness.result.predictions.values():
        digest.update(made.predicted.to_numpy().tobytes())
    told = {"metrics": harness.metrics, "significance": harness.significance}
    digest.update(canonical_json(told).encode())
    return digest.hexdigest()
