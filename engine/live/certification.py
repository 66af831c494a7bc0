"""Which finished run tested a strategy for look-ahead."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from engine.core.errors import UncertifiedError
from engine.trials import Ledger
from engine.trials.related_runs import hash_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from engine.strategy import Strategy


@dataclass(frozen=True)
class Certification:
    """The newest run of a strategy in which no look-ahead was detected.

    Attributes:
        run_id: Run id.
        ended_at: UTC, ISO 8601.
        grade: Grade of its verdict.
    """

    run_id: str
    ended_at: str
    grade: str | None


def require_certification(spec: Strategy, home: Path) -> Certification:
    """The newest run of this configuration, by this version of the engine, that passed.

    The trial ledger keeps the result of every run's leakage test. Another dataset, start date or
    name is the same configuration; other features, models, thresholds or costs are not.

    Args:
        spec: The strategy.
        home: Folder of the ledger.

    Raises:
        UncertifiedError: There is none.
        LedgerError: The ledger is damaged, or of a newer version.
    """
    own, engine = hash_configuration(spec.model_dump(mode="json")), version("backtest-engine")
    rows = Ledger(home / "ledger.sqlite").rows("configuration = ?", [own])
    passed = [row for row in rows if row.status == "finished" and row.certificate == "passed"]
    current = [row for row in passed if row.engine == engine]
    if not current:
        raise UncertifiedError(
            "the strategy has not been tested for look-ahead",
            expected=f"a finished run of it by version {engine} of the engine, whose leakage test "
            "passed",
            found=f"{len(passed)} by other versions"
            if passed
            else f"{len(rows)} unfinished runs"
            if rows
            else "no run of this configuration",
            where=str(home / "ledger.sqlite"),
            fix="backtest it first: backtest run STRATEGY",
        )
    newest = current[-1]
    return Certification(newest.run_id or "", newest.ended_at or "", newest.grade)
