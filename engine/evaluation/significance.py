"""Every interval and test of a run, and the verdict drawn from them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.bootstrap import infer
from engine.evaluation.multiple import holm_by_name
from engine.evaluation.verdict import Evidence, grade, sentence, skill_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from engine.evaluation.spec import EvaluationSpec

SOURCE = (
    "Politis & Romano 1994; block length Politis & White 2004, Patton et al. 2009; studentised "
    "as in Ledoit & Wolf 2008; adjusted over the opponents as in Holm 1979"
)


def significance(
    returns: pd.DataFrame,
    *,
    periods_per_year: float,
    spec: EvaluationSpec,
    rng: np.random.Generator,
    forecasts: Mapping[str, float | int | None] | None = None,
) -> dict[str, Any]:
    """Intervals and tests of every book's Sharpe ratio, and the verdict on the first.

    Args:
        returns: Index timestamp, a column a book: net return of the bar; no NaN. The first column
            is the strategy, the others are its opponents.
        periods_per_year: Annualises, as in `measures.sharpe`.
        spec: Resamples and level.
        rng: The only randomness; what is drawn for one book does not depend on the others.
        forecasts: Scores of the strategy's forecasts; with them the verdict names a model that
            predicts no better than no model.

    Returns:
        `method`; `sharpe` by book: estimate, low, high, p_value (one-sided, H0: 0 or less),
        block_length_bars; `differences` by opponent: the same of strategy less opponent, p_value
        two-sided (H0: none), and p_value_holm; `verdict`: grade and sentence. None, never NaN,
        where a figure is not defined.
    """
    strategy, *opponents = (str(book) for book in returns.columns)
    books = {str(book): np.asarray(returns[book], dtype=np.float64) for book in returns.columns}
    alone = {f"{book} alone": [values] for book, values in books.items()}
    paired = {f"against {book}": [books[strategy], books[book]] for book in opponents}
    inferred = infer({**alone, **paired}, periods_per_year, spec, rng)
    sharpes = {book: inferred[f"{book} alone"] for book in books}
    differences = {book: inferred[f"against {book}"] for book in opponents}
    adjusted = holm_by_name({name: each.p_value for name, each in differences.items()})
    evidence = Evidence(
        sharpe=sharpes[strategy],
        differences=differences,
        p_holm=adjusted,
        opponents={book: sharpes[book].estimate for book in opponents},
        confidence=spec.confidence,
        span=(f"{returns.index[0]:%Y-%m-%d}", f"{returns.index[-1]:%Y-%m-%d}"),
    )
    no_skill = skill_sentence(forecasts) if forecasts else None
    return {
        "method": {
            "bootstrap": "stationary",
            "resamples": spec.resamples,
            "confidence": spec.confidence,
            "source": SOURCE,
        },
        "sharpe": {book: asdict(inference) for book, inference in sharpes.items()},
        "differences": {
            book: {**asdict(inference), "p_value_holm": adjusted[book]}
            for book, inference in differences.items()
        },
        "verdict": {
            "grade": grade(evidence),
            "sentence": " ".join(filter(None, [sentence(evidence), no_skill])),
        },
    }
