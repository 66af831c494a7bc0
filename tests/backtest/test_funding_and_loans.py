"""A whole run on perpetuals with funding, and one on borrowed cash."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import InvalidBarsError, LookaheadError, UsageError
from engine.data.funding_rates import FundingRates
from engine.leakage.marks import check_marks
from engine.pipeline.prepare import prepare_data
from engine.reporting.order_waits import describe_waits
from engine.selftest.generated_bars import BarPattern, draw_funding, generate_market
from engine.selftest.harness import certify_strategy, make_strategy, run_stages
from tests.live.replays import backtest, replay_live

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data import Market
    from engine.strategy import Strategy

WINDOWS = {"train": 120, "validation": 20, "test": 60}
MARGIN = 0.3


def bars() -> Market:
    market = generate_market(np.random.default_rng(4), 330, BarPattern(symbols=("S1", "S2")))
    return replace(market, funding=draw_funding(np.random.default_rng(5), market))


def strategy(*, missing: str = "zero", price: str = "open") -> Strategy:
    """Long and short, up to twice the equity."""
    return make_strategy(
        costs={
            "kind": "itemised",
            "funding": {"missing": missing},
            "financing_bps_per_year": 600,
        },
        sizing={"kind": "fixed", "weight": 2},
        max_weight=2,
        windows=WINDOWS,
        execution={"delay": 1, "price": price, "maintenance_margin": MARGIN},
    )


def without_rates_of_a_month(market: Market) -> Market:
    def left(own):
        return replace(own, instants=own.instants[:600], rates=own.rates[:600])

    rates = FundingRates({name: left(own) for name, own in market.funding.by_symbol.items()})
    return replace(market, funding=rates)


def test_what_was_paid_is_told_and_in_the_metrics() -> None:
    stages = run_stages(strategy(), bars())
    own, book = stages.metrics.books["strategy"], stages.result.books["strategy"]
    equity = (1 + book.returns).cumprod().shift(fill_value=1.0)
    assert own.funding_pct == pytest.approx(100 * (book.financing["funding"] / equity).sum())
    assert own.funding_pct != 0
    assert own.loan_interest_pct > 0
    assert book.held_weights.abs().max().max() > 1.5
    told = " ".join(describe_waits(stages.metrics))
    assert "funding of perpetuals" in told
    assert "Borrowed cash cost" in told


def test_bars_without_a_rate_are_counted_or_refused() -> None:
    market = without_rates_of_a_month(bars())
    metrics = run_stages(strategy(), market).metrics
    # The last of 600 payments is at 16:00 of the bar 199, whose last one is missing.
    assert metrics.unfunded_bars == {"S1": 330 - 199}
    assert any("not known" in sentence for sentence in describe_waits(metrics))
    with pytest.raises(InvalidBarsError, match="funding rates are missing"):
        prepare_data(strategy(missing="refuse"), market)
    prepare_data(strategy(missing="refuse"), bars())


def test_a_market_without_funding_rates_is_refused() -> None:
    with pytest.raises(UsageError, match="no funding rates"):
        prepare_data(strategy(), replace(bars(), funding=None))


@pytest.mark.parametrize("name", ["funding", "loan_interest"])
def test_a_book_that_pays_less_than_its_positions_is_refused(name: str) -> None:
    result = run_stages(strategy(), bars()).result
    check_marks(result.spec, result.prepared, result.books)
    own = result.books["strategy"]
    financing = own.financing.assign(**{name: own.financing[name] * 0.999})
    wrong = {"strategy": replace(own, financing=financing)}
    with pytest.raises(LookaheadError, match=name):
        check_marks(result.spec, result.prepared, wrong)


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
def test_the_certificate_finds_nothing_and_compares_costs(price: str) -> None:
    assert "costs" in certify_strategy(strategy(price=price), bars())["compared"]


@pytest.mark.slow
@pytest.mark.parametrize("price", ["open", "close"])
def test_bars_that_come_one_by_one_pay_the_same(price: str, tmp_path: Path) -> None:
    replay = replay_live(backtest(strategy(price=price), bars(), tmp_path), tmp_path)
    assert replay.first_difference is None
    assert replay.compared.fills > 0
