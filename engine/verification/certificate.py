"""The step `certificate`: the result of the leakage test agrees with its counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.verification.compare import compare_documents, first_of
from engine.verification.result import RunDifference, StepResult

if TYPE_CHECKING:
    from engine.runs.documents import Certificate
    from engine.verification.stored_run import StoredRun

FILE = "certificate.json"


def check_certificate(stored: StoredRun) -> StepResult:
    """Whether result, sentence and sums are those of the cuts and of what was compared."""
    document = stored.run.certificate
    if document is None:
        if not stored.is_current:
            return StepResult("certificate", "not checked", f"no {FILE}: an earlier version")
        return StepResult(
            "certificate", "differs", "", RunDifference(FILE, "the file was removed")
        )
    difference = first_of(
        lambda: _check_counts(document),
        lambda: _check_cuts(stored, document),
    )
    values = sum(each.value_count for each in document.compared.values())
    told = f"{len(document.cutoffs)} cuts, {values:,} values compared in that test"
    return StepResult.of("certificate", told, difference)


def _check_counts(document: Certificate) -> RunDifference | None:
    empty = [stage for stage, counts in document.compared.items() if counts.value_count < 1]
    if empty or not document.compared:
        return RunDifference(
            FILE, "nothing was compared", f"compared.{empty[0]}" if empty else "compared"
        )
    draws = document.refit_draws
    expected = {
        "result": "passed",
        "sentence": f"no look-ahead found at {len(document.cutoffs)} cuts "
        f"({', '.join(document.compared)})",
        "fits_refitted": sum(cut.refits for cut in document.cutoffs),
        "probability_missed": 0.5**draws if draws else None,
    }
    own = document.as_dict()
    # The keys of `compared` are sorted in the file; the sentence names them in their order.
    stages = own["sentence"].partition(" (")[2].removesuffix(")").split(", ")
    if sorted(stages) == sorted(document.compared):
        expected["sentence"] = own["sentence"].replace(
            own["sentence"].partition(" (")[0],
            f"no look-ahead found at {len(document.cutoffs)} cuts",
        )
    return compare_documents(FILE, expected, {key: own.get(key) for key in expected})


def _check_cuts(stored: StoredRun, document: Certificate) -> RunDifference | None:
    """Each cut is a bar, with as many bars after it; the books are those of the run."""
    stamps = pd.DatetimeIndex(stored.prepared.feature_history.features.timestamps)
    for number, cut in enumerate(document.cutoffs):
        place = stamps.get_indexer(pd.DatetimeIndex([pd.Timestamp(cut.bar)]))[0]
        path = f"cuts[{number}]"
        if place < 0:
            return RunDifference(FILE, "a cut at no bar of the run", f"{path}.bar", found=cut.bar)
        after = len(stamps) - 1 - int(place)
        if cut.replaced_bars is not None and cut.replaced_bars != after:
            return RunDifference(
                FILE,
                "another number of later bars",
                f"{path}.bars_replaced",
                cut.bar,
                f"{after}",
                f"{cut.replaced_bars}",
            )
    if document.books:
        return compare_documents(FILE, sorted(stored.books), sorted(document.books), "books")
    return None
