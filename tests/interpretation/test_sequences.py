"""Altered sequences ask a model the same as its rows do."""

from __future__ import annotations

import numpy as np
import pytest

from engine.interpretation.cell_groups import group_by_feature, group_by_steps, group_by_symbol
from engine.interpretation.sequences import Sequences, forecast_sequences
from engine.models import Forecaster, GradientBoosting, Persistence, Ridge
from tests.models.served_models import fit_model, make_feature_rows

AT = np.arange(320, 340)


@pytest.mark.parametrize(
    "model", [Ridge(lookback=4), GradientBoosting(lookback=4, trees=20), Persistence()], ids=str
)
@pytest.mark.parametrize("coarse", [False, True])
def test_sequences_are_forecast_as_their_rows(model: Forecaster, coarse: bool) -> None:
    fitted, rows = fit_model(model, coarse=coarse), make_feature_rows(coarse=coarse)
    sequences = Sequences.of(fitted.prepare(rows, AT), AT, fitted.lookback)

    found = forecast_sequences(fitted, sequences, 0)

    np.testing.assert_array_equal(found, fitted.predict(rows, AT).returns)


def test_cells_of_other_rows_take_the_place_of_own_ones() -> None:
    fitted, rows = fit_model(Ridge(lookback=4)), make_feature_rows()
    sequences = Sequences.of(fitted.prepare(rows, AT), AT, 4)
    groups = group_by_feature([["x", "y", "z"]], 4)

    mixed = sequences.mixed(sequences.take(AT[::-1] - AT[0]), groups[1].cells)

    np.testing.assert_array_equal(mixed.branches[0][:, :, 1], sequences.branches[0][::-1, :, 1])
    np.testing.assert_array_equal(mixed.branches[0][:, :, 0], sequences.branches[0][:, :, 0])


@pytest.mark.parametrize("group", [group_by_feature, group_by_steps, group_by_symbol])
def test_every_cell_is_in_one_group(group) -> None:
    groups = group([["A:x", "A:y", "B:x"], ["A:1w:x"]], 30)

    for branch in range(2):
        assert (sum(each.cells[branch].astype(int) for each in groups) == 1).all()


def test_blocks_of_steps_begin_with_the_newest_bar() -> None:
    groups = group_by_steps([["x"]], 30)

    assert [each.name for each in groups] == ["0", "1-4", "5-19", "20-29"]
    assert groups[0].cells[0][:, 0].tolist() == [False] * 29 + [True]
