"""What differs between the settings of several runs, and what to call them by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engine.evaluation.comparison.candidate import Candidate

FEW = 3
"""Settings that are named to tell runs of one strategy apart; by more, the run id is shorter."""

LONGEST = 48
"""Characters of a label."""


@dataclass(frozen=True)
class Setting:
    """A key that not all runs agree on.

    Attributes:
        key: Dotted path; entries of a list count from 0.
        values: Of each run that has the key, by run id.
    """

    key: str
    values: Mapping[str, Any]


def differing(settings: Mapping[str, Mapping[str, Any]]) -> tuple[Setting, ...]:
    """The keys whose values are not the same in all runs, in the order in which they appear.

    Args:
        settings: A tree of plain values a run. Lists of trees are compared entry by entry, other
            lists as a whole. A key that some runs lack differs.
    """
    flat = {run: dict(_leaves(tree)) for run, tree in settings.items()}
    keys = dict.fromkeys(key for leaves in flat.values() for key in leaves)
    found = []
    for key in keys:
        values = {run: leaves[key] for run, leaves in flat.items() if key in leaves}
        first = next(iter(values.values()))
        if len(values) < len(flat) or any(_apart(first, value) for value in values.values()):
            found.append(Setting(key, values))
    return tuple(found)


def labels(candidates: Sequence[Candidate]) -> dict[str, str]:
    """A short name a run, no two alike, by run id.

    The strategy's name where only one run has it. Runs of one name are told apart by the few
    settings that they do not share, or else by the first digits of the run id; where all have one
    name, the settings do without it.
    """
    names = {each.run_id: _short(each.name) for each in candidates}
    counts = Counter(names.values())
    told = {}
    for each in candidates:
        name = names[each.run_id]
        alike = [other for other in candidates if names[other.run_id] == name]
        mark = _mark(each.run_id, alike) if counts[name] > 1 else ""
        parts = (name, mark or each.run_id[:6] if counts[name] > 1 else "")
        told[each.run_id] = mark if mark and len(counts) == 1 else " ".join(parts).strip()
    often = Counter(told.values())
    return {
        run: label if often[label] == 1 else f"{label} {run}".strip()
        for run, label in told.items()
    }


def _mark(run: str, alike: Sequence[Candidate]) -> str:
    """The settings of a run that others of its name have not; empty where they are many."""
    apart = [
        setting
        for setting in differing({each.run_id: each.settings for each in alike})
        if not setting.key.startswith("versions.")
    ]
    if len(apart) > FEW:
        return ""
    return _short(
        ", ".join(
            f"{setting.key.rpartition('.')[2]}={_plain(setting.values.get(run, 'none'))}"
            for setting in apart
        )
    )


def _plain(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(tree, dict) and tree:
        parts = list(tree.items())
    elif isinstance(tree, list) and tree and all(isinstance(part, dict) for part in tree):
        parts = list(enumerate(tree))
    else:
        yield path, tree
        return
    for name, part in parts:
        yield from _leaves(part, f"{path}.{name}" if path else str(name))


def _apart(one: object, other: object) -> bool:
    """1 and 1.0 are one value, 1 and true are not."""
    return one != other or isinstance(one, bool) != isinstance(other, bool)
