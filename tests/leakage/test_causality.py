"""End to end: bars after t changed, nothing at or before t changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import engine
from engine.strategy import Strategy, load_strategy
from tests.leakage.leaks import CentredMean, weeks_one_bar_early
from tests.pipeline.markets import BARS, changed_after, market, write_strategy
from tests.runs.documents import make_certificate

if TYPE_CHECKING:
    from pathlib import Path

# Deep in the first test part, on its last bar, one bar into the second, and near the end.
CUTS = (390, 444, 446, BARS - 20)


def run(strategy: Strategy, module_folder: Path, name: str, data: Path) -> engine.Run:
    return engine.run(
        strategy,
        data=str(data),
        out=module_folder / name,
        home=module_folder / "home",
        pages=False,
        workers=1,
    )


def first_difference(one: engine.Run, other: engine.Run) -> pd.Timestamp | None:
    """The first bar at which a prediction, a position, a return or a fill differs."""
    keys = ["timestamp", "symbol", "window", "seed", "predicted"]
    tables = [
        (one.predictions[keys], other.predictions[keys]),
        (one.positions, other.positions),
        (one.returns.reset_index(), other.returns.reset_index()),
        (one.trades, other.trades),
    ]
    differing = [
        pd.concat([a, b]).drop_duplicates(keep=False)["timestamp"].min() for a, b in tables
    ]
    return min((stamp for stamp in differing if stamp is not pd.NaT), default=None)


def bar(run: engine.Run, row: int) -> pd.Timestamp:
    return run.bars["timestamp"].unique()[row]


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Strategy:
    return load_strategy(write_strategy(module_folder, market(module_folder / "market")))


@pytest.fixture(scope="module")
def original(module_folder: Path, strategy: Strategy) -> engine.Run:
    return run(strategy, module_folder, "original", module_folder / "market" / "market.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("cut", CUTS)
def test_nothing_at_or_before_a_bar_knows_what_comes_after(
    original, module_folder, strategy, cut
) -> None:
    other = run(
        strategy, module_folder, f"cut{cut}", changed_after(module_folder / f"bars{cut}", cut)
    )
    first = first_difference(original, other)
    assert first is not None, "other bars must make a difference after the cut"
    assert first > bar(original, cut)


@pytest.fixture
def uncertified(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate set aside: it would end a leaking run before these tests could compare."""
    monkeypatch.setattr(
        "engine.backtest.runner.run_leakage_test", lambda *_, **__: make_certificate(result="none")
    )


SATURDAY = 502  # deep in the first test part, which begins later where weeks warm up


def weeks_first_differ_at(
    strategy: Strategy, module_folder: Path, name: str
) -> tuple[pd.Timestamp, ...]:
    """The first bar that other bars after a Saturday change, and that Saturday."""
    weekly = strategy.model_copy(update={"resolutions": ("1w",), "name": name})
    one = run(weekly, module_folder, name, module_folder / "market" / "market.yaml")
    other = run(
        weekly,
        module_folder,
        f"{name}-cut",
        changed_after(module_folder / f"{name}-bars", SATURDAY),
    )
    first = first_difference(one, other)
    assert first is not None
    return first, bar(one, SATURDAY)


@pytest.mark.slow
def test_a_saturday_knows_nothing_of_the_week_that_ends_the_day_after(
    module_folder, strategy
) -> None:
    first, saturday = weeks_first_differ_at(strategy, module_folder, "weekly")
    assert saturday.day_name() == "Saturday"
    assert first > saturday


@pytest.mark.slow
@pytest.mark.usefixtures("uncertified")
def test_a_week_used_one_bar_early_is_seen_by_this_very_test(
    module_folder, strategy, monkeypatch
) -> None:
    monkeypatch.setattr(
        "engine.pipeline.feature_history.build_coarse_features", weeks_one_bar_early
    )
    first, saturday = weeks_first_differ_at(strategy, module_folder, "early")
    assert first <= saturday


# The leaking feature is no member of the union that the strategy is written down with.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.usefixtures("uncertified")
def test_a_leak_is_seen_by_this_very_test(module_folder, strategy) -> None:
    cut = 390
    leaking = strategy.model_copy(update={"features": (CentredMean(),), "name": "leak"})
    one = run(leaking, module_folder, "leak", module_folder / "market" / "market.yaml")
    other = run(
        leaking, module_folder, "leak-cut", changed_after(module_folder / "leak-bars", cut)
    )
    assert first_difference(one, other) <= bar(one, cut)


@pytest.mark.slow
def test_a_network_run_knows_nothing_of_what_comes_after(module_folder, strategy) -> None:
    from engine.models import Micdl

    network = strategy.model_copy(
        update={"model": Micdl(lookback=6, units=8, dense=(16, 8)), "name": "network"}
    )
    one = run(network, module_folder, "network", module_folder / "market" / "market.yaml")
    for cut in (444, 446):
        other = run(
            network,
            module_folder,
            f"network{cut}",
            changed_after(module_folder / f"net{cut}", cut),
        )
        first = first_difference(one, other)
        assert first is not None
        assert first > bar(one, cut)
