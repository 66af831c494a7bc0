"""A run: what it hands back, what it leaves on disk, and that it comes out the same again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import StrategyError, UsageError
from engine.core.progress import NullProgress
from engine.evaluation.metrics.round_trips import round_trip_table, summarise_round_trips
from engine.reporting import write_pages
from engine.runs.folder import ANALYSIS_TABLES, DOCUMENTS, PAGES, TABLES
from engine.runs.sums import SUMS_FILE
from engine.strategy import load_strategy
from tests.parts.own_parts import OwnFeature
from tests.pipeline.markets import market, write_strategy
from tests.simulation.folded_books import Case, fold

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

BOOKS = ["strategy", "buy_and_hold", "ma_crossover", "mean_reversion", "ridge", "persistence"]


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"))


@pytest.fixture(scope="module")
def run(module_folder: Path, strategy: Path) -> engine.Run:
    return engine.run(strategy, out=module_folder / "reports", home=module_folder / "home")


def test_the_folder_holds_every_file_and_nothing_else(run: engine.Run) -> None:
    expected = {f"{name}.parquet" for name in (*TABLES, *ANALYSIS_TABLES)}
    expected |= {f"{name}.html" for name in PAGES}
    expected |= {f"{name}.json" for name in ("manifest", *DOCUMENTS)}
    expected.add(SUMS_FILE)
    assert {file.name for file in run.run_dir.iterdir()} == expected
    assert run.run_dir.parts[-2:] == ("small", run.run_id)
    assert [folder.name for folder in run.run_dir.parent.iterdir()] == [run.run_id]


def test_without_pages_the_folder_holds_all_that_they_can_be_drawn_from_later(
    run: engine.Run, strategy: Path, module_folder: Path
) -> None:
    bare = engine.run(
        strategy, out=module_folder / "bare", home=module_folder / "home", pages=False
    )
    assert not list(bare.run_dir.glob("*.html"))
    write_pages(engine.Run.open(bare.run_dir), bare.run_dir)
    for page in ("significance.html", "quantstats.html"):
        assert (bare.run_dir / page).read_bytes() == (run.run_dir / page).read_bytes()


def test_a_run_read_back_is_the_run_that_was_handed_back(run: engine.Run) -> None:
    again = engine.Run.open(run.run_dir)
    for name in (*TABLES, *ANALYSIS_TABLES):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(run, name), check_freq=False)
    for name in ("manifest", "metrics", "significance", "certificate", "analysis"):
        assert getattr(again, name) == getattr(run, name)
    pd.testing.assert_frame_equal(again.next_orders, run.next_orders)


def test_every_book_is_judged_on_the_same_bars(run: engine.Run) -> None:
    assert list(run.returns.columns) == BOOKS
    assert list(run.metrics["books"]) == BOOKS
    assert run.returns.notna().all(axis=None)
    first, last = run.returns.index[[0, -1]]
    for _, book in run.positions.groupby("book"):
        assert list(book["timestamp"]) == list(run.returns.index)
    assert run.metrics["span"]["first"] == first.isoformat()
    assert last == run.bars["timestamp"].max()


def test_every_question_of_a_sceptic_has_its_section(run: engine.Run) -> None:
    told = run.significance
    assert set(told) == {
        *("method", "risk_free_rate", "sharpe", "differences", "superiority", "trials"),
        *("selection", "track_record", "overfitting", "timing", "forecasts", "residuals"),
        *("level_trap", "inputs", "seeds", "ranks", "fragility", "path_risk", "stability"),
        *("window_subsets", "unseen_tail", "verdict", "schema_version"),
    }
    assert told["ranks"]["windows"] == len(run.manifest["windows"])
    assert list(told["ranks"]["models"]) == ["no_change", "strategy", "ridge", "persistence"]
    assert list(told["forecasts"]["diebold_mariano"]) == ["no_change", "ridge", "persistence"]
    assert told["forecasts"]["diebold_mariano"]["ridge"]["p_value"] is None  # it is ridge itself
    assert set(told["inputs"]["adf"]) == set(run.manifest["inputs"])
    assert told["timing"]["p_value"] > 0
    assert told["level_trap"]["up_pct"] == pytest.approx(
        run.metrics["forecasts"]["strategy"]["up_share_pct"]
    )
    assert told["seeds"] is None  # ridge has none
    chosen = told["fragility"]["chosen"]
    assert chosen["cost_bps"] == 7.0
    assert chosen["sharpe"] == run.metrics["books"]["strategy"]["sharpe"]
    assert told["track_record"]["bars"] == run.metrics["span"]["bars"]
    assert told["path_risk"]["bars"] == told["stability"]["bars"] == len(run.returns)
    realised = told["path_risk"]["realised"]
    assert set(realised) == set(BOOKS)
    assert realised["strategy"]["max_drawdown_pct"] == pytest.approx(
        run.metrics["books"]["strategy"]["max_drawdown_pct"]
    )
    assert len(told["window_subsets"]["without"]) == len(run.manifest["windows"])


def test_timing_is_judged_by_the_returns_from_fill_to_fill(
    strategy: Path, module_folder: Path
) -> None:
    free = {f"costs.{name}": 0 for name in ("fee_bps", "slippage_bps", "borrow_bps_per_year")}
    # Another home: costs are part of what is tried, and this trial would count in `run`'s ledger.
    run = engine.run(
        strategy,
        overrides=free,
        out=module_folder / "free",
        home=module_folder / "free",
        pages=False,
    )
    opens = run.bars.query("symbol == 'AAA'").set_index("timestamp")["open"].loc[run.returns.index]
    trades = run.trades.query("book == 'strategy'").set_index("timestamp")
    units = trades["size"].where(trades["side"] == "buy", -trades["size"])
    bought = units.reindex(opens.index, fill_value=0.0)
    equity = 1.0 + (bought.cumsum() * opens - (bought * opens).cumsum())
    moved = equity.pct_change().iloc[1:]
    expected = moved.mean() / moved.std(ddof=0) * run.metrics["span"]["periods_per_year"] ** 0.5
    assert run.significance["timing"]["sharpe"] == pytest.approx(expected, rel=1e-6)


def test_predictions_cover_every_out_of_sample_bar_once_and_know_what_came(
    run: engine.Run,
) -> None:
    table = run.predictions
    assert list(table["timestamp"]) == list(run.returns.index)
    close = run.bars.query("symbol == 'AAA'").set_index("timestamp")["close"]
    ahead = (close.shift(-1) / close - 1).loc[run.returns.index]
    np.testing.assert_allclose(table["actual"], ahead, rtol=1e-12)
    assert table["actual"].isna().sum() == 1


def test_fills_come_one_bar_after_the_decision_at_the_open(run: engine.Run) -> None:
    opens = run.bars.query("symbol == 'AAA'").set_index("timestamp")["open"]
    trades = run.trades.query("book == 'strategy'")
    weights = run.positions.query("book == 'strategy'").set_index("timestamp")["weight"]
    changed = weights[weights.ne(weights.shift(fill_value=0.0))].index
    due = run.returns.index[run.returns.index.get_indexer(changed[changed < changed.max()]) + 1]
    assert set(due) <= set(trades["timestamp"])
    assert trades["timestamp"].min() > changed.min()
    slip = np.where(trades["side"] == "buy", 1 + 2e-4, 1 - 2e-4)
    np.testing.assert_allclose(trades["price"], opens.loc[trades["timestamp"]] * slip, rtol=1e-9)


def test_every_book_folded_bar_by_bar_is_the_book_of_the_run(run: engine.Run) -> None:
    opens, closes = (
        run.bars.pivot(index="timestamp", columns="symbol", values=price)[["AAA"]].loc[
            run.returns.index
        ]
        for price in ("open", "close")
    )
    settings = engine.Strategy.model_validate(run.manifest["strategy"])
    for book in run.returns:
        decided = run.positions.query("book == @book").pivot(
            index="timestamp", columns="symbol", values="weight"
        )
        case = Case(decided, opens, closes, settings.costs, settings.execution)
        folded = fold(case, range(len(decided)))
        net = [account.bar_return for account in folded.accounts]
        np.testing.assert_allclose(net, run.returns[book], rtol=0, atol=1e-15)
        trades = run.trades.query("book == @book")
        assert [fill.size for fill in folded.fills] == trades["size"].tolist()


def test_the_newest_bars_traded_live_are_those_of_the_run(run: engine.Run) -> None:
    live_path = run.metrics.live_path
    assert live_path.bars == 25
    assert live_path.compared.total > 200
    assert live_path.differing.total == 0
    assert live_path.first_difference is None


def test_a_feature_that_is_another_one_live_is_told_with_its_first_difference(
    strategy, module_folder
) -> None:
    spec = load_strategy(strategy).model_copy(update={"features": (OwnFeature(breaks="first"),)})
    notices = Notices()
    told = engine.run(
        spec,
        out=module_folder / "own",
        home=module_folder / "home of own parts",
        pages=False,
        progress=notices,
    ).metrics.live_path
    assert told.own_parts == ("own_feature",)
    assert told.differing.forecasts > 0
    assert told.first_difference.kind == "forecasts"
    (sentence,) = (each for each in notices.texts if "live path" in each)
    assert sentence.startswith("A fault of a part of your own (own_feature)")


class Notices(NullProgress):
    """Keeps the notices."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def notice(self, text: str) -> None:
        self.texts.append(text)


def test_round_trips_made_from_the_folder_win_as_often_as_the_metrics_say(run: engine.Run) -> None:
    index = pd.DatetimeIndex(run.returns.index)
    for book, figures in run.metrics["books"].items():
        fills = run.trades[run.trades["book"] == book]
        found = summarise_round_trips(round_trip_table(fills, run.bars, index, fill_price="open"))
        rate = found.win_rate
        assert figures["hit_rate_pct"] == (None if rate is None else 100 * rate)
    assert run.metrics["books"]["strategy"]["hit_rate_pct"] is not None


def test_windows_in_the_manifest_tile_the_out_of_sample_span(run: engine.Run) -> None:
    windows = run.manifest["windows"]
    assert sum(window["test_bars"] for window in windows) == len(run.returns)
    assert windows[0]["test"][0] == run.returns.index[0].isoformat()
    assert windows[-1]["test"][1] == run.returns.index[-1].isoformat()
    for window in windows:
        assert window["train"][1] < window["validation"][0] < window["test"][0]


def test_the_same_inputs_give_the_same_id_and_the_same_bytes(run, strategy, module_folder) -> None:
    again = engine.run(
        strategy, out=module_folder / "again", home=module_folder / "home", workers=1, pages=False
    )
    assert again.run_id == run.run_id
    for name in [f"{t}.parquet" for t in TABLES] + [f"{d}.json" for d in DOCUMENTS]:
        assert (again.run_dir / name).read_bytes() == (run.run_dir / name).read_bytes(), name


def test_another_strategy_or_other_bars_give_another_id(run, strategy, module_folder) -> None:
    out, home = module_folder / "others", module_folder / "home"
    dearer = engine.run(strategy, overrides={"costs.fee_bps": 6}, out=out, home=home, pages=False)
    other_bars = market(module_folder / "other", edge=0.1)
    moved = engine.run(strategy, data=str(other_bars), out=out, home=home, pages=False)
    assert len({run.run_id, dearer.run_id, moved.run_id}) == 3
    assert dearer.manifest["strategy"]["costs"]["fee_bps"] == 6


def test_higher_costs_cost_every_book_that_trades(run, strategy, module_folder) -> None:
    dear = engine.run(
        strategy,
        overrides={"costs.fee_bps": 50},
        out=module_folder / "dear",
        home=module_folder / "home",
        pages=False,
    )
    for name, figures in run.metrics["books"].items():
        assert dear.metrics["books"][name]["total_return_pct"] < figures["total_return_pct"]


def test_a_failed_run_leaves_no_folder(strategy, module_folder) -> None:
    with pytest.raises(UsageError, match="window"):
        engine.run(strategy, overrides={"windows.train": 5000}, out=module_folder / "failed")
    assert not list((module_folder / "failed").glob("**/*.json"))


def test_a_target_outside_the_dataset_is_told_with_what_there_is(strategy, module_folder) -> None:
    with pytest.raises(UsageError, match="AAA, BBB"):
        engine.run(strategy, overrides={"data.target": "CCC"}, out=module_folder / "failed")


def test_a_chosen_target_is_what_is_traded(strategy, module_folder) -> None:
    chosen = engine.run(
        strategy,
        overrides={"data.target": "BBB"},
        out=module_folder / "chosen",
        home=module_folder / "home",
        pages=False,
    )
    assert set(chosen.trades["symbol"]) == {"BBB"}
    assert set(chosen.predictions["symbol"]) == {"BBB"}


def test_a_mistake_in_the_strategy_is_told_before_anything_runs(strategy, module_folder) -> None:
    with pytest.raises(StrategyError, match=r"signal\.entr"):
        engine.run(strategy, overrides={"signal.entr": 1}, out=module_folder / "failed")


def test_a_strategy_object_runs_as_its_file_does(run, strategy, module_folder) -> None:
    from engine.strategy import load_strategy

    loaded = load_strategy(strategy)
    again = engine.run(
        loaded, out=module_folder / "object", home=module_folder / "home", pages=False
    )
    assert again.run_id == run.run_id
    with pytest.raises(UsageError, match="overrides"):
        engine.run(loaded, overrides={"seed": 1})


def test_the_resolved_strategy_of_the_manifest_saved_as_a_file_is_the_same_run(
    run: engine.Run, module_folder: Path
) -> None:
    saved = module_folder / "strategy.yaml"
    saved.write_text(json.dumps(run.manifest["strategy"], indent=2), encoding="utf-8")
    again = engine.run(
        saved, out=module_folder / "saved", home=module_folder / "home", pages=False
    )
    assert again.run_id == run.run_id


def test_a_planted_edge_is_found_and_called_evidence(module_folder) -> None:
    strategy = write_strategy(module_folder / "market", market(module_folder / "edge", edge=0.5))
    found = engine.run(
        strategy,
        overrides={
            "costs.fee_bps": 0,
            "costs.slippage_bps": 0,
            "benchmarks": [{"kind": "buy_and_hold"}, {"kind": "mean_reversion"}],
        },
        out=module_folder / "edge-reports",
        home=module_folder / "home",
        pages=False,
    )
    assert found.metrics["forecasts"]["strategy"]["r2_vs_persistence"] > 0.1
    assert found.significance["sharpe"]["strategy"]["p_value"] < 0.01
    assert found.significance["verdict"]["grade"] != "none"


def test_noise_is_not_called_evidence(run: engine.Run) -> None:
    assert run.significance["verdict"]["grade"] == "none"
    assert "No evidence" in run.significance["verdict"]["sentence"]


@pytest.mark.slow
@pytest.mark.usefixtures("new_processes")
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_workers_change_no_byte_of_a_network_run(module_folder, backend: str) -> None:
    network = write_strategy(
        module_folder,
        market(module_folder / "network"),
        "{kind: micdl, lookback: 6, units: 8, dense: [16, 8]}",
    )
    overrides = {"seeds": 2, "compute.backend": backend, "data.target": "AAA"}
    runs = [
        engine.run(
            network,
            overrides=overrides,
            out=module_folder / f"{backend}{n}",
            home=module_folder,
            workers=n,
            pages=False,
        )
        for n in (1, 2)
    ]
    assert runs[0].run_id == runs[1].run_id
    for name in TABLES:
        one, two = ((run.run_dir / f"{name}.parquet").read_bytes() for run in runs)
        assert one == two, name
    assert len(runs[0].manifest["windows"][0]["fits"]) == 2
    seeds = runs[0].significance["seeds"]
    assert seeds["count"] == len(seeds["sharpe_by_seed"]) == 2
    assert len(seeds["sharpe_by_window"]) == len(runs[0].manifest["windows"])
    assert all(len(ratios) == 2 for ratios in seeds["sharpe_by_window"])
