"""What must change nothing: leverage changes no evidence, and a second time no byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.artifacts import canonical_json
from engine.pipeline.judging import judge
from engine.selftest.check import Check, Row, Seen
from engine.selftest.markets import garch_walk
from engine.selftest.passage import strategy, through

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.selftest.passage import Passage


@dataclass(frozen=True)
class Unchanged(Check):
    """Each market twice, in whatever process; and its books at twice their leverage.

    Attributes:
        markets: Even: every second one is the one before again.
    """

    @property
    def key(self) -> str:
        """One check of both."""
        return "unchanged"

    def observe(self, seed: int, number: int) -> Seen:
        """A digest of every table and figure, and p-values as they are and levered."""
        rng = np.random.default_rng([seed, number // 2])
        passage = through(strategy(), garch_walk(rng))
        levered = {
            name: replace(book, returns=2.0 * book.returns)
            for name, book in passage.made.books.items()
        }
        judged = judge(replace(passage.made, books=levered), passage.metrics)
        return {
            "digest": _digest(passage),
            "p_values": _p_values(passage.significance),
            "levered": _p_values(judged),
        }

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """Bytes are the same or they are not; p-values may differ by rounding, far below one."""
        digests = [one["digest"] for one in seen]
        same = sum(a == b for a, b in zip(digests[::2], digests[1::2], strict=True))
        pairs, different = len(digests) // 2, len(set(digests))
        furthest = max(
            abs(one["p_values"][book] - one["levered"][book])
            for one in seen
            for book in one["p_values"]
        )
        return [
            Row(
                "twice the leverage",
                "every return of every book doubled",
                "the p-values of the Sharpe ratios stay",
                f"largest change {furthest:.4f}",
                furthest < 1e-9,
                {"largest_change": furthest},
            ),
            Row(
                "the same again",
                f"each of {pairs} markets twice, in any process",
                "the same bytes; of another market, others",
                f"{same} of {pairs} the same, {different} different in all",
                same == pairs == different,
                {"pairs": pairs, "same": same, "different": different},
            ),
        ]


def _p_values(judged: Mapping[str, Any]) -> dict[str, float]:
    return {book: figures["p_value"] for book, figures in judged["sharpe"].items()}


def _digest(passage: Passage) -> str:
    """SHA-256 over forecasts, weights, returns, fills and figures."""
    digest = hashlib.sha256()
    for name, book in passage.made.books.items():
        digest.update(name.encode())
        digest.update(passage.made.weights[name].to_numpy().tobytes())
        digest.update(book.returns.to_numpy().tobytes())
        digest.update(book.trades[["size", "price", "fee"]].to_numpy().tobytes())
    for made in passage.made.predictions.values():
        digest.update(made.predicted.to_numpy().tobytes())
    told = {"metrics": passage.metrics, "significance": passage.significance}
    digest.update(canonical_json(told).encode())
    return digest.hexdigest()
