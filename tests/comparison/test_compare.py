"""Runs compared: on which bars, against what, and what the best of them is worth."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.comparison import ComparedRun, compare_runs, join_run_labels
from engine.comparison.settings_diff import diff_settings, label_runs
from engine.core.errors import UsageError
from engine.data.rates import RatesByBar
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.inference.bootstrap import infer_sharpe_ratios
from engine.runs.documents.significance import TrialFigures

BARS = 600
DAYS = pd.bdate_range("2015-01-01", periods=BARS, tz="UTC", name="timestamp")
QUICK = EvaluationSpec(resamples=499)
MARKET = 0.01 * np.random.default_rng(11).standard_normal(BARS)


def run(
    name: str, mean: float = 0.0, *, seed: int = 0, own: float = 0.01, **changes: Any
) -> ComparedRun:
    """Half the market and noise of its own, with so much a bar on top."""
    noise = own * np.random.default_rng([seed, *name.encode()]).standard_normal(BARS)
    compared = ComparedRun(
        run_id=hashlib.sha256(f"{name} {seed}".encode()).hexdigest()[:12],
        name=name,
        interval="1d",
        periods_per_year=252.0,
        targets=("A",),
        returns=pd.Series(0.5 * MARKET + noise + mean, DAYS),
        benchmark=pd.Series(MARKET, DAYS),
        settings={"model": {"kind": name}},
    )
    return replace(compared, **changes)


@pytest.fixture(scope="module")
def family() -> list[ComparedRun]:
    return [run("base"), run("worse", -0.002), run("good", 0.003), run("same")]


def test_every_figure_uses_the_common_bars(family: list[ComparedRun]) -> None:
    late = replace(family[0], returns=family[0].returns.iloc[100:])
    early = replace(family[2], returns=family[2].returns.iloc[:-50].drop(DAYS[300]))

    comparison = compare_runs([late, early], QUICK)

    common = DAYS[100:-50].drop(DAYS[300])
    assert comparison.returns.index.equals(common)
    assert comparison.bars_left_out == {late.run_id: 51, early.run_id: 100}
    mine = early.returns.loc[common]
    sharpe = comparison.sharpe[early.run_id].estimate
    assert sharpe == pytest.approx(mine.mean() / mine.std() * 252**0.5)
    grown = 100 * ((1 + mine).prod() - 1)
    assert comparison.metrics[early.run_id].total_return_pct == pytest.approx(grown)


def test_every_sharpe_ratio_is_above_the_rate_of_the_reference_at_its_own_bars(
    family: list[ComparedRun],
) -> None:
    """Half of the bars are missing in one run: a bar has the calendar time of the other's bars."""
    base = replace(family[0], rates=RatesByBar.constant(DAYS, risk_free=0.05))
    good = replace(family[2], returns=family[2].returns.iloc[::2])

    comparison = compare_runs([base, good], QUICK)

    years = (DAYS.to_series().diff() / pd.Timedelta(days=365.25)).fillna(0.0)[::2]
    for each in (base, good):
        excess = each.returns.loc[DAYS[::2]] - 0.05 * years
        expected = excess.mean() / excess.std() * 252**0.5
        assert comparison.sharpe[each.run_id].estimate == pytest.approx(expected)
    market = pd.Series(MARKET, DAYS)[::2] - 0.05 * years
    assert comparison.benchmark_sharpe == pytest.approx(market.mean() / market.std() * 252**0.5)
    assert comparison.risk_free_rate.as_risk_free == "risk-free 5 % a year"
    assert comparison.as_dict()["risk_free_rate"]["mean_pct"] == 5.0
    grown = 100 * ((1 + good.returns).prod() - 1)
    assert comparison.metrics[good.run_id].total_return_pct == pytest.approx(grown)
    without = compare_runs([replace(base, rates=None), good], QUICK)
    assert without.sharpe[good.run_id].estimate > comparison.sharpe[good.run_id].estimate
    assert without.risk_free_rate.is_zero


def test_the_first_run_is_the_reference_of_all_differences(family: list[ComparedRun]) -> None:
    comparison = compare_runs(family, QUICK)

    base, good = family[0].run_id, family[2].run_id
    assert comparison.reference == base
    assert set(comparison.differences) == {each.run_id for each in family[1:]}
    gap = comparison.sharpe[good].estimate - comparison.sharpe[base].estimate
    assert comparison.differences[good].estimate == pytest.approx(gap)
    assert compare_runs(family[::-1], QUICK).reference == family[3].run_id


def test_differences_are_paired_so_that_common_moves_cancel() -> None:
    twin = run("twin", own=0.001)
    better = replace(run("better"), returns=twin.returns + 0.0003 + 1e-4 * MARKET[::-1])

    comparison = compare_runs([twin, better], QUICK)

    difference, alone = comparison.differences[better.run_id], comparison.sharpe[better.run_id]
    assert difference.low > 0
    assert difference.high - difference.low < 0.5 * (alone.high - alone.low)


def test_p_values_of_differences_are_holm_adjusted(family: list[ComparedRun]) -> None:
    comparison = compare_runs(family, QUICK)

    raw = sorted((each.p_value, run_id) for run_id, each in comparison.differences.items())
    expected, highest = {}, 0.0
    for left, (p_value, run_id) in zip((3, 2, 1), raw, strict=True):
        highest = max(highest, min(1.0, left * p_value))
        expected[run_id] = highest
    assert comparison.differences_holm == pytest.approx(expected)


def test_the_one_better_run_is_selected_over_reference_and_benchmark(
    family: list[ComparedRun],
) -> None:
    comparison = compare_runs(family, QUICK)

    good = family[2].run_id
    assert comparison.best == good
    assert comparison.against_reference.stepm == (good,)
    assert comparison.against_benchmark.stepm == (good,)
    assert comparison.against_benchmark.spa.consistent < 0.02
    assert comparison.grade == "moderate"
    assert "good is better than the reference, base" in " ".join(comparison.sentences)


def test_the_grade_is_at_most_that_of_the_runs_own_verdict(family: list[ComparedRun]) -> None:
    def graded(own: str) -> str:
        runs = [*family[:2], replace(family[2], grade=own), replace(family[3], grade="none")]
        return compare_runs(runs, QUICK).grade

    assert [graded(own) for own in ("none", "weak", "moderate", "strong")] == [
        *("none", "weak", "moderate", "moderate")
    ]
    judged = [family[0], replace(family[2], grade="none")]
    assert "more than chance and simple rules" in compare_runs(judged, QUICK).sentences[0]


def test_a_best_run_below_buy_and_hold_is_no_evidence(
    family: list[ComparedRun],
) -> None:
    rising = pd.Series(0.002 * MARKET + 0.003, DAYS)
    comparison = compare_runs([replace(each, benchmark=rising) for each in family], QUICK)

    assert comparison.benchmark_sharpe == pytest.approx(rising.mean() / rising.std() * 252**0.5)
    assert comparison.grade == "none"
    assert "earns more than buy and hold does" in comparison.sentences[0]


def test_a_lead_over_buy_and_hold_that_may_be_chance_is_no_evidence(
    family: list[ComparedRun],
) -> None:
    good = family[2]
    near = replace(good, benchmark=run("rival", 0.0025).returns)
    comparison = compare_runs([near, replace(family[1], benchmark=near.benchmark)], QUICK)

    assert comparison.best == good.run_id
    assert comparison.selection_bias.p_value < 0.01
    assert comparison.selection_bias.lead_p_value > 0.05
    assert comparison.grade == "none"
    assert "more than chance and simple rules" in comparison.sentences[0]


@pytest.mark.parametrize(
    ("p_value", "grade"), [(0.009, "moderate"), (0.011, "weak"), (0.05, "weak"), (0.051, "none")]
)
@pytest.mark.parametrize("figure", ["p_value", "lead_p_value"])
def test_the_evidence_for_the_best_falls_with_its_p_values(
    family: list[ComparedRun], figure: str, p_value: float, grade: str
) -> None:
    comparison = compare_runs(family, QUICK)
    counted = replace(comparison.selection_bias, **{figure: p_value})

    assert replace(comparison, selection_bias=counted).grade == grade


def test_the_best_of_many_ledger_trials_is_no_evidence(
    family: list[ComparedRun],
) -> None:
    trials = TrialFigures(distinct=5_000, effective=10_000_000_000)
    comparison = compare_runs([replace(each, ledger_trials=trials) for each in family], QUICK)

    assert comparison.best == family[2].run_id
    assert comparison.grade == "none"


def test_the_best_of_noise_is_no_evidence_and_none_is_selected() -> None:
    comparison = compare_runs([run(f"noise {number}") for number in range(8)], QUICK)

    assert comparison.grade == "none"
    assert comparison.against_reference.stepm == ()
    assert comparison.sentences[0].startswith(
        "No evidence that the best of these 8 runs earns more"
    )
    assert "No run is better than the reference" in comparison.sentences[-1]


def test_the_interval_of_a_run_does_not_depend_on_the_other_runs(
    family: list[ComparedRun],
) -> None:
    good = family[2]
    few, many = (compare_runs(runs, QUICK).sharpe[good.run_id] for runs in (family[1:3], family))

    assert few == many
    alone = infer_sharpe_ratios(
        {"x": [good.returns.to_numpy()]}, 252.0, QUICK, np.random.default_rng(1)
    )["x"]
    assert few.estimate == alone.estimate
    assert few.low == pytest.approx(alone.low, abs=0.3)


def test_correlations_are_those_of_the_returns(family: list[ComparedRun]) -> None:
    idle = replace(run("idle"), returns=pd.Series(0.0, DAYS))

    comparison = compare_runs([*family, idle], QUICK)

    for (i, one), (j, other) in itertools.product(enumerate(family), repeat=2):
        expected = one.returns.corr(other.returns)
        assert comparison.correlations[i][j] == pytest.approx(expected)
    assert comparison.correlations[4] == (None,) * 5
    assert comparison.sharpe[idle.run_id].estimate is None
    json.dumps(comparison.as_dict(), allow_nan=False)


def test_runs_with_equal_returns_are_one_trial() -> None:
    one = run("one", 0.0008)
    copy = replace(one, run_id="c" * 12, name="copy", returns=2 * one.returns)
    other = run("other")

    comparison = compare_runs([one, copy, other], QUICK)

    assert comparison.selection_bias.independent == pytest.approx(
        compare_runs([one, other], QUICK).selection_bias.independent
    )
    assert 1.5 < comparison.selection_bias.independent < 2


def test_the_best_is_tested_with_the_trials_of_the_sweep_and_of_the_ledgers_counted() -> None:
    runs = [run("one", 0.0015), run("two"), run("three")]
    alone = compare_runs(runs, QUICK).selection_bias
    known = [
        replace(runs[0], ledger_trials=TrialFigures(distinct=50, effective=40.4)),
        replace(runs[1], ledger_trials=TrialFigures(distinct=9, effective=9.0)),
    ]
    counted = compare_runs([*known, runs[2]], QUICK).selection_bias

    assert 2.5 < alone.counted == alone.independent < 3
    assert alone.known is None
    assert counted.known == 50
    assert counted.counted == 40.4
    assert counted.p_value > alone.p_value
    assert counted.lead_p_value > alone.lead_p_value
    assert counted.luckiest > alone.luckiest
    assert counted.deflated_sharpe < alone.deflated_sharpe


def test_runs_on_other_targets_have_no_common_benchmark(family: list[ComparedRun]) -> None:
    other = replace(family[1], targets=("B",))

    assert compare_runs([family[0], other], QUICK).against_benchmark is None
    without = replace(family[0], benchmark=None)
    assert compare_runs([without, family[1]], QUICK).against_benchmark is None


def test_the_probability_of_overfitting_is_over_the_compared_runs(
    family: list[ComparedRun],
) -> None:
    overfitting = compare_runs(family, QUICK).overfitting

    assert overfitting.configurations == 4
    assert overfitting.probability < 0.05


def test_runs_without_common_bars_are_rejected_by_name(family: list[ComparedRun]) -> None:
    early = replace(family[0], returns=family[0].returns.iloc[:100])
    late = replace(family[1], returns=family[1].returns.iloc[500:])

    with pytest.raises(UsageError) as refused:
        compare_runs([early, family[2], late], QUICK)

    message = str(refused.value)
    assert "0 (" in message
    assert f"worse {late.run_id}: {DAYS[500]:%Y-%m-%d} to {DAYS[-1]:%Y-%m-%d}" in message
    assert f"base {early.run_id}" in message
    assert family[2].run_id not in message


def test_too_few_common_bars_are_rejected(family: list[ComparedRun]) -> None:
    short = replace(family[1], returns=family[1].returns.iloc[:29])

    with pytest.raises(UsageError, match="too few") as refused:
        compare_runs([family[0], short], QUICK)

    assert "found: 29 (" in str(refused.value)
    enough = replace(family[1], returns=family[1].returns.iloc[:30])
    assert compare_runs([family[0], enough], QUICK).overfitting is None


@pytest.mark.parametrize("change", [{"interval": "1h"}, {"periods_per_year": 365.0}])
def test_different_kinds_of_bars_are_rejected(
    family: list[ComparedRun], change: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="different lengths or calendars"):
        compare_runs([family[0], replace(family[1], **change)], QUICK)


def test_one_run_alone_or_twice_is_rejected(family: list[ComparedRun]) -> None:
    with pytest.raises(UsageError, match="at least two"):
        compare_runs(family[:1], QUICK)
    with pytest.raises(UsageError, match="named twice"):
        compare_runs([*family, family[1]], QUICK)


@pytest.mark.parametrize(
    ("names", "text"),
    [("A", "A"), ("AB", "A and B"), ("ABCD", "A, B, C and D"), ("ABCDEF", "A, B, C and 3 others")],
)
def test_many_names_are_the_first_few_and_a_number(names: str, text: str) -> None:
    assert join_run_labels(list(names)) == text


def test_only_keys_that_differ_between_runs_are_listed() -> None:
    comparison = diff_settings(
        {
            "a": {
                "m": {"kind": "ridge", "x": 1},
                "f": [{"w": 5}, {"w": 9}],
                "same": 1.0,
                "l": [1],
            },
            "b": {"m": {"kind": "lstm"}, "f": [{"w": 5}], "same": 1, "l": [1, 2], "flag": True},
        }
    )

    assert {each.key: dict(each.values) for each in comparison} == {
        "m.kind": {"a": "ridge", "b": "lstm"},
        "m.x": {"a": 1},
        "f.1.w": {"a": 9},
        "l": {"a": [1], "b": [1, 2]},
        "flag": {"b": True},
    }


def test_true_differs_from_one_and_none_from_absent() -> None:
    comparison = diff_settings({"a": {"x": True, "y": None}, "b": {"x": 1}})

    assert [each.key for each in comparison] == ["x", "y"]


def test_a_label_has_the_settings_that_distinguish_a_run() -> None:
    grid = [run("m", seed=n, settings={"signal": {"enter_bps": float(n)}}) for n in (5, 10)]
    other = run("other")

    assert list(label_runs([grid[0], other]).values()) == ["m", "other"]
    assert list(label_runs(grid).values()) == ["enter_bps=5", "enter_bps=10"]
    assert list(label_runs([*grid, other]).values()) == [
        "m enter_bps=5",
        "m enter_bps=10",
        "other",
    ]


def test_runs_with_many_different_settings_are_labelled_by_id() -> None:
    runs = [
        run("m", seed=n, settings=dict.fromkeys("abcd", n), run_id=f"{n}23456789abc")
        for n in (1, 2)
    ]

    assert list(label_runs(runs).values()) == ["m 123456", "m 223456"]
    versions = [replace(each, settings={"versions": {"x": each.run_id}}) for each in runs]
    assert list(label_runs(versions).values()) == ["m 123456", "m 223456"]
    twins = [*versions, replace(versions[0], run_id="3" * 12, settings={"a": 2})]
    assert list(label_runs(twins).values()) == [
        "a=none 123456789abc",
        "a=none 223456789abc",
        "a=2",
    ]
    long = [replace(each, name=each.run_id * 900) for each in runs]
    assert all(len(label) < 70 for label in label_runs(long).values())
