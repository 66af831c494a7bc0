"""What is not the same in all runs: the first thing to know of a comparison."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.section import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.evaluation.comparison import Comparison, Setting

LONGEST = 160
"""Characters of a value."""

RATIO = "Sharpe ratio"


def settings_table(found: Comparison) -> Table:
    """The keys whose values differ, and what came of them; no rows where none differs.

    The runs stand where there are more of them, as rows. A key that a run has not is `MISSING`,
    one set to nothing `none`.
    """
    names = tuple(found.labels.values())
    keys = (*(setting.key for setting in found.differing), RATIO)
    rows = [
        (
            *(_text(setting, run) for setting in found.differing),
            formatting.RATIO(found.sharpe[run].estimate),
        )
        for run in found.labels
    ]
    if not found.differing:
        return Table(("Run",), ())
    if len(names) > len(found.differing):
        return Table(("Run", *keys), _headed(names, rows))
    return Table(("Key", *names), _headed(keys, zip(*rows, strict=True)))


def _headed(names: Iterable[str], rows: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple((name, *row) for name, row in zip(names, rows, strict=True))


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
