"""Settings of the walk-forward windows and of the scaling of inputs."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from engine.core.types import Spec
from engine.splits.scaling import MinMaxScaling, RollingZscoreScaling, StandardScaling

__all__ = [
    "DURATION_PATTERN",
    "Duration",
    "MinMaxScaling",
    "PathsSpec",
    "RollingZscoreScaling",
    "Scaling",
    "StandardScaling",
    "WindowSpec",
]

DURATION_PATTERN = re.compile(r"(?!\d{4}y)(?P<count>[1-9]\d{0,3})(?P<unit>y|mo|w|d)", re.ASCII)


def _check_duration(value: int | str) -> int | str:
    if isinstance(value, int):
        if value < 1:
            raise ValueError(f"{value} bars is not a length; expected at least 1")
        return value
    if not DURATION_PATTERN.fullmatch(value):
        raise ValueError(
            "expected bars such as 252, or a calendar length such as 3y, 6mo, 2w, 30d"
        )
    return value


Duration = Annotated[int | str, AfterValidator(_check_duration)]
"""A length in bars (252) or a calendar length (3y, 6mo, 2w, 30d)."""


class WindowSpec(Spec):
    """Walk-forward windows: train, validation, test, with gaps between them.

    A gap is as long as the longest horizon of `target`, plus `embargo` bars.
    A length is a number of bars (252) or a calendar length (3y, 6mo, 2w, 30d).

    Attributes:
        kind: `rolling` keeps the train length; `expanding` starts every train part at the first
            usable bar.
        train: Length of the first train part, and of every one when rolling.
        validation: Length of the part for early stopping.
        test: Length of the out-of-sample part; windows advance by it.
        embargo: Further bars left out between the parts, in addition to the longest horizon.
    """

    kind: Literal["rolling", "expanding"] = "rolling"
    train: Duration = "4y"
    validation: Duration = "6mo"
    test: Duration = "1y"
    embargo: int = Field(default=0, ge=0)


class PathsSpec(Spec):
    """Further walk-forward schedules of the same strategy, so that no single start decides.

    Schedule k of n begins every test part k / n of its length later. Each is trained and traded
    like the run, with the same gaps, and has a Sharpe ratio on the bars that all of them have.
    It changes no figure of the run itself. Training takes n times as long; fits are stored.

    Attributes:
        offsets: Number of schedules, the run's own included; 1 is the run's own alone.
    """

    offsets: int = Field(default=1, ge=1, le=64)


Scaling = Annotated[
    StandardScaling | MinMaxScaling | RollingZscoreScaling, Field(discriminator="kind")
]
