"""Candles that an exchange sends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import InvalidBarsError, SourceError, UsageError
from engine.data.calendar import is_daily_or_longer
from engine.data.sources.exchange import CONTRACT_VOLUMES, ccxt_timeframe
from engine.live.feeds.candle_listener import CandleListener
from engine.live.feeds.known_candles import KnownCandles
from engine.live.feeds.notices import NoticeOnce
from engine.live.feeds.requested_bars import RequestedBars

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.core.types import BarsFrame
    from engine.data import Dataset
    from engine.data.config import CcxtSourceSpec
    from engine.data.sources import BarSource
    from engine.live.feeds.config import WebsocketFeedSpec
    from engine.live.feeds.context import FeedContext


class WebsocketFeed:
    """Candles of an exchange, which tells by itself when one has ended.

    A candle has ended when it has by our clock and the stream has shown a later one. It is then
    asked for as the feed `poll` does; without `confirm` only those that the stream did not show
    whole are. Where nothing has come `silence_s` after the end of a bar, it is asked for too.

    Args:
        spec: Pauses.
        source: The exchange in the dataset's manifest.
        requests: The same as a source of the data stage.
        context: Dataset, clock and clients.

    Raises:
        UsageError: The dataset's bars are not those that the exchange sends.
        SourceError: The exchange sends no candles.
    """

    is_exhausted = False

    def __init__(
        self,
        spec: WebsocketFeedSpec,
        source: CcxtSourceSpec,
        requests: BarSource,
        context: FeedContext,
    ) -> None:
        dataset = context.dataset
        tickers = {symbol: requests.ticker(symbol) for symbol in dataset.symbols}
        _require_stream(source, tickers.values(), dataset)
        self._context = context
        self._label = requests.label
        self._silence = pd.Timedelta(seconds=spec.silence_s)
        self._bars = RequestedBars(requests, context)
        self._notices = NoticeOnce(context.progress)
        self._listener = CandleListener(
            source.exchange,
            tickers,
            ccxt_timeframe(dataset.interval),
            context.clients,
            spec.reconnect_s,
        )
        retry = pd.Timedelta(seconds=spec.retry_s)
        self._known = {
            symbol: KnownCandles(dataset, retry, confirm=spec.confirm) for symbol in tickers
        }
        self._is_listening = False

    def wait(self, timeout_s: float) -> None:
        """Waits until a candle has closed, or a request is due, or for the time-out."""
        if not self._is_listening:
            return
        now = self._context.clock.now()
        wakes = [known.next_look(now, self._silence) for known in self._known.values()]
        left_s = min((wake - now).total_seconds() for wake in wakes)
        if left_s > 0.0:
            self._listener.wait(min(timeout_s, left_s))

    def fetch(self, after: pd.Timestamp) -> BarsFrame:
        """As of every feed."""
        if not self._is_listening:
            self._is_listening = True
            self._listener.start()
        for message in self._listener.take_messages():
            self._context.progress.notice(message)
        now = self._context.clock.now()
        for symbol, (closed, base, newest) in self._listener.take().items():
            known = self._known[symbol]
            known.begin(after)
            known.add(closed, base, newest)
        self._release(now)
        self._request(after, now)
        return self._bars.kept.later_than(after)

    def close(self) -> None:
        """Ends the connection and its thread."""
        self._listener.close()

    def _request(self, after: pd.Timestamp, now: pd.Timestamp) -> None:
        """Asks for what the stream did not show."""
        due = [
            symbol
            for symbol, known in self._known.items()
            if known.is_request_due(now, self._silence)
        ]
        failed = self._bars.request(due, after)
        for symbol in due:
            answered = symbol not in failed
            self._known[symbol].requested(now, self._bars.kept.newest(symbol), answered)

    def _release(self, now: pd.Timestamp) -> None:
        """Keeps the candles of the stream whose turn it is, if the quality rules let them pass."""
        for symbol, known in self._known.items():
            released = known.released(now)
            if not released:
                continue
            where = f"{symbol} of the stream of {self._label}"
            try:
                self._context.keep_valid(symbol, released, self._bars.kept, self._notices, where)
            except InvalidBarsError as error:
                self._notices.notice(f"{where}: {error.problem}; they are asked for")
                known.reject(released)
            else:
                known.accept(released)


def _require_stream(source: CcxtSourceSpec, tickers: Iterable[str], dataset: Dataset) -> None:
    """Refuses what a stream of the exchange could not give as its requests do."""
    where = f"the websocket feed of ccxt:{source.exchange}"
    if source.interval not in (None, dataset.interval):
        raise UsageError(
            "the exchange sends other candles than the dataset has",
            expected=f"a source with candles of {dataset.interval}, the dataset's interval",
            found=f"interval: {source.interval}, from which the dataset's bars are resampled",
            where=where,
            fix="use the feed poll",
        )
    if dataset.day_begin is not None and is_daily_or_longer(dataset.interval):
        raise UsageError(
            "the days of the exchange begin at another time than the dataset's",
            expected="a dataset without day_begins",
            found=f"day_begins: {dataset.day_begins}",
            where=where,
            fix="use the feed poll",
        )
    contracts = [ticker for ticker in tickers if ":" in ticker]
    if contracts and source.exchange in CONTRACT_VOLUMES:
        raise UsageError(
            "it is not known what the volumes of this exchange's stream count",
            expected="spot markets, or an exchange whose candles count coins",
            found=f"contracts: {', '.join(contracts[:10])}",
            where=where,
            fix="use the feed poll",
        )
    import ccxt.pro

    kind = getattr(ccxt.pro, source.exchange, None)
    if kind is None or not kind().has.get("watchOHLCV"):
        raise SourceError(
            "the exchange sends no candles by websocket",
            expected="an exchange with watchOHLCV in ccxt, such as binance, kraken or okx",
            found=f"{source.exchange} in ccxt {ccxt.__version__}"
            + ("" if kind is None else ", which has none"),
            where=where,
            fix="use the feed poll, or another exchange",
        )
