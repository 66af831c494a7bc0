"""The process in which quantstats draws; nothing else in the engine loads it, or matplotlib.

Started as `python -m engine.reporting.quantstats_worker FD FOLDER`: its end of a pipe, and where
it may write. What the libraries print goes to wherever the parent sent it.
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

# The drawings carry the time at which they were made, and addresses nobody needs.
SVG_METADATA = re.compile(r"<\?xml.*?\?>|<!DOCTYPE svg.*?>|<metadata>.*?</metadata>", re.DOTALL)


class QuantstatsRequest(NamedTuple):
    """What is to be drawn.

    Attributes:
        returns: Index naive days; a column for the strategy, and for the benchmark if any.
        benchmark: The column to compare with.
        periods_per_year: Days a year; quantstats would take 252 for every market.
    """

    returns: pd.DataFrame
    benchmark: str | None
    periods_per_year: int


class QuantstatsResponse(NamedTuple):
    """What came of it.

    Attributes:
        html: The body of quantstats' page.
        failure: The error that came instead, in a line.
        traceback_text: Where it arose.
    """

    html: str = ""
    failure: str = ""
    traceback_text: str = ""


def render_report(request: QuantstatsRequest, folder: Path) -> str:
    """The body of quantstats' page; takes seconds, nearly all in matplotlib."""
    import quantstats

    _set_matplotlib_style()
    returns, benchmark, periods = request
    out = folder / "report.html"
    skeleton = resources.files("engine.reporting") / "templates" / "quantstats_body.html"
    with resources.as_file(skeleton) as template:
        quantstats.reports.html(
            returns[STRATEGY],
            benchmark=None if benchmark is None else returns[benchmark],
            rf=0.0,
            periods_per_year=periods,
            strategy_title=book_style(STRATEGY).label,
            benchmark_title=None if benchmark is None else book_style(benchmark).label,
            match_dates=False,
            template_path=str(template),
            output=str(out),
        )
    # "CAGR" comes with a small percent sign after it that few fonts have.
    text = out.read_text(encoding="utf-8").replace("\N{SMALL PERCENT SIGN}", "")
    return SVG_METADATA.sub("", text)


def _set_matplotlib_style() -> None:
    """The look of the drawings: quantstats' theme undone, text left as text, ids that repeat."""
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
        import quantstats  # noqa: F401 - loads while the parent is still at the returns

        return QuantstatsResponse(render_report(QuantstatsRequest(*pipe.recv()), folder))
    except EOFError:
        raise
    except Exception as error:  # noqa: BLE001 - told where it can be seen
        return QuantstatsResponse(
            failure=f"{type(error).__name__}: {error}", traceback_text=traceback.format_exc()
        )


def main() -> None:
    """Answers one question, and leaves; leaves without one where the parent has gone."""
    relax_gc()
    # quantstats 0.0.86 warns under pandas 3.1, whatever the user wants done about warnings.
    warnings.simplefilter("ignore")
    pipe = Connection(int(sys.argv[1]))
    try:
        # As a plain tuple: this module goes by another name over there.
        pipe.send(tuple(_handle_request(pipe, Path(sys.argv[2]))))
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main()
