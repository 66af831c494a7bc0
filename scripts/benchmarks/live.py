"""`scripts/bench live`: from a bar to a signal, beside the plain way; memory; a cold signal."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from live_workload import MODELS
from program_timing import pin_cores, program_command, time_command
from rich.table import Table

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping

    from rich.console import Console

STRATEGY = Path(__file__).parents[2] / "strategies" / "lstm.yaml"
ONE_THREAD = {
    f"{name}_THREADS": "1"
    for name in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")
}
PARTS = ("networks", "bars", "symbols", "memory", "year", "signal")
TARGETS = {
    "p50": 200.0,
    "p99": 50.0,
    "symbols": 120.0,
    "megabytes": 5.0,
    "year": 100.0,
    "signal": 5.0,
}
LAST_BAR = "2018-12-31"
"""End of the offline bars, so that a signal can be asked for without a network."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the parts and their sizes."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--bars", type=int, default=2_000, help="bars of the loop")
    parser.add_argument("--plain-bars", type=int, default=300, help="bars of the plain way")
    parser.add_argument(
        "--pause-ms", type=float, default=5.0, help="from a rehearsal of either way to the bar"
    )
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--symbol-bars", type=int, default=30)
    parser.add_argument("--memory-bars", type=int, default=1_000_000)
    parser.add_argument("--year-bars", type=int, default=8_760)
    parser.add_argument("--batches", type=int, default=20, help="bars at which the batch is run")
    parser.add_argument("--rounds", type=int, default=5, help="of the commands")
    parser.add_argument("--strategy", type=Path, default=STRATEGY, help="of the commands")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="as in `backtest run`"
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Runs the chosen parts, each in processes of one thread on one core."""
    parts: dict[str, Callable[[], Any]] = {
        "networks": lambda: _run("live_networks", options.bars, options.plain_bars),
        "bars": lambda: {
            name: _compare_ways(
                _run("live_bars", name, options.bars, options.plain_bars, options.pause_ms)
            )
            for name in MODELS
        },
        "symbols": lambda: _compare_symbols(options),
        "memory": lambda: _grow(_run("live_memory", options.memory_bars)),
        "year": lambda: _compare_year(_run("live_batch", options.year_bars, options.batches)),
        "signal": lambda: _compare_commands(options, log),
    }
    results: dict[str, Any] = {"work": {"cores": pin_cores(1), "targets": TARGETS}}
    for name in options.parts:
        log(name)
        results[name] = parts[name]()
    return results


def _run(program: str, *arguments: object) -> dict[str, Any]:
    _, output = time_command(program_command(program, *arguments), ONE_THREAD)
    return output


def _compare_ways(figures: dict[str, Any]) -> dict[str, Any]:
    loop, plain = figures["loop"], figures["plain"]
    ratios = {
        f"ratio_{part}": plain[f"{part}_ms"] / loop[f"{part}_ms"]
        for part in ("p50", "p99", "p50_cpu", "p99_cpu")
    }
    return figures | ratios


def _compare_symbols(options: Namespace) -> dict[str, Any]:
    milliseconds = _run("live_symbols", f"1,{options.symbols}", options.symbol_bars)
    forecasts = milliseconds.pop("forecasts")
    ratio = milliseconds[str(options.symbols)]["bar"] / milliseconds["1"]["bar"]
    return {
        "ms": milliseconds,
        "forecasts_of_one_fit_ms": forecasts,
        "symbols": options.symbols,
        "ratio": ratio,
    }


def _grow(figures: dict[str, Any]) -> dict[str, Any]:
    growth = (figures["bytes"][-1] - figures["bytes"][0]) / 1e6
    return figures | {"growth_mb": growth, "growth_mb_per_million": growth * 1e6 / figures["bars"]}


def _compare_year(figures: dict[str, Any]) -> dict[str, Any]:
    return figures | {"ratio": figures["batch_scaled_s"] / figures["loop_s"]}


def _compare_commands(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """A stored run and a signal in turn, each in a new process."""
    changes = [part for change in options.set for part in ("--set", change)]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        # Compiled modules are kept, as those of an installed engine are.
        compiled = {
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(Path(folder) / "pyc"),
        }
        home = {"BACKTEST_HOME": str(Path(folder) / "home"), **compiled}
        common = [str(options.strategy), "--offline", *changes]
        commands = {
            "run": ["run", *common, "--out", str(Path(folder) / "reports")],
            "signal": ["signal", *common, "--as-of", LAST_BAR],
        }
        record = Path(folder) / "record.json"
        taken: dict[str, list[dict[str, Any]]] = {"run": [], "signal": []}
        for turn in range(-1, options.rounds):  # the first run trains
            for name, command in commands.items():
                seconds = _time_cli(record, command, home)
                log(f"{name}: {seconds:.2f} s" + (" (not counted)" if turn < 0 else ""))
                if turn >= 0:
                    taken[name].append(
                        {"wall_s": seconds, **json.loads(record.read_text(encoding="utf-8"))}
                    )
    summary: dict[str, Any] = {
        name: {
            "wall_s": median(each["wall_s"] for each in rounds),
            "cpu_s": median(each["cpu_s"] for each in rounds),
            "imported": rounds[-1]["imported"],
        }
        for name, rounds in taken.items()
    }
    ratios = {
        f"ratio_{part}": summary["run"][f"{part}_s"] / summary["signal"][f"{part}_s"]
        for part in ("wall", "cpu")
    }
    return summary | ratios | {"strategy": options.strategy.stem}


def _time_cli(record: Path, command: list[str], home: Mapping[str, str]) -> float:
    seconds, _ = time_command(
        program_command("live_command", record, *command), {**ONE_THREAD, **home}
    )
    return seconds


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints a table of the networks and one of the targets."""
    if "networks" in results:
        console.print(_networks_table(results["networks"]))
    table = Table(title=f"cores: {results['work']['cores']}, one thread each process")
    for heading in ("measure", "engine", "beside", "ratio", "target"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    for row in _rows(results):
        table.add_row(*row)
    console.print(table)


def _networks_table(networks: Mapping[str, Any]) -> Table:
    table = Table(title="one forecast, p50 / p99 ms")
    for heading in ("network", "NumPy", "tf.function", "Keras predict", "difference / sd"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for name, figures in networks.items():
        cells = [
            f"{figures['ms'][way]['p50']:.3f} / {figures['ms'][way]['p99']:.3f}"
            for way in ("numpy", "tf_function", "predict")
        ]
        table.add_row(name, *cells, f"{figures['largest_difference_over_sd']:.0e}")
    return table


def _rows(results: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, figures in results.get("bars", {}).items():
        for part in ("p50", "p99", "p50_cpu", "p99_cpu"):
            ours, plain = (figures[way][f"{part}_ms"] for way in ("loop", "plain"))
            rows.append(
                (
                    f"{name}, bar to signal, {part.replace('_', ', ')}",
                    f"{ours:.3f} ms",
                    f"{plain:.1f} ms",
                    f"{figures[f'ratio_{part}']:.0f}",
                    f">= {TARGETS[part.removesuffix('_cpu')]:.0f}",
                )
            )
    if figures := results.get("symbols"):
        rows += _rows_of_symbols(figures)
    if figures := results.get("memory"):
        grown = f"{figures['growth_mb_per_million']:.1f} MB"
        target = f"< {TARGETS['megabytes']:.0f} MB"
        rows.append((f"memory, {figures['bars']:,} bars, a million", grown, "", "", target))
    if figures := results.get("year"):
        cells = (f"{figures['loop_s']:.1f} s", f"{figures['batch_scaled_s']:.0f} s")
        target = f">= {TARGETS['year']:.0f}"
        rows.append(
            (f"{figures['bars']:,} hourly bars", *cells, f"{figures['ratio']:.0f}", target)
        )
    if figures := results.get("signal"):
        for part in ("wall", "cpu"):
            ours, run = (figures[name][f"{part}_s"] for name in ("signal", "run"))
            ratio, target = f"{figures[f'ratio_{part}']:.1f}", f">= {TARGETS['signal']:.0f}"
            rows.append((f"cold signal, {part}", f"{ours:.2f} s", f"{run:.2f} s", ratio, target))
    return rows


def _rows_of_symbols(figures: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A bar of many symbols beside one of one symbol, its stages, and forecasts of one fit."""
    count = str(figures["symbols"])
    many, one = figures["ms"][count], figures["ms"]["1"]
    forecasts = figures["forecasts_of_one_fit_ms"]
    pairs = {name: (many[name], one[name]) for name in many}
    pairs["forecasts by one fit"] = (forecasts["together"], forecasts["one"])
    return [
        (
            f"{count} symbols, {name}, cpu",
            f"{ours:.2f} ms",
            f"{alone:.3f} ms",
            f"{ours / alone:.0f}",
            f"<= {TARGETS['symbols']:.0f}" if name == "bar" else "",
        )
        for name, (ours, alone) in pairs.items()
    ]
