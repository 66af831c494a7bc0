"""Candles of one market, page by page, so that none between two pages is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.core.errors import SourceError, UnreachableError
from engine.data.calendar import interval_length
from engine.data.sources.exchange._candle_requests import (
    FORMS,
    CandlePage,
    CandleRequests,
    CandleRow,
    from_epoch_ms,
)
from engine.data.sources.exchange._empty_stretch import EmptyStretch, is_traded
from engine.data.sources.exchange._page_start import PageStart
from engine.data.sources.exchange._timeframes import offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.calendar import BarInterval
    from engine.data.sources.exchange._client import ExchangeClient

_LONGEST_FIRST: tuple[BarInterval, ...] = ("1w", "1d")
_SHORTEST_FIRST: tuple[BarInterval, ...] = ("1h", "1d", "1w")

_ONE_SECOND_MS = 1_000

_SMALL_PAGE, _SMALL_WINDOW_MS = 100, 90 * 86_400_000
"""Candles and milliseconds of the smallest pages known: Bullish's, and Bitget's of long ones."""


class CandlePager:
    """The candles of one market, all of one length.

    Exchanges answer a request for `n` candles from a start on in different ways: with the first
    `n`, with those in a window of time that is shorter than `n` candles, with the last few of the
    window, or with the newest whatever the start is; and neither ccxt's `features` nor its code
    says which. Three rules hold for all of them:

    - A page that begins later than it was asked from is not trusted: the stretch in between is
      asked for again, with fewer candles and then in other forms.
    - After an empty page the next request starts no later than the window of the empty one ended:
      the window that the request names, and never more than the fewest candles that a page cut by
      the exchange reached. Longer candles show where trading resumes.
    - Where candles come after a stretch of empty pages that may have been too wide, the stretch is
      asked for again, from the start or in halves.

    A fetch of `n` candles in `g` pieces takes at most `2 n / c + 16 g + 40 + 2 w` requests, where
    `c` is the number of candles in a full page and `w` the number of windows of the longest
    candles that the exchange has in the whole span: one to a few for most.

    Args:
        client: The exchange.
        market: ccxt's description of the market.
        interval: Length of a candle.

    Attributes:
        dropped_trade: Open of a longer traded candle, in milliseconds, of whose time the exchange
            no longer keeps these; None where none was found.
        pauses: Open of the last candle before and of the first after each stretch of empty pages.
    """

    def __init__(
        self, client: ExchangeClient, market: dict[str, Any], interval: BarInterval
    ) -> None:
        self.client = client
        self.market = market
        self.interval = interval
        self.dropped_trade: int | None = None
        self.pauses: list[tuple[int, int]] = []
        self._requests = CandleRequests(client, market, interval)
        self._start = PageStart(self._requests)
        self._fewest_reached: int | None = None
        self._most_reached = 0

    @property
    def step_ms(self) -> int:
        """Milliseconds from one candle to the next."""
        return self._requests.step_ms

    @property
    def page_size(self) -> int:
        """Number of candles that are requested at once."""
        return self._requests.size

    @property
    def ignores_start(self) -> bool:
        """Whether the exchange was found to give its newest candles whatever the start."""
        return self._start.ignores_start

    def iter_pages(self, since: int, until: int) -> Iterator[tuple[list[CandleRow], int]]:
        """Yields pages of candles, ascending and without repeats, and where the next one starts.

        Every page starts later than the one before, so that an exchange that repeats itself cannot
        keep the loop running.

        Raises:
            UnreachableError: A stretch stays empty although there was trading.
            SourceError: The exchange refuses.
        """
        before: CandlePage | None = None
        empty: EmptyStretch | None = None
        while since <= until:
            page = self._fetch_page(since, before if empty is None else None)
            if page.rows:
                page = self._start.fill(page, before, until)
            if not page.rows:
                empty = empty or EmptyStretch(
                    since, before is None, self._coarser_rows(since, until)
                )
                since = self._skip(page, empty, until)
                yield [], min(since, until + 1)
                continue
            if empty is not None:
                earlier = self._earlier_start(page, empty, until)
                if earlier is not None:
                    since, empty = earlier, empty.restart(earlier)
                    continue
                if before is not None:
                    self.pauses.append((before.last, page.first))
            self._learn_reach(before, page)
            before, empty = page, None
            since = page.last + self.step_ms
            yield page.rows, since

    def _fetch_page(self, since: int, before: CandlePage | None) -> CandlePage:
        """A page; an empty one is asked for again, from the last candle that is known.

        Raises:
            UnreachableError: The server no longer gives the last candle either.
        """
        if before is None:
            return self._requests.fetch_twice(since)
        page = self._requests.fetch(since)
        if page.rows:
            return page
        # An exchange may take the start as exclusive, hence the second of these.
        for start in (before.last, before.last - self.step_ms):
            again = self._requests.fetch(start)
            if again.rows:
                later = [row for row in again.rows if row[0] >= since]
                return replace(again, since=since, rows=later) if later else page
        page = self._requests.fetch(since)
        if page.rows:
            return page
        raise UnreachableError(
            "the server omits candles",
            expected=f"the {self.interval} candle of {self.market['symbol']} from "
            f"{from_epoch_ms(before.last):%Y-%m-%d %H:%M}, as it came before",
            found="empty pages",
            where=self.client.label,
            fix="wait some minutes and run again, or use another source",
        )

    # --- Empty pages -----------------------------------------------------------------------

    def _covered(self, page: CandlePage) -> int:
        """Up to where an empty page shows that there are no candles, in milliseconds.

        Where the request names no end, the exchange has nothing later, or a window of its own,
        which is taken for as long as pages reached, or for that of the smallest pages known.
        """
        window = page.size * self.step_ms
        if page.end is not None:
            window = min(window, page.end - page.since)
        else:
            small = min(_SMALL_PAGE * self.step_ms, _SMALL_WINDOW_MS)
            window = min(window, max(small, self._most_reached))
        if self._fewest_reached is not None:
            window = min(window, self._fewest_reached)
        return page.since + window

    def _skip(self, page: CandlePage, empty: EmptyStretch, until: int) -> int:
        """Where the next page starts after an empty one.

        Raises:
            UnreachableError: A longer candle shows that something was traded in the stretch.
        """
        covered = self._covered(page)
        empty.add(page.since, covered)
        coarser = self._first_coarser(_SHORTEST_FIRST)
        if coarser is None:
            return covered
        for row in empty.coarser_rows_before(covered - coarser.step_ms + 1):
            inside = row[0] >= empty.start and row[0] + coarser.step_ms <= until
            if inside and is_traded(row) and not empty.older_dropped:
                return self._start_of_traded(row, coarser, empty, until)
        following = empty.next_coarser_row()
        if following is None:
            return until + 1 if empty.has_coarser_rows else covered
        if following[0] > covered:
            empty.jump()
            return int(following[0])
        return covered

    def _start_of_traded(
        self, traded: CandleRow, coarser: CandlePager, empty: EmptyStretch, until: int
    ) -> int:
        """Start of the next page where a longer candle shows a trade in empty pages.

        Raises:
            UnreachableError: No form of a request brings the candles.
        """
        start, end = int(traded[0]), int(traded[0]) + coarser.step_ms
        for form in FORMS:
            try:
                page = self._requests.fetch_twice(start, form=form, end=end - 1)
            except UnreachableError:
                raise
            except SourceError:
                continue
            if page.rows and page.first < end:
                self._requests.form = form
                empty.jump()
                return start
        kept = self._search_kept(end, until) if empty.leading else None
        if kept is not None:
            empty.older_dropped, self.dropped_trade = True, start
            empty.jump()
            return kept
        raise UnreachableError(
            "the server omits candles",
            expected=f"{self.interval} candles of {self.market['symbol']} from "
            f"{from_epoch_ms(empty.start):%Y-%m-%d %H:%M} on, as something was traded in the "
            f"{coarser.interval} from {from_epoch_ms(start):%Y-%m-%d %H:%M} on",
            found="empty pages, asked for in several ways",
            where=self.client.label,
            fix="wait some minutes and run again; if it stays, start the dataset after this "
            "stretch, use longer bars, or use another source",
        )

    def _search_kept(self, low: int, high: int) -> int | None:
        """Start of the last empty page before the candles that the exchange still keeps.

        It keeps those of the last weeks or years, so that the first is found in halves. None where
        it keeps none.
        """
        found = False
        while high - low > self.step_ms:
            middle = low + (high - low) // 2
            if self._requests.fetch_twice(middle).rows:
                found, high = True, middle
            else:
                low = middle
        return low if found else None

    def _earlier_start(self, page: CandlePage, empty: EmptyStretch, until: int) -> int | None:
        """Where to ask again before a page that came after empty ones; None where that is sure.

        The page itself shows how many candles the exchange gives at once. Where the requests that
        came back empty reached further, candles may lie between them.
        """
        reached = page.last + self.step_ms - page.since
        if empty.widest > reached and page.last + self.step_ms <= until:
            following = self._requests.fetch_twice(page.last + self.step_ms)
            if following.rows and following.first < page.last + 2 * self.step_ms:
                self._fewest_reached = reached
                return empty.first_since
        if empty.last_since is None or page.first - page.since >= self.step_ms:
            return None
        return self._search_back(empty.last_since, page.since)

    def _search_back(self, low: int, high: int) -> int | None:
        """Open of the first candle in [low, high), asked for in halves; None where there is none.

        A page that begins with a candle may have been preceded by others, if the empty page before
        it did not reach that far.
        """
        found = None
        while high - low > self.step_ms:
            middle = low + (high - low) // (2 * self.step_ms) * self.step_ms
            if middle == low:
                break
            rows = self._requests.fetch_twice(middle).rows
            if rows and rows[0][0] < high:
                found = high = int(rows[0][0])
            else:
                low = middle
        return found

    def _learn_reach(self, before: CandlePage | None, page: CandlePage) -> None:
        """Where the next page follows without a gap, the exchange cut the one before."""
        self._most_reached = max(self._most_reached, page.last + self.step_ms - page.since)
        if before is not None and page.first < before.last + 2 * self.step_ms:
            reached = before.last + self.step_ms - before.since
            self._fewest_reached = min(reached, self._fewest_reached or reached)

    # --- Longer candles --------------------------------------------------------------------

    def _coarser_rows(self, since: int, until: int) -> Iterator[CandleRow]:
        """Longer candles that end after `since`, where the exchange has any."""
        coarser = self._first_coarser(_SHORTEST_FIRST)
        if coarser is not None:
            # The candle of the last known bar is the first that must come.
            start = since - self.step_ms - coarser.step_ms + _ONE_SECOND_MS
            for rows, _ in coarser.iter_pages(start, until):
                yield from rows

    def coarsest(self) -> CandlePager | None:
        """The same market in candles of a week, or of a day; None where no longer ones exist.

        Exchanges that return only the last few hundred candles do so for every length, so that
        longer candles reach further back.
        """
        return self._first_coarser(_LONGEST_FIRST)

    def _first_coarser(self, wanted: tuple[BarInterval, ...]) -> CandlePager | None:
        for interval in wanted:
            longer = interval_length(interval) > interval_length(self.interval)
            if longer and offers(self.client.exchange, interval):
                return CandlePager(self.client, self.market, interval)
        return None

    def find_first(self, since: int, until: int) -> tuple[int | None, int | None]:
        """Opens of the first candle that ends after `since`, and of the first traded after it.

        In milliseconds; None where there is none. A candle that opened before `since` may hold
        trades of both sides of it, and is not the second.
        """
        first = None
        for rows, _ in self.iter_pages(since - self.step_ms + _ONE_SECOND_MS, until):
            for row in rows:
                first = int(row[0]) if first is None else first
                if row[0] >= since and is_traded(row):
                    return first, int(row[0])
        return first, None
