"""How long after the close of a session a feed has its bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.bars import NO_DELAY
from engine.data.bundled_config import BundledSourceSpec
from engine.data.config import publication_delay
from engine.live.feeds.config import PollFeedSpec

if TYPE_CHECKING:
    import pandas as pd

    from engine.data import Dataset
    from engine.live.feeds.config import FeedSpec


def feed_delay(feed: FeedSpec, dataset: Dataset) -> pd.Timedelta:
    """The delay of the source that a feed asks; none of bars that come by themselves.

    Args:
        feed: The settings of the feed.
        dataset: Its sources.
    """
    if not isinstance(feed, PollFeedSpec):
        return NO_DELAY
    usable = [each for each in dataset.sources if not isinstance(each, BundledSourceSpec)]
    chosen = next((each for each in usable if feed.source in (None, each.kind)), None)
    return NO_DELAY if chosen is None else publication_delay(chosen)
