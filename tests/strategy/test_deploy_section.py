"""The section `deploy` of a strategy file: what it takes, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.core.errors import StrategyError
from engine.strategy import load_strategy
from engine.trials import hash_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from engine.strategy import Strategy

NETWORK = "{kind: lstm, lookback: 20}"
DISTIL = "{distil: {kind: lstm, units: 16}}"


def load(folder: Path, deploy: str = "", model: str = NETWORK, more: str = "") -> Strategy:
    file = folder / "mine.yaml"
    lines = ["name: mine", "data: {dataset: us-indices}", f"model: {model}", more]
    file.write_text("\n".join([*lines, f"deploy: {deploy}" if deploy else ""]))
    return load_strategy(file)


def test_without_the_section_models_are_served_as_fitted(tmp_path: Path) -> None:
    assert load(tmp_path).deploy is None


def test_all_of_it_together(tmp_path: Path) -> None:
    text = "{precision: int8, prune: 0.5, distil: {kind: lstm, units: 16}, max_change: 2}"
    deploy = load(tmp_path, text).deploy
    assert (deploy.precision, deploy.prune, deploy.max_change) == ("int8", 0.5, 2)
    assert (deploy.distil.units, deploy.student_of(load(tmp_path).model).lookback) == ((16,), 20)


@pytest.mark.parametrize(
    ("deploy", "model", "more", "reason"),
    [
        ("{prune: 1}", NETWORK, "", "below 1"),
        ("{precision: int4}", NETWORK, "", "int8"),
        ("{distil: {kind: ridge}}", NETWORK, "", "ridge is none"),
        ("{distil: {kind: lstm, lookback: 21}}", NETWORK, "", "lookback of at most 20"),
        ("{precision: int8}", "{kind: ridge}", "", "ridge is fitted in seconds"),
        ("{precision: int8}", "{kind: gradient_boosting}", "", "no weight matrices"),
        (DISTIL, NETWORK, "training: {loss: {kind: quantile}}", "no `distil` with the loss"),
        (DISTIL, NETWORK, "target: {horizons: [1, 2], strategy: recursive}", "forecasts its inpu"),
    ],
)
def test_refuses(tmp_path: Path, deploy: str, model: str, more: str, reason: str) -> None:
    with pytest.raises(StrategyError) as caught:
        load(tmp_path, deploy, model, more)
    (mistake,) = caught.value.mistakes
    assert mistake.path.startswith("deploy")
    assert reason in mistake.expected


def test_a_deployed_variant_is_another_look_and_another_run(tmp_path: Path) -> None:
    plain, int8, pruned = (load(tmp_path, d) for d in ("", "{precision: int8}", "{prune: 0.1}"))
    hashes = {hash_configuration(each.model_dump(mode="json")) for each in (plain, int8, pruned)}
    assert len(hashes) == 3
    assert plain.identity() != int8.identity()


def test_strategies_of_earlier_versions_keep_their_identity(tmp_path: Path) -> None:
    plain = load(tmp_path)
    tree = plain.model_dump(mode="json")
    earlier = {key: value for key, value in tree.items() if key != "deploy"}
    assert hash_configuration(tree) == hash_configuration(earlier)
    assert "deploy" not in plain.identity()
