"""The settings that differ between the compared runs, as a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.reporting import formatting
from engine.reporting.significance.section import PlainTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.comparison import RunComparison, SettingDifference

MAX_VALUE_CHARS = 160
"""Longer values are truncated."""

SHARPE_LABEL = "Sharpe ratio"


def config_diff_table(comparison: RunComparison) -> PlainTable:
    """The keys whose values differ, with the Sharpe ratio of each run; no rows where none differs.

    Runs are the rows where there are more runs than keys, else the columns. A key that a run does
    not have is `MISSING`, one set to null `none`.
    """
    labels = tuple(comparison.labels.values())
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
    if len(labels) > len(comparison.setting_differences):
        return PlainTable(("Run", *keys), _with_row_names(labels, rows))
    return PlainTable(("Key", *labels), _with_row_names(keys, zip(*rows, strict=True)))


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
