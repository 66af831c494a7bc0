"""What was registered about the idea before it was run, and whether it came so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.question_section import QuestionSection, SignificanceSections
from engine.reporting.tables import PlainTable

if TYPE_CHECKING:
    from engine.runs.documents import Significance
    from engine.runs.documents.significance_registration import RegistrationFigures

REGISTRATION_SOURCE = "The trial ledger, a chain of hashes"
_VALUE = formatting.NumberFormat(3)


def registration_sections(significance: Significance) -> SignificanceSections:
    """One section; none where nothing was registered."""
    if not significance.registrations:
        return []
    return [
        QuestionSection(
            key="registration",
            label="Registration",
            question="Is it what was expected before it was run?",
            answer=" ".join(map(describe_registration, significance.registrations)),
            description=(
                "What was written into the ledger with the settings of the strategy, its "
                "benchmarks and the dataset, and how many runs of this idea had known their "
                "bars by then. An idea is these settings: whoever changed one beforehand had "
                "another idea, which the count of trials has, and this section has not."
            ),
            source=REGISTRATION_SOURCE,
            tables=tuple(map(_table, significance.registrations)),
        )
    ]


def describe_registration(registration: RegistrationFigures) -> str:
    """When it was registered, before or after which runs, and what was met."""
    at = formatting.timestamp(registration.registered_at)
    when = (
        "before the first run of this idea"
        if registration.is_before
        else f"after {formatting.count_of(registration.runs_before, 'run')} of this idea"
    )
    if not registration.same_data:
        return f"Registered on {at} UTC, {when}, for other data or benchmarks than this run has."
    met = sum(each.met for each in registration.expectations)
    count = len(registration.expectations)
    told = "met" if met == count else "not met" if met == 0 else f"met in {met} of {count} rules"
    rules = ", ".join(each.rule for each in registration.expectations)
    return f"Registered on {at} UTC, {when}: {rules}. It is {told}."


def _table(registration: RegistrationFigures) -> PlainTable:
    def told(met: bool) -> str:
        if not registration.same_data:
            return "other data"
        return "met" if met else "not met"

    heading = f"Expected on {formatting.timestamp(registration.registered_at)} UTC"
    rows = tuple(
        (each.rule, _VALUE(each.value), told(each.met)) for each in registration.expectations
    )
    return PlainTable((heading, "Found", "Result"), rows)
