"""What an interpretation found, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.runs.documents.interpretation import FeatureAttribution, RuleFigures

CLOSE_RULE = 0.8
"""Share of the forecasts' variation from which a model is called the rule that repeats it."""


def describe_findings(
    features: Sequence[FeatureAttribution], rules: Sequence[RuleFigures], confidence: float
) -> str:
    """The largest input, which inputs matter more than noise, and the closest simple rule.

    Args:
        features: The inputs, the largest share first.
        rules: Simple rules, the closest first.
        confidence: Level of the tests.
    """
    largest = features[0]
    sentences = [
        f"The forecasts move most with {largest.name} ({largest.share_pct:.0f} % of the Shapley "
        f"values of {len(features)} inputs)."
    ]
    found = [each.name for each in features if each.matters]
    level = f"{100 * (1 - confidence):.3g} %"
    if found:
        sentences.append(
            f"{_join(found)} {'add' if len(found) > 1 else 'adds'} more to the correlation with "
            f"the outcome than noise would, at a false discovery rate of {level}."
        )
    else:
        sentences.append(
            "No input adds more to the correlation with the outcome than noise would, at a false "
            f"discovery rate of {level}: what moves the forecasts was not shown to predict."
        )
    if rules:
        sentences.append(_describe_rule(rules[0]))
    return " ".join(sentences)


def _describe_rule(rule: RuleFigures) -> str:
    form = "linear function" if rule.form == "linear" else "tree of depth 3"
    if rule.r2 < 0:
        return "No simple rule repeats the forecasts better than their mean."
    named = f"a {form} of the {rule.rule}"
    share = f"{100 * rule.r2:.0f} %"
    if rule.r2 >= CLOSE_RULE:
        return f"The model is nearly {named}, which repeats {share} of the forecasts' variation."
    return f"The closest simple rule, {named}, repeats {share} of the forecasts' variation."


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
