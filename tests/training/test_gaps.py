"""Training sets without the bars between their rows."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models.dataset import CoarseInputs, TrainingSet
from engine.training.gaps import hide_gaps

ROWS, LOOKBACK = 60, 3
TRAIN, VALIDATION = np.array([4, 5, 6, 20, 21, 40]), np.array([50, 51])


def made_up(*, horizons: tuple[int, ...], recursive: bool) -> TrainingSet:
    rng = np.random.default_rng(1)
    count = ROWS + recursive
    return TrainingSet(
        inputs=rng.standard_normal((count, 2)).astype(np.float32),
        target=rng.standard_normal(count)
        if recursive
        else rng.standard_normal((count, len(horizons))),
        trailing=rng.standard_normal(count),
        groups=((0, 1),),
        train=TRAIN,
        validation=VALIDATION,
        horizons=horizons,
        recursive=recursive,
        coarse=(
            CoarseInputs(
                inputs=rng.standard_normal((14, 2)).astype(np.float32),
                latest=np.arange(count) // 5 + LOOKBACK - 1,
                groups=((0, 1),),
            ),
        ),
    )


def finite_rows(values: np.ndarray) -> set[int]:
    return set(np.flatnonzero(np.isfinite(values.reshape(len(values), -1)).all(axis=1)).tolist())


@pytest.mark.parametrize(
    ("recursive", "inputs", "labels"), [(False, range(-2, 1), [0]), (True, range(-2, 2), range(4))]
)
def test_what_no_row_reads_is_hidden_and_the_rest_is_kept(recursive, inputs, labels) -> None:
    """A recursive label is the next bar's inputs, and the returns up to the longest horizon."""
    whole = made_up(horizons=(1, 4), recursive=recursive)
    hidden = hide_gaps(whole, LOOKBACK)
    rows = [*TRAIN.tolist(), *VALIDATION.tolist()]
    assert finite_rows(hidden.inputs) == {row + each for row in rows for each in inputs}
    assert finite_rows(hidden.target) == {row + each for row in rows for each in labels}
    assert finite_rows(hidden.trailing) == set(rows)
    newest = whole.coarse[0].latest[rows].tolist()
    assert finite_rows(hidden.coarse[0].inputs) == {row - b for row in newest for b in range(3)}
    for name in ("inputs", "target", "trailing"):
        kept = np.isfinite(getattr(hidden, name))
        np.testing.assert_array_equal(getattr(hidden, name)[kept], getattr(whole, name)[kept])


def test_sequences_and_realised_returns_are_those_of_the_whole_set() -> None:
    whole = made_up(horizons=(1, 4), recursive=True)
    hidden = hide_gaps(whole, LOOKBACK)
    for rows in (TRAIN, VALIDATION):
        for one, two in zip(
            hidden.branch_sequences(rows, LOOKBACK),
            whole.branch_sequences(rows, LOOKBACK),
            strict=True,
        ):
            np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(hidden.realised_returns(rows), whole.realised_returns(rows))
