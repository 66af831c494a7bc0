"""Runs all checks in worker processes; the rows do not depend on their number."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.core.progress import NullProgress, Progress
from engine.core.randomness import derive_seed
from engine.selftest.cost_check import CostMonotonicityCheck
from engine.selftest.interpretation_check import AttributionCheck
from engine.selftest.invariance_check import InvarianceCheck
from engine.selftest.live_path_check import LivePathCheck
from engine.selftest.lookahead_check import LateOracleCheck, LeakageDetectionCheck
from engine.selftest.pool import map_unordered
from engine.selftest.rule_check import RuleRankingCheck
from engine.selftest.search_check import SearchCheck
from engine.selftest.significance_check import PowerCheck, SizeCheck
from engine.selftest.universe_check import UniverseEdgeCheck, UniverseNoiseCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.selftest.base import CheckResult, Observation, SelfTestCheck

CHECKS: tuple[SelfTestCheck, ...] = (
    LateOracleCheck(markets=1),
    LeakageDetectionCheck(markets=6),
    PowerCheck(markets=100),
    SizeCheck(markets=300, noise="noise"),
    SizeCheck(markets=300, noise="GARCH"),
    SearchCheck(markets=100),
    CostMonotonicityCheck(markets=6),
    RuleRankingCheck(markets=40, rule="mean_reversion"),
    RuleRankingCheck(markets=40, rule="ma_crossover"),
    InvarianceCheck(markets=6),
    LivePathCheck(markets=6),
    UniverseNoiseCheck(markets=200),
    UniverseNoiseCheck(markets=200, noise="correlated"),
    UniverseEdgeCheck(markets=40),
    AttributionCheck(markets=100),
    AttributionCheck(markets=200, planted=False),
)
"""The check with the slowest single market comes first, so that it does not run last."""


@dataclass(frozen=True)
class SelfTestResult:
    """The results of all checks.

    Attributes:
        rows: Rows of the table.
        seed: Seed of every market.
        markets: Number of generated markets.
        seconds: Run time.
    """

    rows: tuple[CheckResult, ...]
    seed: int
    markets: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every row passed."""
        return all(row.passed for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """As JSON; equal for equal seeds, except for `seconds`."""
        rows = [asdict(row) for row in self.rows]
        head = {"passed": self.passed, "seed": self.seed, "markets": self.markets}
        return head | {"seconds": round(self.seconds, 1), "checks": rows}


def run_selftest(
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
    checks: Sequence[SelfTestCheck] = CHECKS,
) -> SelfTestResult:
    """Generates markets, runs the stages of a backtest on each, and checks the results.

    Args:
        seed: Seed of all markets; each market has its own random stream.
        workers: Number of processes; None is one a core. With 1 all runs in this process.
        progress: Receives the number of finished markets.
        checks: The checks to run.
    """
    progress = progress or NullProgress()
    progress.stage("selftest")
    started = time.perf_counter()
    tasks = [
        (check, _check_seed(seed, check), n) for check in checks for n in range(check.markets)
    ]
    observations: list[Observation | None] = [None] * len(tasks)
    finished = map_unordered(_observe_market, tasks, workers)
    for done, (index, observation) in enumerate(finished, start=1):
        observations[index] = observation
        progress.advance(done, len(tasks), tasks[index][0].key)
    rows: list[CheckResult] = []
    for check in checks:
        own = [
            observation
            for observation, task in zip(observations, tasks, strict=True)
            if observation and task[0] is check
        ]
        rows += check.conclude(own)
    return SelfTestResult(tuple(rows), seed, len(tasks), time.perf_counter() - started)


def _check_seed(seed: int, check: SelfTestCheck) -> int:
    return derive_seed(seed, "selftest", check.key)


def _observe_market(check: SelfTestCheck, seed: int, market_number: int) -> Observation:
    return check.observe(seed, market_number)
