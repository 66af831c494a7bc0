"""The step `significance`: intervals, tests and the verdict, from returns and evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backtest.evaluate import measure_timing
from engine.backtest.holdout_section import measure_holdout
from engine.backtest.registration_section import judge_expectations
from engine.core.blas_threads import one_blas_thread
from engine.core.book_names import STRATEGY_BOOK
from engine.core.randomness import derive_seed
from engine.evaluation.evidence import VerdictInputs, gather_evidence
from engine.evaluation.inference.bootstrap import SharpeInference
from engine.evaluation.inference.selection import SelectionTest
from engine.evaluation.inference.trial_set import IdeaLooks, Trial, TrialSet
from engine.evaluation.metrics.trade_metrics import round_trip_profits
from engine.evaluation.significance import assess_significance, draw_verdict
from engine.evaluation.verdict import BUY_AND_HOLD, TrialCounts
from engine.runs.documents.significance_models import ModelSections
from engine.verification.compare import compare_documents, first, first_of, is_close
from engine.verification.result import RunDifference, StepResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.evaluation.evidence import BookInference
    from engine.runs.documents import Metrics, Significance
    from engine.runs.documents.significance import SelectionFigures, TrialFigures
    from engine.runs.documents.significance_registration import RegistrationFigures
    from engine.verification.books import FoldedAccount
    from engine.verification.stored_run import StoredRun

FILE = "significance.json"

OF_THE_LEDGER = ("trials", "selection", "track_record", "overfitting", "verdict")
"""Sections that depend on the returns of other looks, which are in the ledger alone."""

OF_DECLARATIONS = ("registrations", "holdout")
"""Sections about what the ledger has of the idea; their figures are those of the run."""

_OF_THE_RUN_ALONE = ("estimate", "statistic", "single_p_value", "effective_bars")
"""Figures of a selection test that no other look changes."""


def check_significance(stored: StoredRun, accounts: Mapping[str, FoldedAccount]) -> StepResult:
    """Whether every interval and test of the books, and the verdict, is that of the evidence."""
    found = stored.run.significance
    trials = _own_trials(stored)
    inputs = VerdictInputs(
        returns=stored.run.returns,
        periods_per_year=stored.prepared.market.periods_per_year,
        trials=trials,
        round_trips=len(round_trip_profits(stored.trades(STRATEGY_BOOK))),
        rates=stored.prepared.rates_by_bar,
        model_sections=ModelSections(
            **{
                name: getattr(found, name)
                for name in ModelSections.model_fields
                if name in found.model_fields_set
            }
        ),
    )
    rng = np.random.default_rng(derive_seed(stored.spec.seed, "bootstrap"))
    with one_blas_thread():  # as in a run
        made = assess_significance(inputs, stored.spec.evaluation, rng)
    alone = found.trials is None or (found.trials.distinct == 1)
    checks = [lambda: _compare_sections(made, found, () if alone else OF_THE_LEDGER)]
    if not alone:
        checks += [
            lambda: _compare_selection(made, found),
            lambda: _compare_verdict(inputs, made, found),
        ]
    checks += [
        lambda: _compare_timing(stored, accounts),
        lambda: _compare_registrations(stored.run.metrics, found),
        lambda: _compare_holdout(stored),
    ]
    told = "intervals, tests of the books, timing and verdict"
    if not alone and found.trials is not None:
        told += f"; the {found.trials.distinct - 1} other looks are in the ledger alone"
    return StepResult.of("significance", told, first_of(*checks))


def _own_trials(stored: StoredRun) -> TrialSet | None:
    """The trials as far as the document has them: without the returns of other looks."""
    figures, returns = stored.run.significance.trials, stored.run.returns
    if figures is None:
        return None
    own = Trial(
        0,
        str(stored.run.manifest.dataset.interval),
        returns[STRATEGY_BOOK],
        returns.get(BUY_AND_HOLD),
    )
    return TrialSet(
        own=own,
        runs=figures.runs or 1,
        failed=figures.failed or 0,
        tuning=figures.tuning or 0,
        elsewhere=figures.elsewhere,
        since=figures.since,
        idea=_idea_of(figures),
    )


def _idea_of(figures: TrialFigures) -> IdeaLooks:
    return IdeaLooks() if figures.idea is None else IdeaLooks(**figures.idea.as_dict())


def _compare_sections(
    made: Significance, found: Significance, left_out: tuple[str, ...]
) -> RunDifference | None:
    unseen = (*left_out, *OF_DECLARATIONS)

    def shown(document: Significance) -> dict[str, Any]:
        return {key: each for key, each in document.as_dict().items() if key not in unseen}

    return compare_documents(FILE, shown(made), shown(found))


def _compare_selection(made: Significance, found: Significance) -> RunDifference | None:
    """What the run alone decides of its tests; the p-value with the others is no lower."""
    if found.selection is None or made.selection is None:
        return RunDifference(FILE, "no tests of selection", "selection")
    for name in ("sharpe", "lead"):
        one, two = getattr(made.selection, name), getattr(found.selection, name)
        if one is None or two is None:
            if one is not two:
                return RunDifference(
                    FILE, "a test that is missing or too many", f"selection.{name}"
                )
            continue
        expected, own = ({key: each[key] for key in _OF_THE_RUN_ALONE} for each in (one, two))
        if difference := compare_documents(FILE, expected, own, f"selection.{name}"):
            return difference
        if two.p_value < two.single_p_value and not is_close(two.p_value, two.single_p_value):
            return RunDifference(
                FILE,
                "lower than that of the run alone",
                f"selection.{name}.p_value",
                expected=f"at least {two.single_p_value:.17g}",
                found=f"{two.p_value:.17g}",
            )
    return None


def _compare_verdict(
    inputs: VerdictInputs, made: Significance, found: Significance
) -> RunDifference | None:
    """The verdict of the evidence in the document."""
    if found.trials is None or found.selection is None:
        return None
    evidence = gather_evidence(inputs, _inferred(made), found.method.confidence or 0.0)
    scale = inputs.periods_per_year**0.5
    told = replace(
        evidence,
        trial_counts=TrialCounts(
            found.trials.distinct, found.trials.elsewhere, _idea_of(found.trials)
        ),
        selected_sharpe=_as_test(found.selection.sharpe, scale),
        selected_lead=_as_test(found.selection.lead, scale),
    )
    verdict = draw_verdict(told, inputs.model_sections, found.unseen_tail)
    return compare_documents(FILE, verdict.as_dict(), found.verdict.as_dict(), "verdict")


def _inferred(made: Significance) -> BookInference:
    from engine.evaluation.evidence import BookInference

    names = ("estimate", "low", "high", "p_value", "block_length_bars")

    def of(section: Mapping[str, Any]) -> dict[str, SharpeInference]:
        return {
            book: SharpeInference(**{name: getattr(figures, name) for name in names})
            for book, figures in section.items()
        }

    return BookInference(of(made.sharpe), of(made.differences))


def _as_test(figures: SelectionFigures | None, scale: float) -> SelectionTest | None:
    """The test of a section; its standard error, which no verdict depends on, is not in it."""
    if figures is None:
        return None
    return SelectionTest(
        statistic=figures.statistic,
        p_value=figures.p_value,
        single_p_value=figures.single_p_value,
        effective_trials=figures.effective_trials,
        expected_maximum=figures.expected_maximum,
        hurdle=figures.hurdle,
        detectable=figures.detectable / scale,
        standard_error=float("nan"),
        effective_bars=figures.effective_bars,
    )


def _compare_registrations(metrics: Metrics, found: Significance) -> RunDifference | None:
    """Whether what was expected is met by the figures of the run."""
    books = {name: figures.as_dict() for name, figures in metrics.books.items()}
    return first(
        compare_documents(
            FILE,
            [each.as_dict() for each in judge_expectations(_rules_of(registration), books)],
            [each.as_dict() for each in registration.expectations],
            f"registrations[{number}].expectations",
        )
        for number, registration in enumerate(found.registrations)
    )


def _compare_holdout(stored: StoredRun) -> RunDifference | None:
    """The figures over the holdout, from the returns; a sealed run has no bar of it."""
    found, record = stored.run.significance.holdout, stored.run.manifest.dataset.holdout
    if found is None or record is None:
        return None
    path = "holdout.sealed_from"
    if difference := compare_documents(FILE, record.sealed_from, found.sealed_from, path):
        return difference
    expected = measure_holdout(
        stored.run.returns,
        stored.prepared.rates_by_bar,
        record.sealed_from,
        periods_per_year=stored.prepared.market.periods_per_year,
        spec=stored.spec.evaluation,
        seed=stored.spec.seed,
    )
    return compare_documents(
        FILE,
        {book: figures.as_dict() for book, figures in expected.items()},
        {book: figures.as_dict() for book, figures in found.books.items()},
        "holdout.books",
    )


def _rules_of(registration: RegistrationFigures) -> list[str]:
    return [each.rule for each in registration.expectations]


def _compare_timing(
    stored: StoredRun, accounts: Mapping[str, FoldedAccount]
) -> RunDifference | None:
    found = stored.run.significance
    if "timing" not in found:
        return None
    held = accounts[STRATEGY_BOOK].held_weights
    made = measure_timing(stored.spec, stored.prepared, held)
    expected = None if made is None else made.as_dict()
    return compare_documents(FILE, expected, found["timing"], "timing")
