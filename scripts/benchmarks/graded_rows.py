"""The rows of the table of grades: markets and rules, with and without skill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.evaluation.verdict import BUY_AND_HOLD
from engine.selftest.return_processes import garch11, iid_normal, jump_diffusion, student_t
from engine.selftest.searched_market import BENCHMARKS, MarketKind
from engine.selftest.timing_rules import RandomTurns, RareTrades

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.selftest.timing_rules import RandomRule

PROCESSES = {
    "normal": iid_normal,
    "t, 4 degrees": student_t,
    "GARCH": garch11,
    "jumps": jump_diffusion,
}
RULES: dict[str, RandomRule] = {
    "in or out": RandomTurns(states=(0.0, 1.0)),
    "mostly long": RandomTurns(states=(0.0, *[1.0] * 9)),
    "long or short": RandomTurns(states=(-1.0, 0.0, 1.0)),
    "5 one-bar trades": RareTrades(trades=5),
    "15 one-bar trades": RareTrades(trades=15),
    "a trade a month": RareTrades(hold=3),
}
PREMIA = (0.0, 0.5, 1.0, 2.0)
EDGES = (0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class GradedRow:
    """Markets of one kind, on each of which the best of several numbers of rules is graded.

    Attributes:
        process: Name of the process.
        rule: Name of the kind of rules.
        tries: Numbers of rules tried, ascending; the rules of a smaller number are among those of
            a larger one.
        premium: As in `MarketKind`.
        families: As in `MarketKind`.
        edge: As in `MarketKind`.
        bars: As in `MarketKind`.
        benchmarks: As in `MarketKind`.
    """

    process: str
    rule: str
    tries: tuple[int, ...]
    premium: float = 0.0
    families: bool = False
    edge: float | None = None
    bars: int = 1_000
    benchmarks: tuple[str, ...] = tuple(BENCHMARKS)

    @property
    def market_kind(self) -> MarketKind:
        """What to simulate."""
        return MarketKind(
            PROCESSES[self.process],
            RULES[self.rule],
            self.premium,
            self.families,
            self.edge,
            self.bars,
            self.benchmarks,
        )

    @property
    def name(self) -> str:
        """Everything that distinguishes it from other rows, in words."""
        parts = [self.process, f"premium {self.premium:g}", self.rule]
        if self.families:
            parts.append("families")
        if self.bars != GradedRow.bars:
            parts.append(f"{self.bars:,} bars")
        if len(self.benchmarks) == 1:
            parts.append("only holding")
        if self.edge is not None:
            parts.append(f"edge {self.edge:g}")
        return ", ".join(parts)


def rows_without_skill() -> Iterator[GradedRow]:
    """Every process and premium for rules that are in or out; the rest where it is dangerous."""
    two, few, many = (1, 20), (1, 20, 50), (1, 20, 50, 200)
    for process in PROCESSES:
        for premium in PREMIA:
            dear = (process, premium) in {("GARCH", 0.0), ("GARCH", 2.0), ("jumps", 1.0)}
            yield GradedRow(process, "in or out", many if dear else few, premium)
    for premium in (0.0, 1.0, 2.0):
        tried = (20, 50, 200) if premium == 1.0 else (20, 50)
        yield GradedRow("GARCH", "in or out", tried, premium, families=True)
        yield GradedRow("GARCH", "mostly long", two, premium)
        yield GradedRow("GARCH", "long or short", two, premium)
    yield GradedRow("GARCH", "in or out", few, 2.0, benchmarks=(BUY_AND_HOLD,))
    yield GradedRow("GARCH", "mostly long", few, 2.0, benchmarks=(BUY_AND_HOLD,))
    yield GradedRow("jumps", "mostly long", two, 1.0)
    yield GradedRow("jumps", "long or short", two, 1.0)
    for process in ("t, 4 degrees", "jumps"):
        yield GradedRow(process, "5 one-bar trades", two)
        yield GradedRow(process, "15 one-bar trades", two)
        yield GradedRow(process, "a trade a month", two)
    yield GradedRow("t, 4 degrees", "a trade a month", (200,), 1.0)
    yield GradedRow("GARCH", "5 one-bar trades", two, 1.0)
    for bars in (500, 3_000):
        yield GradedRow("GARCH", "in or out", two, 1.0, bars=bars)
        yield GradedRow("jumps", "in or out", two, 0.0, bars=bars)


def rows_with_skill() -> Iterator[GradedRow]:
    """One rule with an edge among all that were tried."""
    for edge in EDGES:
        tries = (1, 20, 200) if edge in (1.0, 2.0) else (1, 20)
        yield GradedRow("GARCH", "in or out", tries, 0.0, edge=edge)
        yield GradedRow("GARCH", "in or out", (1, 20), 1.0, edge=edge)
    for edge in (1.0, 2.0, 3.0):
        yield GradedRow("GARCH", "in or out", (20,), 1.0, families=True, edge=edge)
        yield GradedRow("GARCH", "long or short", (1, 20), 1.0, edge=edge)
        yield GradedRow("jumps", "a trade a month", (1, 20), 0.0, edge=edge)
    for edge in (0.5, 1.0):
        yield GradedRow("GARCH", "in or out", (1, 20), 1.0, edge=edge, bars=3_000)
