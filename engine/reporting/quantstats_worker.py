"""The program of the quantstats process; nothing else in the engine loads it, or matplotlib.

Started as `python -m engine.reporting.quantstats_worker FD FOLDER`: the file descriptor of its
end of a pipe, and a folder to write to. The parent redirects the output of the libraries.
"""

from __future__ import annotations

import re
import sys
import traceback
import warnings
from importlib import resources
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from engine.core.lazy_imports import relax_gc
from engine.reporting.book_styles import STRATEGY, book_style

if TYPE_CHECKING:
    import pandas as pd

# matplotlib writes the creation time and addresses of schemas into each SVG.
SVG_METADATA = re.compile(r"<\?xml.*?\?>|<!DOCTYPE svg.*?>|<metadata>.*?</metadata>", re.DOTALL)


OMITTED_METRICS = (
    # Made of its list of drawdowns: quantstats 0.0.86 ends one that is still under way on the last
    # day, and drops one that begins on the first day and is not made good.
    *("Max Drawdown", "Max DD Date", "Max DD Period Start", "Max DD Period End"),
    *("Longest DD Days", "Avg. Drawdown", "Avg. Drawdown Days"),
    "Treynor Ratio",  # the total return over beta, not the excess return of a year
    "Recovery Factor",  # without the sign of the return
    "Risk-Adjusted Return",  # CAGR with 252 days a year in every market
)
"""Rows of its table that are wrong on some runs, by their names."""

_BAR_LABELS = {
    "Best Day": "Best Bar",
    "Worst Day": "Worst Bar",
    "Win Days": "Win Bars",
    "Expected Daily": "Expected per Bar",
    "Daily Value-at-Risk": "Value-at-Risk of a Bar",
    "Daily Returns (Cumulative Sum)": "Returns of Bars (Cumulative Sum)",
    "Daily": "Bars",
}
"""Labels of figures about single rows, taken for days -> those for longer bars."""


class QuantstatsRequest(NamedTuple):
    """The input of a report.

    Attributes:
        returns: Index naive days; a column for the strategy, and one for the benchmark if any.
        benchmark: Name of the benchmark column, if any.
        periods_per_year: Rows per year; the default of quantstats is 252 for every market.
        is_daily: Whether a row is a day; otherwise it is a longer bar.
        risk_free: Mean annual risk-free rate, a fraction.
    """

    returns: pd.DataFrame
    benchmark: str | None
    periods_per_year: int
    is_daily: bool = True
    risk_free: float = 0.0


class QuantstatsResponse(NamedTuple):
    """The report, or the error in its place.

    Attributes:
        html: Body of the report.
        failure: The error, in one line; empty where there is a report.
        traceback_text: Traceback of the error.
    """

    html: str = ""
    failure: str = ""
    traceback_text: str = ""


def render_report(request: QuantstatsRequest, folder: Path) -> str:
    """The body of the quantstats report; takes seconds, nearly all of them in matplotlib."""
    import quantstats

    _set_matplotlib_style()
    returns, benchmark, periods, is_daily, risk_free = request
    out = folder / "report.html"
    skeleton = resources.files("engine.reporting") / "templates" / "quantstats_body.html"
    with resources.as_file(skeleton) as template:
        quantstats.reports.html(
            returns[STRATEGY],
            benchmark=None if benchmark is None else returns[benchmark],
            rf=risk_free,
            periods_per_year=periods,
            strategy_title=book_style(STRATEGY).label,
            benchmark_title=None if benchmark is None else book_style(benchmark).label,
            match_dates=False,
            template_path=str(template),
            output=str(out),
        )
    # quantstats writes a small percent sign after "CAGR" that few fonts have.
    text = out.read_text(encoding="utf-8").replace("\N{SMALL PERCENT SIGN}", "")
    text = SVG_METADATA.sub("", text)
    for name in OMITTED_METRICS:
        text = re.sub(rf"<tr><td>{re.escape(name)}</td>.*?</tr>\n?", "", text)
    for label, bar_label in () if is_daily else _BAR_LABELS.items():
        text = text.replace(f">{label}<", f">{bar_label}<")
    return text


def _set_matplotlib_style() -> None:
    """Matplotlib's own theme instead of that of quantstats, text as text, reproducible ids."""
    import matplotlib as mpl

    mpl.rcdefaults()
    mpl.rc("svg", hashsalt="engine", fonttype="none")
    mpl.rc("font", size=13)
    mpl.rc("text", color="#333333")
    mpl.rc("axes", grid=True, axisbelow=True)
    mpl.rc("grid", color="#e3e6ea", linewidth=0.6)
    mpl.rc("xtick", color="#555555", bottom=False)
    mpl.rc("ytick", color="#555555", left=False)


def _handle_request(pipe: Connection, folder: Path) -> QuantstatsResponse:
    try:
        import quantstats  # noqa: F401 - loaded while the parent computes the returns

        return QuantstatsResponse(render_report(QuantstatsRequest(*pipe.recv()), folder))
    except EOFError:
        raise
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return QuantstatsResponse(
            failure=f"{type(error).__name__}: {error}", traceback_text=traceback.format_exc()
        )


def main() -> None:
    """Processes one request and ends; ends without a reply if the parent has ended."""
    relax_gc()
    # quantstats 0.0.86 warns under pandas 3.1, also where warnings are errors.
    warnings.simplefilter("ignore")
    pipe = Connection(int(sys.argv[1]))
    try:
        # As a plain tuple: here this module is `__main__`, which the parent cannot unpickle.
        pipe.send(tuple(_handle_request(pipe, Path(sys.argv[2]))))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main()
