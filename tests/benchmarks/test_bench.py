"""scripts/bench on small workloads: its output, not its speed."""

from __future__ import annotations

import importlib
import io
import json
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "scripts" / "benchmarks"
WINDOWS, EPOCHS = 1, 2
SMALL_WORKLOAD = ["--rounds", "1", "--windows", str(WINDOWS), "--epochs", str(EPOCHS)]
SMALL_WORKLOAD += ["--bars", "5000", "--no-pages"]
FEW_FITS = [
    *("--set", "windows.test=8y", "--set", "model={kind: mlp, lookback: 5, dense: [8]}"),
    *("--set", "training.epochs=2", "--set", "training.warm_epochs=1"),
    *("--set", "benchmarks=[]", "--set", "evaluation.resamples=500"),
    *("--workers", "1", "--no-pages"),
]
SLIVER = """
name: sliver
data: {dataset: us-indices, offline: us-indices}
windows: {train: 8y, validation: 1y, test: 8y}
model: {kind: ridge, lookback: 2}
evaluation: {resamples: 200}
"""


class Done(NamedTuple):
    """How a benchmark ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def bench(*arguments: str) -> Done:
    """`scripts/bench` in this process: its own imports take longer than many a small workload."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(stdout), redirect_stderr(stderr):
        patch.setattr(sys, "argv", ["bench", *arguments])
        patch.syspath_prepend(str(BENCHMARKS))
        cores = os.sched_getaffinity(0)
        try:
            code = runpy.run_path(str(BENCHMARKS), run_name="bench")["main"]()
        except SystemExit as end:
            code = end.code
        finally:
            os.sched_setaffinity(0, cores)
    return Done(code, stdout.getvalue(), stderr.getvalue())


@pytest.fixture(scope="module")
def sliver(module_folder: Path) -> list[str]:
    """The option of a strategy that runs in few seconds."""
    file = module_folder / "sliver.yaml"
    file.write_text(SLIVER, encoding="utf-8")
    return ["--strategy", str(file)]


@pytest.fixture(scope="module")
def results(sliver: list[str]) -> dict[str, Any]:
    completed = bench("refit", "--json", *SMALL_WORKLOAD, *sliver)
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


@pytest.mark.slow
def test_compares_both_backends_with_the_plain_keras_loop(results) -> None:
    assert results["speedup_tensorflow_vs_plain_keras"] > 0
    assert results["speedup_jax_vs_plain_keras"] > 0


@pytest.mark.slow
def test_every_program_forecasts_the_same_bars_and_learns(results) -> None:
    for name, summary in results["contenders"].items():
        assert summary["forecasts"] == WINDOWS * 30, name
        assert 0 < summary["train_loss"] < 3, name
        assert len(summary["seconds"]) == 1, name


@pytest.mark.slow
def test_reports_the_workload_and_the_speed_of_the_machine(results) -> None:
    work = results["work"]
    assert work["training_samples_in_all"] == WINDOWS * EPOCHS * 1_152
    assert work["forward_flop_per_sample"] == 587_392
    assert work["sgemm_flop_per_s"] > 1e8


@pytest.mark.slow
def test_reports_the_memory_of_a_fit_on_both_backends(results) -> None:
    assert {memory["matrix_bytes"] for memory in results["memory"].values()} == {5_000 * 20 * 4}
    assert set(results["memory"]) == {"tensorflow", "jax"}


@pytest.mark.slow
def test_a_second_run_trains_nothing(results) -> None:
    assert results["stored"]["again_trained"] == 0
    assert results["stored"]["again_s"] > 0


@pytest.mark.slow
def test_prints_a_table_without_json(results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    console = Console(record=True, width=110, file=io.StringIO())
    importlib.import_module("training_speed").show(results, console)
    text = console.export_text()
    for name in ("engine tensorflow", "engine jax", "plain keras", "GFLOP/s", "feature matrix"):
        assert name in text


ZOO = ["--symbols", "SP500", "--kinds", "mlp", "drift", "--seeds", "2", "--workers", "1"]
ZOO += ["--set", "training.epochs=1", "--set", "windows.train=15y", "--set", "windows.test=9y"]


@pytest.mark.slow
def test_the_zoo_reports_the_range_of_seeds() -> None:
    completed = bench("zoo", *ZOO, "--json")
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    assert list(results) == ["SP500"]
    scores = results["SP500"]
    assert [len(scores[kind]["seeds"]) for kind in ("mlp", "drift")] == [2, 1]
    one, other = scores["mlp"]["seeds"]
    assert one["r2_vs_persistence"] != other["r2_vs_persistence"]
    assert scores["drift"]["r2_vs_persistence"] is not None


@pytest.mark.slow
def test_warm_and_cold_starts_are_compared() -> None:
    completed = bench("warm", "--json", "--rounds", "1", *FEW_FITS)
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    cold, warm, windows = results["cold"], results["warm"], results["work"]["windows"]
    assert cold["fits"] == warm["fits"] == 2 * windows
    assert (cold["started_warm"], warm["started_warm"]) == (0, 2 * (windows - 1))
    assert (cold["epochs"], warm["epochs"]) == (2 * windows * 2, 2 * (2 + windows - 1))
    assert results["refit_seconds_cold_vs_warm"] == cold["refit_s"] / warm["refit_s"] > 0
    assert results["run_seconds_cold_vs_warm"] == cold["run_s"] / warm["run_s"] > 0
    for variant in (cold, warm):
        assert 0 < variant["validation_loss"] < 10
        assert 0 < variant["rmse_bps"] < 1_000
        assert 0 < variant["directional_accuracy_pct"] < 100
    assert -1 < results["forecast_correlation"] < 1


def has_commit(name: str) -> bool:
    command = ["git", "cat-file", "-e", f"{name}^{{commit}}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not has_commit("6058557"), reason="a checkout without the earlier commits")
def test_reading_is_compared_with_an_earlier_build() -> None:
    completed = bench("read", "--json", "--rounds", "1", "--bars", "3000", "--stamps", "seconds")
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    now, before = results["now"], results["before"]
    assert now["bars"] == before["bars"] == 3_000
    assert now["findings"] == before["findings"] == 0
    assert results["ratio"] == before["seconds"] / now["seconds"] > 0
    assert 50 < now["peak_mb"] < 1_000


CALIBRATION = ["--markets", "3", "--bars", "120", "--resamples", "200", "--workers", "1"]


@pytest.mark.slow
def test_calibration_counts_every_market_of_every_process_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    completed = bench("calibration", "--tables", "tests", *CALIBRATION, "--json")
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    tests = results["tests"]["rows"]
    names = [share for rows in tests.values() for row in rows.values() for share in row]
    assert set(names) == {"iid normal", "t, 4 degrees", "AR(1) 0.2", "AR(1) 0.4", "GARCH(1,1)"}
    for kind, rows in tests.items():
        assert len(rows) >= 5, kind
        for row, shares in rows.items():
            assert len(shares) == 5, row
            assert {share["total"] for share in shares.values()} == {3}, row
            assert f"{row.strip()}  " in (ROOT / "docs" / "calibration.md").read_text(), row
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    console = Console(record=True, width=110, file=io.StringIO())
    importlib.import_module("calibration").show(results, console)
    table = console.export_text()
    for name in ("Sharpe > 0, bootstrap", "SPA of 5 books", "Pesaran-Timmermann", "GARCH(1,1)"):
        assert name in table


GRADES = ["--tables", "grades", "--graded-markets", "12", "--json"]
GRADES += ["--rows", "jumps, premium 0, a trade"]


class Graded(NamedTuple):
    """A calibration of grades by one worker, and the file of its parts."""

    done: Done
    parts: Path


@pytest.fixture(scope="module")
def graded(module_folder: Path) -> Graded:
    parts = module_folder / "parts.jsonl"
    done = bench("calibration", *GRADES, "--workers", "1", "--resume", str(parts))
    assert done.returncode == 0, done.stderr
    return Graded(done, parts)


@pytest.mark.slow
def test_the_grades_count_every_market_once_for_any_number_of_workers(
    graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = graded.done, bench("calibration", *GRADES, "--workers", "2")
    assert one.stdout == two.stdout
    rows = json.loads(one.stdout)["grades"]["rows"]
    assert {row["skill"] for row in rows} == {True, False}
    for row in rows:
        rates = list(row["rates"].values())
        assert [rate["total"] for rate in rates] == [12, 12, 12], row
        assert [rate["count"] for rate in rates] == sorted(
            (rate["count"] for rate in rates), reverse=True
        )
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    console = Console(record=True, width=110, file=io.StringIO())
    importlib.import_module("calibration").show(json.loads(one.stdout), console)
    table = console.export_text()
    for name in ("weak or more", "strong", "jumps, premium 0, a trade a month", "power"):
        assert name in table


@pytest.mark.slow
def test_the_calibration_goes_on_from_its_finished_parts(graded: Graded, tmp_path: Path) -> None:
    written = graded.parts.read_text("utf-8")
    parts = tmp_path / "parts.jsonl"
    parts.write_text(written[: len(written) // 2], "utf-8")
    options = [*GRADES, "--workers", "1", "--resume", str(parts)]
    resumed = bench("calibration", *options)
    assert resumed.stdout == graded.done.stdout
    assert "of 8 parts are in" in resumed.stderr
    assert len(parts.read_text("utf-8").splitlines()) == len(written.splitlines())
    other = bench("calibration", *options, "--seed", "1")
    assert other.returncode == 2
    assert str(parts) in other.stderr


def test_a_rate_has_a_star_only_where_no_rule_has_skill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    grades = importlib.import_module("calibration_grades")
    often, seldom = ["strong"] * 60 + ["none"] * 340, ["weak"] * 20 + ["none"] * 380
    starred = {
        skill: [
            name for name, rate in grades.assess_rates(often, skill=skill).items() if rate["off"]
        ]
        for skill in (False, True)
    }
    assert starred == {False: ["weak or more", "strong"], True: []}
    assert not any(rate["off"] for rate in grades.assess_rates(seldom, skill=False).values())


def test_the_rows_of_grades_have_every_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    graded = importlib.import_module("graded_rows")
    without, skilled = list(graded.rows_without_skill()), list(graded.rows_with_skill())
    names = [row.name for row in (*without, *skilled)]
    assert len(set(names)) == len(names)
    assert {row.process for row in without} == set(graded.PROCESSES)
    assert {row.rule for row in without} == set(graded.RULES)
    assert {row.premium for row in without} == {0.0, 0.5, 1.0, 2.0}
    assert {tries for row in without for tries in row.tries} == {1, 20, 50, 200}
    assert {row.bars for row in without} == {500, 1_000, 3_000}
    assert {row.edge for row in skilled} == {0.5, 1.0, 1.5, 2.0, 3.0}
    page = (ROOT / "docs" / "calibration.md").read_text("utf-8")
    assert [name for name in names if f"\n  {name} " not in page] == []


@pytest.mark.slow
def test_features_times_every_kind_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    completed = bench("features", "--json", "--bars", "20000", "--rounds", "1")
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    assert results["work"]["bars"] == 20_000
    assert results["work"]["features"] == len(results["features_s"]) >= 24
    assert {"rsi_14", "beta_BBB_60", "yang_zhang_20"} <= set(results["features_s"])
    assert min(results["features_s"].values()) > 0
    assert results["seconds_of_20_features"] > 0
    assert set(results["coarse_s"]) == {"5m", "1h", "1d"}
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    console = Console(record=True, width=110, file=io.StringIO())
    importlib.import_module("feature_speed").show(results, console)
    assert "all 27 at once" in console.export_text()


TRUTH = ["--rounds", "1", "--bars", "200", "--resamples", "200", "--no-pages"]
TRUTH += ["--ledger-rows", "1000"]


@pytest.mark.slow
def test_truth_times_the_leakage_test_and_the_bootstrap(
    sliver: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    completed = bench("truth", "--json", *TRUTH, *sliver)
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)
    assert results["work"] == {
        "strategy": "sliver",
        "bars": 200,
        "books": 6,
        "resamples": 200,
        "ledger_rows": 1000,
        "looks": 51,
    }
    (run,), (certificate,) = results["run_s"], results["certificate_s"]
    assert 0 < certificate < run
    assert results["certificate_share_pct"] == pytest.approx([100 * certificate / run])
    assert all(len(seconds) == 1 for seconds in results["significance_s"].values())
    assert len(results["significance_s"]) == 2
    assert len(results["ledger_cpu_s"]) == len(results["evaluation_s"]) == 1
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    console = Console(record=True, width=110, file=io.StringIO())
    importlib.import_module("evaluation_cost").show(results, console)
    text = console.export_text()
    assert "200 resamples, 6 books, 200 bars, AR(1) 0.2" in text
    assert "ledger of 1,000 runs, 51 looks" in text


def test_the_launcher_can_be_run_and_is_posix_shell() -> None:
    script = ROOT / "scripts" / "bench"
    assert os.access(script, os.X_OK)
    subprocess.run(["/bin/sh", "-n", script], check=True)


@pytest.mark.slow
def test_an_unknown_name_lists_the_benchmarks() -> None:
    completed = bench("speed")
    assert completed.returncode == 2
    assert "refit" in completed.stderr
    assert "warm" in completed.stderr


@pytest.fixture(scope="module")
def live(sliver: list[str]) -> dict[str, Any]:
    sizes = ["--bars", "12", "--plain-bars", "4", "--symbols", "3", "--symbol-bars", "1"]
    sizes += ["--memory-bars", "40", "--year-bars", "24", "--batches", "1", "--rounds", "1"]
    completed = bench("live", "--json", *sizes, *sliver)
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


@pytest.mark.slow
def test_the_networks_equal_keras(live) -> None:
    assert len(live["networks"]) == 10
    for name, figures in live["networks"].items():
        assert figures["largest_difference_over_sd"] <= 1e-5, name
        assert set(figures["ms"]) == {"numpy", "tf_function", "predict"}


@pytest.mark.slow
def test_the_bar_loop_forecasts_what_the_plain_way_does(live) -> None:
    assert set(live["bars"]) == {"LSTM(50)", "MICDL"}
    for name, figures in live["bars"].items():
        assert figures["largest_difference_over_sd"] <= 1e-4, name
        assert (figures["loop"]["bars"], figures["plain"]["bars"]) == (12, 4)
        assert figures["ratio_p50"] > 0


@pytest.mark.slow
def test_the_other_parts_have_their_figures(live) -> None:
    assert set(live["symbols"]["ms"]) == {"1", "3"}
    assert live["memory"]["bytes"][-1] > 0
    assert (live["year"]["bars"], live["year"]["batches_measured"]) == (24, 1)
    assert "tensorflow" not in live["signal"]["signal"]["imported"]
    assert "vectorbt" in live["signal"]["run"]["imported"]


@pytest.mark.slow
def test_live_shows_the_targets(live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    console = Console(record=True, width=110, file=io.StringIO())
    importlib.import_module("live").show(live, console)
    shown = console.export_text()
    for words in ("bar to signal", "symbols, bar, cpu", "hourly bars", "cold signal"):
        assert words in shown
    assert "transformer" in shown
