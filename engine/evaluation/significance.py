"""Every interval and test of a run's books, and the verdict drawn from all there is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.bootstrap import Inference, infer
from engine.evaluation.hac import hac_interval
from engine.evaluation.multiple import holm_by_name
from engine.evaluation.overfitting import probability_of_overfitting
from engine.evaluation.superiority import superiority
from engine.evaluation.track_record import (
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    track_record,
)
from engine.evaluation.verdict import BENCHMARK, Evidence, Tried, grade, sentence, skill_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.evaluation.spec import EvaluationSpec
    from engine.evaluation.trials import Trials
    from engine.types import Vector

SOURCE = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised "
    "as in Ledoit & Wolf 2008; adjusted over the rows of each table as in Holm 1979"
)
ADJUSTMENT = "Holm, over the rows of each table"


def significance(
    returns: pd.DataFrame,
    *,
    periods_per_year: float,
    spec: EvaluationSpec,
    rng: np.random.Generator,
    trials: Trials | None = None,
    scores: Mapping[str, float | int | None] | None = None,
    further: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Intervals and tests of every book's Sharpe ratio, and the verdict on the first.

    Args:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy, the others are its opponents.
        periods_per_year: Annualises, as in `measures.sharpe`.
        spec: Resamples and level.
        rng: The only randomness; what is drawn for one book does not depend on the others.
        trials: What was tried on these bars; None where nobody knows, which counts as one.
        scores: Of the strategy's forecasts; with them the verdict names a model that predicts no
            better than no model.
        further: Sections that are made elsewhere: `timing` and `fragility` have a say in the
            verdict, `level_trap` is named in it.

    Returns:
        `method`; `sharpe` by book: estimate, low, high, p_value (one-sided, H0: 0 or less),
        p_value_holm, block_length_bars, hac_low, hac_high; `differences` by opponent: the same of
        strategy less opponent, p_value two-sided (H0: none); `superiority`, `trials`,
        `track_record`, `overfitting`, the further sections, and `verdict`: grade and sentence.
        None, never NaN, where a figure is not defined.
    """
    strategy, *opponents = (str(book) for book in returns.columns)
    books = {str(book): np.asarray(returns[book], dtype=np.float64) for book in returns.columns}
    alone = {f"{book} alone": [values] for book, values in books.items()}
    paired = {f"against {book}": [books[strategy], books[book]] for book in opponents}
    inferred = infer({**alone, **paired}, periods_per_year, spec, rng)
    sharpes = {book: inferred[f"{book} alone"] for book in books}
    differences = {book: inferred[f"against {book}"] for book in opponents}
    found = {
        "sharpe": {
            book: {**each, **_hac(books[book], periods_per_year, spec.confidence)}
            for book, each in _adjusted(sharpes).items()
        },
        "differences": _adjusted(differences),
        "superiority": _superiority(returns, spec, rng),
        "trials": trials.told() if trials else None,
        "track_record": _track_record(books[strategy], periods_per_year, spec.confidence, trials),
        "overfitting": _overfitting(trials),
        **(further or {}),
    }
    evidence = Evidence(
        sharpe=sharpes[strategy],
        differences=differences,
        p_holm={book: told["p_value_holm"] for book, told in found["differences"].items()},
        opponents={book: sharpes[book].estimate for book in opponents},
        confidence=spec.confidence,
        span=(f"{returns.index[0]:%Y-%m-%d}", f"{returns.index[-1]:%Y-%m-%d}"),
        tried=Tried(trials.distinct, trials.effective) if trials else None,
        deflated=found["track_record"]["deflated_sharpe"],
        **_elsewhere(found, strategy),
    )
    no_skill = skill_sentence(scores) if scores else None
    trap = (found.get("level_trap") or {}).get("sentence")
    return {
        "method": {
            "bootstrap": "stationary",
            "resamples": spec.resamples,
            "confidence": spec.confidence,
            "source": SOURCE,
            "adjustment": ADJUSTMENT,
        },
        **found,
        "verdict": {
            "grade": grade(evidence),
            "sentence": " ".join(filter(None, [sentence(evidence), trap or no_skill])),
        },
    }


def _adjusted(inferred: Mapping[str, Inference]) -> dict[str, dict[str, Any]]:
    adjusted = holm_by_name({name: each.p_value for name, each in inferred.items()})
    return {
        name: {**asdict(each), "p_value_holm": adjusted[name]} for name, each in inferred.items()
    }


def _hac(returns: Vector, periods_per_year: float, confidence: float) -> dict[str, float | None]:
    interval = hac_interval(returns, periods_per_year, confidence)
    return {"hac_low": interval.low, "hac_high": interval.high}


def _track_record(
    returns: Vector, periods_per_year: float, confidence: float, trials: Trials | None
) -> dict[str, float | int | None]:
    """Sharpe ratios of a bar within, of a year in the document.

    The trials' Sharpe ratios are taken to spread at least as far as those of trials without any
    skill, as correlated as these, do over as many bars: of few trials the spread that was seen
    may be small by luck, and would then make nothing of their number.
    """
    record = track_record(returns)
    number, seen, least = (1, None, None)
    if trials:
        number, seen, least = trials.effective, trials.sharpe_deviation, trials.noise_deviation
    spread = max(seen or 0.0, least or 0.0)
    luckiest = expected_maximum_sharpe(number, spread)
    return {
        "probabilistic_sharpe": probabilistic_sharpe(returns),
        "deflated_sharpe": deflated_sharpe(returns, number, spread),
        "expected_maximum_sharpe": luckiest * periods_per_year**0.5,
        "minimum_bars": minimum_track_record(returns, confidence=confidence),
        "bars": len(returns),
        "skewness": record and record.skewness,
        "kurtosis": record and record.kurtosis,
    }


def _overfitting(trials: Trials | None) -> dict[str, Any] | None:
    """Of all configurations in the ledger that have the same bars."""
    found = probability_of_overfitting(trials.aligned()) if trials else None
    return asdict(found) if found else None


def _superiority(
    returns: pd.DataFrame, spec: EvaluationSpec, rng: np.random.Generator
) -> dict[str, Any] | None:
    opponents = [str(book) for book in returns.columns[1:]]
    if not opponents:
        return None
    benchmark = BENCHMARK if BENCHMARK in opponents else opponents[0]
    return superiority(returns, benchmark, spec.resamples, spec.confidence, rng)


def _elsewhere(found: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    """What other sections say for the verdict, None where they say nothing."""
    tested, timing = found["superiority"], found.get("timing")
    fragile = found.get("fragility") or {}
    ending, paid = fragile.get("break_even_cost_bps"), fragile.get("chosen", {}).get("cost_bps")
    return {
        "superior": strategy in tested["stepm"] if tested else None,
        "timed": timing["p_value"] if timing else None,
        "break_even": ending / paid if ending is not None and paid else None,
    }
