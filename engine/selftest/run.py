"""All checks, over as many processes as there are cores; the same rows however many those are."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.artifacts import seed_of
from engine.progress import Progress, Silent
from engine.selftest.costs import Dearer
from engine.selftest.edge import Edge
from engine.selftest.invariance import Unchanged
from engine.selftest.luck import Luck
from engine.selftest.oracle import Late
from engine.selftest.parallel import each
from engine.selftest.proof import Proof
from engine.selftest.rules import Favoured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.selftest.check import Check, Row, Seen

CHECKS: tuple[Check, ...] = (
    Late(markets=1),
    Proof(markets=6),
    Edge(markets=100),
    Luck(markets=300, noise="noise"),
    Luck(markets=300, noise="GARCH"),
    Dearer(markets=6),
    Favoured(markets=40, rule="mean_reversion"),
    Favoured(markets=40, rule="ma_crossover"),
    Unchanged(markets=6),
)
"""The longest single market first, so that no core is left with it at the end."""


@dataclass(frozen=True)
class SelfTest:
    """What came of all checks.

    Attributes:
        rows: Of the table.
        seed: What every market was drawn from.
        markets: How many were generated.
        seconds: From the first to the last.
    """

    rows: tuple[Row, ...]
    seed: int
    markets: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every planted truth was found."""
        return all(row.passed for row in self.rows)

    def document(self) -> dict[str, Any]:
        """As JSON; the same for the same seed but for `seconds`."""
        told = [asdict(row) for row in self.rows]
        head = {"passed": self.passed, "seed": self.seed, "markets": self.markets}
        return head | {"seconds": round(self.seconds, 1), "checks": told}


def selftest(
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
    checks: Sequence[Check] = CHECKS,
) -> SelfTest:
    """Generates markets, sends each through the engine's own stages, and judges what came out.

    Args:
        seed: Of all markets; each has a stream of its own.
        workers: Processes; one a core where not given. With 1 all is done in this process.
        progress: Told how many markets are done.
        checks: Which.
    """
    told = progress or Silent()
    told.stage("selftest")
    began = time.perf_counter()
    tasks = [(check, _seed(seed, check), n) for check in checks for n in range(check.markets)]
    seen: list[Seen | None] = [None] * len(tasks)
    for done, (place, one) in enumerate(each(_observed, tasks, workers), start=1):
        seen[place] = one
        told.advance(done, len(tasks), tasks[place][0].key)
    rows: list[Row] = []
    for check in checks:
        own = [one for one, task in zip(seen, tasks, strict=True) if one and task[0] is check]
        rows += check.conclude(own)
    return SelfTest(tuple(rows), seed, len(tasks), time.perf_counter() - began)


def _seed(seed: int, check: Check) -> int:
    return seed_of(seed, "selftest", check.key)


def _observed(check: Check, seed: int, number: int) -> Seen:
    return check.observe(seed, number)
