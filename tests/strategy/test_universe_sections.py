"""Several target symbols, their portfolio and scope: what a file takes, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.core.errors import StrategyError
from engine.strategy import load_strategy
from engine.trials import hash_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from engine.strategy import Strategy


TUNED = "{space: {model.lookback: {kind: integer, low: 1, high: 3}}}"


def load(folder: Path, data: str = "targets: all", **sections: str) -> Strategy:
    file = folder / "mine.yaml"
    lines = ["name: mine", f"data: {{dataset: us-indices, {data}}}", "model: {kind: ridge}"]
    lines += [f"{name}: {value}" for name, value in sections.items()]
    file.write_text("\n".join(lines))
    return load_strategy(file)


def test_a_list_or_all_symbols(tmp_path: Path) -> None:
    assert load(tmp_path).data.targets == "all"
    assert load(tmp_path, "targets: [SP500, NASDAQ]").data.targets == ("SP500", "NASDAQ")


@pytest.mark.parametrize(
    ("data", "sections", "reason"),
    [
        ("target: SP500, targets: all", {}, "either `target` or `targets`"),
        ("targets: []", {}, "the list is empty"),
        ("targets: [A, B, A]", {}, "A is there twice"),
        ("targets: NASDAQ", {}, "`all`, or a list of symbols such as [NASDAQ]"),
        ("target: SP500", {"portfolio": "{rebalance: weekly}"}, "one symbol has the whole book"),
        ("target: SP500", {"scope": "pooled", "inputs": "target"}, "`data.targets`"),
        ("targets: all", {"scope": "pooled"}, "`inputs: target`"),
        (
            "targets: all",
            {"scope": "pooled", "inputs": "target", "tune": TUNED},
            "no tune of a pooled model",
        ),
        (
            "targets: all",
            {"scope": "pooled", "inputs": "target", "training": "{loss: {kind: sharpe}}"},
            "another loss than sharpe",
        ),
        (
            "targets: all",
            {"training": "{loss: {kind: sharpe}}", "inputs": "target", "scope": "pooled"},
            "alternate between the symbols",
        ),
        (
            "targets: all",
            {"portfolio": "{allocation: {kind: top_k}}", "signal": "{kind: quantile}"},
            "no `signal`",
        ),
        (
            "targets: all",
            {"portfolio": "{allocation: {kind: long_short}}", "sizing": "{kind: proportional}"},
            "a fixed `sizing`",
        ),
        ("targets: all", {"portfolio": "{rebalance: daily}"}, "weekly"),
        ("targets: all", {"portfolio": "{rebalance: 0}"}, "at least 1"),
        ("targets: all", {"portfolio": "{min_change: 0.2, max_turnover: 0.1}"}, "no weight could"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_reason(
    data: str, sections: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(StrategyError) as caught:
        load(tmp_path, data, **sections)
    assert reason in str(caught.value)


def test_the_defaults_are_the_idea_that_earlier_versions_had(tmp_path: Path) -> None:
    plain = load(tmp_path, "target: SP500").model_dump(mode="json")
    earlier = {key: value for key, value in plain.items() if key not in {"portfolio", "scope"}}
    assert hash_configuration(plain) == hash_configuration(earlier)
    assert {"portfolio", "scope"}.isdisjoint(load(tmp_path, "target: SP500").identity())


def test_another_portfolio_or_scope_is_another_idea(tmp_path: Path) -> None:
    ideas = {
        hash_configuration(load(tmp_path, inputs="target", **sections).model_dump(mode="json"))
        for sections in ({}, {"scope": "pooled"}, {"portfolio": "{rebalance: weekly}"})
    }
    assert len(ideas) == 3


def test_what_decides_nothing_is_no_part_of_the_identity(tmp_path: Path) -> None:
    alone = load(tmp_path, "target: SP500").identity()
    assert load(tmp_path, "targets: [SP500]").identity() == alone
    several = load(tmp_path, "targets: [SP500, NASDAQ]").identity()
    assert load(tmp_path, "targets: [NASDAQ, SP500]").identity() == several != alone
    assert load(tmp_path, "target: SP500", capital="1000").identity() == alone
    minimum = "{kind: itemised, commission: {kind: bps, bps: 1, minimum: 1}}"
    small, large = (
        load(tmp_path, capital=capital, costs=minimum).identity()
        for capital in ("10000", "1000000")
    )
    assert small != large
