"""A finding about a symbol of a dataset beside the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.data.bars import format_timestamp
from engine.data.quality.findings import Finding, rule_severity

if TYPE_CHECKING:
    from engine.data.config import Dataset
    from engine.data.quality_config import RuleName


def joint_finding(
    rule: RuleName,
    symbol: str,
    count: int,
    stamps: tuple[int, int],
    dataset: Dataset,
    sentence: str,
    advice: str,
) -> Finding:
    """A finding with the severity that the dataset gives its rule.

    Args:
        rule: Name of the rule.
        symbol: Symbol concerned.
        count: Number of bars concerned.
        stamps: The first and the last of them, microseconds since 1970.
        dataset: The dataset.
        sentence: The finding in words.
        advice: What the user can do.
    """
    first, last = (
        format_timestamp(pd.Timestamp(stamp, unit="us", tz="UTC"), dataset.interval)
        for stamp in stamps
    )
    return Finding(
        rule=rule,
        symbol=symbol,
        severity=rule_severity(rule, dataset.quality),
        first=first,
        last=last,
        count=count,
        repair=None,
        sentence=sentence,
        advice=advice,
    )
