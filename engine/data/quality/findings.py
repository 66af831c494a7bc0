"""Findings: rules that bars break, their severity, and the repairs that were applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.data.quality_config import WARNING_RULES

if TYPE_CHECKING:
    from engine.data.quality_config import QualityPolicy, RuleName

Severity = Literal["error", "warn"]


@dataclass(frozen=True)
class Finding:
    """One rule that bars of one symbol break, or a file that cannot be read as bars.

    Attributes:
        rule: Name of the rule, as in a dataset's `quality`.
        symbol: Symbol of the bars.
        severity: `error` stops a run; `warn` is reported by it.
        first: The first bar concerned, as text; None where no bar could be read.
        last: The last bar concerned.
        count: Number of bars concerned.
        repair: Name of the repair; None where there is none.
        sentence: The finding in words.
        advice: What the user can do, where there is no repair.
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
        """Every attribute, for a manifest or `--json`; an empty advice is left out."""
        document = dict(vars(self))
        if not self.advice:
            del document["advice"]
        return document


@dataclass(frozen=True)
class AppliedRepair:
    """A repair that was applied to bars of one symbol.

    Attributes:
        rule: The rule that the bars broke.
        repair: Name of the repair.
        symbol: Symbol of the bars.
        first: The first bar concerned, as text.
        last: The last bar concerned.
        count: Number of bars concerned.
        sentence: The repair in words.
        bars: The first bars concerned: `timestamp`, `before` and `after`, values by column;
            `after` is None for a bar that was dropped.
        later_bars: Bars after a bar that decided about its repair, see `Repair`.
        late_bars: Timestamps, ISO 8601, of all bars whose prices or returns it changed by what
            came later.
    """

    rule: str
    repair: str
    symbol: str
    first: str
    last: str
    count: int
    sentence: str
    bars: tuple[dict[str, Any], ...]
    later_bars: int | None = 0
    late_bars: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Every attribute, for a manifest; what says that no later bar decided is left out."""
        document = {**vars(self), "bars": list(self.bars), "late_bars": list(self.late_bars)}
        if self.later_bars == 0:
            del document["later_bars"], document["late_bars"]
        return document


def rule_severity(rule: RuleName, policy: QualityPolicy) -> Severity:
    """Severity of a rule under the dataset's policy, apart from repairs."""
    if policy.get(rule) in ("error", "warn"):
        return "warn" if policy[rule] == "warn" else "error"
    return "warn" if rule in WARNING_RULES else "error"
