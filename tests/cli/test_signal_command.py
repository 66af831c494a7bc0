"""`backtest signal`: its text in a terminal, its JSON, and its errors."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.cli.signal_summary import NO_ORDER, render_signal_text
from engine.live.signal_document import ModelOfSignal, OrderOfSignal, Signal, SymbolSignal

ORDER = OrderOfSignal(
    symbol="BTC",
    decided_on="2024-05-10T00:00:00+00:00",
    target_weight=-0.25,
    held_weight=0.5,
    due="2024-05-11T00:00:00+00:00",
    due_in_bars=1,
    waited_bars=0,
)


def make_signal(*orders: OrderOfSignal, **changes: object) -> Signal:
    symbol = SymbolSignal(
        symbol="BTC",
        close=61_234.5,
        predicted=-0.00123,
        low=-0.02,
        high=0.018,
        levels=(0.05, 0.95),
        target_weight=-0.25,
        target_since="2024-05-10T00:00:00+00:00",
        held_weight=0.5,
    )
    model = ModelOfSignal(
        symbol="BTC",
        window=3,
        seed=0,
        horizons=(),
        key="04213520ace7" * 4,
        trained_to="2024-02-01T00:00:00+00:00",
        validated_to="2024-04-01T00:00:00+00:00",
        failed=False,
    )
    values = {
        "strategy": "small",
        "dataset": "made-up",
        "offline": False,
        "interval": "1d",
        "asked_at": "2024-05-11T00:05:00+00:00",
        "decided_on": "2024-05-10T00:00:00+00:00",
        "complete_since": "2024-05-11T00:00:00+00:00",
        "age_minutes": 5.0,
        "certified_by": "0b2d2b406efb",
        "certified_at": "2024-05-01T10:00:00+00:00",
        "grade": "weak",
        "price": "open",
        "horizon_bars": 1,
        "symbols": (symbol,),
        "orders": orders,
        "models": (model,),
        "trained": 0,
    }
    return Signal.model_validate(values | changes)


def test_a_fit_of_several_symbols_is_one_fit() -> None:
    (model,) = make_signal().models
    pooled = tuple(
        model.model_copy(update={"symbol": symbol, "pool": ("BTC", "ETH"), "seed": seed})
        for symbol in ("BTC", "ETH")
        for seed in (0, 1)
    )
    told = " ".join(render_signal_text(make_signal(models=pooled), 200).split())
    assert "2 fits" in told
    assert "4 fits" not in told


@pytest.mark.parametrize("width", [80, 60, 40])
def test_the_text_fits_the_terminal(width: int) -> None:
    lines = render_signal_text(make_signal(ORDER), width).splitlines()
    assert max(map(len, lines)) <= width


def test_an_order_is_told_with_its_side_price_and_bar() -> None:
    text = " ".join(render_signal_text(make_signal(ORDER), 80).split())
    assert "sell BTC to" in text
    assert "at the open of 2024-05-11, decided on 2024-05-10" in text
    assert "none is sent" in text
    bought = ORDER.model_copy(update={"target_weight": 1.0})
    assert "buy BTC to" in " ".join(render_signal_text(make_signal(bought), 80).split())


def test_nothing_to_trade_is_said() -> None:
    assert NO_ORDER.split(":")[0] in render_signal_text(make_signal(), 80)


def test_a_window_whose_fits_all_failed_is_told() -> None:
    failed = make_signal().models[0].model_copy(update={"failed": True})
    text = render_signal_text(make_signal(models=(failed,)), 80)
    assert "every fit of this window failed" in " ".join(text.split())


def test_a_rebalancing_without_an_optimum_is_told() -> None:
    bar = "2024-05-09T00:00:00+00:00"
    text = " ".join(render_signal_text(make_signal(without_optimum=bar), 80).split())
    assert "The rebalancing of 2024-05-09 had no optimum: the target weights before it" in text
    assert "no optimum" not in render_signal_text(make_signal(), 80)


def test_the_json_is_read_back_to_the_last_bit() -> None:
    signal = make_signal(ORDER)
    assert json.loads(signal.to_json())["schema_version"] == 1
    assert Signal.from_json(signal.to_json(), "stdout") == signal


@pytest.mark.parametrize(
    ("time", "problem"),
    [("tomorrow", "this is not a time"), ("2999-01-01", "not known yet"), ("2024", "not a time")],
)
def test_a_time_that_is_none_or_not_past_is_refused(time: str, problem: str) -> None:
    result = CliRunner().invoke(app, ["signal", "strategies/ridge.yaml", "--as-of", time])
    assert result.exit_code == 2
    assert problem in result.stderr
    assert "--as-of" in result.stderr
