"""The section `registrations` of `significance.json`: what was expected before, and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.runs.documents.significance_registration import (
    ExpectationFigures,
    RegistrationFigures,
)
from engine.trials.expectations import parse_expectation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.runs.documents import Metrics
    from engine.trials.declarations import Declaration


def make_registration_section(
    registrations: Iterable[Declaration],
    strategy: Mapping[str, Any],
    dataset: Mapping[str, Any],
    metrics: Metrics,
) -> dict[str, list[RegistrationFigures]]:
    """`registrations` and its figures; no section where nothing was registered.

    Args:
        registrations: Of the idea of the run, the first first.
        strategy: Resolved strategy of the run, as JSON.
        dataset: Provenance of its bars.
        metrics: Its figures.
    """
    books = {name: figures.as_dict() for name, figures in metrics.books.items()}
    sections = [
        RegistrationFigures(
            registered_at=each.declared_at,
            hash=each.hash,
            runs_before=each.runs_before,
            same_data=_describe_look(each.strategy, each.content["span"])
            == _describe_look(strategy, describe_span(dataset)),
            expectations=judge_expectations(each.content["expectations"], books),
        )
        for each in registrations
    ]
    return {"registrations": sections} if sections else {}


def judge_expectations(
    rules: Iterable[str], books: Mapping[str, Mapping[str, Any]]
) -> tuple[ExpectationFigures, ...]:
    """Whether the figures of a run are as expected.

    Args:
        rules: As `Expectation.rule` writes them.
        books: Book -> its figures, as in `metrics.json`.
    """
    judged = []
    for rule in rules:
        expectation = parse_expectation(rule)
        value = expectation.value(books)
        judged.append(ExpectationFigures(rule=rule, value=value, met=expectation.is_met(value)))
    return tuple(judged)


def describe_span(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset, and the days that it asks for."""
    return {
        "dataset": dataset["name"],
        "start": dataset.get("start"),
        "end": dataset.get("end"),
    }


def _describe_look(strategy: Mapping[str, Any], span: Mapping[str, Any]) -> dict[str, Any]:
    """What a figure depends on beside the idea: span, targets, benchmarks."""
    data = {key: strategy["data"].get(key) for key in ("target", "targets")}
    return {"span": dict(span), "data": data, "benchmarks": strategy["benchmarks"]}
