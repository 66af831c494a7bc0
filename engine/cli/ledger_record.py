"""The record of one run in the trial ledger, and the looks at its idea, as text."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from engine.cli.terminal import pad
from engine.evaluation.verdict_sentence import describe_idea
from engine.trials.looks import count_idea_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.trials import LedgerRow
    from engine.trials.declarations import Declaration
    from engine.trials.looks import ViewedLook


def format_run(row: LedgerRow) -> list[str]:
    """One line per known value, then the strategy."""
    formats: dict[str, Callable[[Any], str]] = {
        "dataset": lambda dataset: f"{dataset['name']}{_offline_note(dataset)}",
        "targets": ", ".join,
        "inputs": ", ".join,
        "certificate": json.dumps,
    }
    lines = []
    for part in fields(row):
        value = getattr(row, part.name)
        if value is not None and value != "" and part.name != "strategy":
            lines.append(f"{part.name:<17}{formats.get(part.name, str)(value)}")
    hashes = [
        f"{pad(symbol, 16)} {provenance['sha256']}"
        for symbol, provenance in (row.dataset or {}).get("symbols", {}).items()
    ]
    strategy = json.dumps(row.strategy, indent=2).splitlines()
    return [*lines, *(["", "sha256 of the bars", *hashes] if hashes else []), "", *strategy]


def format_looks(looks: Mapping[ViewedLook, int]) -> list[str]:
    """How often the idea of a run was looked at, then a line per look."""
    if not looks:
        return ["No run of this idea has finished."]
    told = describe_idea(count_idea_looks(looks))
    return [
        f"{told[0].upper()}{told[1:]}.",
        *(_format_look(view, number) for view, number in looks.items()),
    ]


def format_registration(declared: Declaration) -> str:
    """When an idea was registered, before or after which runs, and what was expected."""
    span = declared.content["span"]
    days = " to ".join(span[name] or "" for name in ("start", "end")).strip()
    return (
        f"Registered on {declared.declared_at[:16]} UTC, "
        f"{'before its first run' if not declared.runs_before else ''}"
        f"{f'after {declared.runs_before:,} of its runs' if declared.runs_before else ''}: "
        f"{', '.join(declared.content['expectations'])}; {span['dataset']}"
        f"{f', {days}' if days != 'to' else ''}; hash {declared.hash[:12]}"
    )


def format_unsealing(declared: Declaration) -> str:
    """When the holdout of an idea was looked at."""
    return (
        f"Unsealed on {declared.declared_at[:16]} UTC: the bars from "
        f"{declared.content['sealed_from']} on; hash {declared.hash[:12]}"
    )


def _format_look(view: ViewedLook, number: int) -> str:
    key = view.look.key
    parts = [
        f"run {number}",
        ", ".join(json.loads(key.targets)),
        key.interval,
        key.dataset,
        f"{key.first[:10]}..{view.look.last[:10]}",
        *([] if view.confidence is None else [f"confidence {view.confidence:g}"]),
    ]
    return "  ".join(parts)


def _offline_note(dataset: dict[str, Any]) -> str:
    return " (offline dataset)" if dataset.get("offline") else ""
