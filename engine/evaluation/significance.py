"""All intervals and tests of a run's books, and the verdict: `significance.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from engine.evaluation.evidence import VerdictInputs, gather_evidence, infer_books
from engine.evaluation.forecasts.skill_sentence import no_skill_sentence
from engine.evaluation.inference.hac import hac_interval
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.inference.pbo import probability_of_backtest_overfitting
from engine.evaluation.inference.sharpe_significance import (
    expected_maximum_sharpe,
    measure_track_record,
)
from engine.evaluation.inference.spa import run_superiority_tests
from engine.evaluation.robustness.unseen_tail import assess_unseen_tail
from engine.evaluation.verdict import (
    BUY_AND_HOLD,
    Evidence,
    grade_evidence,
)
from engine.evaluation.verdict_sentence import verdict_sentence
from engine.runs.documents import Significance
from engine.runs.documents.significance import (
    InferenceMethod,
    OverfittingFigures,
    SelectionFigures,
    SharpeFigures,
    SuperiorityFigures,
    TrackRecordFigures,
    TrialFigures,
    TrialSelection,
    UnseenTailFigures,
    VerdictFigures,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

    from engine.core.types import Vector
    from engine.evaluation.config import EvaluationSpec
    from engine.evaluation.inference.bootstrap import SharpeInference
    from engine.evaluation.inference.selection import SelectionTest
    from engine.evaluation.inference.trial_set import TrialSet
    from engine.runs.documents.significance_models import ModelSections

METHOD_SOURCES = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised "
    "as in Ledoit & Wolf 2008; adjusted over the rows of each table as in Holm 1979"
)
P_VALUE_ADJUSTMENT = "Holm, over the rows of each table"


def assess_significance(
    inputs: VerdictInputs, spec: EvaluationSpec, rng: np.random.Generator
) -> Significance:
    """Intervals and tests of every book's Sharpe ratio, and the verdict on the strategy.

    Args:
        inputs: Books, trials and sections about the model.
        spec: Number of resamples and level.
        rng: Its seed determines all draws; those for one book do not depend on the other books.

    Returns:
        The document; None, never NaN, where a figure is not defined. p-values of Sharpe ratios are
        one-sided (H0: 0 or less), those of differences two-sided (H0: no difference).
    """
    returns, books, sections = inputs.excess_returns, inputs.books, inputs.model_sections
    periods_per_year, trials = inputs.periods_per_year, inputs.trials
    strategy = books[str(returns.columns[0])]
    inferred = infer_books(inputs, spec, rng)
    evidence = gather_evidence(inputs, inferred, spec.confidence)
    unseen_tail = _unseen_tail_section(strategy, spec.confidence)
    return Significance(
        method=InferenceMethod(
            bootstrap="stationary",
            resamples=spec.resamples,
            confidence=spec.confidence,
            source=METHOD_SOURCES,
            adjustment=P_VALUE_ADJUSTMENT,
        ),
        risk_free_rate=inputs.risk_free_rate,
        sharpe={
            book: figures | _hac_bounds(books[book], periods_per_year, spec.confidence)
            for book, figures in _with_holm_p_values(inferred.sharpes).items()
        },
        differences=_with_holm_p_values(inferred.differences),
        superiority=_superiority_section(returns, spec, rng),
        trials=_trial_figures(trials, evidence.selected_sharpe) if trials else None,
        selection=_selection_section(evidence, len(returns)),
        track_record=_track_record_section(
            strategy, periods_per_year, spec.confidence, evidence.selected_sharpe
        ),
        unseen_tail=unseen_tail,
        overfitting=_overfitting_section(trials),
        verdict=draw_verdict(evidence, sections, unseen_tail),
        **{name: getattr(sections, name) for name in sections.model_fields_set},
    )


def draw_verdict(
    evidence: Evidence, sections: ModelSections, unseen_tail: UnseenTailFigures | None
) -> VerdictFigures:
    """Grade and sentence; of the R squared of prices where that misleads, else of no skill."""
    warning = unseen_tail.warning if unseen_tail else None
    price_level = sections.price_level
    trap = price_level.sentence if price_level and price_level.present else None
    no_skill = no_skill_sentence(sections.forecasts) if sections.forecasts else None
    return VerdictFigures(
        grade=grade_evidence(evidence),
        sentence=" ".join(filter(None, [verdict_sentence(evidence), warning, trap or no_skill])),
    )


def _unseen_tail_section(returns: Vector, confidence: float) -> UnseenTailFigures | None:
    tail = assess_unseen_tail(returns, confidence)
    return UnseenTailFigures(**asdict(tail)) if tail else None


def _trial_figures(trials: TrialSet, selected: SelectionTest | None) -> TrialFigures:
    effective = selected.effective_trials if selected else None
    return TrialFigures.model_validate(trials.as_dict() | {"effective": effective})


def _selection_section(evidence: Evidence, bars: int) -> TrialSelection:
    scale = evidence.periods_per_year**0.5

    def figures(test: SelectionTest | None, estimate: float | None) -> SelectionFigures | None:
        if test is None or estimate is None:
            return None
        in_ratios = test.standard_error * scale
        return SelectionFigures(
            estimate=estimate,
            statistic=test.statistic,
            p_value=test.p_value,
            single_p_value=test.single_p_value,
            effective_trials=test.effective_trials,
            expected_maximum=test.expected_maximum * in_ratios,
            hurdle=test.hurdle * in_ratios,
            detectable=test.detectable * scale,
            effective_bars=test.effective_bars,
        )

    holding = evidence.differences.get(BUY_AND_HOLD)
    sharpe = figures(evidence.selected_sharpe, evidence.sharpe.estimate)
    return TrialSelection(
        level=evidence.level,
        sharpe=sharpe,
        lead=figures(evidence.selected_lead, holding.estimate if holding else None),
        minimum_backtest_years=None
        if sharpe is None or sharpe.estimate <= 0
        else bars / evidence.periods_per_year * (sharpe.expected_maximum / sharpe.estimate) ** 2,
    )


def _with_holm_p_values(inferred: Mapping[str, SharpeInference]) -> dict[str, SharpeFigures]:
    adjusted = holm_by_name({name: each.p_value for name, each in inferred.items()})
    return {
        name: SharpeFigures(**asdict(each), p_value_holm=adjusted[name])
        for name, each in inferred.items()
    }


def _hac_bounds(
    returns: Vector, periods_per_year: float, confidence: float
) -> dict[str, float | None]:
    interval = hac_interval(returns, periods_per_year, confidence)
    return {"hac_low": interval.low, "hac_high": interval.high}


def _track_record_section(
    returns: Vector, periods_per_year: float, confidence: float, selected: SelectionTest | None
) -> TrackRecordFigures:
    """PSR, DSR and MinTRL; computed with Sharpe ratios per bar, annualised in the document.

    The standard deviation of the trials' Sharpe ratios is that without skill, the standard error
    of the run's own, and not the observed one, which a single awful trial would raise.
    """
    record = measure_track_record(returns)
    number, deviation = (1.0, 0.0)
    if selected:
        number, deviation = selected.effective_trials, selected.standard_error
    luckiest = expected_maximum_sharpe(number, deviation)
    return TrackRecordFigures(
        probabilistic_sharpe=record and record.probability_above(0.0),
        deflated_sharpe=record and record.probability_above(luckiest),
        expected_maximum_sharpe=luckiest * periods_per_year**0.5,
        minimum_bars=record and record.minimum_bars(0.0, confidence),
        bars=len(returns),
        skewness=record and record.skewness,
        kurtosis=record and record.kurtosis,
    )


def _overfitting_section(trials: TrialSet | None) -> OverfittingFigures | None:
    """PBO over all configurations in the ledger on the same bars."""
    pbo = probability_of_backtest_overfitting(trials.gapless_returns()) if trials else None
    return OverfittingFigures(**asdict(pbo)) if pbo else None


def _superiority_section(
    returns: pd.DataFrame, spec: EvaluationSpec, rng: np.random.Generator
) -> SuperiorityFigures | None:
    benchmarks = [str(book) for book in returns.columns[1:]]
    if not benchmarks:
        return None
    benchmark = BUY_AND_HOLD if BUY_AND_HOLD in benchmarks else benchmarks[0]
    tested = run_superiority_tests(returns, benchmark, spec.resamples, spec.confidence, rng)
    return SuperiorityFigures.model_validate(tested) if tested else None
