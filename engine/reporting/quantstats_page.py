"""quantstats' own report on the strategy, as a second opinion from outside this engine."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
import warnings
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.reporting import formatting
from engine.reporting.books import BUY_AND_HOLD, STRATEGY, book
from engine.reporting.heading import heading
from engine.reporting.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.artifacts import Run

FEWEST_DAYS = 30

# The drawings carry the time at which they were made, and addresses nobody needs.
METADATA = re.compile(r"<\?xml.*?\?>|<!DOCTYPE svg.*?>|<metadata>.*?</metadata>", re.DOTALL)


def quantstats_page(run: Run) -> str:
    """The page, self-contained, from the run alone; takes seconds, nearly all in matplotlib."""
    from markupsafe import Markup

    returns, periods = _daily(run)
    reason = _nothing_to_measure(returns)
    benchmark = BUY_AND_HOLD if BUY_AND_HOLD in returns else None
    report = "" if reason else _report(returns, benchmark, periods)
    return render(
        "quantstats.html.j2",
        page="quantstats",
        heading=heading(run),
        reason=reason,
        periods=formatting.COUNT(periods),
        benchmark=book(benchmark).label if benchmark else "",
        # Made here from numbers and fixed titles: nothing from outside is in it.
        report=Markup(report),
    )


def _daily(run: Run) -> tuple[pd.DataFrame, int]:
    """Returns by naive day, and days a year.

    quantstats knows no time zones and no bars within a day.
    """
    index = pd.DatetimeIndex(run.returns.index).tz_localize(None).normalize()
    days = (1.0 + run.returns.set_axis(index)).groupby(level=0).prod() - 1.0
    a_year = run.metrics["span"]["periods_per_year"] * len(days) / len(run.returns)
    return days, max(1, round(a_year))


def _nothing_to_measure(returns: pd.DataFrame) -> str:
    if len(returns) < FEWEST_DAYS:
        return f"The span has {len(returns)} days; quantstats needs at least {FEWEST_DAYS}."
    if returns[STRATEGY].nunique() < 2:
        return "The strategy's returns never varied: it held nothing, so there is no report."
    return ""


def _report(returns: pd.DataFrame, benchmark: str | None, periods: int) -> str:
    """The body of quantstats' page.

    Args:
        returns: Index naive days, a column a book.
        benchmark: The column to compare with, if there is one.
        periods: Days a year; quantstats would take 252 for every market.
    """
    skeleton = resources.files("engine.reporting") / "templates" / "quantstats_body.html"
    with (
        tempfile.TemporaryDirectory() as folder,
        resources.as_file(skeleton) as template,
        _quiet(),
    ):
        import quantstats

        _style()
        out = Path(folder) / "report.html"
        quantstats.reports.html(
            returns[STRATEGY],
            benchmark=None if benchmark is None else returns[benchmark],
            rf=0.0,
            periods_per_year=periods,
            strategy_title=book(STRATEGY).label,
            benchmark_title=None if benchmark is None else book(benchmark).label,
            match_dates=False,
            template_path=str(template),
            output=str(out),
        )
        # "CAGR" comes with a small percent sign after it that few fonts have.
        text = out.read_text(encoding="utf-8").replace("\N{SMALL PERCENT SIGN}", "")
        return METADATA.sub("", text)


def _style() -> None:
    """The look of the drawings.

    quantstats sets a theme once, when it is imported, and so would draw the first report of a
    process unlike the second; this one stands whenever it draws. Text stays text, ids repeat.
    """
    import matplotlib as mpl

    mpl.rcdefaults()
    mpl.rc("svg", hashsalt="engine", fonttype="none")
    mpl.rc("font", size=13)
    mpl.rc("text", color="#333333")
    mpl.rc("axes", grid=True, axisbelow=True)
    mpl.rc("grid", color="#e3e6ea", linewidth=0.6)
    mpl.rc("xtick", color="#555555", bottom=False)
    mpl.rc("ytick", color="#555555", left=False)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No window, no print, no warning; matplotlib is left as it was found.

    quantstats 0.0.86 warns under pandas 3.1 (a deprecated `inplace`), asks matplotlib for Arial
    (which logs a line for each text where there is none) and sets ticks in a way it is warned of.
    """
    import matplotlib as mpl

    fonts = logging.getLogger("matplotlib.font_manager")
    level, backend = fonts.level, mpl.get_backend(auto_select=False)
    fonts.setLevel(logging.ERROR)
    with (
        warnings.catch_warnings(action="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
        mpl.rc_context(),
    ):
        mpl.use("Agg")
        try:
            yield
        finally:
            fonts.setLevel(level)
            if backend is not None:
                mpl.use(backend)
