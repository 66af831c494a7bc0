"""`scripts/bench calibration`: do intervals hold, and tests reject, as often as they promise?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.box import SIMPLE
from rich.table import Table

from engine.artifacts import seed_of
from engine.evaluation.bootstrap import infer
from engine.evaluation.forecast_tests import diebold_mariano, pesaran_timmermann
from engine.evaluation.hac import hac_interval
from engine.evaluation.spec import EvaluationSpec
from engine.evaluation.superiority import superiority
from engine.evaluation.timing_test import timing_test
from engine.evaluation.track_record import probabilistic_sharpe
from engine.selftest.parallel import each
from engine.selftest.passage import below, holds
from engine.selftest.processes import autoregressive, garch, heavy_tailed, independent
from engine.selftest.shares import share

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from rich.console import Console

    from engine.types import Vector

Draw = Callable[[np.random.Generator, int], "Vector"]

DEVIATION = 0.01
YEAR = 252.0
LEVEL = 0.05
PORTION = 10
"""Markets that a worker is given at a time."""

PROCESSES: dict[str, Draw] = {
    "iid normal": partial(independent, deviation=DEVIATION),
    "t, 4 degrees": partial(heavy_tailed, deviation=DEVIATION),
    "AR(1) 0.2": partial(autoregressive, deviation=DEVIATION, coefficient=0.2),
    "AR(1) 0.4": partial(autoregressive, deviation=DEVIATION, coefficient=0.4),
    "GARCH(1,1)": partial(garch, deviation=DEVIATION),
}

HELD, SIZE, POWER = "95 % intervals that hold the truth", "tests at 5 %, H0 true", "power"
NOMINAL = {HELD: 1 - LEVEL, SIZE: LEVEL, POWER: None}


def add_arguments(arguments: ArgumentParser) -> None:
    """How much is drawn."""
    arguments.add_argument("--markets", type=int, default=500, help="of each process")
    arguments.add_argument("--bars", type=int, default=750, help="of each market")
    arguments.add_argument("--resamples", type=int, default=999, help="of each bootstrap")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--workers", type=int, help="left out, one a core")


def measure(given: Namespace, tell: Callable[[str], None]) -> dict[str, Any]:
    """Kind of row -> row -> process -> share with its 99 % interval, and whether it is off."""
    tasks = [
        (process, given.seed, range(first, min(first + PORTION, given.markets)), given.bars)
        for process in PROCESSES
        for first in range(0, given.markets, PORTION)
    ]
    seen: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    calls = [(*task, given.resamples) for task in tasks]
    for done, (place, found) in enumerate(each(_portion, calls, given.workers), start=1):
        for kind, row, happened in found:
            seen[kind, row, tasks[place][0]].append(happened)
        if done % PORTION == 0 or done == len(tasks):
            tell(f"{100 * done / len(tasks):.0f} % of the markets")
    work = {name: getattr(given, name) for name in ("markets", "bars", "resamples", "seed")}
    rows: dict[str, Any] = {kind: {} for kind in NOMINAL}
    for kind, row, process in sorted(seen, key=_in_order):
        rows[kind].setdefault(row, {})[process] = _judged(seen[kind, row, process], kind)
    return {"work": work, "level": LEVEL, "nominal": NOMINAL, "rows": rows}


def show(found: Mapping[str, Any], console: Console) -> None:
    """A part a kind, a column a process; a star where the interval leaves out the promise."""
    work = found["work"]
    table = Table(
        title="{markets} markets a process, {bars} bars each, {resamples} resamples, "
        "seed {seed}: %, and the 99 % interval of each".format(**work),
        caption="* the interval leaves out what was promised",
        box=SIMPLE,
        padding=0,
    )
    table.add_column("", no_wrap=True, width=36)
    for process in PROCESSES:
        table.add_column(f" {process}", justify="right", no_wrap=True, min_width=13)
    for kind, rows in found["rows"].items():
        table.add_row(f"[bold]{kind}")
        for row, by_process in rows.items():
            table.add_row(f"  {row}", *(_cell(by_process[process]) for process in PROCESSES))
    console.print(table)


def _cell(told: Mapping[str, Any]) -> str:
    low, high = (f"{100 * told[end]:.0f}" for end in ("low", "high"))
    return f"{100 * told['rate']:.1f} {low}-{high}{'*' if told['off'] else ' '}"


def _judged(happened: list[bool], kind: str) -> dict[str, Any]:
    told, nominal = share(happened), NOMINAL[kind]
    off = nominal is not None and not told.low <= nominal <= told.high
    return told.figures() | {"off": off}


def _in_order(key: tuple[str, str, str]) -> tuple[int, int]:
    kind, _, process = key
    return list(NOMINAL).index(kind), list(PROCESSES).index(process)


def _portion(
    process: str, seed: int, numbers: range, bars: int, resamples: int
) -> list[tuple[str, str, bool]]:
    """Everything that happened in some markets of one process."""
    spec = EvaluationSpec(resamples=resamples, confidence=1 - LEVEL)
    return [
        happened
        for number in numbers
        for happened in Market(
            PROCESSES[process],
            bars,
            np.random.default_rng([seed_of(seed, "calibration", process), number]),
            spec,
        ).happened()
    ]


class Market:
    """One market's books, forecasts and positions, each with a truth that is known.

    Args:
        process: Draws whatever varies.
        bars: Of each series.
        rng: The only randomness.
        spec: Resamples and level.
    """

    def __init__(
        self, process: Draw, bars: int, rng: np.random.Generator, spec: EvaluationSpec
    ) -> None:
        self._process = process
        self._bars = bars
        self._rng = rng
        self._spec = spec

    def happened(self) -> list[tuple[str, str, bool]]:
        """Kind, row, and whether the interval held or the test rejected."""
        return [*self._sharpe(), *self._differences(), *self._timing(), *self._forecasts()]

    def _draw(self) -> Vector:
        return self._process(self._rng, self._bars)

    def _sharpe(self) -> list[tuple[str, str, bool]]:
        noise = self._draw()
        books = {ratio: [noise + _mean(ratio)] for ratio in (0.0, 1.0, 2.0, 3.0)}
        told = self._inferred({str(ratio): book for ratio, book in books.items()})
        kept = [
            (HELD, f"Sharpe {ratio:.0f}, {name}", holds(figures, ratio))
            for ratio in (0.0, 1.0, 3.0)
            for name, figures in (
                ("bootstrap", told[str(ratio)]),
                ("HAC", vars(hac_interval(books[ratio][0], YEAR, 1 - LEVEL))),
            )
        ]
        rejected = [
            (kind, f"Sharpe{but or ' > 0'}, {name}", below(p_value, LEVEL))
            for kind, but, ratio in ((SIZE, "", 0.0), (POWER, " of 2", 2.0))
            for name, p_value in (
                ("bootstrap", told[str(ratio)]["p_value"]),
                ("probabilistic", _one_less(probabilistic_sharpe(books[ratio][0]))),
            )
        ]
        return kept + rejected

    def _differences(self) -> list[tuple[str, str, bool]]:
        """Books that have half of their variance in common."""
        common = self._draw()
        books = [(common + self._draw()) / np.sqrt(2) + _mean(1.0) for _ in range(6)]
        first, second, *_ = books
        ahead = first + _mean(2.0)
        told = self._inferred({"equal": [first, second], "apart": [ahead, second]})
        better = {"ahead": ahead, **{f"book {n}": book for n, book in enumerate(books[1:])}}
        equal = {f"book {n}": book for n, book in enumerate(books)}
        return [
            (HELD, "difference of 2, bootstrap", holds(told["apart"], 2.0)),
            (SIZE, "difference, bootstrap", below(told["equal"]["p_value"], LEVEL)),
            (POWER, "difference of 2, bootstrap", below(told["apart"]["p_value"], LEVEL)),
            *self._superior(SIZE, "", equal),
            *self._superior(POWER, ", one ahead by 2", better),
        ]

    def _superior(
        self, kind: str, but: str, books: Mapping[str, Vector]
    ) -> list[tuple[str, str, bool]]:
        """Five books against the last."""
        *_, benchmark = books
        told = superiority(
            pd.DataFrame(books), benchmark, self._spec.resamples, 1 - LEVEL, self._rng
        )
        return [
            (kind, f"SPA of 5 books{but}", below(told and told["spa"]["consistent"], LEVEL)),
            (kind, f"StepM names any{but}", bool(told and told["stepm"])),
        ]

    def _timing(self) -> list[tuple[str, str, bool]]:
        """In or out of a market that drifts up, for ten bars on average; or right in 56 %."""
        returns = self._draw() + _mean(1.0)
        turns = self._rng.random(self._bars) < 0.1
        blind = (np.cumsum(turns) % 2).astype(float)
        right = self._rng.random(self._bars) < 0.56
        seeing = np.where(right, returns > 0, returns <= 0).astype(float)
        p_values = [
            found.p_value if (found := timing_test(held[:, None], returns[:, None])) else None
            for held in (blind, seeing)
        ]
        return [
            (SIZE, "timing", below(p_values[0], LEVEL)),
            (POWER, "timing, right in 56 %", below(p_values[1], LEVEL)),
        ]

    def _forecasts(self) -> list[tuple[str, str, bool]]:
        """Of one and the same return: two equally bad ones, one that knows 4 % of it, and none.

        The bad ones are noise without memory, or have the calm and wild spells of the returns.
        """
        actual, one, other = self._draw(), 0.3 * self._draw(), 0.3 * self._draw()
        alike = (actual - one, actual - other)
        longer = [np.convolve(errors, np.ones(5), "valid") for errors in alike]
        known, unknown = 0.2 * self._draw(), np.sqrt(0.96) * actual
        noise = [0.3 * independent(self._rng, self._bars, DEVIATION) for _ in range(2)]
        plain = diebold_mariano(actual - noise[0], actual - noise[1], 1)
        tests = [
            (SIZE, "Diebold-Mariano, 1 bar", plain),
            (SIZE, "  forecasts like the returns", diebold_mariano(*alike, 1)),
            (SIZE, "  and over 5 bars", diebold_mariano(longer[0], longer[1], 5)),
            (SIZE, "Pesaran-Timmermann", pesaran_timmermann(one, actual)),
            (POWER, "Diebold-Mariano, R2 4 %", diebold_mariano(unknown, known + unknown, 1)),
            (POWER, "Pesaran-Timmermann, R2 4 %", pesaran_timmermann(known, known + unknown)),
        ]
        return [(kind, row, below(found.p_value, LEVEL)) for kind, row, found in tests]

    def _inferred(self, figures: dict[str, list[Vector]]) -> dict[str, dict[str, Any]]:
        inferred = infer(figures, YEAR, self._spec, self._rng)
        return {name: vars(told) for name, told in inferred.items()}


def _mean(ratio: float) -> float:
    """Of a bar's return, for a true Sharpe ratio of so much a year."""
    return float(ratio * DEVIATION / np.sqrt(YEAR))


def _one_less(probability: float | None) -> float | None:
    return None if probability is None else 1 - probability
