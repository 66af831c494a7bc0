"""`scripts/bench zoo`: every kind of model on every symbol, with the range of its seeds."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerun import DEFAULT_STRATEGY
from rich.table import Table

from engine.config import parse_overrides
from engine.core.progress import NullProgress
from engine.data import load_market
from engine.models import Ensemble
from engine.pipeline import steps
from engine.pipeline.metrics import compute_metrics
from engine.pipeline.prepare import prepare_data
from engine.signals.config import BuyAndHold
from engine.strategy import Strategy, load_strategy
from engine.training.executors.local import LocalExecutor
from engine.training.jobs import make_fit_tasks
from engine.training.out_of_sample import concat_out_of_sample
from engine.training.results import run_fits
from engine.training.store import FitStore

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from engine.data import Market
    from engine.pipeline.prepared_data import PreparedData
    from engine.training.out_of_sample import Predictions

KINDS = (
    *("lstm", "gru", "cnn_lstm", "micdl", "attention_lstm", "transformer", "tcn", "mlp"),
    *("gradient_boosting", "ridge", "persistence", "drift", "always_up"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the models and symbols; all other settings are those of the strategy."""
    parser.add_argument("--strategy", type=Path, default=DEFAULT_STRATEGY)
    parser.add_argument("--data", help="name or path of a dataset; default: the offline one")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--symbols", nargs="+", help="default: all symbols of the dataset")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, help="default: one per core")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="as in `backtest run`"
    )


def measure(options: Namespace, log: Callable[[str], None]) -> dict[str, Any]:
    """Symbol -> kind -> scores of the mean forecast and of each seed."""
    spec = load_strategy(options.strategy, parse_overrides(options.set))
    zoo = Ensemble.model_validate({"members": [{"kind": kind} for kind in options.kinds]})
    spec = spec.model_copy(update={"model": zoo, "benchmarks": (BuyAndHold(),)})
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        home = Path(os.environ.get("BACKTEST_HOME") or folder)
        market = load_market(
            spec.data,
            home=home,
            offline=not options.data,
            override=options.data,
            progress=NullProgress(),
        )
        return {
            symbol: _score_symbol(options, _with_target(spec, symbol), market, home, log)
            for symbol in options.symbols or market.symbols
        }


def _with_target(spec: Strategy, symbol: str) -> Strategy:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"target": symbol})})


def _score_symbol(
    options: Namespace, spec: Strategy, market: Market, home: Path, log: Callable[[str], None]
) -> dict[str, Any]:
    prepared = prepare_data(spec, market)
    assert isinstance(spec.model, Ensemble)
    models = dict(zip(options.kinds, spec.model.members, strict=True))
    tasks = make_fit_tasks(
        models,
        prepared.feature_history,
        prepared.windows,
        prepared.targets,
        training=spec.training,
        seeds=options.seeds,
        seed=spec.seed,
    )
    with closing(
        LocalExecutor(options.workers, spec.compute.backend, home / "programs")
    ) as executor:
        fits = run_fits(tasks, executor, FitStore(home / "fits"), NullProgress())
    forecasts = list(zip(tasks, steps.predict_windows(prepared, fits), strict=True))
    log(f"{prepared.targets[0]}: {fits.trained} fits trained, {fits.stored} stored")

    def predictions_of(kind: str, members: Sequence[int]) -> Predictions:
        selected = [(t, f) for t, f in forecasts if t.book == kind and t.seed_index in members]
        return concat_out_of_sample(
            prepared.feature_history, prepared.windows, *map(list, zip(*selected, strict=True))
        )

    scores: dict[str, Any] = {
        "span": [str(prepared.span[0].date()), str(prepared.span[-1].date())]
    }
    for kind, model in models.items():
        seeds = range(options.seeds if model.stochastic else 1)
        scores[kind] = _scores(spec, prepared, predictions_of(kind, seeds)) | {
            "seeds": [_scores(spec, prepared, predictions_of(kind, [member])) for member in seeds]
        }
    return scores


def _scores(spec: Strategy, prepared: PreparedData, predictions: Predictions) -> dict[str, Any]:
    results = steps.simulate_books(
        spec, prepared, steps.decide_positions(spec, prepared, {"strategy": predictions})
    )
    metrics = compute_metrics(prepared, {"strategy": predictions}, results, spec.costs)
    forecast, books = metrics["forecasts"]["strategy"], metrics["books"]
    return {
        "directional_accuracy_pct": forecast["directional_accuracy_pct"],
        "up_share_pct": forecast["up_share_pct"],
        "r2_vs_persistence": forecast["r2_vs_persistence"],
        "sharpe": books["strategy"]["sharpe"],
        "trades": books["strategy"]["trades"],
        "buy_and_hold_sharpe": books["buy_and_hold"]["sharpe"],
    }


def show(results: Mapping[str, Any], console: Console) -> None:
    """Prints one table for each symbol."""
    for symbol, scores in results.items():
        kinds = {name: figures for name, figures in scores.items() if name != "span"}
        first = next(iter(kinds.values()))
        table = Table(
            title=f"{symbol}, {' to '.join(scores['span'])}: up on {first['up_share_pct']:.1f} % "
            f"of bars, Sharpe ratio of buy-and-hold {first['buy_and_hold_sharpe']:.2f}",
            caption="in brackets: lowest to highest of single seeds",
        )
        table.add_column("kind", no_wrap=True)
        for heading in (
            "directional accuracy %",
            "R2 vs persistence %",
            "Sharpe net of costs",
            "fills",
        ):
            table.add_column(heading, justify="right", no_wrap=True)
        for kind, figures in kinds.items():
            table.add_row(
                kind,
                _format_seed_range(figures, "directional_accuracy_pct", 1, ".1f"),
                _format_seed_range(figures, "r2_vs_persistence", 100, "+.2f"),
                _format_seed_range(figures, "sharpe", 1, "+.2f"),
                str(figures["trades"]),
            )
        console.print(table)


def _format_seed_range(scores: Mapping[str, Any], key: str, factor: float, form: str) -> str:
    def text(value: float | None) -> str:
        return "-" if value is None else format(factor * value, form)

    values = [seed[key] for seed in scores["seeds"] if seed[key] is not None]
    if len(values) < 2:
        return text(scores[key])
    return f"{text(scores[key])} ({text(min(values))} to {text(max(values))})"
