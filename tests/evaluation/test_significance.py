from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import VerdictInputs
from engine.evaluation.inference.sharpe_significance import probabilistic_sharpe
from engine.evaluation.inference.trial_set import Trial, TrialSet
from engine.evaluation.significance import assess_significance
from engine.runs.documents.significance_models import (
    ForecastTestFigures,
    ModelSections,
    PriceLevelFigures,
    SensitivityCell,
    SensitivityFigures,
    StatisticalTestFigures,
    TimingFigures,
)

if TYPE_CHECKING:
    from engine.runs.documents import Significance

SPEC = EvaluationSpec(resamples=400)
INFERENCE = {"estimate", "low", "high", "p_value", "p_value_holm", "block_length_bars"}
HAC = {"hac_low", "hac_high"}
PARTS = {
    *("method", "risk_free_rate", "sharpe", "differences", "superiority", "trials", "selection"),
    *("track_record", "unseen_tail", "overfitting", "verdict"),
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
        searched_to_bps=2_000.0,
        chosen=SensitivityCell(cost_bps=charged, delay_bars=1, threshold=0.0),
    )


def document(returns: pd.DataFrame, seed: int = 0, **more: Any) -> Significance:
    rng = np.random.default_rng(seed)
    return assess_significance(VerdictInputs(returns, 365.0, **more), SPEC, rng)


def tried(own: pd.Series, others: int, *, noise: float) -> TrialSet:
    generator = np.random.default_rng(2)
    varied = (own + noise * generator.standard_normal(len(own)) for _ in range(others))
    return TrialSet(
        own=Trial(0, "1d", own),
        others=tuple(Trial(number, "1d", each) for number, each in enumerate(varied, start=1)),
        runs=others + 1,
        since="2024-01-01",
    )


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


NO_SKILL = ForecastTestFigures(
    clark_west={"no_change": StatisticalTestFigures(p_value=0.4)},
    pesaran_timmermann=StatisticalTestFigures(p_value=0.3),
)


def test_the_verdict_states_forecasts_without_skill() -> None:
    sections = ModelSections(forecasts=NO_SKILL)
    text = document(books(), model_sections=sections)["verdict"]["sentence"]
    assert text.count("show no skill") == 1
    assert "from 2020-01-01 to 2021-08-22" in text


def test_the_verdict_quotes_the_trap_instead_of_missing_skill() -> None:
    trap = PriceLevelFigures(present=True, sentence="It is the trap.")
    sections = ModelSections(price_level=trap, forecasts=NO_SKILL)
    text = document(books(), model_sections=sections)["verdict"]["sentence"]
    assert text.endswith("It is the trap.")
    assert "show no skill" not in text


def skilled() -> pd.DataFrame:
    returns = books()
    returns["strategy"] = np.abs(returns["buy_and_hold"]) * 0.5 - 0.001
    return returns


TIMED = TimingFigures(sharpe=0.2, p_value=0.001)


def test_clear_skill_is_graded_strong() -> None:
    sections = ModelSections(timing=TIMED, sensitivity=surface(break_even=31.0, charged=15.0))
    returns = skilled()
    alone = tried(returns["strategy"], 0, noise=0.0)
    significance = document(returns, round_trips=100, model_sections=sections, trials=alone)
    assert significance["verdict"]["grade"] == "strong"
    assert significance["superiority"]["benchmark"] == "buy_and_hold"
    assert "strategy" in significance["superiority"]["stepm"]
    assert significance["selection"]["sharpe"]["p_value"] < 0.01
    assert significance["selection"]["lead"]["p_value"] < 0.01


@pytest.mark.parametrize(
    ("section", "grade"),
    [
        ({"timing": TimingFigures(sharpe=0.01, p_value=0.2)}, "moderate"),
        ({"timing": None}, "moderate"),
        ({"sensitivity": surface(break_even=29.0, charged=15.0)}, "moderate"),
        ({"sensitivity": surface(break_even=0.0, charged=15.0)}, "moderate"),
        ({"sensitivity": surface(break_even=None, charged=15.0)}, "strong"),
        ({"sensitivity": surface(break_even=9.0, charged=0.0)}, "weak"),
        ({"sensitivity": None}, "weak"),
    ],
)
def test_the_sections_on_timing_and_sensitivity_limit_the_grade(
    section: dict[str, Any], grade: str
) -> None:
    all_sections = {"timing": TIMED, "sensitivity": surface(break_even=31.0, charged=15.0)}
    sections = ModelSections(**{**all_sections, **section})
    returns = skilled()
    alone = tried(returns["strategy"], 0, noise=0.0)
    significance = document(returns, round_trips=100, model_sections=sections, trials=alone)
    assert significance["verdict"]["grade"] == grade


def test_holding_without_its_benchmark_has_no_lead_and_no_grade() -> None:
    """A strategy that is holding was graded weak where buy and hold was no benchmark."""
    returns = skilled()
    returns["strategy"] = returns["buy_and_hold"]
    for table in (returns, returns.drop(columns="buy_and_hold")):
        significance = document(table, round_trips=100)
        assert significance["selection"]["lead"] is None
        assert significance["verdict"]["grade"] == "none"


def test_a_ruined_strategy_has_a_sentence_without_a_ratio() -> None:
    returns = skilled()
    returns.iloc[300, 0] = -1.0
    returns.iloc[301:, 0] = 0.0
    sentence = document(returns)["verdict"]["sentence"]
    assert "it lost everything on 2020-10-27" in sentence
    assert "Sharpe" not in sentence


def test_a_single_trial_is_not_deflated() -> None:
    returns = books()
    significance = document(returns, trials=tried(returns["strategy"], 0, noise=0.0))
    assert significance["trials"]["distinct"] == 1
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


def test_trials_deflate_the_sharpe_ratio() -> None:
    returns = books()
    others = document(returns, trials=tried(returns["strategy"], 8, noise=0.5))
    assert others["trials"]["distinct"] == 9
    luckiest = others["track_record"]["expected_maximum_sharpe"]
    assert luckiest > 1.3 * (365 / 600) ** 0.5
    own = returns["strategy"].to_numpy()
    assert others["track_record"]["deflated_sharpe"] < probabilistic_sharpe(own) / 4
    assert others["overfitting"]["configurations"] == 9


def test_tries_declared_elsewhere_deflate_as_well() -> None:
    returns = books()
    alone = tried(returns["strategy"], 0, noise=0.0)
    record = document(returns, trials=alone)["track_record"]
    declared = document(returns, trials=replace(alone, elsewhere=40))
    assert declared["trials"]["elsewhere"] == 40
    assert declared["track_record"]["deflated_sharpe"] < record["deflated_sharpe"]


def test_many_trials_lower_the_grade() -> None:
    returns = skilled()
    returns["strategy"] -= 0.0022
    sections = ModelSections(sensitivity=surface(break_even=31.0, charged=15.0))
    alone = tried(returns["strategy"], 0, noise=0.0)

    def grade(trials: TrialSet) -> str:
        judged = document(returns, trials=trials, round_trips=100, model_sections=sections)
        return str(judged["verdict"]["grade"])

    assert grade(alone) != "none"
    assert grade(replace(alone, elsewhere=1_000_000)) == "none"
