"""The prediction of a row depends on its sequence alone, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models import TrainingSpec
from tests.models.planted_data import WITHOUT_KERAS, change, fit_and_predict, planted

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.parametrize("model", WITHOUT_KERAS, ids=repr),
]


def test_later_rows_do_not_change_a_prediction(model) -> None:
    window = planted()
    later = np.arange(len(window.target)) > window.test[40]
    noise = np.random.default_rng(9).normal(size=window.inputs.inputs.shape).astype(np.float32)
    changed = change(
        window,
        target=np.where(later, 7.0, window.target),
        inputs=np.where(later[:, None], noise, window.inputs.inputs),
        trailing=np.where(later, 7.0, window.inputs.trailing),
    )
    before, after = fit_and_predict(model, window), fit_and_predict(model, changed)
    assert after.train.tobytes() == before.train.tobytes()
    assert after.validation.tobytes() == before.validation.tobytes()
    assert after.test[:41].tobytes() == before.test[:41].tobytes()


def test_a_row_is_predicted_the_same_alone_in_any_order_and_among_others(model) -> None:
    window = planted()
    fitted = model.fit(window.training_set, TrainingSpec(), seed=1)
    together = fitted.predict(window.inputs, window.test).returns
    alone = [fitted.predict(window.inputs, row[None]).returns for row in window.test]
    assert np.concatenate(alone).tobytes() == together.tobytes()
    order = np.random.default_rng(4).permutation(len(window.test))
    shuffled = fitted.predict(window.inputs, window.test[order]).returns
    assert shuffled.tobytes() == together[order].tobytes()
    twice = fitted.predict(window.inputs, np.repeat(window.test, 2)).returns
    assert twice.tobytes() == np.repeat(together, 2).tobytes()
    every = fitted.predict(window.inputs, np.arange(model.lookback - 1, len(window.target)))
    assert every.returns[-len(together) :].tobytes() == together.tobytes()


def test_the_training_set_and_all_inputs_give_a_row_the_same_prediction(model) -> None:
    window = planted()
    known = window.training_set
    fitted = model.fit(known, TrainingSpec(), seed=1)
    one, other = (fitted.predict(inputs, known.train).returns for inputs in (known, window.inputs))
    assert one.tobytes() == other.tobytes()


def test_no_rows_give_no_predictions(model) -> None:
    window = planted()
    fitted = model.fit(window.training_set, TrainingSpec(), seed=1)
    assert fitted.predict(window.inputs, window.test[:0]).returns.shape == (0,)
