"""When bars are traded, and whether an order was decided before its price."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.live.bar_schedule import BarSchedule
from engine.live.paper.late_orders import LatePolicy, TimedOrder, merge_orders
from engine.signals.orders import Order
from engine.simulation.config import Execution
from tests.hypothesis_examples import examples

NEXT_OPEN = [
    ("24/7", "1h", "2024-03-10 12:00", "2024-03-10 13:00"),
    ("24/7", "1m", "2024-03-10 23:59", "2024-03-11 00:00"),
    ("24/7", "1d", "2024-03-10", "2024-03-11 00:00"),
    ("XNYS", "1d", "2024-03-08", "2024-03-11 13:30"),  # clocks went forward between the two
    ("XNYS", "1d", "2024-03-07", "2024-03-08 14:30"),
    ("XNYS", "1d", "2024-07-03", "2024-07-05 13:30"),  # a half day, then a holiday
    ("XNYS", "1h", "2024-07-03 15:30", "2024-07-03 16:30"),
    ("XNYS", "1h", "2024-07-03 16:30", "2024-07-05 13:30"),
    ("XTKS", "1h", "2024-07-01 02:00", "2024-07-01 03:30"),  # the lunch break
    ("CMES", "1d", "2024-03-08", "2024-03-10 22:00"),  # the session of Monday opens on Sunday
    ("CMES", "1d", "2024-03-06", "2024-03-06 23:00"),
    ("XNYS", "1w", "2024-07-01", "2024-07-08 13:30"),
    ("XNYS", "1mo", "2024-08-01", "2024-09-03 13:30"),
]
TRADED_UNTIL = [
    ("24/7", "1h", "2024-03-10 12:00", "2024-03-10 13:00"),
    ("XNYS", "1d", "2024-07-03", "2024-07-03 17:00"),
    ("XNYS", "1d", "2024-03-11", "2024-03-11 20:00"),
    ("XNYS", "1h", "2024-07-03 16:30", "2024-07-03 17:00"),
    ("CMES", "1d", "2024-03-08", "2024-03-08 22:00"),
    ("CMES", "1d", "2024-03-11", "2024-03-11 21:00"),
]


def instant(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


@pytest.mark.parametrize(("calendar", "interval", "bar", "opens"), NEXT_OPEN)
def test_the_open_of_the_next_bar_is_that_of_its_session(calendar, interval, bar, opens) -> None:
    (following,) = BarSchedule(interval, calendar).following(instant(bar), 1)
    assert following.opens == instant(opens)


@pytest.mark.parametrize(("calendar", "interval", "bar", "ends"), TRADED_UNTIL)
def test_trading_of_a_bar_ends_with_its_session(calendar, interval, bar, ends) -> None:
    assert BarSchedule(interval, calendar).is_traded_until(instant(bar)) == instant(ends)


@pytest.mark.parametrize(
    ("calendar", "interval", "last", "bar", "missing"),
    [
        ("24/7", "1h", "2024-03-10 12:00", "2024-03-10 13:00", 0),
        ("24/7", "1h", "2024-03-10 12:00", "2024-03-10 15:00", 2),
        ("24/7", "1m", "2024-03-10 12:00", "2024-03-11 12:00", 1439),
        ("XNYS", "1d", "2024-07-03", "2024-07-05", 0),
        ("XNYS", "1d", "2024-07-02", "2024-07-08", 2),
        ("XNYS", "1h", "2024-07-03 16:30", "2024-07-05 13:30", 0),
        ("XNYS", "1h", "2024-07-02 19:00", "2024-07-03 14:00", 0),  # bars of the full hours
    ],
)
def test_bars_that_the_calendar_has_between_two(calendar, interval, last, bar, missing) -> None:
    times = BarSchedule(interval, calendar)
    assert times.expected_between(instant(last), instant(bar)) == missing


def policy(missed: str, *, delay: int = 1, price: str = "open", grace_s: float = 30) -> LatePolicy:
    return LatePolicy(
        BarSchedule("1h", "24/7"),
        Execution(delay=delay, price=price),
        missed,
        pd.Timedelta(seconds=grace_s),
    )


BAR = instant("2024-03-10 12:00")
ORDER = Order(symbol="AAA", target_weight=0.5, decided_on=BAR)


def time_order(rule: LatePolicy, decided_at: str, *, is_newest: bool = True) -> TimedOrder:
    delay = rule.execution.delay
    order = ORDER.model_copy(update={"due_in_bars": delay})
    (timed,) = rule.time_orders([order], BAR, instant(decided_at), is_newest=is_newest)
    return timed


@pytest.mark.parametrize(
    ("delay", "price", "decided_at", "status"),
    [
        (1, "open", "2024-03-10 13:00:00", "placed"),
        (1, "open", "2024-03-10 13:00:30", "placed"),
        (1, "open", "2024-03-10 13:00:31", "missed"),
        (1, "close", "2024-03-10 13:59:00", "placed"),
        (1, "close", "2024-03-10 14:00:31", "missed"),
        (2, "open", "2024-03-10 14:00:30", "placed"),
        (2, "open", "2024-03-10 14:00:31", "missed"),
    ],
)
def test_an_order_is_placed_where_its_price_is_not_known_yet(
    delay, price, decided_at, status
) -> None:
    timed = time_order(policy("skip", delay=delay, price=price), decided_at)
    assert timed.status == status
    assert timed.order.due_in_bars == delay


@pytest.mark.parametrize(
    ("decided_at", "due_in_bars"),
    [("2024-03-10 13:00:31", 2), ("2024-03-10 14:00:30", 2), ("2024-03-12 05:20", 42)],
)
def test_a_late_order_is_due_at_the_first_open_after_its_decision(decided_at, due_in_bars) -> None:
    timed = time_order(policy("fill_at_next_open"), decided_at)
    assert (timed.status, timed.order.due_in_bars) == ("deferred", due_in_bars)


def test_of_several_late_decisions_only_the_newest_is_made_good() -> None:
    rule = policy("fill_at_next_open")
    assert time_order(rule, "2024-03-10 16:10", is_newest=False).status == "missed"


@examples(40)
@given(
    late_s=st.integers(0, 400_000),
    grace_s=st.integers(0, 7_200),
    delay=st.integers(1, 3),
    missed=st.sampled_from(["skip", "fill_at_next_open"]),
    price=st.sampled_from(["open", "close"]),
)
def test_no_order_is_filled_at_a_price_that_was_known(
    late_s, grace_s, delay, missed, price
) -> None:
    rule = policy(missed, delay=delay, price=price, grace_s=grace_s)
    decided_at = BAR + pd.Timedelta(hours=1, seconds=late_s)
    order = ORDER.model_copy(update={"due_in_bars": delay})
    (timed,) = rule.time_orders([order], BAR, decided_at, is_newest=True)
    known_at = BAR + pd.Timedelta(hours=timed.order.due_in_bars + (price == "close"))
    if timed.status == "missed":
        due_at = BAR + pd.Timedelta(hours=delay + (price == "close"))
        assert missed == "skip"
        assert decided_at > due_at + rule.grace
    else:
        assert decided_at <= known_at + rule.grace


def test_an_earlier_order_that_would_be_filled_after_a_new_one_is_withdrawn() -> None:
    deferred = ORDER.model_copy(update={"due_in_bars": 5})
    other = ORDER.model_copy(update={"due_in_bars": 5, "symbol": "BBB"})
    soon = ORDER.model_copy(update={"due_in_bars": 1, "target_weight": 0.3})
    new = ORDER.model_copy(update={"due_in_bars": 2, "target_weight": 0.1})
    timed = [TimedOrder(new, "placed")]
    assert merge_orders([deferred, other, soon], timed) == (other, soon, new)
    assert merge_orders([deferred], [TimedOrder(new, "missed")]) == (deferred,)
