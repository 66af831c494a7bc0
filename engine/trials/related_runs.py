"""The runs of a ledger that a run's result was selected from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.core.hashing import canonical_json
from engine.trials.ledger_schema import open_ledger
from engine.trials.ledger_wait import ignore_wait
from engine.trials.liveness import process_state
from engine.trials.looks import Look, LookKey, LooksInOrder, ViewedLook, count_idea_looks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from engine.evaluation.inference.trial_set import IdeaLooks


UNHASHED_SECTIONS = frozenset(
    (
        *("name", "description", "data", "benchmarks", "opponents", "evaluation", "compute"),
        *("paths", "trials"),
    )
)
"""Sections of a strategy that do not make it another idea: name, dataset, benchmarks (`opponents`
in earlier manifests), evaluation, further schedules of windows, computing resources and the
declared tries."""

_LOOK_COLUMNS = """
    runs.configuration, grounds.interval, grounds.targets, grounds.inputs,
    json_extract(grounds.dataset, '$.name') AS dataset, grounds.first, grounds.opening,
    grounds.last, grounds.bars
    """

_RELATED_LOOKS = f"""
    SELECT
        {_LOOK_COLUMNS}, outcomes.status, COUNT(*) AS count, MIN(runs.started_at) AS since,
        MIN(printf('%s %012d', outcomes.ended_at, runs.number)) AS first_end,
        CASE WHEN status IS NULL THEN json_array(pid, host, process) END AS process
    FROM grounds
    JOIN runs ON runs.number = grounds.run
    LEFT JOIN outcomes ON outcomes.run = grounds.run
    WHERE (grounds.first <= :last AND grounds.last >= :first)
        OR runs.configuration = :configuration
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, process
    """
"""A row for the runs with the same look, number of bars and end: no JSON but two names is read."""

_VIEWED_LOOKS = f"""
    SELECT
        {_LOOK_COLUMNS},
        json_extract(strategy, '$.benchmarks', '$.opponents', '$.evaluation.confidence') AS judged,
        MIN(printf('%s %012d', outcomes.ended_at, runs.number)) AS first_end
    FROM runs
    JOIN grounds ON grounds.run = runs.number
    JOIN outcomes ON outcomes.run = runs.number
    WHERE runs.configuration = :configuration AND outcomes.status = 'finished'
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, judged
    """


@dataclass(frozen=True)
class DataScope:
    """The bars of a run, as far as they identify a trial.

    Attributes:
        dataset: `name`, `interval`, `calendar`, `offline`, and sha256 by symbol.
        targets: Symbols traded.
        inputs: Symbols that the features use.
        span: UTC timestamps of the out-of-sample bars.
        periods_per_year: Bars a year.
        opening: As `looks.hash_opening` makes it; None where it is not known.
    """

    dataset: Mapping[str, Any]
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    span: pd.DatetimeIndex
    periods_per_year: float
    opening: str | None = None

    def as_row(self) -> dict[str, Any]:
        """The columns of the ledger."""
        return {
            "dataset": canonical_json(self.dataset),
            "interval": self.dataset["interval"],
            "targets": canonical_json(self.targets),
            "inputs": canonical_json(self.inputs),
            "first": self.span[0].isoformat(),
            "last": self.span[-1].isoformat(),
            "bars": len(self.span),
            "periods_per_year": self.periods_per_year,
            "opening": self.opening,
        }

    def as_look(self, configuration_hash: str) -> Look:
        """The look of a configuration at these bars."""
        named = {"configuration": configuration_hash, "dataset": self.dataset["name"]}
        return _parse_look(self.as_row() | named)


@dataclass(frozen=True)
class RelatedRuns:
    """The runs that a run's result was selected from, without repetitions of its own look.

    Attributes:
        looks: The first run of every other look that finished, by ascending run number.
        finished: Number of finished runs.
        failed: Number of runs that failed, were interrupted, or have no recorded end.
        since: Start time of the first of these runs; None without any.
        idea: The looks at the idea of the run.
    """

    looks: Mapping[int, Look]
    finished: int
    failed: int
    since: str | None
    idea: IdeaLooks


def find_related_runs(
    path: Path,
    strategy: Mapping[str, Any],
    data_scope: DataScope,
    on_wait: Callable[[str], None] = ignore_wait,
) -> RelatedRuns:
    """The runs in the ledger that a run's result was selected from.

    They are those whose out-of-sample span overlaps its own, whatever their target, interval or
    dataset, and those of the same idea at any time. Repetitions of this run's own look are left
    out, and so are runs that ended before their bars were known and those in progress.

    Args:
        path: Path of the ledger.
        strategy: Resolved strategy of the run, as JSON.
        data_scope: Its bars.
        on_wait: As for `open_ledger`.

    Raises:
        LedgerError: The ledger is damaged, of a newer version, or cannot be read.
    """
    own = data_scope.as_look(hash_configuration(strategy))
    groups, views = _read_groups(path, own, data_scope, on_wait)
    in_order = LooksInOrder()
    kept: dict[int, Look] = {}
    for group in sorted((g for g in groups if g["status"] == "finished"), key=_first_end):
        look = _parse_look(group)
        if in_order.add(look) is look:
            kept[_first_run(group)] = look
    # Only the look that this run repeats is left out, and not every other one of similar length.
    repeated = in_order.add(own)
    kept = {run: look for run, look in kept.items() if look is not repeated}
    finished = [
        g
        for g in groups
        if g["status"] == "finished" and in_order.add(_parse_look(g)) is not repeated
    ]
    failed = [
        g
        for g in groups
        if g["status"] != "finished" and not _is_running(g) and not _parse_look(g).repeats(own)
    ]
    viewed = {ViewedLook(repeated, *_judged_by(strategy)), *_view_in_order(views, in_order)}
    return RelatedRuns(
        looks=dict(sorted(kept.items())),
        finished=sum(g["count"] for g in finished),
        failed=sum(g["count"] for g in failed),
        since=min((g["since"] for g in [*finished, *failed]), default=None),
        idea=count_idea_looks(viewed),
    )


def find_looks_at_idea(
    path: Path, configuration_hash: str, on_wait: Callable[[str], None] = ignore_wait
) -> dict[ViewedLook, int]:
    """The looks at an idea that finished, each with the number of the first run of it.

    Args:
        path: Path of the ledger.
        configuration_hash: Hash of the idea.
        on_wait: As for `open_ledger`.

    Raises:
        LedgerError: As in `find_related_runs`.
    """
    if not path.exists():
        return {}
    with open_ledger(path, on_wait) as connection:
        views = connection.execute(_VIEWED_LOOKS, {"configuration": configuration_hash}).fetchall()
    return _view_in_order(views, LooksInOrder())


def hash_configuration(strategy: Mapping[str, Any]) -> str:
    """Hash of a configuration: the first 16 hex digits of a SHA-256.

    It covers all settings that determine the trades from given bars: features, model, training,
    seeds, thresholds, sizing, costs, execution, interest rates. `UNHASHED_SECTIONS` are excluded,
    and the sections `rates` and `deploy` where they are the default: strategies of earlier
    versions had none. So is `capital` where nothing that the engine's own costs charge depends on
    it, and `windows.holdout`: which bars are looked at is no other idea. Files of rates are
    identified by their columns. Runs with the same hash look
    at one idea; see
    `engine.trials.looks` for which of them are one look.

    Args:
        strategy: Resolved strategy as JSON, with all defaults.
    """
    from engine.data.rates import RatesSpec, drop_rate_files

    hashed = {key: value for key, value in strategy.items() if key not in UNHASHED_SECTIONS}
    if "holdout" in hashed.get("windows", {}):
        windows = hashed["windows"]
        hashed["windows"] = {key: value for key, value in windows.items() if key != "holdout"}
    if "capital" in hashed and not _charges_by_capital(hashed.get("costs", {})):
        hashed.pop("capital")
    rates = hashed.pop("rates", None)
    if hashed.get("deploy") is None:
        hashed.pop("deploy", None)
    if rates and RatesSpec.model_validate(rates) != RatesSpec():
        hashed["rates"] = drop_rate_files(rates)
    return hashlib.sha256(canonical_json(hashed).encode()).hexdigest()[:16]


def _charges_by_capital(costs: Mapping[str, Any]) -> bool:
    """Whether a charge may depend on the capital; a user's costs may."""
    from engine.simulation.config import Costs, ItemisedCosts

    if costs.get("kind", "fixed") == "fixed":
        return Costs().needs_capital
    if costs["kind"] != "itemised":
        return True
    return ItemisedCosts.model_validate(costs).needs_capital


def _read_groups(
    path: Path, own: Look, data_scope: DataScope, on_wait: Callable[[str], None]
) -> tuple[list[sqlite3.Row], list[sqlite3.Row]]:
    """The rows of both queries; none without a ledger file."""
    if not path.exists():
        return [], []
    scope = data_scope.as_row()
    span = {"first": scope["first"], "last": scope["last"]}
    idea = {"configuration": own.key.configuration}
    with open_ledger(path, on_wait) as connection:
        return (
            connection.execute(_RELATED_LOOKS, span | idea).fetchall(),
            connection.execute(_VIEWED_LOOKS, idea).fetchall(),
        )


def _parse_look(row: Mapping[str, Any] | sqlite3.Row) -> Look:
    key = LookKey(**{each.name: row[each.name] for each in fields(LookKey)})
    return Look(key, row["bars"], row["last"])


def _view_in_order(views: Iterable[sqlite3.Row], in_order: LooksInOrder) -> dict[ViewedLook, int]:
    """The different looks among rows of `_VIEWED_LOOKS`, each with its first run."""
    first_runs: dict[ViewedLook, int] = {}
    for view in sorted(views, key=_first_end):
        look = in_order.add(_parse_look(view))
        first_runs.setdefault(ViewedLook(look, *_parse_judged(view["judged"])), _first_run(view))
    return first_runs


def _first_end(row: sqlite3.Row) -> str:
    return str(row["first_end"])


def _first_run(row: sqlite3.Row) -> int:
    return int(row["first_end"].split()[1])


def _is_running(row: sqlite3.Row) -> bool:
    """Whether the runs of a group without a recorded end are in progress."""
    if row["status"] is not None:
        return False
    pid, host, start_token = json.loads(row["process"])
    return process_state(pid, host, start_token) == "running"


def _judged_by(strategy: Mapping[str, Any]) -> tuple[str, float | None]:
    """Set of benchmarks besides buy and hold, as JSON, and confidence level."""
    benchmarks = strategy.get("benchmarks", strategy.get("opponents"))
    return _benchmark_set(benchmarks or ()), strategy.get("evaluation", {}).get("confidence")


@cache
def _parse_judged(text: str) -> tuple[str, float | None]:
    """As `_judged_by`, from the columns that the query extracts."""
    benchmarks, opponents, confidence = json.loads(text)
    return _benchmark_set(benchmarks or opponents or ()), confidence


def _benchmark_set(benchmarks: Iterable[Mapping[str, Any]]) -> str:
    """Every run is compared with buy and hold, whether its configuration names it or not."""
    named = {canonical_json(each) for each in benchmarks if each["kind"] != "buy_and_hold"}
    return canonical_json(sorted(named))
