"""A market with too few symbols or closes for the portfolio is refused before any training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from engine.core.errors import UsageError
from engine.models import Ridge
from engine.pipeline.combinatorial_splits import prepare_combinatorial_data
from engine.pipeline.prepare import prepare_data
from engine.pipeline.traded_symbols import resolve_targets
from engine.strategy import Strategy
from engine.testing import make_market

if TYPE_CHECKING:
    from engine.pipeline.prepared_data import PreparedData

MARKET = make_market(300)
FIRST, _ = MARKET.symbols


def prepare(
    allocation: dict[str, Any], targets: object = "all", **sections: Any
) -> tuple[Strategy, PreparedData]:
    spec = Strategy(
        name="small",
        data={"dataset": "made-up", "targets": targets},
        windows={"train": 100, "validation": 40, "test": 50},
        **{"model": Ridge(), "portfolio": {"allocation": allocation}} | sections,
    )
    return spec, prepare_data(spec, MARKET)


@pytest.mark.parametrize(
    ("allocation", "targets", "expected"),
    [
        ({"kind": "long_short"}, (FIRST,), "2 target symbols"),
        ({"kind": "top_k", "count": 1}, (FIRST,), "2 target symbols"),
        ({"kind": "top_k", "count": 2}, "all", "3 target symbols"),
    ],
)
def test_ranks_need_symbols_to_choose_from(
    allocation: dict[str, Any], targets: object, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(allocation, targets)
    assert caught.value.where == "portfolio.allocation"
    assert caught.value.expected.startswith(expected)


def test_ranks_of_just_enough_symbols_are_traded() -> None:
    prepare({"kind": "long_short"})
    prepare({"kind": "top_k", "count": 1})


def test_volatilities_need_their_closes_before_the_first_out_of_sample_bar() -> None:
    first = prepare({"kind": "inverse_volatility", "window": 60})[1].tested.start
    prepare({"kind": "inverse_volatility", "window": first})
    with pytest.raises(UsageError) as caught:
        prepare({"kind": "inverse_volatility", "window": first + 1})
    error = caught.value
    assert error.where == "portfolio.allocation.window"
    assert (error.expected.split()[0], error.found) == (str(first + 2), str(first + 1))


def test_a_volatility_target_needs_its_closes() -> None:
    with pytest.raises(UsageError) as caught:
        prepare({"kind": "equal"}, portfolio={"volatility_target": {"annual": 0.1, "window": 900}})
    assert caught.value.where == "portfolio.volatility_target.window"
    assert caught.value.expected.startswith("901 closes")


def test_a_group_names_symbols_that_are_traded() -> None:
    groups = {"groups": {"a": [FIRST, "X"]}, "max_group_weight": 0.3}
    with pytest.raises(UsageError) as caught:
        prepare({"kind": "equal"}, portfolio=groups)
    assert (caught.value.where, caught.value.found) == ("portfolio.groups", "X")


@pytest.mark.parametrize("kind", ["equal_weight", "min_variance", "momentum"])
def test_a_benchmark_of_several_symbols_is_refused_for_one(kind: str) -> None:
    with pytest.raises(UsageError) as caught:
        prepare({"kind": "equal"}, (FIRST,), benchmarks=[{"kind": kind}])
    assert caught.value.where == "benchmarks"
    assert kind in caught.value.expected
    prepare({"kind": "equal"}, benchmarks=[{"kind": kind}])


@pytest.mark.parametrize(
    "sections",
    [
        {"portfolio": {"rebalance": "month_end"}},
        {"benchmarks": [{"kind": "short_term_reversal", "rebalance": "week_end"}]},
    ],
)
def test_a_calendar_that_does_not_know_the_bars_is_refused(sections: dict[str, Any]) -> None:
    """The bars begin before the holidays of New York are known."""
    early = MARKET.bars.assign(timestamp=MARKET.bars["timestamp"] - pd.Timedelta(days=365 * 60))
    spec = Strategy(
        name="small",
        data={"dataset": "made-up", "targets": "all"},
        windows={"train": 100, "validation": 40, "test": 50},
        model=Ridge(),
        **sections,
    )
    prepare_data(spec, replace(MARKET, bars=early))
    with pytest.raises(UsageError) as caught:
        prepare_data(spec, replace(MARKET, bars=early, calendar="XNYS"))
    assert caught.value.where == "portfolio.rebalance"


def test_sizes_need_theirs() -> None:
    with pytest.raises(UsageError) as caught:
        prepare({"kind": "equal"}, sizing={"kind": "volatility_target", "window": 900})
    assert caught.value.where == "sizing.window"


def test_combinatorial_paths_begin_where_the_closes_are_enough() -> None:
    spec, prepared = prepare(
        {"kind": "inverse_volatility", "window": 90}, paths={"groups": 4, "test_groups": 1}
    )
    paths = prepare_combinatorial_data(spec, prepared)
    assert paths.prepared.tested.start == 90


def test_a_list_of_one_is_the_run_of_that_target_where_an_offline_dataset_lacks_it() -> None:
    offline = replace(MARKET, provenance={"offline": True})
    alone, listed, several = (
        Strategy(name="small", data={"dataset": "made-up"} | data, model=Ridge())
        for data in ({"target": "X"}, {"targets": ("X",)}, {"targets": ("X", "Y")})
    )
    assert resolve_targets(listed, offline) == resolve_targets(alone, offline) == (FIRST,)
    assert resolve_targets(several, offline) == MARKET.symbols


def test_shares_that_cannot_add_up_to_the_whole_are_refused() -> None:
    few = {"kind": "min_variance", "window": 20}
    with pytest.raises(UsageError, match="no rebalancing has an optimum") as caught:
        prepare(few | {"max_share": 0.4})
    assert caught.value.where == "portfolio.allocation.max_share"
    prepare(few | {"max_share": 0.5})
    prepare({"kind": "mean_variance", "window": 20, "max_share": 0.4})


def test_a_group_of_a_network_names_symbols_that_are_traded() -> None:
    trunk = {"kind": "lstm", "units": [2]}
    model = {"kind": "hierarchical", "lookback": 5, "trunk": trunk, "groups": {"a": ["NONE"]}}
    with pytest.raises(UsageError, match="a group names a symbol that is not traded") as caught:
        prepare({"kind": "equal"}, inputs="target", scope="joint", model=model)
    assert caught.value.where == "model.groups"
