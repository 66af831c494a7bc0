"""Whether a page begins where candles begin, or where the exchange chose to begin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core.errors import SourceError, UnreachableError
from engine.data.sources.exchange._candle_requests import FORMS

if TYPE_CHECKING:
    from engine.data.sources.exchange._candle_requests import CandlePage, CandleRequests


class PageStart:
    """Asks again for the stretch before the first candle of a page.

    It adapts the size, the lead and the form of all later requests to what it learns.

    Args:
        requests: The requests of the market.

    Attributes:
        ignores_start: Whether the exchange was found to give its newest candles whatever the
            start.
    """

    def __init__(self, requests: CandleRequests) -> None:
        self.ignores_start = False
        self._requests = requests

    @property
    def step_ms(self) -> int:
        """Milliseconds from one candle to the next."""
        return self._requests.step_ms

    def fill(self, page: CandlePage, before: CandlePage | None, until: int) -> CandlePage:
        """The page that begins where candles begin, asked for in other ways until that is sure."""
        while page.rows and page.first - page.since >= self.step_ms:
            if before is not None and page.since == before.last + self.step_ms:
                again = self._requests.fetch_twice(before.last)
                if again.rows and again.first == before.last:
                    # It holds every candle from the known one to its last.
                    later = [row for row in again.rows if row[0] >= page.since]
                    return replace(again, since=page.since, rows=later) if later else page
            other = self._ask_differently(page, until)
            if other is None:
                return page
            page = other
        return page

    def _ask_differently(self, page: CandlePage, until: int) -> CandlePage | None:
        """The page from the same start, asked for so that candles before its first may come.

        None where there are none, or none can be had.
        """
        missing = (page.first - page.since) // self.step_ms
        size = missing + 1 if missing < page.size else max(1, page.size // 2)
        test = self._requests.fetch_twice(page.since, size=size, lead=1)
        if test.rows and test.first == page.first and 1 < len(page.rows) <= size:
            # So few that an exchange which counts from the end would leave out others.
            test = self._requests.fetch_twice(page.since, size=len(page.rows) // 2)
        if not test.rows:
            return None
        newest = page.last + 2 * self.step_ms > until
        if test.first > page.first:
            other = self._in_another_form(page)
            self.ignores_start = self.ignores_start or (newest and other is None)
            return other
        if test.first < page.first or self._lies_before(page, test):
            # The exchange leaves out the start of the window: it takes it as exclusive, or counts
            # from the end.
            lowered = len(page.rows) - self._requests.lead
            self._requests.size = max(1, min(lowered, page.size - self._requests.lead))
            self._requests.lead = 1
            return self._requests.fetch_twice(page.since)
        self.ignores_start = self.ignores_start or (newest and page.timeless)
        return None

    def _lies_before(self, page: CandlePage, test: CandlePage) -> bool:
        """Whether there are candles before a page whose window stays, however many are asked for.

        Requests then name an end.
        """
        if page.end is None or test.end is None or abs(test.end - page.end) > 2 * self.step_ms:
            return False
        form = replace(self._requests.form, ended=True)
        if form == self._requests.form:
            return False
        try:
            earlier = self._requests.fetch_twice(page.since, form=form, end=page.first - 1)
        except UnreachableError:
            raise
        except SourceError:
            return False
        if not earlier.rows or earlier.first >= page.first:
            return False
        self._requests.form = form
        return True

    def _in_another_form(self, page: CandlePage) -> CandlePage | None:
        """The page in a form whose start the exchange heeds; None where no form helps."""
        for form in FORMS:
            if form == self._requests.form:
                continue
            try:
                known = self._requests.fetch_twice(page.first, size=len(page.rows), form=form)
                if not known.rows or known.first != page.first:
                    continue
                other = self._requests.fetch_twice(page.since, form=form, end=page.first - 1)
            except UnreachableError:
                raise
            except SourceError:
                continue
            if not other.rows or other.first < page.first:
                self._requests.form = form
                return self._requests.fetch_twice(page.since)
        return None
