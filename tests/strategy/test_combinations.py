"""Choices that exclude each other are refused before a run, with their line in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.core.errors import StrategyError
from engine.strategy import load_strategy

if TYPE_CHECKING:
    from pathlib import Path

SEVERAL = "{horizons: [1, 5], strategy: multi_output}"
STEPS = "{horizons: [1, 5], strategy: recursive}"
QUANTILES = "{loss: {kind: quantile}}"


def strategy(folder: Path, **keys: str) -> Path:
    lines = {"name": "x", "data": "{dataset: us-indices}", "model": "{kind: lstm}"} | keys
    file = folder / "x.yaml"
    file.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return file


@pytest.mark.parametrize(
    "keys",
    [
        {"target": SEVERAL},
        {"target": STEPS},
        {"target": SEVERAL, "training": QUANTILES},
        {"target": SEVERAL, "training": "{loss: {kind: sharpe}}"},
        {"target": "{horizons: [1, 5]}", "model": "{kind: ridge}"},
        {"training": QUANTILES, "sizing": "{kind: interval}"},
        {
            "training": "{loss: {kind: quantile, levels: [0.05, 0.5, 0.95]}}",
            "sizing": "{kind: interval, low: 0.05, high: 0.95}",
        },
    ],
    ids=str,
)
def test_settings_that_fit_together_are_accepted(tmp_path: Path, keys: dict[str, str]) -> None:
    load_strategy(strategy(tmp_path, **keys))


@pytest.mark.parametrize(
    ("keys", "path", "said"),
    [
        (
            {"target": SEVERAL, "model": "{kind: ridge}"},
            "model",
            "a network for `target.strategy: multi_output`; ridge forecasts one horizon a fit, "
            "which is `target.strategy: direct`",
        ),
        (
            {"target": STEPS, "model": "{kind: gradient_boosting}"},
            "model",
            "a network for `target.strategy: recursive`; gradient_boosting forecasts one horizon",
        ),
        (
            {"target": STEPS, "training": QUANTILES},
            "training",
            "another loss than quantile for `target.strategy: recursive`: iterating medians gives "
            "no distribution over several bars",
        ),
        (
            {"target": STEPS, "training": "{loss: {kind: sharpe}}"},
            "training",
            "another loss than sharpe for `target.strategy: recursive`: its forecasts have no "
            "size",
        ),
        (
            {"sizing": "{kind: interval}"},
            "sizing",
            "with the levels 0.1 and 0.9, for an interval to size by; the loss is mse",
        ),
        (
            {"training": QUANTILES, "sizing": "{kind: interval, low: 0.05, high: 0.95}"},
            "sizing",
            "with the levels 0.05 and 0.95, for an interval to size by; the loss has the levels "
            "0.1, 0.5, 0.9",
        ),
        (
            {"model": "{kind: ridge}", "training": QUANTILES, "sizing": "{kind: interval}"},
            "sizing",
            "a network, which forecasts quantiles, for an interval to size by; ridge forecasts "
            "none",
        ),
        (
            {"target": "{horizon: 2, horizons: [1, 5]}"},
            "target",
            "horizons must ascend and include the traded one, horizon: 2",
        ),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    tmp_path: Path, keys, path: str, said: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        load_strategy(strategy(tmp_path, **keys))
    (mistake,) = caught.value.mistakes
    assert mistake.path == path
    assert said in mistake.expected
