"""Folders of earlier versions: what can be checked is, and the rest is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import engine
from engine.cli.main import app
from engine.core.errors import UsageError
from engine.core.stage_versions import STAGE_VERSIONS
from tests.runs.old_folder import write_old_run
from tests.verification.small_run import change_figure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_old_run(tmp_path / "run")


def test_what_another_version_computes_otherwise_is_told_and_no_difference(folder: Path) -> None:
    found = engine.verify(folder)
    steps = {step.name: step for step in found.steps}
    assert found.is_intact
    assert steps["files"].status == "not checked"
    assert steps["inputs"].status == "ok"
    assert steps["books"].status == "not checked"
    assert steps["books"].other_version.endswith(f"here {STAGE_VERSIONS['simulation']}")
    told = CliRunner().invoke(app, ["verify", str(folder), "--quiet"])
    assert told.exit_code == 2
    assert "cannot check the books" in told.stderr


def test_a_price_is_that_of_its_hash_in_any_version(folder: Path) -> None:
    change_figure("manifest", "dataset", "symbols", to=lambda symbols: {
        name: {**record, "sha256": "0" * 64} for name, record in symbols.items()
    })(folder)  # fmt: skip
    difference = engine.verify(folder).first_difference
    assert difference is not None
    assert difference.column.endswith(".sha256")


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        engine.verify(tmp_path)
    with pytest.raises(UsageError, match="not a run folder"):
        engine.verify(tmp_path / "absent")
