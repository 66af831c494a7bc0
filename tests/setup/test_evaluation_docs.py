"""docs/evaluation.md names every figure that a run writes, and states the rule of the grades."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.evaluation.robustness.sensitivity import (
    BREAK_EVEN_SEARCH_LIMIT_BPS,
    COST_MULTIPLES,
    DELAYS_BARS,
)
from engine.evaluation.verdict import (
    COST_MARGIN,
    HIGHEST_LEVEL,
    MIN_EFFECTIVE_BARS,
    MIN_ROUND_TRIPS,
    MODERATE_SHARE,
    Grade,
)
from tests.pipeline.markets import market, write_strategy
from tests.reporting.truth import truth

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "evaluation.md").read_text(encoding="utf-8")
HEADINGS = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"^### (.+)$", GUIDE, re.MULTILINE))))
NAMED = set(re.findall(r"`([a-z0-9_]+)`", GUIDE)) | HEADINGS

BY_NAME = {
    ("books",), ("forecasts",), ("forecasts", "*", "horizons"),
    ("sharpe",), ("differences",), ("superiority", "p_values"),
    ("forecasts", "diebold_mariano"), ("forecasts", "clark_west"),
    ("ranks", "models"), ("inputs", "adf"),
    ("path_risk", "horizons", "books"), ("path_risk", "horizons", "behind_probability"),
    ("path_risk", "horizons", "books", "*", "drawdown_probability"), ("path_risk", "realised"),
}  # fmt: skip
"""Where keys are books, rivals, inputs or horizons, and not figures."""


def figures(document: Any, by_name: set[tuple[str, ...]], path: tuple[str, ...] = ()) -> set[str]:
    """Every key that is the name of a figure or of a section."""
    if isinstance(document, list):
        return set().union(*(figures(each, by_name, path) for each in document))
    if not isinstance(document, dict):
        return set()
    keys = set() if path in by_name else set(document)
    step = {key: "*" if path in by_name else key for key in document}
    return keys.union(
        *(figures(value, by_name, (*path, step[key])) for key, value in document.items())
    )


def of_metrics(document: dict[str, Any]) -> set[str]:
    return figures(document, BY_NAME)


def of_significance(document: dict[str, Any]) -> set[str]:
    return figures(document, BY_NAME - {("forecasts",)})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> engine.Run:
    folder = tmp_path_factory.mktemp("named")
    return engine.run(
        write_strategy(folder, market(folder / "market")),
        overrides={"evaluation.resamples": 200},
        out=folder,
        home=folder / "home",
        pages=False,
    )


@pytest.mark.slow
def test_every_key_of_a_run_is_documented(run: engine.Run) -> None:
    metrics, significance = run.metrics.as_dict(), run.significance.as_dict()
    found = of_metrics(metrics) | of_significance(significance)
    assert found - NAMED == set()
    # What is looked for: figures, and nothing that has its name from the strategy or its inputs.
    assert {"hac_low", "deflated_sharpe", "statistic", "break_even_cost_bps", "auc"} <= found
    assert not found & {"strategy", "buy_and_hold", "no_change", "ridge", "AAA:log_return_1"}
    sections = (set(metrics) | set(significance)) - {"schema_version", "verdict"}
    assert sections <= HEADINGS


def test_every_optional_key_is_documented() -> None:
    found = of_significance(truth({"sharpe": {}}))
    assert {"seed_deviation_low", "median_logit", "sentence"} <= found
    assert found - NAMED == set()
    of_quantiles = {"pinball_bps", "unconditional_pinball_bps", "intervals", "coverage_pct"}
    assert of_quantiles | {"nominal_pct", "mean_width_bps", "low", "high"} <= NAMED


def test_every_link_has_a_target() -> None:
    links = re.findall(r"\]\(([^)]+)\)", GUIDE)
    assert len(links) > 5
    for link in links:
        page, _, anchor = link.partition("#")
        text = (DOCS / page).read_text(encoding="utf-8") if page else GUIDE
        titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^a-z0-9_ -]", "", one.lower()).replace(" ", "-") for one in titles}
        assert not anchor or anchor in anchors, link


def test_the_rule_of_the_grades_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|.* \|$", GUIDE, re.MULTILINE)
    rule = {grade: said for grade, said in rows if grade in Grade.__args__}
    assert list(rule) == list(Grade.__args__)
    assert HIGHEST_LEVEL == 0.05
    assert f"at least {MIN_ROUND_TRIPS} finished round trips" in rule["weak"]
    assert f"at least {MIN_EFFECTIVE_BARS:.0f} effective bars" in rule["weak"]
    assert MODERATE_SHARE == 1 / 5
    assert "alpha/5" in rule["moderate"]
    assert COST_MARGIN == 2
    assert "twice the cost that it paid" in rule["strong"]


def test_the_settings_of_the_sensitivity_surface_are_documented() -> None:
    assert COST_MULTIPLES == (0, 0.5, 1, 2, 4)
    assert "0, 0.5, 1, 2 and 4 times those charged" in GUIDE
    assert DELAYS_BARS == (1, 2, 3, 5)
    assert "1, 2, 3, 5 and the strategy's own" in GUIDE
    assert BREAK_EVEN_SEARCH_LIMIT_BPS == 2_000
    assert "upper limit of the search" in GUIDE
