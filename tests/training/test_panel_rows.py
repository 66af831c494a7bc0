"""The rows of a panel that are a symbol's own, in the splits of the panel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from engine.splits.walk_forward import WalkForwardWindow
from engine.training.panel_rows import PanelRows
from tests.hypothesis_examples import examples

INDEX = pd.date_range("2020-01-01", periods=300, freq="D", tz="UTC")
WINDOW = WalkForwardWindow(0, range(20, 150), range(153, 190), range(193, 240))


def panel_of(
    present: np.ndarray, members: np.ndarray | None = None, horizon: int = 3
) -> PanelRows:
    def wide(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame({"A": values}, index=INDEX)

    everyone = np.ones(300, dtype=bool)
    return PanelRows(
        wide(present),
        wide(everyone if members is None else members),
        wide(present),
        10,
        12,
        horizon,
    )


def test_rows_of_a_symbol_with_all_bars_are_those_of_the_window() -> None:
    own = panel_of(np.ones(300, dtype=bool)).split("A", WINDOW)
    assert (own.train, own.validation, own.test) == (WINDOW.train, WINDOW.validation, WINDOW.test)


def test_own_rows_are_counted_without_absences_and_after_the_warm_up() -> None:
    present = np.ones(300, dtype=bool)
    present[:100] = False
    panel = panel_of(present)
    own = panel.split("A", WINDOW)
    assert own.train == range(10, 50)
    assert panel.place("A", own.train).tolist() == list(range(110, 150))
    assert own.test == range(93, 140)


def test_a_return_over_a_halt_is_not_trained_on_when_it_ends_in_a_later_part() -> None:
    present = np.ones(300, dtype=bool)
    present[149:152] = False  # the purge of three bars is shorter than three own bars now
    panel = panel_of(present)
    own = panel.split("A", WINDOW)
    ends = panel.own_rows("A")[np.array(own.train) + 3]
    assert ends.max() < WINDOW.validation.start
    assert panel.place("A", own.train)[-1] == 146


def test_no_row_without_membership_is_trained_on_and_none_is_forecast() -> None:
    members = np.ones(300, dtype=bool)
    members[60:90] = members[200:210] = False
    panel = panel_of(np.ones(300, dtype=bool), members)
    assert not set(range(60, 90)) & set(np.asarray(panel.split("A", WINDOW).train).tolist())
    due = panel.forecast_rows("A", WINDOW.test)
    assert np.flatnonzero(~due).tolist() == list(range(7, 17))


def test_a_symbol_with_few_train_rows_is_not_fitted() -> None:
    present = np.zeros(300, dtype=bool)
    present[115:] = True
    assert not panel_of(present).split("A", WINDOW).is_fitted
    short = WalkForwardWindow(0, range(130, 150), range(153, 190), range(193, 240))
    assert panel_of(present).split("A", short).is_fitted


@st.composite
def masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    present, members = rng.random((2, 300)) > draw(st.sampled_from([0.02, 0.3, 0.7]))
    return present, members, int(rng.integers(193, 240)), draw(st.integers(1, 6))


@examples(60)
@given(masks(), st.integers(0, 2**32 - 1))
def test_no_row_before_a_test_part_depends_on_what_is_absent_after_it(
    case: tuple[np.ndarray, np.ndarray, int, int], seed: int
) -> None:
    present, members, cut, horizon = case
    rng = np.random.default_rng(seed)
    later = [
        np.concatenate([each[: cut + 1], rng.random(299 - cut) > 0.5])
        for each in (present, members)
    ]
    real, other = panel_of(present, members, horizon), panel_of(*later, horizon)
    for part in ("train", "validation"):
        one, two = (np.asarray(getattr(each.split("A", WINDOW), part)) for each in (real, other))
        assert one.tolist() == two.tolist()
    count = cut + 1 - WINDOW.test.start
    known = [each.forecast_rows("A", WINDOW.test)[:count].tolist() for each in (real, other)]
    assert known[0] == known[1]
    absences = [each.absences(WINDOW.test).at(slice(0, count)) for each in (real, other)]
    assert absences[0].absent.tolist() == absences[1].absent.tolist()


def test_the_first_rows_alone_give_the_same_split() -> None:
    present = np.ones(300, dtype=bool)
    present[140:147] = False
    whole = panel_of(present)
    for part in ("train", "validation"):
        one, two = (
            getattr(each.split("A", WINDOW), part) for each in (whole, whole.first_rows(193))
        )
        assert list(one) == list(two)
