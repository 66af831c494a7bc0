"""`scripts/bench zoo`: each kind of forecaster on each symbol, with the spread of its seeds."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from stored import DEFAULT

from engine.data.load import load_market
from engine.documents import parse_overrides
from engine.models import Ensemble
from engine.pipeline import books
from engine.pipeline.ground import Ground, prepare
from engine.progress import Silent
from engine.refit.fits import fit_all
from engine.refit.local import Local
from engine.refit.plan import plan
from engine.refit.stitch import stitch
from engine.refit.store import Store
from engine.signals.spec import BuyAndHold
from engine.strategy import Strategy, load_strategy

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from engine.data.market import Market
    from engine.refit.stitch import Predictions

KINDS = (
    *("lstm", "gru", "cnn_lstm", "micdl", "attention_lstm", "transformer", "tcn", "mlp"),
    *("gradient_boosting", "ridge", "persistence", "drift", "always_up"),
)


def add_arguments(arguments: ArgumentParser) -> None:
    """What is compared; windows, features, training, signal and costs are the strategy's."""
    arguments.add_argument("--strategy", type=Path, default=DEFAULT)
    arguments.add_argument("--data", help="a dataset's name or path; left out, the offline one")
    arguments.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    arguments.add_argument("--symbols", nargs="+", help="left out, all of the dataset's")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--workers", type=int, help="left out, one a core")
    arguments.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="as of `backtest run`"
    )


def measure(given: Namespace, tell: Callable[[str], None]) -> dict[str, Any]:
    """Symbol -> kind -> scores of the mean forecast and of each seed's own, and a book held."""
    spec = load_strategy(given.strategy, parse_overrides(given.set))
    zoo = Ensemble.model_validate({"members": [{"kind": kind} for kind in given.kinds]})
    spec = spec.model_copy(update={"model": zoo, "opponents": (BuyAndHold(),)})
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        home = Path(os.environ.get("BACKTEST_HOME") or folder)
        market = load_market(
            spec.data, home=home, offline=not given.data, override=given.data, progress=Silent()
        )
        return {
            symbol: _of_symbol(given, _aimed(spec, symbol), market, home, tell)
            for symbol in given.symbols or market.symbols
        }


def _aimed(spec: Strategy, symbol: str) -> Strategy:
    return spec.model_copy(update={"data": spec.data.model_copy(update={"target": symbol})})


def _of_symbol(
    given: Namespace, spec: Strategy, market: Market, home: Path, tell: Callable[[str], None]
) -> dict[str, Any]:
    ground = prepare(spec, market)
    assert isinstance(spec.model, Ensemble)
    models = dict(zip(given.kinds, spec.model.members, strict=True))
    tasks = plan(
        models,
        ground.history,
        ground.windows,
        ground.targets,
        training=spec.training,
        seeds=given.seeds,
        seed=spec.seed,
    )
    with closing(Local(given.workers, spec.compute.backend, home / "programs")) as executor:
        fits = fit_all(tasks, executor, Store(home / "fits"), Silent())
    fitted = list(zip(tasks, fits.outcomes, strict=True))
    tell(f"{ground.targets[0]}: {fits.trained} fits trained, {fits.stored} stored")

    def made(kind: str, members: Sequence[int]) -> Predictions:
        chosen = [(t, f) for t, f in fitted if t.book == kind and t.member in members]
        return stitch(ground.history, ground.windows, *map(list, zip(*chosen, strict=True)))

    found: dict[str, Any] = {"span": [str(ground.span[0].date()), str(ground.span[-1].date())]}
    for kind, model in models.items():
        seeds = range(given.seeds if model.random else 1)
        found[kind] = _scores(spec, ground, made(kind, seeds)) | {
            "seeds": [_scores(spec, ground, made(kind, [member])) for member in seeds]
        }
    return found


def _scores(spec: Strategy, ground: Ground, made: Predictions) -> dict[str, Any]:
    results = books.trade(spec, ground, books.decide(spec, ground, {"strategy": made}))
    told = books.measure(ground, {"strategy": made}, results)
    forecast, book = told["forecasts"]["strategy"], told["books"]
    return {
        "directional_accuracy_pct": forecast["directional_accuracy_pct"],
        "up_share_pct": forecast["up_share_pct"],
        "r2_vs_persistence": forecast["r2_vs_persistence"],
        "sharpe": book["strategy"]["sharpe"],
        "trades": book["strategy"]["trades"],
        "buy_and_hold_sharpe": book["buy_and_hold"]["sharpe"],
    }


def show(found: Mapping[str, Any], console: Console) -> None:
    """A table a symbol."""
    for symbol, scores in found.items():
        kinds = {name: told for name, told in scores.items() if name != "span"}
        any_of = next(iter(kinds.values()))
        table = Table(
            title=f"{symbol}, {' to '.join(scores['span'])}: up on {any_of['up_share_pct']:.1f} % "
            f"of bars, Sharpe of holding {any_of['buy_and_hold_sharpe']:.2f}",
            caption="in brackets: lowest to highest of single seeds",
        )
        table.add_column("kind", no_wrap=True)
        for heading in ("right direction %", "R2 vs no change %", "Sharpe net of costs", "fills"):
            table.add_column(heading, justify="right", no_wrap=True)
        for kind, told in kinds.items():
            table.add_row(
                kind,
                _spread(told, "directional_accuracy_pct", 1, ".1f"),
                _spread(told, "r2_vs_persistence", 100, "+.2f"),
                _spread(told, "sharpe", 1, "+.2f"),
                str(told["trades"]),
            )
        console.print(table)


def _spread(told: Mapping[str, Any], figure: str, factor: float, form: str) -> str:
    def text(value: float | None) -> str:
        return "-" if value is None else format(factor * value, form)

    values = [seed[figure] for seed in told["seeds"] if seed[figure] is not None]
    if len(values) < 2:
        return text(told[figure])
    return f"{text(told[figure])} ({text(min(values))} to {text(max(values))})"
