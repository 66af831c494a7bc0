"""How often the holdout of an idea was looked at, by the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.trials.declarations import find_declarations
from engine.trials.ledger_schema import open_ledger
from engine.trials.ledger_wait import ignore_wait

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.trials.related_runs import DataScope

_BEYOND = """
    SELECT
        runs.configuration = :configuration AS own_idea,
        COUNT(DISTINCT json_array(
            runs.configuration, grounds.targets, grounds.interval, grounds.first, grounds.last
        )) AS looks
    FROM grounds JOIN runs ON runs.number = grounds.run
    WHERE substr(grounds.last, 1, 10) >= :day
        AND json_extract(grounds.dataset, '$.name') = :dataset
        AND COALESCE(json_extract(grounds.dataset, '$.holdout.sealed'), 1) != 0
        AND NOT (
            runs.configuration = :configuration AND grounds.targets = :targets
            AND grounds.interval = :interval AND grounds.first = :first AND grounds.last = :last
        )
    GROUP BY 1
    """
"""Different looks, but that of the run itself; those that were unsealed are declared."""


@dataclass(frozen=True)
class HoldoutLooks:
    """The looks at the bars from a day on.

    Attributes:
        sealed_from: The day, ISO 8601; of a run without a holdout that of the newest unsealing.
        unsealings: When the holdout of the idea was unsealed, UTC, ISO 8601, in their order.
        beyond: Further looks at the same idea whose bars reached to that day, without unsealing.
        others: Looks at other ideas on the same dataset whose bars did.
    """

    sealed_from: str
    unsealings: tuple[str, ...]
    beyond: int
    others: int


def find_holdout_looks(
    path: Path,
    configuration: str,
    scope: DataScope,
    on_wait: Callable[[str], None] = ignore_wait,
) -> HoldoutLooks | None:
    """The looks at the holdout of a run's idea.

    Args:
        path: The ledger.
        configuration: Hash of the idea.
        scope: The bars of the run.
        on_wait: As for `open_ledger`.

    Returns:
        None where the run has no holdout and its idea never had one that was unsealed.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be read.
    """
    declared = find_declarations(path, configuration, "unsealing", on_wait)
    record = scope.dataset.get("holdout")
    if record is None and not declared:
        return None
    day = record["sealed_from"] if record else declared[-1].content["sealed_from"]
    row = scope.as_row()
    values = {
        "configuration": configuration,
        "day": day,
        "dataset": scope.dataset["name"],
        **{name: row[name] for name in ("targets", "interval", "first", "last")},
    }
    with open_ledger(path, on_wait) as connection:
        counts = dict(map(tuple, connection.execute(_BEYOND, values).fetchall()))
    return HoldoutLooks(
        sealed_from=day,
        unsealings=tuple(each.declared_at for each in declared),
        beyond=counts.get(1, 0),
        others=counts.get(0, 0),
    )
