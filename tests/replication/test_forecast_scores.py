"""Rows of the forecast tables, naive rules, and checks of the rows."""

from __future__ import annotations

import numpy as np
import pytest

from engine.replication.livieris2021.consistency import count_level_trap, find_contradictions
from engine.replication.livieris2021.forecast_scores import NetworkScores, score_naive_rules
from engine.replication.livieris2021.prices import read_closes
from engine.replication.livieris2021.protocol import PaperProtocol
from engine.replication.livieris2021.scores import SCORES
from tests.replication.papers import compared


def row(paper: dict[str, float], runs: dict[str, list[float | None]]) -> NetworkScores:
    return NetworkScores("BTC", "MICDL", 7, {**dict.fromkeys(SCORES, 0.0), **paper}, runs)


def test_a_row_has_the_mean_and_deviation_of_its_runs() -> None:
    scores = row({}, {"mae": [1.0, 2.0, 3.0], "auc": [0.5, None, 0.5]})
    assert scores.mean == {"mae": 2.0, "auc": None}
    assert scores.std == {"mae": 1.0, "auc": None}


def test_a_single_run_has_no_deviation() -> None:
    scores = row({"mae": 1.0}, {"mae": [1.0]})
    assert scores.std == {"mae": None}
    assert not scores.is_near("mae")


@pytest.mark.parametrize(("paper", "near"), [(4.0, True), (4.0004, True), (4.001, False)])
def test_near_is_within_two_deviations_and_the_papers_rounding(paper, near) -> None:
    assert row({"mae": paper}, {"mae": [1.0, 2.0, 3.0]}).is_near("mae") is near


@pytest.mark.parametrize(("paper", "near"), [(3.1, True), (3.2, False)])
def test_near_the_mean_is_within_two_of_its_standard_errors(paper, near) -> None:
    scores = row({"mae": paper}, {"mae": [1.0, 2.0, 3.0]})  # 2 + 2 / sqrt(3) = 3.155
    assert scores.is_near("mae", of_the_mean=True) is near


def test_scores_of_naive_rules(paper) -> None:
    closes = read_closes(paper, PaperProtocol())
    btc = closes["BTC"].to_numpy()
    differences = np.diff(btc)
    still, drift, up = (each.scores for each in score_naive_rules(closes, PaperProtocol())[:3])
    tested = differences[1246:]
    assert still["mae"] == pytest.approx(np.abs(tested).mean())
    assert still["specificity"] == 1.0
    assert drift["mae"] == pytest.approx(np.abs(tested - differences[:1152].mean()).mean())
    assert up["accuracy_pct"] == pytest.approx(100 * np.mean(tested[1:] > 0))
    assert (up["mae"], up["r2"], up["gm"], up["auc"]) == (None, None, 0.0, 0.5)


def test_rows_that_beat_naive_rules_are_counted(paper) -> None:
    found = compared(paper, runs=1)
    by_rule = {(each.symbol, each.rule): each.scores for each in found.naive_rules}
    trap = count_level_trap(found.forecasts, found.naive_rules)
    assert (trap["rows"], trap["fits"]) == (18, 18)
    assert trap["ours"]["mae_below_persistence"] == sum(
        each.mean["mae"] < by_rule[each.symbol, "Persistence"]["mae"] for each in found.forecasts
    )
    assert trap["ours"]["accuracy_above_always_up"] == sum(
        each.mean["accuracy_pct"] > by_rule[each.symbol, "Always up"]["accuracy_pct"]
        for each in found.forecasts
    )


def test_random_forecasts_have_a_high_price_r2_without_skill(paper) -> None:
    found = compared(paper, runs=2)
    for each in found.forecasts:
        high = sum(r2 >= 0.9 for r2 in each.runs["r2"])
        assert each.trapped <= high
        assert high - each.trapped <= 1  # a random forecast is significant 1 time in 20
    assert found.level_trap["fits_trapped"] == sum(each.trapped for each in found.forecasts) > 0


def test_scores_of_our_runs_are_consistent(paper) -> None:
    """The identities that the printed rows have to meet hold for our rows."""
    found = compared(paper, runs=3)
    closes = read_closes(paper, PaperProtocol())
    ours = [NetworkScores(r.symbol, r.model, r.lag, r.mean, r.runs) for r in found.forecasts]
    assert find_contradictions(closes, PaperProtocol(), ours) == []


@pytest.mark.parametrize(
    ("score", "change", "message"),
    [
        ("accuracy_pct", 1.0, "but its Sen and Spe give"),
        ("auc", 0.01, "not half of Sen + Spe"),
        ("r2", 0.1, "at most"),
    ],
)
def test_an_impossible_score_is_a_contradiction(paper, score, change, message) -> None:
    closes = read_closes(paper, PaperProtocol())
    first = compared(paper, runs=1).forecasts[0]
    wrong = {**first.mean, score: first.mean[score] + change}
    (contradiction,) = find_contradictions(
        closes,
        PaperProtocol(),
        [NetworkScores(first.symbol, first.model, first.lag, wrong, first.runs)],
    )
    assert contradiction.startswith("BTC Model1 lag 7: ")
    assert message in contradiction
