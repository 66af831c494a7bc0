"""Coverage of single intervals, size and power of single tests, by simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.box import SIMPLE
from rich.table import Table

from engine.core.blas_threads import one_blas_thread
from engine.core.randomness import derive_seed
from engine.evaluation.config import EvaluationSpec
from engine.evaluation.forecasts.accuracy_tests import diebold_mariano, pesaran_timmermann
from engine.evaluation.inference.bootstrap import infer_sharpe_ratios
from engine.evaluation.inference.hac import hac_interval
from engine.evaluation.inference.permutation import timing_permutation_test
from engine.evaluation.inference.sharpe_significance import probabilistic_sharpe
from engine.evaluation.inference.spa import run_superiority_tests
from engine.selftest.harness import interval_covers, is_significant
from engine.selftest.proportion import estimate_proportion
from engine.selftest.return_processes import ar1, garch11, iid_normal, student_t

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

    from rich.console import Console
    from simulation_parts import SimulationParts

    from engine.core.types import Vector

ReturnProcess = Callable[[np.random.Generator, int], "Vector"]

VOLATILITY = 0.01
PERIODS_PER_YEAR = 252.0
SIGNIFICANCE_LEVEL = 0.05
MARKETS_PER_TASK = 10
"""Markets in one task of a worker."""

PROCESSES: dict[str, ReturnProcess] = {
    "iid normal": partial(iid_normal, volatility=VOLATILITY),
    "t, 4 degrees": partial(student_t, volatility=VOLATILITY),
    "AR(1) 0.2": partial(ar1, volatility=VOLATILITY, coefficient=0.2),
    "AR(1) 0.4": partial(ar1, volatility=VOLATILITY, coefficient=0.4),
    "GARCH(1,1)": partial(garch11, volatility=VOLATILITY),
}

COVERAGE, SIZE, POWER = "95 % intervals that hold the truth", "tests at 5 %, H0 true", "power"
NOMINAL = {COVERAGE: 1 - SIGNIFICANCE_LEVEL, SIZE: SIGNIFICANCE_LEVEL, POWER: None}


def measure(options: Namespace, parts: SimulationParts) -> dict[str, Any]:
    """Kind of row -> row -> process -> rate with its 99 % interval, and whether it is off."""
    tasks = [
        (
            process,
            options.seed,
            range(first, min(first + MARKETS_PER_TASK, options.markets)),
            options.bars,
        )
        for process in PROCESSES
        for first in range(0, options.markets, MARKETS_PER_TASK)
    ]
    outcomes: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    calls = [(*task, options.resamples) for task in tasks]
    processes = [process for process, *_ in tasks]
    for index, simulated in parts.run("tests", _simulate_markets, calls, processes):
        for kind, row, happened in simulated:
            outcomes[kind, row, processes[index]].append(happened)
    work = {name: getattr(options, name) for name in ("markets", "bars", "resamples", "seed")}
    rows: dict[str, Any] = {kind: {} for kind in NOMINAL}
    for kind, row, process in sorted(outcomes, key=_sort_key):
        rows[kind].setdefault(row, {})[process] = _assess_rate(outcomes[kind, row, process], kind)
    return {"work": work, "level": SIGNIFICANCE_LEVEL, "nominal": NOMINAL, "rows": rows}


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints one section per kind and one column per process; a star marks a rate that is off."""
    work = results["work"]
    table = Table(
        title="{markets} markets a process, {bars} bars each, {resamples} resamples, "
        "seed {seed}: %, and the 99 % interval of each".format(**work),
        caption="* the interval excludes the nominal rate",
        box=SIMPLE,
        padding=0,
    )
    table.add_column("", no_wrap=True, width=36)
    for process in PROCESSES:
        table.add_column(f" {process}", justify="right", no_wrap=True, min_width=13)
    for kind, rows in results["rows"].items():
        table.add_row(f"[bold]{kind}")
        for row, by_process in rows.items():
            table.add_row(
                f"  {row}", *(_format_cell(by_process[process]) for process in PROCESSES)
            )
    console.print(table)


def _format_cell(rate: Mapping[str, Any]) -> str:
    low, high = (f"{100 * rate[end]:.0f}" for end in ("low", "high"))
    return f"{100 * rate['rate']:.1f} {low}-{high}{'*' if rate['off'] else ' '}"


def _assess_rate(happened: list[bool], kind: str) -> dict[str, Any]:
    rate, nominal = estimate_proportion(happened), NOMINAL[kind]
    off = nominal is not None and not rate.low <= nominal <= rate.high
    return rate.as_json() | {"off": off}


def _sort_key(key: tuple[str, str, str]) -> tuple[int, int]:
    kind, _, process = key
    return list(NOMINAL).index(kind), list(PROCESSES).index(process)


def _simulate_markets(
    process: str, seed: int, numbers: range, bars: int, resamples: int
) -> list[tuple[str, str, bool]]:
    """The outcomes of some markets of one process."""
    spec = EvaluationSpec(resamples=resamples, confidence=1 - SIGNIFICANCE_LEVEL)
    with one_blas_thread():
        return [
            happened
            for number in numbers
            for happened in CalibrationMarket(
                PROCESSES[process],
                bars,
                np.random.default_rng([derive_seed(seed, "calibration", process), number]),
                spec,
            ).outcomes()
        ]


class CalibrationMarket:
    """The books, forecasts and positions of one market, each with a known truth.

    Args:
        process: The process of all series.
        bars: Bars of each series.
        rng: Source of all randomness.
        spec: Number of resamples and level.
    """

    def __init__(
        self, process: ReturnProcess, bars: int, rng: np.random.Generator, spec: EvaluationSpec
    ) -> None:
        self._process = process
        self._bars = bars
        self._rng = rng
        self._spec = spec

    def outcomes(self) -> list[tuple[str, str, bool]]:
        """Kind, row, and whether the interval covers the truth or the test rejects."""
        return [
            *self._sharpe_outcomes(),
            *self._difference_outcomes(),
            *self._timing_outcomes(),
            *self._forecast_outcomes(),
        ]

    def _draw(self) -> Vector:
        return self._process(self._rng, self._bars)

    def _sharpe_outcomes(self) -> list[tuple[str, str, bool]]:
        noise = self._draw()
        books = {ratio: [noise + _mean_for_sharpe(ratio)] for ratio in (0.0, 1.0, 2.0, 3.0)}
        inferred = self._infer_by_name({str(ratio): book for ratio, book in books.items()})
        kept = [
            (COVERAGE, f"Sharpe {ratio:.0f}, {name}", interval_covers(figures, ratio))
            for ratio in (0.0, 1.0, 3.0)
            for name, figures in (
                ("bootstrap", inferred[str(ratio)]),
                (
                    "HAC",
                    vars(hac_interval(books[ratio][0], PERIODS_PER_YEAR, 1 - SIGNIFICANCE_LEVEL)),
                ),
            )
        ]
        rejected = [
            (kind, f"Sharpe{but or ' > 0'}, {name}", is_significant(p_value, SIGNIFICANCE_LEVEL))
            for kind, but, ratio in ((SIZE, "", 0.0), (POWER, " of 2", 2.0))
            for name, p_value in (
                ("bootstrap", inferred[str(ratio)]["p_value"]),
                ("probabilistic", _complement(probabilistic_sharpe(books[ratio][0]))),
            )
        ]
        return kept + rejected

    def _difference_outcomes(self) -> list[tuple[str, str, bool]]:
        """Books that have half of their variance in common."""
        common = self._draw()
        books = [(common + self._draw()) / np.sqrt(2) + _mean_for_sharpe(1.0) for _ in range(6)]
        first, second, *_ = books
        ahead = first + _mean_for_sharpe(2.0)
        inferred = self._infer_by_name({"equal": [first, second], "apart": [ahead, second]})
        better = {"ahead": ahead, **{f"book {n}": book for n, book in enumerate(books[1:])}}
        equal = {f"book {n}": book for n, book in enumerate(books)}
        return [
            (COVERAGE, "difference of 2, bootstrap", interval_covers(inferred["apart"], 2.0)),
            (
                SIZE,
                "difference, bootstrap",
                is_significant(inferred["equal"]["p_value"], SIGNIFICANCE_LEVEL),
            ),
            (
                POWER,
                "difference of 2, bootstrap",
                is_significant(inferred["apart"]["p_value"], SIGNIFICANCE_LEVEL),
            ),
            *self._superiority_outcomes(SIZE, "", equal),
            *self._superiority_outcomes(POWER, ", one ahead by 2", better),
        ]

    def _superiority_outcomes(
        self, kind: str, but: str, books: Mapping[str, Vector]
    ) -> list[tuple[str, str, bool]]:
        """Five books against the last."""
        *_, benchmark = books
        superiority = run_superiority_tests(
            pd.DataFrame(books), benchmark, self._spec.resamples, 1 - SIGNIFICANCE_LEVEL, self._rng
        )
        return [
            (
                kind,
                f"SPA of 5 books{but}",
                is_significant(
                    superiority and superiority["spa"]["consistent"], SIGNIFICANCE_LEVEL
                ),
            ),
            (kind, f"StepM names any{but}", bool(superiority and superiority["stepm"])),
        ]

    def _timing_outcomes(self) -> list[tuple[str, str, bool]]:
        """In or out of a market that drifts up, for ten bars on average; or right in 56 %."""
        returns = self._draw() + _mean_for_sharpe(1.0)
        turns = self._rng.random(self._bars) < 0.1
        blind = (np.cumsum(turns) % 2).astype(float)
        right = self._rng.random(self._bars) < 0.56
        seeing = np.where(right, returns > 0, returns <= 0).astype(float)
        p_values = [
            test.p_value
            if (test := timing_permutation_test(held[:, None], returns[:, None]))
            else None
            for held in (blind, seeing)
        ]
        return [
            (SIZE, "timing", is_significant(p_values[0], SIGNIFICANCE_LEVEL)),
            (POWER, "timing, right in 56 %", is_significant(p_values[1], SIGNIFICANCE_LEVEL)),
        ]

    def _forecast_outcomes(self) -> list[tuple[str, str, bool]]:
        """Forecasts of the same return: two without skill, and one with an R2 of 4 %.

        Those without skill are white noise, or a draw of the process of the returns.
        """
        actual, one, other = self._draw(), 0.3 * self._draw(), 0.3 * self._draw()
        alike = (actual - one, actual - other)
        longer = [np.convolve(errors, np.ones(5), "valid") for errors in alike]
        known, unknown = 0.2 * self._draw(), np.sqrt(0.96) * actual
        noise = [0.3 * iid_normal(self._rng, self._bars, VOLATILITY) for _ in range(2)]
        plain = diebold_mariano(actual - noise[0], actual - noise[1], 1)
        tests = [
            (SIZE, "Diebold-Mariano, 1 bar", plain),
            (SIZE, "  forecasts like the returns", diebold_mariano(*alike, 1)),
            (SIZE, "  and over 5 bars", diebold_mariano(longer[0], longer[1], 5)),
            (SIZE, "Pesaran-Timmermann", pesaran_timmermann(one, actual)),
            (POWER, "Diebold-Mariano, R2 4 %", diebold_mariano(unknown, known + unknown, 1)),
            (POWER, "Pesaran-Timmermann, R2 4 %", pesaran_timmermann(known, known + unknown)),
        ]
        return [
            (kind, row, is_significant(test.p_value, SIGNIFICANCE_LEVEL))
            for kind, row, test in tests
        ]

    def _infer_by_name(self, figures: dict[str, list[Vector]]) -> dict[str, dict[str, Any]]:
        inferred = infer_sharpe_ratios(figures, PERIODS_PER_YEAR, self._spec, self._rng)
        return {name: vars(inference) for name, inference in inferred.items()}


def _mean_for_sharpe(ratio: float) -> float:
    """The mean return of a bar for this true annualised Sharpe ratio."""
    return float(ratio * VOLATILITY / np.sqrt(PERIODS_PER_YEAR))


def _complement(probability: float | None) -> float | None:
    return None if probability is None else 1 - probability
