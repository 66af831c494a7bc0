"""All checks, over as many processes as there are cores; the same rows however many those are."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.core.progress import NullProgress, Progress
from engine.core.randomness import derive_seed
from engine.selftest.cost_check import CostMonotonicityCheck
from engine.selftest.invariance_check import InvarianceCheck
from engine.selftest.leakage_check import LeakageDetectionCheck
from engine.selftest.lookahead_check import LateOracleCheck
from engine.selftest.pool import map_unordered
from engine.selftest.power_check import PowerCheck
from engine.selftest.rule_check import RuleRankingCheck
from engine.selftest.size_check import SizeCheck

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.selftest.base import CheckResult, Observation, SelfTestCheck

CHECKS: tuple[SelfTestCheck, ...] = (
    LateOracleCheck(markets=1),
    LeakageDetectionCheck(markets=6),
    PowerCheck(markets=100),
    SizeCheck(markets=300, noise="noise"),
    SizeCheck(markets=300, noise="GARCH"),
    CostMonotonicityCheck(markets=6),
    RuleRankingCheck(markets=40, rule="mean_reversion"),
    RuleRankingCheck(markets=40, rule="ma_crossover"),
    InvarianceCheck(markets=6),
)
"""The longest single market first, so that no core is left with it at the end."""


@dataclass(frozen=True)
class SelfTestResult:
    """What came of all checks.

    Attributes:
        rows: Of the table.
        seed: What every market was drawn from.
        markets: How many were generated.
        seconds: From the first to the last.
    """

    rows: tuple[CheckResult, ...]
    seed: int
    markets: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every planted truth was found."""
        return all(row.passed for row in self.rows)

    def as_json(self) -> dict[str, Any]:
        """As JSON; the same for the same seed but for `seconds`."""
        told = [asdict(row) for row in self.rows]
        head = {"passed": self.passed, "seed": self.seed, "markets": self.markets}
        return head | {"seconds": round(self.seconds, 1), "checks": told}


def run_selftest(
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
    checks: Sequence[SelfTestCheck] = CHECKS,
) -> SelfTestResult:
    """Generates markets, sends each through the engine's own stages, and judges what came out.

    Args:
        seed: Of all markets; each has a stream of its own.
        workers: Processes; one a core where not given. With 1 all is done in this process.
        progress: Told how many markets are done.
        checks: Which.
    """
    told = progress or NullProgress()
    told.stage("selftest")
    began = time.perf_counter()
    tasks = [
        (check, _check_seed(seed, check), n) for check in checks for n in range(check.markets)
    ]
    seen: list[Observation | None] = [None] * len(tasks)
    for done, (place, one) in enumerate(map_unordered(_observe_market, tasks, workers), start=1):
        seen[place] = one
        told.advance(done, len(tasks), tasks[place][0].key)
    rows: list[CheckResult] = []
    for check in checks:
        own = [one for one, task in zip(seen, tasks, strict=True) if one and task[0] is check]
        rows += check.conclude(own)
    return SelfTestResult(tuple(rows), seed, len(tasks), time.perf_counter() - began)


def _check_seed(seed: int, check: SelfTestCheck) -> int:
    return derive_seed(seed, "selftest", check.key)


def _observe_market(check: SelfTestCheck, seed: int, market_number: int) -> Observation:
    return check.observe(seed, market_number)
