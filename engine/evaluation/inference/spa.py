"""Whether any book is better than a benchmark, all that were looked at counted.

Better means a higher Sharpe ratio, as everywhere on the page: by mean return a book could win with
leverage alone. Each book's difference to the benchmark is studentised as in
`bootstrap.StudentisedSharpe`, in resamples that all books share, so that the highest of them is
judged by what the highest of them is by luck.

On the engine's own resamples: `arch.bootstrap.SPA` takes two seconds to import and two for 10,000
resamples, compares means, and does not divide by the standard errors as Hansen does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.inference.bootstrap import (
    StudentisedSharpe,
    resample_statistics,
    trivial_inference,
)

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import Matrix, Vector


def run_superiority_tests(
    returns: pd.DataFrame,
    benchmark: str,
    resamples: int,
    confidence: float,
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    """Tests all books at once against H0: no book has a higher Sharpe ratio than the benchmark.

    Hansen's test for superior predictive ability says whether there is a better one at all, Romano
    & Wolf's stepwise test which ones: with probability `confidence` it names no book that is not.
    Blocks are as long as the most dependent of the differences needs them.

    Args:
        returns: A column a book, net return of the bar; no NaN.
        benchmark: The column that all others are compared with.
        resamples: Of the bootstrap.
        confidence: One less the chance that `stepm` names any book wrongly.
        rng: Left alone: its seed makes the streams that are drawn from.

    Returns:
        `benchmark`; `block_length_bars`; `spa`: p-values `lower`, `consistent` (the one to read)
        and `upper`, as in `spa_p_values`; `stepm`: the books named, the surest first; `p_values`
        by book, from `stepm_p_values`, 1 for a book that is the benchmark or its leverage.
        None below 30 bars and where the benchmark, or all else, does not vary or is the benchmark.

    Source: Hansen (2005), A Test for Superior Predictive Ability, J. of Business & Economic
    Statistics 23(4); Romano & Wolf (2005), Stepwise Multiple Testing as Formalized Data Snooping,
    Econometrica 73(4), whose performances are Sharpe ratios too.
    """
    books = {str(book): np.asarray(returns[book], dtype=np.float64) for book in returns.columns}
    pairs = {name: [book, books[benchmark]] for name, book in books.items() if name != benchmark}
    known = {name: trivial_inference(pair) for name, pair in pairs.items()}
    untested = {name: each.p_value for name, each in known.items() if each is not None}
    rivals = {name: StudentisedSharpe(pairs[name]) for name in pairs if name not in untested}
    if not rivals:
        return None
    length = max(rival.block_length for rival in rivals.values())
    drawn = np.column_stack(list(resample_statistics(rivals, length, resamples, rng).values()))
    observed = np.array([rival.estimate / rival.standard_error for rival in rivals.values()])
    tested = dict(zip(rivals, stepm_p_values(observed, drawn), strict=True))
    surest = [list(rivals)[place] for place in np.argsort(-observed, kind="stable")]
    return {
        "benchmark": benchmark,
        "block_length_bars": length,
        "spa": spa_p_values(observed, drawn, len(returns)),
        "stepm": [name for name in surest if tested[name] <= 1 - confidence],
        "p_values": {name: {**tested, **untested}[name] for name in pairs},
    }


def spa_p_values(observed: Vector, resampled_statistics: Matrix, bars: int) -> dict[str, float]:
    """Hansen's three p-values of the highest statistic, (1 + #{T* >= T}) / (1 + resamples).

    T = max(0, highest of the observed). T* is the same of a resample's, in which a book far below
    the benchmark is left as far below as it was found, as it is no candidate for the highest:

    - lower: every book below the benchmark is; the least that the p-value can be.
    - consistent: one that is below by more than sqrt(2 ln ln n) standard errors.
    - upper: none, so that any number of bad books adds to the p-value (White's reality check).

    Where no book is above the benchmark T is 0, and so all three are 1.

    Args:
        observed: Studentised differences to the benchmark, shape (k,).
        resampled_statistics: Their resamples, each about its own estimate, shape (resamples, k).
        bars: n.

    Source: Hansen (2005), section 2.
    """
    threshold = -np.sqrt(2 * np.log(np.log(bars)))
    left = {
        "lower": np.minimum(observed, 0.0),
        "consistent": np.where(observed < threshold, observed, 0.0),
        "upper": np.zeros_like(observed),
    }
    highest = max(float(observed.max()), 0.0)
    return {
        name: _upper_tail_p_value(
            np.maximum((resampled_statistics + below).max(axis=1), 0.0), highest
        )
        for name, below in left.items()
    }


def stepm_p_values(observed: Vector, resampled_statistics: Matrix) -> list[float]:
    """Romano & Wolf's p-values of each book, for having looked at all of them.

    The book with the highest statistic is judged by the resamples' highest of all, the next one by
    the highest of all but the first, and so on; none is surer than the one before. Those at or
    below a level are the books that their stepwise test names at it.

    Args:
        observed: Studentised differences to the benchmark, shape (k,).
        resampled_statistics: Their resamples, each about its own estimate, shape (resamples, k).

    Source: Romano & Wolf (2005), algorithm 3.1; as p-values Romano & Wolf (2016), Statistics &
    Probability Letters 113.
    """
    order = np.argsort(-observed, kind="stable")
    # From the last to the first: each column the highest of those that are left at its step.
    highest = np.maximum.accumulate(resampled_statistics[:, order[::-1]], axis=1)[:, ::-1]
    steps = [
        _upper_tail_p_value(highest[:, step], observed[book]) for step, book in enumerate(order)
    ]
    adjusted = np.empty(len(observed))
    adjusted[order] = np.maximum.accumulate(steps)
    return [float(p_value) for p_value in adjusted]


def _upper_tail_p_value(resampled_statistics: Vector, observed: float) -> float:
    return float(
        (1 + np.count_nonzero(resampled_statistics >= observed)) / (1 + len(resampled_statistics))
    )
