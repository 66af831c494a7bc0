"""The pages of runs: what the index lists, and what must not be served."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from engine.comparison import compare_opened_runs
from engine.reporting.index import list_runs, render_index
from engine.runs.folder import PAGES, TABLES
from engine.runs.run import Run
from engine.server.run_pages import RunPages
from tests.reporting.page import Page, changed
from tests.reporting.sweep_runs import (
    IDS,
    make_run,
    run_pages,
    write_comparison_page,
    write_run,
    write_three_runs,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def written(module_folder: Path) -> Path:
    return write_three_runs(module_folder)


@pytest.fixture
def reports(written: Path, tmp_path: Path) -> Path:
    """Three runs, and outside of their folder a file that must not be served."""
    folder = shutil.copytree(written, tmp_path / "reports")
    (tmp_path / "secret.html").write_text("secret", encoding="utf-8")
    return folder


@pytest.fixture
def site(reports: Path) -> RunPages:
    return run_pages(reports)


def page(site: RunPages, target: str) -> Page:
    answer = site.respond(target)
    assert answer.status == 200
    return Page(answer.content.decode())


def links(page: Page) -> list[str]:
    return [element["href"] for tag, element in page.elements if tag == "a"]


def test_every_run_is_a_row_newest_first(site: RunPages) -> None:
    index = page(site, "/runs")

    assert [index.text.index(run) for run in IDS[:3]] == sorted(
        (index.text.index(run) for run in IDS[:3]), reverse=True
    )
    run = make_run(2, mean=0.002)
    strategy = run.metrics["books"]["strategy"]
    interval = run.significance["sharpe"]["strategy"]
    for figure in (strategy["sharpe"], interval["low"], interval["high"]):
        assert f"{abs(figure):.2f}" in index.text
    assert f"{strategy['total_return_pct']:+.1f}\N{NO-BREAK SPACE}%" in index.text
    for text in ("Buy and hold", "No evidence", "no look-ahead", "made-up", "2016-01-04"):
        assert text in index.text
    assert "2026-11-22 10:00" in index.text
    titles = [element["title"] for _, element in index.elements if "title" in element]
    assert titles == 3 * ["No look-ahead detected at 1\N{NO-BREAK SPACE}cutoff"]


def test_the_table_can_be_sorted_and_searched(site: RunPages) -> None:
    elements = page(site, "/runs").elements

    (table,) = [element for tag, element in elements if tag == "table"]
    assert {"data-sortable", "data-filter"} <= set(table)
    values = [float(element["data-value"]) for _, element in elements if "data-value" in element]
    assert values[0] == make_run(2, mean=0.002).metrics["books"]["strategy"]["sharpe"]
    assert values[4] == 0.0  # no evidence, the lowest of the grades


def test_every_link_of_the_index_leads_to_a_page(site: RunPages) -> None:
    addresses = [link for link in links(page(site, "/runs")) if link.startswith("/runs/")]

    assert len(addresses) == 3 * len(PAGES)
    # quantstats takes seconds; the test of the command line draws it.
    for link in addresses:
        if "quantstats" not in link:
            assert link.split("/")[3] in page(site, link).text


def test_stored_pages_are_sent_and_missing_pages_rendered_but_not_written(
    reports: Path, site: RunPages
) -> None:
    folder = reports / "ridge" / IDS[0]
    (folder / "significance.html").write_text("as it is", encoding="utf-8")

    assert site.respond(f"/runs/ridge/{IDS[0]}/significance.html").content == b"as it is"
    drawn = page(site, f"/runs/ridge/{IDS[0]}/tearsheet.html")
    assert "equity" in drawn.charts
    assert not (folder / "tearsheet.html").exists()


def test_selected_runs_are_compared_with_the_uppermost_as_reference(site: RunPages) -> None:
    boxes = [
        element
        for tag, element in page(site, "/runs").elements
        if tag == "input" and element["type"] == "checkbox"
    ]
    query = "&".join(f"{box['name']}={box['value']}" for box in boxes[:2])

    compared = page(site, f"/runs/compare?{query}")

    assert "2\N{NO-BREAK SPACE}runs compared" in compared.text
    assert "Which runs differ from the reference, enter_bps=10" in compared.text
    assert f"/runs/ridge/{IDS[2]}/tearsheet.html" in links(compared)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "at least two runs"),
        (f"run=ridge/{IDS[0]}", "at least two runs"),
        (f"run=ridge/{IDS[0]}&run=ridge/{IDS[0]}", "named twice"),
        (f"run=ridge/{IDS[0]}&run=../../secret.html", "no such run"),
        ("run=%3Cscript%3E", "&lt;script&gt;"),
    ],
)
def test_runs_that_cannot_be_compared_give_400(site: RunPages, query: str, message: str) -> None:
    answer = site.respond(f"/runs/compare?{query}")
    assert answer.status == 400
    assert message in answer.content.decode()


@pytest.mark.parametrize(
    "target",
    [
        "/runs/secret.html",
        "/secret.html",
        "/runs/../secret.html",
        "/runs/ridge/../../secret.html",
        f"/runs/ridge/{IDS[0]}/../../../secret.html",
        f"/runs/ridge/{IDS[0]}/..%2f..%2f..%2fsecret.html",
        f"/runs/ridge/{IDS[0]}/%2e%2e/%2e%2e/%2e%2e/secret.html",
        f"/runs/ridge/{IDS[0]}/%252e%252e%252fsecret.html",
        f"/runs/ridge/{IDS[0]}/..\\..\\..\\secret.html",
        f"/runs/ridge/{IDS[0]}/tearsheet.html%00",
        f"/runs/ridge/{IDS[0]}/manifest.json",
        f"/runs/ridge/{IDS[0]}/returns.parquet",
        f"/runs/ridge/{IDS[0]}/",
        f"/runs/ridge/{IDS[0]}",
        "/runs/ridge/",
        "/runs/ridge//etc/passwd",
        "/runs//etc/passwd",
        "//etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://[::1",
        "/%ff/%fe/tearsheet.html",
        "",
    ],
)
def test_only_pages_of_runs_are_served(site: RunPages, tmp_path: Path, target: str) -> None:
    for requested in (target, target.replace("/secret.html", f"{tmp_path}/secret.html")):
        answer = site.respond(requested)
        assert answer.status in {404, 500}
        assert b"root:" not in answer.content
        assert answer.content != b"secret"


def test_comparisons_that_were_written_are_listed_and_their_links_lead_to_the_runs(
    reports: Path, site: RunPages
) -> None:
    for number in range(2):
        (reports / "ridge" / IDS[number] / "tearsheet.html").write_text(IDS[number])
    runs = [Run.open(reports / "ridge" / IDS[number]) for number in range(2)]
    write_comparison_page(runs, reports / "families" / "0123456789ab")

    (link,) = [link for link in links(page(site, "/runs")) if "families" in link]
    compared = page(site, link)

    assert "2\N{NO-BREAK SPACE}runs compared" in compared.text
    addresses = [urljoin(link, each) for each in links(compared) if not each.startswith("#")]
    assert [site.respond(each).content.decode() for each in addresses] == list(IDS[:2])
    outside = reports.parent / "elsewhere" / "x"
    outside.mkdir(parents=True)
    (outside / "comparison.html").write_text("secret")
    (reports / "linked").symlink_to(outside.parent, target_is_directory=True)
    assert site.respond("/runs/linked/x/comparison.html").status == 404
    assert site.respond("/runs/families/0123456789ab/").status == 404


def test_links_that_lead_out_of_the_folder_are_not_followed(
    reports: Path, site: RunPages, tmp_path: Path
) -> None:
    outside = write_run(make_run(4), tmp_path / "elsewhere")
    (reports / "ridge" / IDS[4]).symlink_to(outside, target_is_directory=True)
    (reports / "linked").symlink_to(outside.parent, target_is_directory=True)
    leak = reports / "ridge" / IDS[0] / "tearsheet.html"
    leak.symlink_to(tmp_path / "secret.html")

    assert IDS[4] not in page(site, "/runs").text
    assert site.respond(f"/runs/ridge/{IDS[4]}/tearsheet.html").status == 404
    assert site.respond(f"/runs/linked/{IDS[4]}/tearsheet.html").status == 404
    assert "equity" in page(site, f"/runs/ridge/{IDS[0]}/tearsheet.html").charts


def test_a_folder_of_runs_may_be_a_link(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(reports, target_is_directory=True)

    assert len(list_runs(tmp_path / "link")) == 3
    (reports / "ridge" / IDS[0] / "significance.html").write_text("here", encoding="utf-8")
    answer = run_pages(tmp_path / "link").respond(f"/runs/ridge/{IDS[0]}/significance.html")
    assert answer.content == b"here"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", "{", "JSONDecodeError"),
        ("metrics.json", "[]", "valid dictionary"),
        ("metrics.json", '{"books": {"strategy": 7}}', "damaged"),
        ("metrics.json", '{"books": {"strategy": {"sharpe": "<b>"}}}', "damaged"),
        ("manifest.json", '{"dataset": 3}', "damaged"),
        ("manifest.json", "[" * 100_000, "damaged"),
        ("significance.json", "\udcff", "damaged"),
    ],
)
def test_a_damaged_run_is_listed_with_its_problem(
    reports: Path, site: RunPages, name: str, content: str, message: str
) -> None:
    broken = reports / "ridge" / IDS[1] / name
    broken.write_text(content, encoding="utf-8", errors="surrogateescape")

    index = page(site, "/runs")

    assert "Damaged or unfinished" in index.text
    assert message in index.text.split(f"ridge/{IDS[1]}")[-1]
    assert f"/runs/ridge/{IDS[0]}/tearsheet.html" in links(index)
    answer = site.respond(f"/runs/ridge/{IDS[1]}/tearsheet.html")
    assert answer.status == 500
    assert b"cannot be rendered" in answer.content
    assert b"<b>" not in answer.content


@pytest.mark.parametrize("missing", ["manifest.json", "metrics.json", "returns.parquet"])
def test_an_incomplete_run_is_listed_with_its_missing_files(
    reports: Path, site: RunPages, missing: str
) -> None:
    (reports / "ridge" / IDS[1] / missing).unlink()

    assert f"incomplete: {missing} missing" in page(site, "/runs").text
    answer = site.respond(f"/runs/compare?run=ridge/{IDS[0]}&run=ridge/{IDS[1]}")
    assert answer.status == 400
    assert f"ridge/{IDS[1]} cannot be compared" in answer.content.decode()


def test_a_page_that_cannot_be_rendered_gives_500(reports: Path) -> None:
    def fail(folder: Path) -> Run:
        raise RuntimeError(f"<b> in {folder}")

    site = RunPages(reports, fail, compare_opened_runs)
    answer = site.respond(f"/runs/ridge/{IDS[1]}/tearsheet.html")

    assert answer.status == 500
    assert b"this page cannot be rendered: RuntimeError: &lt;b&gt;" in answer.content


def test_a_run_of_a_newer_version_is_listed_with_its_problem(
    reports: Path, site: RunPages
) -> None:
    path = reports / "ridge" / IDS[1] / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8")) | {"schema_version": 99}
    path.write_text(json.dumps(metrics), encoding="utf-8")

    assert "written by a newer version" in page(site, "/runs").text
    assert site.respond(f"/runs/ridge/{IDS[1]}/tearsheet.html").status == 500


def test_a_damaged_table_gives_500_when_it_is_read(reports: Path, site: RunPages) -> None:
    (reports / "ridge" / IDS[1] / f"{TABLES[3]}.parquet").write_bytes(b"PAR1")

    answer = site.respond(f"/runs/ridge/{IDS[1]}/tearsheet.html")

    assert answer.status == 500
    assert site.respond(f"/runs/ridge/{IDS[0]}/tearsheet.html").status == 200


def test_unfinished_runs_are_listed_and_other_folders_are_not(
    reports: Path, site: RunPages
) -> None:
    draft = reports / "ridge" / f".{IDS[4]}.4711"
    draft.mkdir()
    shutil.copy(reports / "ridge" / IDS[0] / "manifest.json", draft)
    (reports / "README.md").write_text("no run", encoding="utf-8")
    (reports / "other" / "0123456789ab").mkdir(parents=True)
    (reports / "ridge" / "notes").mkdir()

    text = page(site, "/runs").text

    assert f"run {IDS[4]} is being written, or was killed while it was" in text
    assert "3\N{NO-BREAK SPACE}runs" in text
    for absent in ("README", "0123456789ab", "notes"):
        assert absent not in text


def test_new_runs_appear_without_a_restart(reports: Path, site: RunPages) -> None:
    page(site, "/runs")
    write_run(make_run(3), reports)
    assert IDS[3] in page(site, "/runs").text


def test_a_run_without_certificate_is_complete(reports: Path, site: RunPages) -> None:
    (reports / "ridge" / IDS[1] / "certificate.json").unlink()
    text = page(site, "/runs").text
    assert "not tested" in text
    assert "Damaged" not in text


def test_an_empty_folder_names_the_command_that_makes_a_run(tmp_path: Path) -> None:
    assert "No runs yet" in page(run_pages(tmp_path), "/runs").text


def test_benchmarks_without_a_sharpe_ratio_are_not_listed(reports: Path) -> None:
    path = reports / "ridge" / IDS[0] / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    metrics["books"]["buy_and_hold"]["sharpe"] = None
    path.write_text(json.dumps(metrics), encoding="utf-8")

    (summary,) = [
        entry.summary for entry in list_runs(reports) if entry.relative_path.endswith(IDS[0])
    ]

    assert (summary.benchmark, summary.benchmark_sharpe) == ("", None)
    assert "\N{EN DASH}" in Page(render_index(list_runs(reports), (), "reports")).text


def test_a_run_that_was_written_again_is_not_taken_from_the_cache(
    reports: Path, site: RunPages
) -> None:
    target = f"/runs/ridge/{IDS[0]}/tearsheet.html"
    assert "Made up." in page(site, target).text
    strategy = make_run(0).manifest["strategy"] | {"description": "Rewritten."}
    shutil.rmtree(reports / "ridge" / IDS[0])
    write_run(changed(make_run(0), manifest={"strategy": strategy}), reports)
    assert "Rewritten." in page(site, target).text
