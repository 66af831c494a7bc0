"""Settings of the walk-forward windows and of the scaling of inputs."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from engine.core.types import Spec
from engine.splits.purged import CombinatorialPurged
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
        holdout: Length of the newest bars that no run sees until `backtest unseal`, rounded up to
            whole days; `null` holds none out.
    """

    kind: Literal["rolling", "expanding"] = "rolling"
    train: Duration = "4y"
    validation: Duration = "6mo"
    test: Duration = "1y"
    embargo: int = Field(default=0, ge=0)
    # Left out of what is written where there is none: earlier strategies had none.
    holdout: Duration | None = Field(default=None, exclude_if=lambda holdout: holdout is None)


class PathsSpec(Spec):
    """Further fits and paths of the same strategy, so that no single start decides.

    With `offsets`, further walk-forward schedules: number k of n begins every test part k / n of
    its length later. Each is trained and traded like the run, with the same gaps, and has a Sharpe
    ratio on the bars that all of them have. Training takes n times as long.

    With `groups`, combinatorial purged cross-validation: the bars are cut into N groups, the model
    is fitted once for each of the C(N, k) choices of k test groups on the others, and the
    forecasts are put together to C(N - 1, k - 1) paths over all bars: 15 fits and 5 paths of 6
    groups with 2 test groups. It trains on bars after its test bars, which no trader could do.

    Neither changes a figure of the run itself. Fits are stored.

    Attributes:
        offsets: Number of schedules, the run's own included; 1 is the run's own alone.
        groups: N, the number of groups of bars; `null` makes no such paths.
        test_groups: k, how many groups a fit leaves out and forecasts; below `groups`.
        embargo: Bars after each test group that are left out of training, besides those of the
            longest horizon on either side; `auto` is as many as the inputs reach back: lookback,
            warm-up of the features, and scaling.
    """

    offsets: int = Field(default=1, ge=1, le=64)
    groups: int | None = Field(default=None, ge=2, le=20)
    test_groups: int = Field(default=2, ge=1)
    embargo: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"

    @model_validator(mode="after")
    def _check_groups(self) -> PathsSpec:
        if self.groups is not None:
            self.purged_groups(embargo=0)
        elif (self.test_groups, self.embargo) != (2, "auto"):
            raise ValueError("`groups` beside test_groups and embargo, such as `groups: 6`")
        return self

    def purged_groups(self, embargo: int) -> CombinatorialPurged:
        """The splits of `groups`, which are given, with an embargo in bars.

        Raises:
            ValidationError: There are too many test groups, or too many splits.
        """
        assert self.groups is not None
        return CombinatorialPurged(
            groups=self.groups, test_groups=self.test_groups, embargo=embargo
        )

    def identity(self) -> dict[str, int | str]:
        """What decides the results; without the keys of `groups` where it is not given."""
        tree: dict[str, int | str] = self.model_dump(mode="json")
        return tree if self.groups is not None else {"offsets": self.offsets}


Scaling = Annotated[
    StandardScaling | MinMaxScaling | RollingZscoreScaling, Field(discriminator="kind")
]
