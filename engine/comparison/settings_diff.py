"""Differences between the settings of several runs, and short labels from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.comparison.compared_run import ComparedRun
    from engine.core.json_text import Json

MAX_SETTINGS_IN_LABEL = 3
"""Most settings in the label of a run; with more differences the run id is used."""

MAX_LABEL_LENGTH = 48
"""Most characters of a label."""


@dataclass(frozen=True)
class SettingDifference:
    """A setting that is not the same in all runs.

    Attributes:
        key: Dotted path; entries of a list count from 0.
        values: Value of each run that has the key, by run id.
    """

    key: str
    values: Mapping[str, Any]


def diff_settings(settings: Mapping[str, Mapping[str, Any]]) -> tuple[SettingDifference, ...]:
    """The keys whose values are not the same in all runs, in order of first appearance.

    Args:
        settings: Run id -> tree of plain values. Lists of trees are compared entry by entry, other
            lists as a whole. A key that some runs lack counts as different.
    """
    flat = {run: dict(_flatten(tree)) for run, tree in settings.items()}
    keys = dict.fromkeys(key for leaves in flat.values() for key in leaves)
    differences = []
    for key in keys:
        values = {run: leaves[key] for run, leaves in flat.items() if key in leaves}
        first = next(iter(values.values()))
        if len(values) < len(flat) or any(_differ(first, value) for value in values.values()):
            differences.append(SettingDifference(key, values))
    return tuple(differences)


def label_runs(runs: Sequence[ComparedRun]) -> dict[str, str]:
    """A short unique label for each run, by run id.

    The name of the strategy where only one run has it. Runs of one name are distinguished by the
    settings that differ, if these are few, else by the first digits of the run id. Where all runs
    have one name, the label is the settings only.
    """
    names = {each.run_id: _truncate(each.name) for each in runs}
    counts = Counter(names.values())
    labels = {}
    for each in runs:
        name = names[each.run_id]
        same_name = [other for other in runs if names[other.run_id] == name]
        settings = _distinguishing_settings(each.run_id, same_name) if counts[name] > 1 else ""
        parts = (name, settings or each.run_id[:6] if counts[name] > 1 else "")
        only_settings = settings and len(counts) == 1
        labels[each.run_id] = settings if only_settings else " ".join(parts).strip()
    uses = Counter(labels.values())
    return {
        run: label if uses[label] == 1 else f"{label} {run}".strip()
        for run, label in labels.items()
    }


def _distinguishing_settings(run_id: str, same_name_runs: Sequence[ComparedRun]) -> str:
    """The settings that distinguish a run from others of its name; empty where they are many."""
    differing = [
        setting
        for setting in diff_settings({each.run_id: each.settings for each in same_name_runs})
        if not setting.key.startswith("versions.")
    ]
    if len(differing) > MAX_SETTINGS_IN_LABEL:
        return ""
    return _truncate(
        ", ".join(
            f"{setting.key.rpartition('.')[2]}="
            f"{_without_trailing_zero(setting.values.get(run_id, 'none'))}"
            for setting in differing
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


def _flatten(tree: Json, path: str = "") -> Iterator[tuple[str, Any]]:
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
    """Whether two values differ; 1 equals 1.0 but not true."""
    return one != other or isinstance(one, bool) != isinstance(other, bool)
