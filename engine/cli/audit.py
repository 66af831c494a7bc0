"""`backtest audit`: judges backtests that other tools made."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from engine.cli.errors import handle_errors
from engine.cli.options import DebugOption, JsonOption, limit_blas_threads, number, whole_number
from engine.cli.terminal import print_json, print_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.auditing import AuditKind

AUDITS_FOLDER = "audits"

audit_app = typer.Typer(
    help="Judge backtests that other tools made, from their files.",
    no_args_is_help=True,
)

FileArgument: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, Parquet or Feather; compressed or not.")
]
ColumnOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Column of the returns, or the audited variant."),
]
ValuesOption: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="KIND",
        help="What the values are: auto, returns, percent or equity.",
    ),
]
DatesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="How dates are written where they are not ISO 8601: day_first, month_first, or a "
        "format such as %d.%m.%Y.",
    ),
]
BenchmarkOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Returns or an equity curve that a grade must beat."),
]
BarsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Bars whose closes are held: the benchmark of a grade."),
]
CostOption: TypeAlias = Annotated[
    float,
    typer.Option(
        metavar="BPS",
        parser=number,
        help="Cost of buying the bars, once, and of every change of a position.",
    ),
]
CapitalOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="AMOUNT",
        parser=number,
        help="Equity before the first trade, in the currency of the profits.",
    ),
]
PeriodsOption: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="N", parser=number, help="Bars a year. Default: told from the timestamps."
    ),
]
TriesOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=whole_number(min=1, max=1_000_000),
        help="Strategies that were tried, this one included.",
    ),
]
TriesFromOption: TypeAlias = Annotated[
    tuple[str, Path] | None,
    typer.Option(
        metavar="KIND PATH",
        help="Count the tries in a file: csv (a row a try), optuna (its SQLite storage) or mlflow "
        "(its folder or SQLite file, or PATH:EXPERIMENT).",
    ),
]
FormatOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        help="Format of the file, where its content is not to tell: table, lean or metatrader of "
        "returns; backtesting.py, vectorbt, pybroker, tradingview or trades of trades; freqtrade "
        "of both.",
    ),
]
ConfidenceOption: TypeAlias = Annotated[
    float, typer.Option(metavar="LEVEL", parser=number, help="Level of the intervals.")
]
NameOption: TypeAlias = Annotated[
    str, typer.Option(metavar="TEXT", help="Title of the page. Default: the name of the file.")
]
OutOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Output folder. Default: a folder for the file in reports/audits."
    ),
]


@dataclass(frozen=True)
class _Given:
    """The command line of an audit; each kind takes some of the options."""

    file: FileArgument
    column: ColumnOption = None
    values: ValuesOption = "auto"
    capital: CapitalOption = None
    bars: BarsOption = None
    dates: DatesOption = None
    format_: FormatOption = "auto"
    benchmark: BenchmarkOption = None
    cost_bps: CostOption = 0.0
    periods_per_year: PeriodsOption = None
    tries: TriesOption = None
    tries_from: TriesFromOption = None
    confidence: ConfidenceOption = 0.95
    name: NameOption = ""
    out: OutOption = None
    json: JsonOption = False
    debug: DebugOption = False


_LAST = (
    *("cost_bps", "periods_per_year", "tries", "tries_from", "confidence"),
    *("name", "out", "json", "debug"),
)
"""Options of every kind, after its own."""


def _offer(kind: AuditKind, own: Sequence[str], text: str) -> None:
    """Adds the command of a kind of audit.

    Args:
        kind: Its name.
        own: Its options before `_LAST`, in the order of the help.
        text: Its help.
    """

    def command(**options: Any) -> None:  # noqa: ANN401 - the fields of `_Given`
        given = _Given(**options)
        with handle_errors(debug=given.debug):
            limit_blas_threads()
            _audit(kind, given)

    taken = inspect.signature(_Given, eval_str=True).parameters
    vars(command)["__signature__"] = inspect.Signature(
        [taken[name].replace(kind=Parameter.KEYWORD_ONLY) for name in ("file", *own, *_LAST)]
    )
    audit_app.command(kind, help=text)(command)


_offer(
    "returns",
    ("column", "values", "dates", "format_", "benchmark", "bars"),
    """Judge a column of returns, or of an equity curve.

Without --bars or --benchmark there is no grade; with them it is at most weak, because a file
shows neither look-ahead nor costs.""",
)
_offer(
    "trades",
    ("capital", "dates", "format_", "benchmark", "bars"),
    """Judge a list of closed trades.

Those of backtesting.py, vectorbt, PyBroker and freqtrade are known, and any with the columns
entry_time, exit_time, and pnl or return. With --bars of the one symbol that is traded the
account is marked at each close; without, it moves at the exits alone, which is told.""",
)
_offer(
    "positions",
    ("bars", "dates", "benchmark"),
    """Judge positions over bars, at costs that you give.

A column of dates and a weight for each symbol, as a fraction of the equity. A weight is held
from the close of its bar to the next close. For several symbols --bars has a column of closes
for each, of the same name.""",
)
_offer(
    "matrix",
    ("column", "values", "dates", "benchmark", "bars"),
    """Judge one of several variants on the same bars.

Each has a column, and the others are tries: they raise the hurdle by what their returns have
in common, and give the probability of backtest overfitting. Default: the variant with the
highest Sharpe ratio.""",
)


@audit_app.command("code")
def audit_code_command(
    function: Annotated[
        str,
        typer.Argument(
            metavar="FUNCTION",
            help="FILE.py:NAME: a function of a frame of bars to features or signals. The file is "
            "run as your own code.",
        ),
    ],
    data: Annotated[Path, typer.Option(metavar="FILE", help="The bars: CSV, Parquet or Feather.")],
    dates: DatesOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Ask a function of your own whether its values know later bars.

    It is called with bars that end early, that go on otherwise, and of which single ones are
    altered. The shortest bars found that show it are printed. Exit code 4 where it looks ahead.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.auditing import load_function, probe_function, read_bars
        from engine.cli.audit_summary import code_document, render_code_text
        from engine.core.errors import LookaheadError

        probe = probe_function(load_function(function), read_bars(data, dates))
        if json:
            print_json(code_document(probe))
        else:
            print_text(render_code_text(probe))
        if probe.findings:
            raise typer.Exit(LookaheadError.exit_code)


def _count(tries: int | None, tries_from: tuple[str, Path] | None) -> int | None:
    """The number of tries that is given, or that a file has."""
    from engine.auditing import count_tries
    from engine.core.errors import UsageError

    if tries_from is None:
        return tries
    if tries is not None:
        raise UsageError(
            "the tries are given twice",
            expected="--tries or --tries-from",
            found="both",
            where="--tries",
            fix="add the others to the number of --tries, and leave --tries-from out",
        )
    return count_tries(*tries_from)


def _audit(kind: AuditKind, given: _Given) -> None:
    """Audits a file, writes its page and documents, and prints the verdict."""
    from engine.auditing import AuditOptions, AuditSettings, audit_file
    from engine.cli.audit_summary import audit_summary_document, render_audit_text
    from engine.cli.text_table import prose_width
    from engine.core.storage import translate_disk_faults, write_file
    from engine.core.writable import OutputPlace
    from engine.reporting.audit_page import AUDIT_FILE, write_audit_page

    options = AuditOptions(
        given.column,
        given.values,
        given.dates,
        given.benchmark,
        given.bars,
        given.cost_bps,
        given.capital,
        format_name=given.format_,
    )
    counted = _count(given.tries, given.tries_from)
    settings = AuditSettings(given.name, "", "", counted, given.periods_per_year, given.confidence)
    result = audit_file(kind, given.file, options, settings)
    folder = given.out or Path("reports") / AUDITS_FOLDER / result.document.sha256[:12]
    place = OutputPlace("the page", "name another folder with --out")
    place.require_folder(folder, AUDIT_FILE, "significance.json")
    with translate_disk_faults("the page cannot be written", folder, place.otherwise):
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / "audit.json", result.document.to_json())
        write_file(folder / "significance.json", result.significance.to_json())
        page = write_audit_page(result.document, result.significance, result.returns, folder)
    if given.json:
        print_json(audit_summary_document(result, page))
    else:
        print_text(render_audit_text(result, page, prose_width()))
