"""A strategy names a column of the dataset's groups, which stands for the groups themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.models.networks.hierarchical import Hierarchical
from engine.pipeline.prepare import prepare_data
from engine.selftest.generated_panel import generate_panel
from engine.strategy import Strategy, load_strategy

if TYPE_CHECKING:
    from pathlib import Path

DATASET = """
name: mine
interval: 1d
calendar: 24/7
symbols: [A, B, C, D]
groups: {file: groups.csv}
sources: [{kind: files, path: .}]
"""

STRATEGY = """
name: grouped
data: {dataset: DATASET, targets: TARGETS}
inputs: target
features: [{kind: log_return}]
model: MODEL
SCOPE
portfolio: {groups: PORTFOLIO, max_group_weight: 0.4}
"""

WRITTEN_OUT = "{one: [A, C], two: [B]}"


def load(
    folder: Path,
    *,
    groups: str = "sector",
    of_model: str = "{kind: ridge}",
    targets: str = "all",
) -> Strategy:
    (folder / "mine.yaml").write_text(DATASET)
    (folder / "groups.csv").write_text("symbol,sector\nA,one\nB,two\nC,one\nD,\n")
    text = STRATEGY.replace("DATASET", str(folder / "mine.yaml")).replace("MODEL", of_model)
    text = text.replace("SCOPE", "scope: joint" if "hierarchical" in of_model else "")
    text = text.replace("PORTFOLIO", groups).replace("TARGETS", targets)
    (folder / "grouped.yaml").write_text(text)
    return load_strategy(folder / "grouped.yaml")


def test_a_column_is_the_same_strategy_as_its_groups_written_out(tmp_path: Path) -> None:
    by_column, written = load(tmp_path), load(tmp_path, groups=WRITTEN_OUT)
    assert by_column.portfolio.named_groups == {"one": ("A", "C"), "two": ("B",)}
    assert by_column.identity() == written.identity()


def test_a_hierarchical_model_takes_a_column(tmp_path: Path) -> None:
    model = load(tmp_path, of_model="{kind: hierarchical, groups: sector}").model
    assert isinstance(model, Hierarchical)
    assert model.groups == {"one": ("A", "C"), "two": ("B",)}


def test_groups_have_the_traded_symbols_alone(tmp_path: Path) -> None:
    groups = load(tmp_path, targets="[A, B]").portfolio.named_groups
    assert groups == {"one": ("A",), "two": ("B",)}
    with pytest.raises(UsageError, match="no symbol that is traded is in a group"):
        load(tmp_path, targets="[D]")


def test_a_column_that_was_not_read_is_refused_before_any_training() -> None:
    sections: dict[str, Any] = {
        "name": "mine",
        "data": {"dataset": "generated", "targets": "all"},
        "inputs": "target",
        "features": [{"kind": "log_return"}],
        "windows": {"train": 100, "validation": 30, "test": 60},
        "model": {"kind": "ridge"},
        "portfolio": {"groups": "sector", "max_group_weight": 0.5},
    }
    spec = Strategy.model_validate(sections)
    with pytest.raises(UsageError, match="column of the dataset, which has not been read"):
        prepare_data(spec, generate_panel(np.random.default_rng(3)))
