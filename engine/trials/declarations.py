"""What was declared about an idea in the ledger: its registrations, and looks at its holdout."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from engine.core.hashing import canonical_json
from engine.trials.ledger_chain import insert_chained
from engine.trials.ledger_schema import ledger_transaction, open_ledger
from engine.trials.ledger_wait import ignore_wait
from engine.trials.liveness import host_name
from engine.trials.related_runs import hash_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DeclarationKind: TypeAlias = Literal["registration", "unsealing"]

_OF_IDEA = """
    SELECT declarations.*, chain.hash, chain.position,
        (
            SELECT COUNT(*) FROM chain AS earlier JOIN runs ON runs.number = earlier.run
            WHERE earlier.source = 'grounds' AND earlier.position < chain.position
                AND runs.configuration = declarations.configuration
        ) AS runs_before
    FROM declarations
    JOIN chain ON chain.source = 'declarations' AND chain.run = declarations.number
    WHERE declarations.configuration = ? AND declarations.kind = ?
    ORDER BY chain.position
    """


@dataclass(frozen=True)
class Declaration:
    """A row of the ledger that is no run.

    Attributes:
        number: In this ledger, from 1.
        kind: `registration`, or `unsealing` of a holdout.
        declared_at: UTC, ISO 8601.
        configuration: Hash of the idea, see `hash_configuration`.
        strategy: Resolved strategy.
        content: Of a registration `expectations` (rules) and `span` (`dataset`, and `start` and
            `end` as the dataset asks for them); of an unsealing `sealed_from`, the first day.
        hash: In the chain of the ledger.
        runs_before: Runs of the idea whose bars were known before.
    """

    number: int
    kind: DeclarationKind
    declared_at: str
    configuration: str
    strategy: dict[str, Any]
    content: dict[str, Any]
    hash: str
    runs_before: int


def declare(
    path: Path,
    kind: DeclarationKind,
    strategy: Mapping[str, Any],
    content: Mapping[str, Any],
    on_wait: Callable[[str], None] = ignore_wait,
) -> Declaration:
    """Appends a declaration to the ledger, which is created if needed.

    Args:
        path: The ledger.
        kind: What is declared.
        strategy: Resolved strategy, as JSON.
        content: As in `Declaration`.
        on_wait: As for `ledger_transaction`.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be written.
    """
    configuration = hash_configuration(strategy)
    row = {
        "kind": kind,
        "declared_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "name": strategy["name"],
        "configuration": configuration,
        "strategy": canonical_json(strategy),
        "content": canonical_json(content),
        "engine": version("backtest-engine"),
        "host": host_name(),
    }
    with ledger_transaction(path, on_wait=on_wait) as connection:
        number = insert_chained(connection, "declarations", row).run
    found = find_declarations(path, configuration, kind, on_wait)
    return next(each for each in found if each.number == number)


def find_declarations(
    path: Path,
    configuration: str,
    kind: DeclarationKind,
    on_wait: Callable[[str], None] = ignore_wait,
) -> tuple[Declaration, ...]:
    """The declarations of one kind about an idea, in the order of the chain.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be read.
    """
    if not path.exists():
        return ()
    with open_ledger(path, on_wait) as connection:
        rows = connection.execute(_OF_IDEA, (configuration, kind)).fetchall()
    return tuple(
        Declaration(
            number=row["number"],
            kind=row["kind"],
            declared_at=row["declared_at"],
            configuration=row["configuration"],
            strategy=json.loads(row["strategy"]),
            content=json.loads(row["content"]),
            hash=row["hash"],
            runs_before=row["runs_before"],
        )
        for row in rows
    )
