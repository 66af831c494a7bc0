"""The tearsheet's table of what each window chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.reporting.tearsheet import render_tearsheet
from engine.reporting.tearsheet.windows import make_tuning_table
from tests.reporting.page import changed

if TYPE_CHECKING:
    from engine.runs.run import Run

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def tuned(run: Run) -> Run:
    """Two fits a window that chose differently, one of them left out in the first window."""
    tune = {
        "metric": "sharpe",
        "sampler": "tpe",
        "splits": {"kind": "purged_kfold", "folds": 3, "embargo": 5},
        "space": {"training.loss": {}, "model.units": {}, "model.dropout": {}},
    }
    windows = []
    for window in run.manifest["windows"]:
        chosen = [
            {"model.units": [32], "model.dropout": 0.123456, "training.loss": HOSTILE},
            {"model.units": [64], "model.dropout": 0.123456, "training.loss": {"kind": "mse"}},
        ]
        fits = [
            {**f, "trials": 20, "chosen": c} for f, c in zip(window["fits"], chosen, strict=True)
        ]
        if not windows:
            fits[0] = {"symbol": "SP500", "seed": 0, "failed": "the loss is not a number"}
        windows.append({**window, "fits": fits})
    strategy = run.manifest["strategy"] | {"tune": tune}
    manifest = {"windows": windows, "strategy": strategy, "tuning": {"trials": 1240}}
    return changed(run, manifest=manifest)


def test_the_tuning_table_has_a_column_per_parameter_and_a_row_per_window(tuned: Run) -> None:
    table = make_tuning_table(tuned.manifest)
    assert table is not None
    assert table.trial_count == "1,240\u00a0configurations"
    assert table.procedure == "sharpe over purged_kfold (embargo 5, folds 3), drawn by tpe"
    assert table.parameters == ("model.dropout", "model.units", "training.loss")
    assert len(table.rows) == len(tuned.manifest["windows"])
    assert table.rows[0][2:] == ("20", ("0.1235", "[64]", '{"kind": "mse"}'))
    assert table.rows[1][2:] == ("40", ("0.1235", "[32]; [64]", f'{HOSTILE}; {{"kind": "mse"}}'))


def test_chosen_parameters_are_escaped_on_the_page(tuned: Run) -> None:
    page = render_tearsheet(tuned)
    assert "one more chance to fit noise" in page
    assert HOSTILE not in page


def test_a_run_that_was_not_tuned_has_no_table(run: Run) -> None:
    assert make_tuning_table(run.manifest) is None
    assert 'id="tuning"' not in render_tearsheet(run)
