"""The settings of a paper account: the second file of `backtest paper start`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd
from pydantic import Field, ValidationError

from engine.config import load_config, parse_yaml, to_mistakes
from engine.core.errors import StrategyError, UsageError
from engine.core.types import Spec
from engine.data.calendar import interval_length
from engine.live.feeds.config import FeedSpec, PollFeedSpec
from engine.live.sinks.config import SinkSpecs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LARGEST_GRACE_S = 3_600.0

MissedPolicy = Literal["skip", "fill_at_next_open"]


class PaperSettings(Spec):
    """How an account treats what comes late.

    Attributes:
        missed: What becomes of an order that is decided after the price at which it was due: it
            is not placed (`skip`), or the newest one is due at the first price after the decision
            (`fill_at_next_open`).
        grace_s: Seconds that a bar may take to arrive: so long after its end it is not late, and
            so long after the open at which an order is due the order still counts as placed
            before it. `require_grace` bounds it by the bars when an account is started.
        feed: Where bars come from.
        sinks: Who is told of decisions.
    """

    missed: MissedPolicy = "skip"
    grace_s: float = Field(default=30.0, ge=0, le=86_400, allow_inf_nan=False)
    feed: FeedSpec = PollFeedSpec()
    sinks: SinkSpecs = ()


def largest_grace_s(interval: str) -> float:
    """The largest grace time in seconds: half an interval, and an hour at most.

    An order that is decided within the grace time after its price counts as decided before it:
    with a longer one it would be filled at prices that have been known for bars.
    """
    return min(interval_length(interval) / pd.Timedelta(seconds=2), _LARGEST_GRACE_S)


def require_grace(settings: PaperSettings, interval: str) -> None:
    """Refuses a grace time that is too long for the bars of a dataset.

    Raises:
        UsageError: It is longer than `largest_grace_s`.
    """
    largest = largest_grace_s(interval)
    if settings.grace_s > largest:
        raise UsageError(
            "the grace time is so long that orders would be filled at prices that are known",
            expected=f"at most {largest:g} s: half an interval of {interval}, and an hour at most",
            found=f"{settings.grace_s:g} s",
            where="--grace, or `grace_s` of the settings",
            fix="give a shorter one; for bars that come later take --missed fill_at_next_open",
        )


def load_paper_settings(
    file: Path | None, overrides: Mapping[str, object] | None = None
) -> PaperSettings:
    """The settings in a YAML file, or the defaults, with values of the command line over them.

    Raises:
        UsageError: There is no such file.
        StrategyError: With every mistake in it.
    """
    if file is not None:
        return load_config(file, PaperSettings, overrides, may_hold_secrets=True)
    tree = parse_yaml("{}", "command line")
    tree.value = dict(overrides or {})
    try:
        return PaperSettings.model_validate(tree.value)
    except ValidationError as error:
        raise StrategyError(
            "the command line", tuple(to_mistakes(error, PaperSettings, tree))
        ) from None
