"""A finding: one rule that bars of one symbol break."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.data.config import WARNING_RULES

if TYPE_CHECKING:
    from engine.data.config import QualityPolicy, RuleName

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class Finding:
    """One rule that bars of one symbol break, or a file that cannot be read as bars at all.

    Attributes:
        rule: Its name, as a dataset's `quality` says it.
        symbol: Whose bars.
        severity: `error`: no run on these bars; `warn`: a run tells of it.
        first: The first bar concerned, as text; None where no bar could be read.
        last: The last one.
        count: Bars concerned.
        repair: Name of the repair that is offered; None where there is none.
        sentence: All of it in words.
        advice: What the user can do, where no repair says it.
    """

    rule: str
    symbol: str
    severity: Severity
    first: str | None
    last: str | None
    count: int
    repair: str | None
    sentence: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """Every attribute but an empty advice, for a manifest or `--json`."""
        told = dict(vars(self))
        if not self.advice:
            del told["advice"]
        return told


@dataclass(frozen=True)
class AppliedRepair:
    """A repair that was applied to bars of one symbol.

    Attributes:
        rule: The rule that the bars broke.
        repair: Its name.
        symbol: Whose bars.
        first: The first bar concerned, as text.
        last: The last one.
        count: Bars concerned.
        sentence: What was done, in words.
        bars: The first of them: `timestamp`, `before` and `after`, values by column; `after` is
            None for a bar that was dropped.
    """

    rule: str
    repair: str
    symbol: str
    first: str
    last: str
    count: int
    sentence: str
    bars: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Every attribute, for a manifest."""
        return {**vars(self), "bars": list(self.bars)}


def rule_severity(rule: RuleName, policy: QualityPolicy) -> Severity:
    """How serious it is that bars break a rule, repairs aside."""
    if policy.get(rule) in ("error", "warn"):
        return "warn" if policy[rule] == "warn" else "error"
    return "warn" if rule in WARNING_RULES else "error"
