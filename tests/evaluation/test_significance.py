from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.inference.sharpe_significance import deflated_sharpe, probabilistic_sharpe
from engine.evaluation.significance import assess_significance
from engine.runs.documents.significance_models import (
    ModelSections,
    PriceLevelFigures,
    SensitivityCell,
    SensitivityFigures,
    TimingFigures,
)
from engine.trials.effective_number import build_trial_set

if TYPE_CHECKING:
    from engine.evaluation.inference.trial_set import TrialSet
    from engine.runs.documents import Significance

SPEC = EvaluationSpec(resamples=400)
INFERENCE = {"estimate", "low", "high", "p_value", "p_value_holm", "block_length_bars"}
HAC = {"hac_low", "hac_high"}
PARTS = {
    *("method", "sharpe", "differences", "superiority", "trials", "track_record", "overfitting"),
    "verdict",
}


def books(**extra: np.ndarray) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    market = 0.01 * (generator.standard_normal(600) + 0.03)
    return pd.DataFrame(
        {
            "strategy": market * (generator.random(600) > 0.4),
            "buy_and_hold": market,
            **extra,
            "ridge": 0.01 * generator.standard_normal(600),
        },
        index=pd.date_range("2020-01-01", periods=600, tz="UTC", name="timestamp"),
    )


def surface(*, break_even: float | None, charged: float) -> SensitivityFigures:
    """A surface of one cell."""
    return SensitivityFigures(
        cost_bps=(charged,),
        delay_bars=(1,),
        threshold=(0.0,),
        threshold_unit="bps",
        sharpe=(((1.0,),),),
        break_even_cost_bps=break_even,
        chosen=SensitivityCell(cost_bps=charged, delay_bars=1, threshold=0.0),
    )


def document(returns: pd.DataFrame, seed: int = 0, **more: Any) -> Significance:
    rng = np.random.default_rng(seed)
    return assess_significance(returns, periods_per_year=365.0, spec=SPEC, rng=rng, **more)


def tried(own: pd.Series, others: int, *, noise: float) -> TrialSet:
    generator = np.random.default_rng(2)
    returns = {
        run: own + noise * generator.standard_normal(len(own)) for run in range(1, others + 1)
    }
    return build_trial_set(own, returns, runs=others + 1, failed=0, tuning=0, since="2024-01-01")


def test_the_document_has_its_parts_and_nothing_else() -> None:
    significance = document(books())
    assert set(significance) == {"schema_version", *PARTS}
    assert set(significance["method"]) == {
        *("bootstrap", "resamples", "confidence", "source", "adjustment")
    }
    assert list(significance["sharpe"]) == ["strategy", "buy_and_hold", "ridge"]
    assert all(set(each) == INFERENCE | HAC for each in significance["sharpe"].values())
    assert list(significance["differences"]) == ["buy_and_hold", "ridge"]
    assert all(set(each) == INFERENCE for each in significance["differences"].values())
    assert set(significance["verdict"]) == {"grade", "sentence"}


def test_p_values_of_differences_are_adjusted_over_the_benchmarks() -> None:
    differences = document(books())["differences"].values()
    smallest = min(differences, key=lambda each: each["p_value"])
    assert smallest["p_value_holm"] == min(1.0, 2 * smallest["p_value"])


def test_one_more_book_changes_no_other_books_figures() -> None:
    few = document(books())
    many = document(books(still=np.zeros(600)))
    # A book without a Sharpe ratio is not tested, so it costs the others nothing.
    assert {name: many["sharpe"][name] for name in few["sharpe"]} == few["sharpe"]
    assert {name: many["differences"][name] for name in few["differences"]} == few["differences"]


def test_the_same_seed_gives_the_same_document_and_another_seed_another() -> None:
    assert document(books()) == document(books())
    assert document(books()) != document(books(), seed=1)


def test_a_book_that_never_trades_is_null_not_nan() -> None:
    significance = document(books(still=np.zeros(600)))
    json.dumps(significance.as_dict(), allow_nan=False)
    assert set(significance["sharpe"]["still"].values()) == {None}
    assert set(significance["differences"]["still"].values()) == {None}


def test_a_strategy_that_never_trades_gets_no_evidence() -> None:
    returns = books()
    returns["strategy"] = 0.0
    significance = document(returns)
    json.dumps(significance.as_dict(), allow_nan=False)
    assert significance["verdict"]["grade"] == "none"
    assert significance["verdict"]["sentence"].startswith("No evidence")


def test_the_verdict_states_forecasts_without_skill() -> None:
    forecasts = {
        "r2_vs_persistence": -0.02,
        "directional_accuracy_pct": 50.0,
        "up_share_pct": 55.0,
    }
    text = document(books(), skill_scores=forecasts)["verdict"]["sentence"]
    assert text.count("show no skill") == 1
    assert "from 2020-01-01 to 2021-08-22" in text


def test_the_verdict_quotes_the_trap_instead_of_missing_skill() -> None:
    scores = {"r2_vs_persistence": -0.1, "directional_accuracy_pct": 1.0, "up_share_pct": 5.0}
    trap = ModelSections(price_level=PriceLevelFigures(present=True, sentence="It is the trap."))
    text = document(books(), skill_scores=scores, model_sections=trap)["verdict"]["sentence"]
    assert text.endswith("It is the trap.")
    assert "show no skill" not in text


def skilled() -> pd.DataFrame:
    returns = books()
    returns["strategy"] = np.abs(returns["buy_and_hold"]) * 0.5 - 0.001
    return returns


def test_clear_skill_is_graded_strong() -> None:
    significance = document(skilled())
    assert significance["verdict"]["grade"] == "strong"
    assert significance["superiority"]["benchmark"] == "buy_and_hold"
    assert "strategy" in significance["superiority"]["stepm"]


@pytest.mark.parametrize(
    ("section", "grade"),
    [
        ({"timing": TimingFigures(sharpe=0.01, p_value=0.2)}, "moderate"),
        ({"timing": None}, "strong"),
        ({"sensitivity": surface(break_even=29.0, charged=15.0)}, "moderate"),
        ({"sensitivity": surface(break_even=31.0, charged=15.0)}, "strong"),
        ({"sensitivity": surface(break_even=None, charged=15.0)}, "strong"),
        ({"sensitivity": surface(break_even=9.0, charged=0.0)}, "strong"),
    ],
)
def test_the_sections_on_timing_and_sensitivity_limit_the_grade(
    section: dict[str, Any], grade: str
) -> None:
    significance = document(skilled(), model_sections=ModelSections(**section))
    assert significance["verdict"]["grade"] == grade


def test_a_single_trial_is_not_deflated() -> None:
    returns = books()
    significance = document(returns, trials=tried(returns["strategy"], 0, noise=0.0))
    assert (significance["trials"]["distinct"], significance["trials"]["effective"]) == (1, 1)
    record = significance["track_record"]
    assert record["deflated_sharpe"] == record["probabilistic_sharpe"]
    assert record["probabilistic_sharpe"] == probabilistic_sharpe(returns["strategy"].to_numpy())
    assert record["expected_maximum_sharpe"] == 0.0
    assert significance["overfitting"] is None


def test_an_unknown_number_of_trials_is_stated() -> None:
    significance = document(books())
    assert significance["trials"] is None
    assert (
        "How many strategies were tried on these bars is not known"
        in (significance["verdict"]["sentence"])
    )


def test_independent_trials_deflate_the_sharpe_ratio_and_copies_do_not() -> None:
    returns = books()
    copies = document(returns, trials=tried(returns["strategy"], 8, noise=1e-5))
    others = document(returns, trials=tried(returns["strategy"], 8, noise=0.5))
    assert copies["trials"]["distinct"] == others["trials"]["distinct"] == 9
    alone = document(returns, trials=tried(returns["strategy"], 0, noise=0.0))
    assert copies["track_record"] == alone["track_record"]
    assert others["trials"]["effective"] == 9
    luckiest = others["track_record"]["expected_maximum_sharpe"]
    assert luckiest > 1.4 * (365 / 600) ** 0.5
    own = returns["strategy"].to_numpy()
    assert others["track_record"]["deflated_sharpe"] < probabilistic_sharpe(own) / 4
    assert others["overfitting"]["configurations"] == 9


def test_trials_with_similar_sharpe_ratios_still_deflate() -> None:
    returns = books()
    trials = tried(returns["strategy"], 3, noise=0.5)
    alike = replace(trials, sharpe_deviation=1e-9)
    record = document(returns, trials=alike)["track_record"]
    own = returns["strategy"].to_numpy()
    assert trials.noise_deviation
    assert record["deflated_sharpe"] == deflated_sharpe(own, 4, trials.noise_deviation)


def test_many_trials_lower_the_grade() -> None:
    returns = skilled()
    lucky = replace(tried(returns["strategy"], 3, noise=0.5), effective=50, sharpe_deviation=1.0)
    assert document(returns, trials=lucky)["verdict"]["grade"] == "none"
