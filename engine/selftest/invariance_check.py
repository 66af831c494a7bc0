"""Invariance: leverage changes no p-value, and a repeated run changes no byte."""

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
    """Runs each market twice, in any process, and once more at twice the leverage.

    Attributes:
        markets: An even number; each odd-numbered market repeats the one before it.
    """

    @property
    def key(self) -> str:
        """One check for both properties."""
        return "unchanged"

    def observe(self, seed: int, market_number: int) -> Observation:
        """A digest of all tables and figures, and the p-values with and without leverage."""
        rng = np.random.default_rng([seed, market_number // 2])
        harness = run_stages(make_strategy(), garch_market(rng))
        levered = {
            name: replace(book, returns=2.0 * book.returns)
            for name, book in harness.result.books.items()
        }
        levered_significance = evaluate_backtest(replace(harness.result, books=levered))
        return {
            "digest": _hash_result(harness),
            "p_values": _sharpe_p_values(harness.significance),
            "levered": _sharpe_p_values(levered_significance),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Digests must be equal; p-values may differ by rounding errors below 1e-9."""
        digests = [one["digest"] for one in observations]
        equal = sum(a == b for a, b in zip(digests[::2], digests[1::2], strict=True))
        pairs, different = len(digests) // 2, len(set(digests))
        largest_change = max(
            abs(one["p_values"][book] - one["levered"][book])
            for one in observations
            for book in one["p_values"]
        )
        return [
            CheckResult(
                "twice the leverage",
                "every return of every book doubled",
                "the p-values of the Sharpe ratios do not change",
                f"largest change {largest_change:.4f}",
                largest_change < 1e-9,
                {"largest_change": largest_change},
            ),
            CheckResult(
                "the same again",
                f"each of {pairs} markets run twice, in any process",
                "identical bytes for the same market, other bytes for another",
                f"{equal} of {pairs} the same, {different} different in all",
                equal == pairs == different,
                {"pairs": pairs, "same": equal, "different": different},
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
    for predictions in harness.result.predictions.values():
        digest.update(predictions.predicted.to_numpy().tobytes())
    for document in (harness.metrics, harness.significance):
        digest.update(canonical_json(document.as_dict()).encode())
    return digest.hexdigest()
