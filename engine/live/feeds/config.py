"""The settings of the feeds, a choice by `kind`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from engine.core.types import Spec
from engine.data.files_config import FilesSourceSpec


class PollFeedSpec(Spec):
    """Asks a source of the dataset for its newest bars when one has ended.

    Attributes:
        source: The source as messages name it: `yahoo`, `ccxt:bitstamp`, `files`; the first of
            the dataset where it is not given. An account never mixes bars of two sources.
        settle_s: Seconds after the end of a bar before it is asked for.
        retry_s: Seconds before a bar that has ended and not come is asked for again; each further
            pause is twice as long, up to a quarter of an interval and at most 15 minutes.
    """

    kind: Literal["poll"] = "poll"
    source: str | None = None
    settle_s: float = Field(default=2.0, ge=0.0, le=3_600.0)
    retry_s: float = Field(default=5.0, ge=0.1, le=900.0)


class WebsocketFeedSpec(Spec):
    """Candles that an exchange of the dataset sends by itself, through ccxt's `watch_ohlcv`.

    Attributes:
        source: The exchange as messages name it: `ccxt:binance`; the first of the dataset's
            sources that is an exchange where it is not given.
        confirm: Whether each candle is asked for once the stream shows that it has ended, so that
            it is the one that the history has. Otherwise the stream's own is taken, where its
            beginning and the next one's came over one connection; a last message that the
            exchange did not send then goes unnoticed.
        silence_s: Seconds after the end of a bar without news of it by the stream, after which it
            is asked for as by the feed `poll`.
        retry_s: As of the feed `poll`.
        reconnect_s: Longest pause before a new connection, in seconds; the first takes at most a
            second and each further one is twice as long.
    """

    kind: Literal["websocket"] = "websocket"
    source: str | None = None
    confirm: bool = True
    silence_s: float = Field(default=30.0, ge=0.1, le=3_600.0)
    retry_s: float = Field(default=5.0, ge=0.1, le=900.0)
    reconnect_s: float = Field(default=60.0, ge=0.1, le=3_600.0)


class FolderFeedSpec(Spec):
    """Files that another program appends to or replaces.

    Attributes:
        files: The files, as a source of a dataset describes them; the first source of the dataset
            that is files where it is not given. A relative path starts at the dataset's manifest.
        check_s: Seconds between two looks at the files.
    """

    kind: Literal["folder"] = "folder"
    files: FilesSourceSpec | None = None
    check_s: float = Field(default=1.0, ge=0.01, le=3_600.0)


class StdinFeedSpec(Spec):
    """Complete bars as lines of JSON on standard input, until it ends.

    Attributes:
        on_error: What becomes of a line that is no bar: `stop` ends the run, `skip` leaves the
            line out. Both tell its number and what is wrong with it.
    """

    kind: Literal["stdin"] = "stdin"
    on_error: Literal["stop", "skip"] = "stop"


FeedSpec: TypeAlias = Annotated[
    PollFeedSpec | WebsocketFeedSpec | FolderFeedSpec | StdinFeedSpec,
    Field(discriminator="kind"),
]
