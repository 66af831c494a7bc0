"""All intervals and tests of a run's books, and the verdict: `significance.json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.bootstrap import SharpeInference, infer_sharpe_ratios
from engine.evaluation.inference.hac import hac_interval
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.inference.pbo import probability_of_backtest_overfitting
from engine.evaluation.inference.sharpe_significance import (
    deflated_sharpe,
    expected_maximum_sharpe,
    measure_track_record,
    minimum_track_record_length,
    probabilistic_sharpe,
)
from engine.evaluation.inference.spa import run_superiority_tests
from engine.evaluation.verdict import (
    BUY_AND_HOLD,
    Evidence,
    TrialCounts,
    grade_evidence,
    no_skill_sentence,
    verdict_sentence,
)
from engine.runs.documents import Significance
from engine.runs.documents.significance import (
    InferenceMethod,
    OverfittingFigures,
    SharpeFigures,
    SuperiorityFigures,
    TrackRecordFigures,
    TrialFigures,
    VerdictFigures,
)
from engine.runs.documents.significance_models import ModelSections

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.core.types import Vector
    from engine.evaluation.config import EvaluationSpec
    from engine.evaluation.inference.trial_set import TrialSet
    from engine.runs.documents.significance_models import PriceLevelFigures, SensitivityFigures

METHOD_SOURCES = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised "
    "as in Ledoit & Wolf 2008; adjusted over the rows of each table as in Holm 1979"
)
P_VALUE_ADJUSTMENT = "Holm, over the rows of each table"


def assess_significance(
    returns: pd.DataFrame,
    *,
    periods_per_year: float,
    spec: EvaluationSpec,
    rng: np.random.Generator,
    trials: TrialSet | None = None,
    skill_scores: Mapping[str, float | int | None] | None = None,
    model_sections: ModelSections | None = None,
) -> Significance:
    """Intervals and tests of every book's Sharpe ratio, and the verdict on the strategy.

    Args:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy, the others are its benchmarks.
        periods_per_year: Annualises, as in `return_metrics.sharpe`.
        spec: Number of resamples and level.
        rng: Its seed determines all draws; those for one book do not depend on the other books.
        trials: The trials on these bars; None where they are not known, which counts as one.
        skill_scores: Scores of the strategy's forecasts; with them the verdict states a model that
            predicts no better than no change.
        model_sections: Sections about the model: the grade uses `timing` and `sensitivity`, the
            sentence quotes `price_level`.

    Returns:
        The document; None, never NaN, where a figure is not defined. p-values of Sharpe ratios are
        one-sided (H0: 0 or less), those of differences two-sided (H0: no difference).
    """
    strategy, *benchmarks = (str(book) for book in returns.columns)
    books = {str(book): np.asarray(returns[book], dtype=np.float64) for book in returns.columns}
    single = {f"{book} alone": [values] for book, values in books.items()}
    paired = {f"against {book}": [books[strategy], books[book]] for book in benchmarks}
    inferred = infer_sharpe_ratios({**single, **paired}, periods_per_year, spec, rng)
    sharpes = {book: inferred[f"{book} alone"] for book in books}
    differences = {book: inferred[f"against {book}"] for book in benchmarks}
    sections = model_sections or ModelSections()
    sharpe_figures = {
        book: figures | _hac_bounds(books[book], periods_per_year, spec.confidence)
        for book, figures in _with_holm_p_values(sharpes).items()
    }
    difference_figures = _with_holm_p_values(differences)
    superiority = _superiority_section(returns, spec, rng)
    track_record = _track_record_section(
        books[strategy], periods_per_year, spec.confidence, trials
    )
    evidence = Evidence(
        sharpe=sharpes[strategy],
        differences=differences,
        p_values_holm={book: each.p_value_holm for book, each in difference_figures.items()},
        benchmark_sharpes={book: sharpes[book].estimate for book in benchmarks},
        confidence=spec.confidence,
        span=(f"{returns.index[0]:%Y-%m-%d}", f"{returns.index[-1]:%Y-%m-%d}"),
        trial_counts=TrialCounts(trials.distinct, trials.effective) if trials else None,
        deflated_sharpe=track_record.deflated_sharpe,
        superior_to_benchmark=strategy in superiority.stepm if superiority else None,
        timing_p_value=sections.timing.p_value if sections.timing else None,
        break_even_multiple=_break_even_multiple(sections.sensitivity),
    )
    return Significance(
        method=InferenceMethod(
            bootstrap="stationary",
            resamples=spec.resamples,
            confidence=spec.confidence,
            source=METHOD_SOURCES,
            adjustment=P_VALUE_ADJUSTMENT,
        ),
        sharpe=sharpe_figures,
        differences=difference_figures,
        superiority=superiority,
        trials=TrialFigures.model_validate(trials.as_dict()) if trials else None,
        track_record=track_record,
        overfitting=_overfitting_section(trials),
        verdict=_verdict(evidence, sections.price_level, skill_scores),
        **{name: getattr(sections, name) for name in sections.model_fields_set},
    )


def _verdict(
    evidence: Evidence,
    price_level: PriceLevelFigures | None,
    skill_scores: Mapping[str, float | int | None] | None,
) -> VerdictFigures:
    """Grade and sentence; of the R squared of prices where that misleads, else of no skill."""
    no_skill = no_skill_sentence(skill_scores) if skill_scores else None
    trap = price_level.sentence if price_level else None
    return VerdictFigures(
        grade=grade_evidence(evidence),
        sentence=" ".join(filter(None, [verdict_sentence(evidence), trap or no_skill])),
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
    returns: Vector, periods_per_year: float, confidence: float, trials: TrialSet | None
) -> TrackRecordFigures:
    """PSR, DSR and MinTRL; computed with Sharpe ratios per bar, annualised in the document.

    The standard deviation of the trials' Sharpe ratios is at least the one expected of equally
    correlated trials without skill over as many bars: with few trials the observed one may be
    small by chance, which would cancel the correction for their number.
    """
    record = measure_track_record(returns)
    number, observed, expected = (1, None, None)
    if trials:
        number = trials.effective
        observed, expected = trials.sharpe_deviation, trials.noise_deviation
    deviation = max(observed or 0.0, expected or 0.0)
    expected_maximum = expected_maximum_sharpe(number, deviation)
    return TrackRecordFigures(
        probabilistic_sharpe=probabilistic_sharpe(returns),
        deflated_sharpe=deflated_sharpe(returns, number, deviation),
        expected_maximum_sharpe=expected_maximum * periods_per_year**0.5,
        minimum_bars=minimum_track_record_length(returns, confidence=confidence),
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


def _break_even_multiple(surface: SensitivityFigures | None) -> float | None:
    """Break-even cost over the cost that the run was charged; None where it has none."""
    if surface is None or surface.break_even_cost_bps is None or not surface.chosen.cost_bps:
        return None
    return surface.break_even_cost_bps / surface.chosen.cost_bps
