"""Models over several symbols: what a file takes, and what it refuses before any training."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.models import AssetAttention, Hierarchical
from engine.strategy import Strategy

TOP_K = {"allocation": {"kind": "top_k", "count": 1}}
LSTM = {"kind": "lstm", "lookback": 3}


def strategy(**sections: object) -> Strategy:
    given = {
        "name": "mine",
        "data": {"dataset": "us-indices", "targets": "all"},
        "inputs": "target",
        "model": {"kind": "ridge"},
    }
    return Strategy.model_validate(given | sections)


def reasons(**sections: object) -> str:
    with pytest.raises(ValidationError) as caught:
        strategy(**sections)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["top_k", "long_short"])
def test_ranks_are_for_allocations_that_compare_forecasts(kind: str) -> None:
    rank = {"transform": "rank"}
    allowed = strategy(target=rank, portfolio={"allocation": {"kind": kind}})
    assert allowed.target.compares_symbols
    assert "an allocation that compares forecasts" in reasons(target=rank)
    assert "an allocation that compares forecasts" in reasons(
        target=rank, portfolio={"allocation": {"kind": "proportional"}}
    )


def test_a_demeaned_return_may_be_compared_with_a_threshold() -> None:
    assert strategy(target={"transform": "demeaned"}).target.transform == "demeaned"


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        (
            {"data": {"dataset": "us-indices"}, "target": {"transform": "demeaned"}},
            "`data.targets` with several symbols",
        ),
        (
            {
                "model": LSTM,
                "target": {"transform": "demeaned", "strategy": "recursive"},
            },
            "only raw returns can be compounded",
        ),
        (
            {
                "model": LSTM,
                "target": {"transform": "rank"},
                "portfolio": TOP_K,
                "training": {"loss": {"kind": "sharpe"}},
            },
            "ranks are none",
        ),
        ({"scope": "joint"}, "a network for `scope: joint`; ridge"),
        (
            {"scope": "joint", "model": {"kind": "ensemble", "members": [LSTM]}},
            "a network for `scope: joint`; ensemble",
        ),
        ({"scope": "joint", "model": LSTM, "inputs": "all"}, "`inputs: target` for a joint"),
        (
            {"scope": "joint", "model": LSTM, "data": {"dataset": "us-indices"}},
            "`data.targets` with the symbols that a joint model",
        ),
        (
            {"scope": "joint", "model": LSTM, "training": {"loss": {"kind": "sharpe"}}},
            "those of all symbols at once",
        ),
        (
            {"scope": "pooled", "model": LSTM, "deploy": {"distil": {"kind": "asset_attention"}}},
            "`scope: joint` for asset_attention",
        ),
        (
            {
                "scope": "pooled",
                "model": {**LSTM, "symbol_embedding": 4},
                "deploy": {"distil": LSTM},
            },
            "no `distil` of a model with `symbol_embedding`",
        ),
        ({"model": {"kind": "asset_attention"}}, "`scope: joint` for asset_attention"),
        ({"model": {"kind": "hierarchical"}, "scope": "pooled"}, "`scope: joint` for"),
        ({"model": {**LSTM, "symbol_embedding": 4}}, "`scope: pooled` for `symbol_embedding`"),
        (
            {
                "scope": "pooled",
                "model": {"kind": "ensemble", "members": [{**LSTM, "symbol_embedding": 4}]},
            },
            "of the model itself",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_reason(
    sections: dict[str, object], reason: str
) -> None:
    assert reason in reasons(**sections)


def test_the_defaults_are_no_part_of_what_is_written() -> None:
    written = strategy(model=LSTM).model_dump(mode="json")
    assert "transform" not in written["target"]
    assert "symbol_embedding" not in written["model"]


def test_a_trunk_has_the_lookback_of_its_model() -> None:
    model = AssetAttention(lookback=7, trunk={"kind": "tcn"})
    assert model.trunk.lookback == 7
    assert AssetAttention.model_validate(model.model_dump(mode="json")) == model
    with pytest.raises(ValidationError, match="no `lookback` of the trunk, or 7"):
        AssetAttention(lookback=7, trunk={"kind": "lstm", "lookback": 5})


@pytest.mark.parametrize("trunk", [{"kind": "ridge"}, {"kind": "asset_attention"}])
def test_a_trunk_is_a_network_of_one_symbol(trunk: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="a network that reads one symbol"):
        Hierarchical(trunk=trunk)


def test_a_symbol_is_in_one_group_and_heads_divide_the_width() -> None:
    with pytest.raises(ValidationError, match="A has several"):
        Hierarchical(groups={"one": ("A", "B"), "two": ("A",)})
    with pytest.raises(ValidationError, match="make width a multiple"):
        AssetAttention(width=6, heads=4)
