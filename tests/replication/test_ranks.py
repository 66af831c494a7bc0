"""Tables of ranks: from rows, from printed ranks, and their contradictions."""

from __future__ import annotations

import numpy as np
import pytest

from engine.replication.livieris2021.consistency import find_mislabelled_tables
from engine.replication.livieris2021.forecast_scores import NetworkScores
from engine.replication.livieris2021.published import PublishedRank
from engine.replication.livieris2021.ranks import Ranking, build_rank_tables, printed_decimals
from engine.replication.livieris2021.render_ranks import render_ranks
from engine.replication.livieris2021.scores import SCORES

MODELS = ("Model1", "Model2", "MICDL")


def rows() -> list[NetworkScores]:
    """Six problems: Model1 has the lowest errors, MICDL the highest of all other scores."""
    rng = np.random.default_rng(5)
    scores_by_row = []
    for problem in range(6):
        for position, model in enumerate(MODELS):
            noise = 0.01 * rng.random(len(SCORES))
            scores = {
                score: (position + 1.0) + float(noise[number])
                for number, score in enumerate(SCORES)
            }
            runs = {score: [value, value + 0.002] for score, value in scores.items()}
            scores_by_row.append(NetworkScores(f"coin {problem}", model, 7, scores, runs))
    return scores_by_row


def table(ranks: dict[str, float], p_values: dict[str, float | None]) -> list[PublishedRank]:
    return [
        PublishedRank(model=model, rank=ranks[model], p_finner=p_values[model], h0="accepted")
        for model in MODELS
    ]


LOWER = {"Model1": 3.5, "Model2": 9.5, "MICDL": 15.5}
MICDL = 0.000198
P_VALUES = {"Model1": None, "Model2": 0.051576, "MICDL": MICDL}


def test_the_best_model_is_the_control() -> None:
    ranking = Ranking.from_average_ranks(LOWER, 6)
    assert ranking.p_finner["Model1"] is None
    # z = 6 / sqrt(3 (18 + 1) / 6); the larger of two p-values is left as it is.
    assert ranking.p_finner["Model2"] == pytest.approx(0.051576, abs=5e-7)
    # z is twice that, and 1 - (1 - p)^2.
    assert ranking.p_finner["MICDL"] == pytest.approx(MICDL, abs=5e-7)


def test_errors_rank_low_and_other_scores_high() -> None:
    tables = {t.metric: t for t in build_rank_tables(rows(), [table(LOWER, P_VALUES)] * 6)}
    assert min(tables["mae"].ours.rank, key=tables["mae"].ours.rank.get) == "Model1"
    assert min(tables["auc"].ours.rank, key=tables["auc"].ours.rank.get) == "MICDL"


def test_a_printed_table_is_assigned_to_the_nearest_score() -> None:
    upper = dict(zip(MODELS, (15.5, 9.5, 3.5), strict=True))
    printed = [table(LOWER, P_VALUES), *[table(upper, P_VALUES)] * 5]
    tables = build_rank_tables(rows(), printed)
    assert [(t.metric, t.number) for t in tables if t.number == 1] == [("mae", 1)]
    assert {t.metric for t in tables if t.number != 1} >= {"rmse", "r2"}
    assert next(t for t in tables if t.metric == "rmse").number is None
    assert all(t.rank_matches(model) for t in tables if t.number for model in MODELS)


def notes_of_first_table(p_values: dict[str, float | None]) -> list[str]:
    tables = build_rank_tables(rows(), [table(LOWER, p_values)] * 6)
    return find_mislabelled_tables([next(t for t in tables if t.number == 1)])


def test_a_table_that_follows_from_its_ranks_has_no_note() -> None:
    assert notes_of_first_table({"Model1": None, "Model2": 0.051576, "MICDL": MICDL}) == []


def test_a_control_that_is_not_the_best_is_named() -> None:
    (note,) = notes_of_first_table({"Model1": 0.051576, "Model2": None, "MICDL": MICDL})
    assert "printed as Model2, but the lowest rank is Model1's" in note


def test_swapped_p_values_are_named() -> None:
    (note,) = notes_of_first_table({"Model1": None, "Model2": MICDL, "MICDL": 0.051576})
    assert "Model2 and MICDL are printed in each other's row" in note


def test_models_worse_than_the_best_are_named() -> None:
    text = render_ranks(build_rank_tables(rows(), [table(LOWER, P_VALUES)] * 6), [])
    flat = " ".join(text.split())
    assert "On our rows, at 0.05: MICDL is worse than Model1 in MAE (p = 0.000);" in flat
    assert "Model2 is worse than" not in flat


@pytest.mark.parametrize(
    ("value", "least", "digits"), [(8.4167, 3, 4), (11.5, 3, 3), (0.7142, 0, 4), (None, 5, 5)]
)
def test_decimals_are_the_printed_ones(value, least, digits) -> None:
    assert printed_decimals(value, least) == digits
