"""A run of several symbols with all that a tearsheet needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reporting.conftest import make_metrics, make_significance
from tests.reporting.page import altered
from tests.reporting.small_run import Shape, small_run
from tests.runs.documents import make_metrics_document, make_significance_document

if TYPE_CHECKING:
    from engine.runs.run import Run


def universe_run(symbols: int, bars: int, groups: dict[str, list[str]] | None = None) -> Run:
    """Long in a tenth of the symbols and short in another, of forecasts with a little skill."""
    shape = Shape(
        bars=bars + 100,
        tested=bars,
        symbols=tuple(f"SYM{number:03d}" for number in range(symbols)),
        forecast="skill",
        noise=0.03,
        seeds=1,
        borrow=50.0,
        held=max(1, symbols // 10),
    )
    run = small_run(shape)
    own = run.positions.groupby("timestamp")["weight"].sum()
    weights = {"strategy": own.to_numpy(), "buy_and_hold": own.to_numpy() * 0 + 1}
    metrics = make_metrics(run.returns, weights)
    metrics["span"]["periods_per_year"] = 365.0
    strategy = {**run.manifest.strategy, "portfolio": {"groups": groups or {}}}
    return altered(
        run,
        manifest=run.manifest | {"strategy": strategy},
        metrics=make_metrics_document(**metrics),
        significance=make_significance_document(**make_significance(metrics)),
    )
