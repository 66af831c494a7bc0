"""`backtest leaktest`: plants known leaks in the engine, and checks that each is detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli import completion
from engine.cli.errors import EXIT_UNEXPECTED, handle_errors
from engine.cli.options import (
    DataOption,
    DebugOption,
    JsonOption,
    OfflineOption,
    QuietOption,
    WorkersOption,
    limit_blas_threads,
    whole_number,
)
from engine.cli.progress import stderr_progress
from engine.cli.terminal import print_json, print_text
from engine.cli.text_table import (
    TextTableColumn,
    output_width,
    render_table,
    wrap_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.core.progress import Progress
    from engine.selftest.leak_cases import CaseSource
    from engine.selftest.leak_test import LeakRow, LeakTestResult
    from engine.selftest.leaks import Leak

RANDOM_STRATEGIES = 2
"""Random strategies that leaks are planted in beside the shipped ones."""

HONEST_RUNS = 30
"""Further random strategies without a leak."""

MAX_WIDTH = 80


def leaktest_command(
    context: typer.Context,
    strategies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STRATEGY",
            help="Strategy files; their own bars are used. Default: the shipped strategies on "
            "generated bars, and random strategies.",
            autocompletion=completion.complete_strategies,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND|STAGE",
            help="Plant one kind, all kinds that begin with these words, or all of one stage. "
            "Repeatable.",
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show the kinds of leaks, and plant none.")
    ] = False,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole_number(min=0), help="Seed of bars, strategies and draws."
        ),
    ] = 0,
    data: DataOption = None,
    offline: OfflineOption = False,
    workers: WorkersOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Plant known leaks, and check that the leakage test detects them.

    Each kind of look-ahead replaces one function of the engine in a run of each strategy; the
    leakage test of that run has to detect it and to name its stage. Strategies without a leak have
    to pass. Costly models are replaced by ridge regressions.

    Writes nothing. Takes a few minutes on two cores; --only takes a part of it.

    Exit codes: 0 every leak was caught and no honest strategy gave an alarm, 1 one was missed or
    gave one, 2 the command line or a strategy is wrong, 3 data missing or unfit, 130 interrupted.
    """
    with handle_errors(debug=debug):
        limit_blas_threads()
        from engine.selftest.leaks import select_leaks

        leaks = select_leaks(only or ())
        if list_:
            if json:
                print_json(_list_as_json(leaks))
            else:
                print_text(render_leaks_text(leaks, output_width()))
            return
        with stderr_progress(quiet=quiet) as progress:
            sources = _make_sources(strategies or (), seed, data, progress, offline=offline)
            result = (context.obj or _default_leak_test())(
                sources,
                leaks=leaks,
                honest=0 if strategies else HONEST_RUNS,
                seed=seed,
                workers=workers,
                progress=progress,
            )
        if json:
            print_json(result.as_json())
        else:
            print_text(render_leaktest_text(result, output_width()))
        if not result.passed:
            raise typer.Exit(EXIT_UNEXPECTED)


def _make_sources(
    strategies: Sequence[str], seed: int, data: str | None, progress: Progress, *, offline: bool
) -> list[CaseSource]:
    """Strategies that leaks are planted in; tells what is changed in them."""
    from engine.core.home import backtest_home
    from engine.pipeline.holdout import load_strategy_market
    from engine.selftest import leak_cases

    if not strategies:
        progress.notice(leak_cases.DEFAULT_NOTICE)
        return leak_cases.default_sources(seed, RANDOM_STRATEGIES)
    sources: list[CaseSource] = []
    for path in strategies:
        source, note = leak_cases.load_case(
            path,
            lambda spec: load_strategy_market(
                spec, home=backtest_home(), offline=offline, override=data, progress=progress
            ),
        )
        if note:
            progress.notice(note)
        sources.append(source)
    return sources


def render_leaktest_text(result: LeakTestResult, width: int) -> str:
    """The table of all kinds, what was missed and where, and the conclusion.

    Args:
        result: All runs.
        width: Columns of the terminal.
    """
    rows = result.rows
    columns = [
        TextTableColumn(0, "", ["" if row.passed else "FAIL" for row in rows], align_right=False),
        TextTableColumn(0, "Leak", [row.name for row in rows], align_right=False, min_width=12),
        TextTableColumn(0, "Stage", [row.stage for row in rows], align_right=False),
        TextTableColumn(0, "Caught", [_share(row.caught, row.planted) for row in rows]),
        TextTableColumn(0, "Stage right", [_share(row.stage_right, row.planted) for row in rows]),
    ]
    width = min(width, MAX_WIDTH)
    parts = ["\n".join(render_table(columns, width))]
    parts += [wrap_text(line, width) for row in rows for line in _describe_failures(row)]
    parts.append(
        wrap_text(
            f"Honest strategies: {result.honest} runs, {len(result.false_alarms)} false alarms.",
            width,
        )
    )
    parts += [wrap_text(alarm.splitlines()[0], width) for alarm in result.false_alarms]
    parts.append(wrap_text(_conclusion(result), width))
    return "\n\n".join(parts)


def render_leaks_text(leaks: Sequence[Leak], width: int) -> str:
    """The kinds, with their stages and what each does.

    Args:
        leaks: The kinds.
        width: Columns of the terminal.
    """
    lines = []
    for leak in leaks:
        lines += [f"{leak.name}  ({leak.stage})", f"    {leak.summary}"]
    return "\n".join(wrap_text(line, min(width, MAX_WIDTH)) for line in lines)


def _list_as_json(leaks: Sequence[Leak]) -> list[dict[str, Any]]:
    return [
        {
            "name": leak.name,
            "stage": leak.stage,
            "summary": leak.summary,
            "function": leak.function,
        }
        for leak in leaks
    ]


def _share(count: int, total: int) -> str:
    return f"{count} of {total}" if total else "no effect"


def _describe_failures(row: LeakRow) -> list[str]:
    texts = []
    if row.missed:
        texts.append(f"{row.name}: missed in {', '.join(row.missed)}")
    if row.misnamed:
        texts.append(f"{row.name}: another stage was named in {', '.join(row.misnamed)}")
    return texts + [f"{row.name}: {error.splitlines()[0]}" for error in row.errors]


def _conclusion(result: LeakTestResult) -> str:
    planted, caught, right = (
        sum(counts)
        for counts in zip(
            *((row.planted, row.caught, row.stage_right) for row in result.rows), strict=True
        )
    )
    idle = sum(not row.planted for row in result.rows)
    text = (
        f"{len(result.rows)} kinds of leaks in {planted} runs: {caught} caught, {right} with "
        f"their stage, {planted - caught} missed (seed {result.seed}, {result.seconds:.0f} s)."
    )
    return text + (f" {idle} kinds had no effect on these strategies." if idle else "")


def _default_leak_test() -> Callable[..., LeakTestResult]:
    """The default runner; `context.obj` replaces it in tests."""
    from engine.selftest.leak_test import run_leak_test

    return run_leak_test
