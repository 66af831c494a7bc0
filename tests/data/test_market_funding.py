"""Funding rates beside the bars of a market: loaded, cut at a bar, and part of what a run is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from engine import open_run, run
from engine.core.errors import SourceError
from engine.core.progress import NullProgress
from engine.data import DataSpec, load_market
from engine.data.funding_rates import FundingRates
from engine.pipeline.prepare import prepare_data
from engine.pipeline.run_identity import identify_run
from engine.selftest.generated_bars import BarPattern, draw_funding, generate_market
from engine.selftest.harness import make_strategy
from tests.data.sources.exchanges import ExchangeFetcher, hours
from tests.servers.binance import Binance
from tests.servers.local import serve

PERPS = """name: perps
interval: 1h
calendar: 24/7
symbols: [BTC]
start: 2024-03-01
sources:
  - {kind: ccxt, exchange: binance, funding: FUNDING, symbols: {BTC: "BTC/USDT:USDT"}}
"""
FIRST = pd.Timestamp("2024-03-01", tz="UTC")
TICKER = "BTC/USDT:USDT"


def load(folder, *, funding: bool, declared: str = "true"):
    (folder / "perps.yaml").write_text(PERPS.replace("FUNDING", declared))
    start = int(FIRST.timestamp())
    rates = {TICKER: [(start + i * 28_800, 1e-4 * (i + 1)) for i in range(22)]}
    with serve(Binance({TICKER: hours(300)}, rates=rates)) as served:
        return load_market(
            DataSpec(dataset=str(folder / "perps.yaml"), target="BTC"),
            home=folder / "home",
            offline=False,
            override=None,
            progress=NullProgress(),
            clients=ExchangeFetcher("binance", served).clients,
            now=pd.Timestamp("2024-03-10 13:00", tz="UTC"),
            funding=funding,
        )


def test_a_market_has_the_rates_of_its_dataset_where_they_are_asked_for(tmp_path) -> None:
    market = load(tmp_path, funding=True)
    np.testing.assert_allclose(market.funding.of("BTC").rates, 1e-4 * np.arange(1, 23))
    assert market.provenance["funding"]["BTC"]["rates"] == 22
    assert load(tmp_path, funding=False).funding is None


def test_a_dataset_without_a_source_of_rates_is_refused(tmp_path) -> None:
    with pytest.raises(SourceError, match="funding rates"):
        load(tmp_path, funding=True, declared="false")


def test_a_market_up_to_a_bar_has_the_payments_up_to_its_close(tmp_path) -> None:
    market = load(tmp_path, funding=True)
    at_seven = market.until(FIRST + pd.Timedelta("7h"))
    assert len(at_seven.funding.of("BTC").rates) == 2  # that of 08:00 is at its close
    assert len(market.until(FIRST + pd.Timedelta("6h")).funding.of("BTC").rates) == 1


@pytest.mark.slow
def test_a_run_keeps_what_its_positions_paid(tmp_path) -> None:
    load(tmp_path, funding=True)  # from here on cached
    spec = make_strategy(
        data={"dataset": str(tmp_path / "perps.yaml"), "target": "BTC"},
        costs={"kind": "itemised", "funding": {"missing": "zero"}},
        windows={"train": 80, "validation": 20, "test": 40},
    )
    finished = run(
        spec, offline=True, out=tmp_path / "out", home=tmp_path / "home", pages=False, workers=1
    )
    again = open_run(finished.run_dir)
    paid = again.financing["funding"]
    assert paid.abs().sum() > 0
    own = again.metrics.books["strategy"]
    equity = (1 + again.returns["strategy"]).cumprod().shift(fill_value=1.0)
    assert own.funding_pct == pytest.approx(100 * (paid / equity).sum())
    assert own.loan_interest_pct is None
    assert again.manifest.dataset.funding["BTC"].rates == 22
    split = again.analysis.attribution.split
    assert split.funding_pct == pytest.approx(-own.funding_pct, rel=0.05)
    assert split.residual_is_rounding
    assert split.net_pct == pytest.approx(100 * np.log1p(again.returns["strategy"]).sum())


def funded_market():
    market = generate_market(np.random.default_rng(1), 300, BarPattern(("S1",)))
    return replace(market, funding=draw_funding(np.random.default_rng(2), market))


def test_other_rates_are_another_run_where_they_are_charged() -> None:
    market = funded_market()
    other = replace(market, funding=market.funding.replace_after(0, np.random.default_rng(3)))
    none = replace(market, funding=FundingRates({}))

    def ids(costs):
        spec = make_strategy(costs=costs, windows={"train": 120, "validation": 20, "test": 60})
        return {identify_run(spec, prepare_data(spec, each)) for each in (market, other, none)}

    assert len(ids({"kind": "itemised", "funding": {}})) == 3
    assert len(ids({"kind": "itemised"})) == 1


def test_replaced_rates_all_differ_after_the_instant_and_none_does_before() -> None:
    own = funded_market().funding.of("S1")
    instant = int(own.instants[100])
    other = own.replace_after(instant, np.random.default_rng(0))
    assert (other.rates[:101] == own.rates[:101]).all()
    assert (other.rates[101:] != own.rates[101:]).all()
