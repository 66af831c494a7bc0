"""A run on a market that was halted: nothing is filled where nothing traded, and it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.progress import NullProgress
from engine.pipeline import steps
from engine.signals import FixedThreshold
from engine.strategy import Strategy, load_strategy
from tests.leakage.leaks import leak_of, stage
from tests.pipeline.markets import BARS, SYMBOLS, bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

HALTS = ((420, 425), (480, 530), (600, 601), (640, 655))
"""First bar of each halt and the first after it; all in test parts."""

LAST_HALT = (BARS - 4, BARS)
PRICES = ["open", "high", "low", "close"]


def with_halts(table: pd.DataFrame, *spans: tuple[int, int]) -> pd.DataFrame:
    """In each span the last close before it, and a volume of 0."""
    halted = table.copy()
    for start, stop in spans:
        rows = halted.index[start:stop]
        halted.loc[rows, PRICES] = halted["close"].iloc[start - 1]
        halted.loc[rows, "volume"] = 0
    return halted


class Heard(NullProgress):
    """Keeps the notices."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def run(
    strategy: Strategy, folder: Path, data: Path, heard: Heard | None = None, **chosen: object
) -> engine.Run:
    return engine.run(
        strategy.model_copy(update=chosen),
        data=str(data),
        out=folder / "out",
        home=folder / "home",
        pages=False,
        workers=1,
        progress=heard,
    )


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Strategy:
    overrides = {
        "evaluation.resamples": 200,
        "benchmarks": [{"kind": "buy_and_hold"}, {"kind": "persistence"}],
    }
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    data = write_market(module_folder / "plain", tables)
    return load_strategy(write_strategy(module_folder, data), overrides)


@pytest.fixture(scope="module")
def halted(module_folder: Path) -> Path:
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    tables["AAA"] = with_halts(tables["AAA"], *HALTS, LAST_HALT)
    return write_market(module_folder / "halted", tables)


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def halted_run(strategy: Strategy, module_folder: Path, halted: Path, heard: Heard) -> engine.Run:
    return run(strategy, module_folder, halted, heard)


def untraded(run: engine.Run) -> pd.DatetimeIndex:
    own = run.bars.query("symbol == 'AAA' and volume == 0")
    return pd.DatetimeIndex(own["timestamp"])


def test_no_book_is_filled_where_nothing_traded(halted_run: engine.Run) -> None:
    days = untraded(halted_run)
    assert len(days) == sum(stop - start for start, stop in (*HALTS, LAST_HALT))
    assert not halted_run.trades["timestamp"].isin(days).any()


def test_a_target_that_changed_in_a_halt_is_filled_at_its_end(halted_run: engine.Run) -> None:
    decided = halted_run.positions.query("book == 'persistence'").set_index("timestamp")["weight"]
    trades = halted_run.trades.query("book == 'persistence'")
    days = halted_run.returns.index
    opens = halted_run.bars.query("symbol == 'AAA'").set_index("timestamp")["open"]
    filled = 0
    for start, stop in HALTS:
        before, end = (days.get_loc(bar(halted_run, row)) for row in (start - 1, stop))
        changed = decided.iloc[end - 1] != decided.iloc[before - 1]
        found = trades[trades["timestamp"] == days[end]]
        assert len(found) == int(changed)
        filled += len(found)
        for fill in found.to_dict("records"):
            slipped = 1 + 2e-4 * (1 if fill["side"] == "buy" else -1)
            assert fill["price"] == pytest.approx(opens[days[end]] * slipped, rel=1e-12)
    assert filled


def bar(run: engine.Run, row: int) -> pd.Timestamp:
    return run.bars["timestamp"].unique()[row]


def test_what_waited_is_counted_in_the_metrics_of_each_book(halted_run: engine.Run) -> None:
    own, persistence = (halted_run.metrics.books[name] for name in ("strategy", "persistence"))
    assert own.orders_waited > 2
    assert own.bars_waited > own.longest_wait_bars > 1
    figures = (persistence.orders_waited, persistence.bars_waited, persistence.longest_wait_bars)
    # It goes out at the first close that repeats the one before, which is in the halt of 50 bars.
    assert figures == (1, 49, 49)
    assert halted_run.metrics.books["buy_and_hold"].orders_waited == 0
    halts = (*HALTS, LAST_HALT)
    assert halted_run.metrics.zero_volume["AAA"].untraded_bars == sum(b - a for a, b in halts)
    assert halted_run.metrics.zero_volume["AAA"].ignored_bars == 0
    saved = json.loads((halted_run.run_dir / "metrics.json").read_text())
    assert saved["books"]["persistence"]["orders_waited"] == persistence.orders_waited


def test_other_costs_delays_and_thresholds_are_filled_by_the_same_rule(
    halted_run: engine.Run,
) -> None:
    chosen = halted_run.significance.sensitivity.chosen
    assert chosen.sharpe == halted_run.metrics.books["strategy"].sharpe


def test_the_run_tells_once_that_orders_waited(halted_run: engine.Run, heard: Heard) -> None:
    own = halted_run.metrics.books["strategy"]
    assert own.orders_waited > 0
    (told,) = [text for text in heard.notices if "waited" in text]
    assert f"{own.orders_waited} order" in told
    assert f"{own.bars_waited} bar" in told
    assert "volume of 0" in told


@pytest.mark.slow
def test_an_order_that_waits_at_the_last_bar_is_a_next_order(
    strategy: Strategy, module_folder: Path
) -> None:
    """The market ends with a halted bar right after a close at which the target changed."""
    sticky = FixedThreshold(enter_bps=2, exit_bps=-2, side="long_only")
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    plain = run(
        strategy, module_folder, write_market(module_folder / "uncut", tables), signal=sticky
    )
    own = plain.positions.query("book == 'strategy'").set_index("timestamp")["weight"]
    decided_on = own.index[own.ne(own.shift(fill_value=0.0))][-1]
    last = list(plain.bars["timestamp"].unique()).index(decided_on)
    tables["AAA"] = with_halts(tables["AAA"], (last + 1, last + 2))
    cut = {symbol: table.iloc[: last + 2] for symbol, table in tables.items()}
    made = run(strategy, module_folder, write_market(module_folder / "cut", cut), signal=sticky)
    assert made.positions["timestamp"].max() == made.bars["timestamp"].max() > decided_on
    (order,) = made.next_orders.to_dict("records")
    assert order["decided_on"] == decided_on
    assert order["target_weight"] == own[decided_on]
    assert (order["due_in_bars"], order["waited_bars"]) == (1, 1)
    assert order["due"] == decided_on + pd.Timedelta(2, "D")


def test_stepped_bar_by_bar_the_account_is_the_book_of_the_run(
    strategy: Strategy, module_folder: Path, halted: Path, halted_run: engine.Run
) -> None:
    market = engine.load_market(
        strategy.model_copy(
            update={"data": strategy.data.model_copy(update={"dataset": str(halted)})}
        ),
        home=module_folder / "home",
    )
    costs = strategy.costs.bind(market)
    decided = halted_run.positions.query("book == 'strategy'").set_index("timestamp")["weight"]
    own = market.bars.query("symbol == 'AAA'").set_index("timestamp")
    account, orders = engine.Account(), ()
    for day, weight in decided.items():
        prices = engine.BarPrices(
            timestamp=day,
            open={"AAA": own["open"][day]},
            close={"AAA": own["close"][day]},
            traded={"AAA": market.traded.loc[day, "AAA"]},
        )
        account, _ = engine.step(account, prices, orders, costs)
        orders = engine.place_orders(account.targets, {"AAA": weight}, decided_on=day)
        expected = halted_run.returns["strategy"][day]
        np.testing.assert_allclose(1 + account.bar_return, 1 + expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
@pytest.mark.parametrize("delay", [1, 3])
def test_a_halted_market_is_certified_free_of_look_ahead(
    strategy: Strategy, module_folder: Path, halted: Path, price: str, delay: int
) -> None:
    execution = strategy.execution.model_copy(update={"price": price, "delay": delay})
    made = run(strategy, module_folder, halted, execution=execution)
    assert made.certificate["result"] == "passed"
    assert "quiet bar" in {cut["kind"] for cut in made.certificate["cuts"]}
    assert not made.trades["timestamp"].isin(untraded(made)).any()


def test_at_every_bar_of_a_halt_the_certificate_passes(
    strategy: Strategy, module_folder: Path, halted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cutoffs at halted bars, where of the bar itself the open alone is known."""
    from engine.leakage import certify
    from engine.leakage.cutoffs import Cutoff

    rows = (419, 420, 424, 425, 480, 505, 529, 530)
    chosen = tuple(Cutoff(row, "quiet bar") for row in rows)
    monkeypatch.setattr(certify, "choose_cutoffs", lambda *_, **__: chosen)
    made = run(strategy, module_folder, halted, name="every")
    assert made.certificate["result"] == "passed"
    assert {cut["fills_probed_with"] for cut in made.certificate["cuts"]} == {"open"}


@pytest.mark.slow
def test_an_order_that_avoids_a_halt_which_is_yet_to_come_is_look_ahead(
    strategy: Strategy, module_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is filled at a bar only if the next bar trades."""
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    often = [(row, row + 1) for row in range(360, BARS, 2)]
    tables["AAA"] = with_halts(tables["AAA"], *often)
    data = write_market(module_folder / "often", tables)
    assert run(strategy, module_folder, data, name="honest").certificate["result"] == "passed"
    honest = steps.simulate_all

    def knowing(*frames: object, traded: pd.DataFrame, **terms: object) -> object:
        return honest(*frames, traded=traded & traded.shift(-1, fill_value=True), **terms)

    monkeypatch.setattr(steps, "simulate_all", knowing)
    spec = strategy.model_copy(
        update={"data": strategy.data.model_copy(update={"dataset": str(data)})}
    )
    assert stage(leak_of(spec, module_folder)) == "fills"


@pytest.mark.slow
def test_a_file_without_volumes_trades_as_one_with_them(
    strategy: Strategy, module_folder: Path
) -> None:
    """As of currencies and indices: 0 at every bar."""
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    priced = strategy.model_copy(update={"features": strategy.features[:2], "name": "priced"})
    plain = run(priced, module_folder, write_market(module_folder / "with", tables))
    tables["AAA"]["volume"] = 0
    heard = Heard()
    silent = run(priced, module_folder, write_market(module_folder / "without", tables), heard)
    pd.testing.assert_frame_equal(silent.trades, plain.trades, check_exact=True)
    assert silent.metrics.books["strategy"].orders_waited == 0
    assert silent.metrics.zero_volume["AAA"].untraded_bars == 0
    (told,) = [text for text in heard.notices if "count as traded" in text]
    assert "AAA" in told


@pytest.mark.slow
def test_other_volumes_after_a_bar_change_no_fill_up_to_it(
    strategy: Strategy, module_folder: Path, halted: Path
) -> None:
    """Every bar after it has the opposite: volume in a halt, and none elsewhere."""
    cut = 490
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    own = with_halts(tables["AAA"], *HALTS, LAST_HALT)
    later = own.index > cut
    own.loc[later, "volume"] = np.where(own.loc[later, "volume"] == 0, 5_000, 0)
    data = write_market(module_folder / "opposite", tables | {"AAA": own})
    priced = {"features": strategy.features[:2], "name": "opposite"}
    one = run(strategy, module_folder, halted, **priced)
    other = run(strategy, module_folder, data, **priced)
    day = bar(one, cut)
    fills = [
        made.trades[made.trades["timestamp"] <= day].reset_index(drop=True)
        for made in (one, other)
    ]
    pd.testing.assert_frame_equal(*fills, check_exact=True)
    pd.testing.assert_frame_equal(
        *(made.returns[made.returns.index <= day] for made in (one, other)), check_exact=True
    )
    assert len(one.trades) != len(other.trades)


@pytest.mark.slow
def test_a_suspension_of_forty_days_is_not_traded(market_data: Path, tmp_path: Path) -> None:
    case = market_data.parent / "cases" / "bars" / "fills-while-halted" / "h.yaml"
    if not case.is_file():
        pytest.skip("there is no such case beside the real bars")
    heard = Heard()
    made = engine.run(
        "strategies/ridge.yaml",
        overrides={"signal.enter_bps": 0},
        data=str(case),
        out=tmp_path,
        home=tmp_path,
        pages=False,
        progress=heard,
    )
    days = pd.DatetimeIndex(made.bars.loc[made.bars["volume"] == 0, "timestamp"])
    assert len(days) == 40
    assert not made.trades["timestamp"].isin(days).any()
    assert made.metrics.books["strategy"].orders_waited == 1
    assert any("waited for a bar with a trade" in text for text in heard.notices)
    first = made.trades.query("book == 'strategy' and timestamp > @days[-1]").iloc[0]
    # Decided at the close of the first bar after the suspension, which lost 42 %.
    assert (first["side"], first["timestamp"]) == ("sell", pd.Timestamp("2020-08-03", tz="UTC"))


def test_a_folder_of_a_version_that_filled_everywhere_has_no_counts(
    halted_run: engine.Run,
) -> None:
    books = halted_run.metrics.as_dict()["books"]
    counted = ("orders_waited", "bars_waited", "longest_wait_bars")
    older = {
        name: {key: value for key, value in figures.items() if key not in counted}
        for name, figures in books.items()
    }
    before = replace(halted_run, metrics=halted_run.metrics | {"books": older})
    assert before.metrics.books["strategy"].orders_waited is None
    assert (before.next_orders["waited_bars"] == 0).all()
