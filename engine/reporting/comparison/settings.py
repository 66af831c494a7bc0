"""What is not the same in all runs: the first thing to know of a comparison."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.section import Table

if TYPE_CHECKING:
    from engine.evaluation.comparison import Comparison, Setting

LONGEST = 160


def settings_table(found: Comparison) -> Table:
    """The keys whose values differ; the runs stand where there are more of them, as rows.

    A key that a run has not is `MISSING`, one set to nothing `none`.
    """
    keys = tuple(setting.key for setting in found.differing)
    rows = tuple(tuple(_text(setting, run) for setting in found.differing) for run in found.labels)
    names = tuple(found.labels.values())
    if len(names) > len(keys):
        return Table(
            ("Run", *keys),
            tuple((name, *row) for name, row in zip(names, rows, strict=True)),
        )
    columns = zip(*rows, strict=True)
    return Table(
        ("Key", *names), tuple((key, *column) for key, column in zip(keys, columns, strict=True))
    )


def _text(setting: Setting, run: str) -> str:
    if run not in setting.values:
        return formatting.MISSING
    text = _plain(setting.values[run])
    if setting.key.endswith(".sha256"):
        return formatting.digest(text)
    return text if len(text) <= LONGEST else text[:LONGEST] + "\N{HORIZONTAL ELLIPSIS}"


def _plain(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
