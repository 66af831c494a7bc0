"""What is not the same in all runs: the first thing to know of a comparison."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.section import PlainTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.comparison import RunComparison, SettingDifference

MAX_VALUE_CHARS = 160
"""Characters of a value."""

SHARPE_LABEL = "Sharpe ratio"


def config_diff_table(comparison: RunComparison) -> PlainTable:
    """The keys whose values differ, and what came of them; no rows where none differs.

    The runs stand where there are more of them, as rows. A key that a run has not is `MISSING`,
    one set to nothing `none`.
    """
    names = tuple(comparison.labels.values())
    keys = (*(setting.key for setting in comparison.setting_differences), SHARPE_LABEL)
    rows = [
        (
            *(_setting_text(setting, run) for setting in comparison.setting_differences),
            formatting.RATIO(comparison.sharpe[run].estimate),
        )
        for run in comparison.labels
    ]
    if not comparison.setting_differences:
        return PlainTable(("Run",), ())
    if len(names) > len(comparison.setting_differences):
        return PlainTable(("Run", *keys), _with_row_names(names, rows))
    return PlainTable(("Key", *names), _with_row_names(keys, zip(*rows, strict=True)))


def _with_row_names(
    names: Iterable[str], rows: Iterable[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    return tuple((name, *row) for name, row in zip(names, rows, strict=True))


def _setting_text(setting: SettingDifference, run: str) -> str:
    if run not in setting.values:
        return formatting.MISSING
    text = _json_text(setting.values[run])
    if setting.key.endswith(".sha256"):
        return formatting.short_hash(text)
    return (
        text
        if len(text) <= MAX_VALUE_CHARS
        else text[:MAX_VALUE_CHARS] + "\N{HORIZONTAL ELLIPSIS}"
    )


def _json_text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
