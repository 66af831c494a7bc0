"""Figures of the paper accounts in the text format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from engine.reporting.accounts import AccountFigures, JournalFigures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_GAUGES: dict[str, tuple[str, Callable[[AccountFigures], float | None]]] = {
    "stopped": ("1 where the account was stopped", lambda a: float(a.stopped)),
    "running": ("1 where a process runs the account", lambda a: float(bool(a.process))),
    "capital": ("Equity at the start", lambda a: a.capital),
    "equity": ("Equity at the newest close", lambda a: a.equity),
    "cash": ("Cash at the newest close", lambda a: a.cash),
    "newest_bar_timestamp_seconds": (
        "Unix time of the newest bar, labelled by its open",
        lambda a: a.newest_bar.timestamp(),
    ),
    "data_age_seconds": ("Seconds since the newest bar ended", lambda a: a.age_s),
    "overdue_seconds": (
        "Seconds since the next bar and its grace time were due; 0 where it is not overdue",
        lambda a: a.overdue_s or 0.0,
    ),
    "last_decision_timestamp_seconds": (
        "Unix time of the last decision",
        lambda a: a.decided_at.timestamp() if a.decided_at else None,
    ),
    "last_fit_timestamp_seconds": (
        "Unix time at which models were fitted last",
        lambda a: a.fitted_at.timestamp() if a.fitted_at else None,
    ),
}

_COUNTERS: dict[str, tuple[str, Callable[[AccountFigures], int]]] = {
    "decisions": ("Decisions", lambda a: a.decision_count),
    "late_bars": ("Bars decided after their grace time", lambda a: a.late_bars),
    "absent_bars": ("Bars that the calendar has and that never came", lambda a: a.absent_bars),
    "missed_orders": (
        "Orders that were not placed, because their price had passed",
        lambda a: a.missed_orders,
    ),
    "revisions": (
        "Bars that were revised after their decision",
        lambda a: a.event_counts.get("revision", 0),
    ),
    "differences": (
        "Differences from the backtest over the same bars",
        lambda a: a.event_counts.get("difference", 0),
    ),
    "errors": ("Errors", lambda a: a.event_counts.get("error", 0)),
}


def render_metrics(journal: JournalFigures) -> bytes:
    """The figures of every account; only whether the journal is readable where it is not."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_JournalCollector(journal))
    return generate_latest(registry)


class _JournalCollector:
    """Gives the metrics of figures that were read already."""

    def __init__(self, journal: JournalFigures) -> None:
        self._journal = journal

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        readable = GaugeMetricFamily(
            "backtest_journal_readable",
            "1 where the journal of paper accounts can be read, or none was started yet",
        )
        readable.add_metric([], float(not self._journal.problem))
        yield readable
        shown = GaugeMetricFamily(
            "backtest_account_readable",
            "1 where the rows of the account can be read",
            labels=["account"],
        )
        for account in self._journal.accounts:
            shown.add_metric([account.name], 1.0)
        for name in self._journal.unreadable:
            shown.add_metric([name], 0.0)
        yield shown
        accounts = self._journal.accounts
        for name, (text, value) in _GAUGES.items():
            gauge = GaugeMetricFamily(f"backtest_account_{name}", text, labels=["account"])
            for account in accounts:
                if (known := value(account)) is not None:
                    gauge.add_metric([account.name], known)
            yield gauge
        yield self._weights("held_weight", "Fraction of the equity held")
        yield self._weights("target_weight", "Fraction of the equity decided to be held")
        yield self._failed_deliveries()
        for name, (text, count) in _COUNTERS.items():
            counter = CounterMetricFamily(f"backtest_account_{name}", text, labels=["account"])
            for account in accounts:
                counter.add_metric([account.name], count(account))
            yield counter

    def _weights(self, name: str, text: str) -> Metric:
        gauge = GaugeMetricFamily(f"backtest_account_{name}", text, labels=["account", "symbol"])
        for account in self._journal.accounts:
            for each in account.symbols:
                gauge.add_metric([account.name, each.symbol], getattr(each, name))
        return gauge

    def _failed_deliveries(self) -> Metric:
        gauge = GaugeMetricFamily(
            "backtest_account_failed_deliveries",
            "Messages that were given up and not delivered since",
            labels=["account", "sink"],
        )
        for account in self._journal.accounts:
            for sink in account.sinks:
                gauge.add_metric([account.name, sink.name], float(sink.dead_letters))
        return gauge
