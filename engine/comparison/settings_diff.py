"""What differs between the settings of several runs, and what to call them by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.comparison.compared_run import ComparedRun

MAX_SETTINGS_IN_LABEL = 3
"""Settings that are named to tell runs of one strategy apart; by more, the run id is shorter."""

MAX_LABEL_LENGTH = 48
"""Characters of a label."""


@dataclass(frozen=True)
class SettingDifference:
    """A key that not all runs agree on.

    Attributes:
        key: Dotted path; entries of a list count from 0.
        values: Of each run that has the key, by run id.
    """

    key: str
    values: Mapping[str, Any]


def diff_settings(settings: Mapping[str, Mapping[str, Any]]) -> tuple[SettingDifference, ...]:
    """The keys whose values are not the same in all runs, in the order in which they appear.

    Args:
        settings: A tree of plain values a run. Lists of trees are compared entry by entry, other
            lists as a whole. A key that some runs lack differs.
    """
    flat = {run: dict(_flatten(tree)) for run, tree in settings.items()}
    keys = dict.fromkeys(key for leaves in flat.values() for key in leaves)
    found = []
    for key in keys:
        values = {run: leaves[key] for run, leaves in flat.items() if key in leaves}
        first = next(iter(values.values()))
        if len(values) < len(flat) or any(_differ(first, value) for value in values.values()):
            found.append(SettingDifference(key, values))
    return tuple(found)


def label_runs(runs: Sequence[ComparedRun]) -> dict[str, str]:
    """A short name a run, no two alike, by run id.

    The strategy's name where only one run has it. Runs of one name are told apart by the few
    settings that they do not share, or else by the first digits of the run id; where all have one
    name, the settings do without it.
    """
    names = {each.run_id: _truncate(each.name) for each in runs}
    counts = Counter(names.values())
    told = {}
    for each in runs:
        name = names[each.run_id]
        alike = [other for other in runs if names[other.run_id] == name]
        mark = _distinguishing_settings(each.run_id, alike) if counts[name] > 1 else ""
        parts = (name, mark or each.run_id[:6] if counts[name] > 1 else "")
        told[each.run_id] = mark if mark and len(counts) == 1 else " ".join(parts).strip()
    often = Counter(told.values())
    return {
        run: label if often[label] == 1 else f"{label} {run}".strip()
        for run, label in told.items()
    }


def _distinguishing_settings(run_id: str, same_name_runs: Sequence[ComparedRun]) -> str:
    """The settings of a run that others of its name have not; empty where they are many."""
    apart = [
        setting
        for setting in diff_settings({each.run_id: each.settings for each in same_name_runs})
        if not setting.key.startswith("versions.")
    ]
    if len(apart) > MAX_SETTINGS_IN_LABEL:
        return ""
    return _truncate(
        ", ".join(
            f"{setting.key.rpartition('.')[2]}="
            f"{_without_trailing_zero(setting.values.get(run_id, 'none'))}"
            for setting in apart
        )
    )


def _without_trailing_zero(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _truncate(text: str) -> str:
    return (
        text
        if len(text) <= MAX_LABEL_LENGTH
        else text[: MAX_LABEL_LENGTH - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )


def _flatten(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(tree, dict) and tree:
        parts = list(tree.items())
    elif isinstance(tree, list) and tree and all(isinstance(part, dict) for part in tree):
        parts = list(enumerate(tree))
    else:
        yield path, tree
        return
    for name, part in parts:
        yield from _flatten(part, f"{path}.{name}" if path else str(name))


def _differ(one: object, other: object) -> bool:
    """1 and 1.0 are one value, 1 and true are not."""
    return one != other or isinstance(one, bool) != isinstance(other, bool)
