"""Bars that arrive while an account runs: requests, a websocket, a folder, standard input."""

from engine.live.feeds.base import Feed
from engine.live.feeds.config import (
    FeedSpec,
    FolderFeedSpec,
    PollFeedSpec,
    StdinFeedSpec,
    WebsocketFeedSpec,
)
from engine.live.feeds.factory import open_feed

__all__ = [
    "Feed",
    "FeedSpec",
    "FolderFeedSpec",
    "PollFeedSpec",
    "StdinFeedSpec",
    "WebsocketFeedSpec",
    "open_feed",
]
