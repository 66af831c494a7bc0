from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from engine.evaluation.significance import significance
from engine.evaluation.spec import EvaluationSpec

SPEC = EvaluationSpec(resamples=400)
INFERENCE = {"estimate", "low", "high", "p_value", "block_length_bars"}


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


def document(returns: pd.DataFrame, seed: int = 0, **more: Any) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return significance(returns, periods_per_year=365.0, spec=SPEC, rng=rng, **more)


def test_the_document_has_its_four_parts_and_nothing_else() -> None:
    found = document(books())
    assert set(found) == {"method", "sharpe", "differences", "verdict"}
    assert set(found["method"]) == {"bootstrap", "resamples", "confidence", "source"}
    assert list(found["sharpe"]) == ["strategy", "buy_and_hold", "ridge"]
    assert all(set(each) == INFERENCE for each in found["sharpe"].values())
    assert list(found["differences"]) == ["buy_and_hold", "ridge"]
    assert all(set(each) == INFERENCE | {"p_value_holm"} for each in found["differences"].values())
    assert set(found["verdict"]) == {"grade", "sentence"}


def test_p_values_of_differences_are_adjusted_over_the_opponents() -> None:
    differences = document(books())["differences"].values()
    smallest = min(differences, key=lambda each: each["p_value"])
    assert smallest["p_value_holm"] == min(1.0, 2 * smallest["p_value"])


def test_one_more_book_changes_no_other_books_figures() -> None:
    few = document(books())
    many = document(books(still=np.zeros(600)))
    assert {name: many["sharpe"][name] for name in few["sharpe"]} == few["sharpe"]
    # A book without a Sharpe ratio is not tested, so it costs the others nothing.
    assert {name: many["differences"][name] for name in few["differences"]} == few["differences"]


def test_the_same_seed_gives_the_same_document_and_another_seed_another() -> None:
    assert document(books()) == document(books())
    assert document(books()) != document(books(), seed=1)


def test_a_book_that_never_trades_is_null_not_nan() -> None:
    found = document(books(still=np.zeros(600)))
    json.dumps(found, allow_nan=False)
    assert set(found["sharpe"]["still"].values()) == {None}
    assert set(found["differences"]["still"].values()) == {None}


def test_a_strategy_that_never_trades_gets_no_evidence() -> None:
    returns = books()
    returns["strategy"] = 0.0
    found = document(returns)
    json.dumps(found, allow_nan=False)
    assert found["verdict"]["grade"] == "none"
    assert found["verdict"]["sentence"].startswith("No evidence")


def test_the_verdict_names_forecasts_without_skill() -> None:
    forecasts = {
        "r2_vs_persistence": -0.02,
        "directional_accuracy_pct": 50.0,
        "up_share_pct": 55.0,
    }
    text = document(books(), forecasts=forecasts)["verdict"]["sentence"]
    assert text.count("show no skill") == 1
    assert "from 2020-01-01 to 2021-08-22" in text


def test_plain_skill_is_found_to_be_strong() -> None:
    returns = books()
    returns["strategy"] = np.abs(returns["buy_and_hold"]) * 0.5 - 0.001
    assert document(returns)["verdict"]["grade"] == "strong"
