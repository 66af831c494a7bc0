"""Whatever came from outside is text on every page, and nothing else.

A page of hostile names must have the elements, the attributes, the code and the words of a page of
harmless ones, the names themselves apart.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from engine.comparison import compare_runs, load_compared_run
from engine.evaluation.config import EvaluationSpec
from engine.reporting.comparison import render_comparison
from engine.reporting.index import list_runs, render_index
from engine.reporting.pages import render_quantstats
from engine.reporting.quantstats_process import QuantstatsReport
from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import altered, changed
from tests.reporting.sweep_runs import IDS, make_run, run_pages, write_run
from tests.reporting.truth import truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.runs.run import Run

PLAIN = "harmless"
TURNED = "\N{RIGHT-TO-LEFT OVERRIDE}"
HOSTILE = {
    "script": "</script><script>alert(1)</script>",
    "image": "\"><img src=x onerror='alert(1)'>",
    "template": "{{7*7}}{%raw%}${7*7}<%=7%>{#",
    "comment": "<!--</style></title></head><body>-->]]>",
    "attribute": "' onmouseover=alert(1) x='` \"",
    "address": "javascript:alert(1)//&#x3c;&lt;&amp;",
    "turned": f"ridge {TURNED}txt.exe",
}
LONG = "<b>" + 3_333 * "\N{SNOWMAN}&<"


@cache
def laced(text: str, number: int = 0) -> Run:
    """A run in which everything that a user, a file or a source named is called `text`."""
    run = make_run(number)
    dataset = run.manifest["dataset"]
    facts = dataset["symbols"]["ABC"] | {"source": text, "vintage": text}
    finding = {"rule": text, "symbol": text, "severity": "warn", "sentence": text, "count": 2}
    finding |= {"first": "2016-02-01", "last": "2016-03-01", "repair": text}
    fit = {"seed": 0, "symbol": text, "key": "f" * 64, "epochs": 2, "best_epoch": 1, "attempts": 1}
    fit |= {"train_loss": [2.0, 1.0], "validation_loss": [2.0, 1.5]}
    window = {
        "index": 0,
        **{part: ["2016-01-04", "2016-12-30"] for part in ("train", "validation", "test")},
        **{f"{part}_bars": 260 for part in ("train", "validation", "test")},
        "threshold_enter_bps": 5.0,
        "threshold_exit_bps": 0.0,
        "fits": [fit],
    }
    strategy = run.manifest["strategy"] | {
        "description": text,
        "model": {"kind": text},
        "signal": {text: text},
        "opponents": [{"kind": "buy_and_hold", "note": text}],
    }
    manifest = run.manifest | {
        "strategy_name": text,
        "strategy_file": text,
        "strategy": strategy,
        "command": f"backtest run {text}",
        "target": [text],
        "inputs": [text],
        "left_out": [text],
        "windows": [window],
        "versions": {text: text},
        "machine": {"platform": text},
        "dataset": dataset
        | {"name": text, "note": text, "notices": [text], "calendar": text, "interval": text}
        | {"symbols": {text: facts}}
        | {"quality": {"findings": [finding], "repairs": [finding], "rules": [text]}},
    }
    full = run.significance | truth(run.significance)
    significance = full | {
        "verdict": {"grade": "none", "sentence": f"{text} has no skill. {text} neither."},
        "method": full["method"] | {"source": text},
        "level_trap": full["level_trap"] | {"sentence": text},
    }
    certificate = run.certificate | {
        "sentence": text,
        "cuts": [{"bar": "2016-06-01", "kind": text}],
        "not_compared": [text],
    }
    books = run.metrics["books"] | {text: run.metrics["books"]["buy_and_hold"]}
    renamed = {"symbol": {"ABC": text}}
    return altered(
        run,
        manifest=manifest,
        significance=significance,
        certificate=certificate,
        metrics=run.metrics | {"books": books},
        bars=run.bars.replace(renamed),
        positions=run.positions.replace(renamed),
        trades=run.trades.replace(renamed),
        predictions=run.predictions.replace(renamed),
        returns=run.returns.assign(**{text: 0.0}),
    )


def compared(text: str) -> str:
    other = laced(text, 1)
    strategy = {**other.manifest.strategy, "model": {"kind": "other"}}
    manifest = other.manifest | {"strategy_name": "other", "strategy": strategy}
    runs = [laced(text), dataclasses.replace(other, run_id=IDS[1], manifest=manifest)]
    comparison = compare_runs(
        [load_compared_run(run) for run in runs], EvaluationSpec(resamples=200)
    )
    return render_comparison(runs, comparison, lambda run: f"/{run.run_id}")


def listed(text: str, reports: Path) -> str:
    """The index of one run, and of a damaged one."""
    write_run(laced(text), reports)
    broken = write_run(make_run(1), reports) / "metrics.json"
    broken.write_text(json.dumps({"books": {"strategy": {"sharpe": text}}}), encoding="utf-8")
    return render_index(list_runs(reports), (), text)


PAGES: dict[str, Callable[[str], str]] = {
    "tearsheet": lambda text: render_tearsheet(laced(text)),
    "significance": lambda text: render_significance(laced(text)),
    "quantstats": lambda text: render_quantstats(
        laced(text), QuantstatsReport("<p>body</p>", "", text, 252, is_daily=True)
    ),
    "comparison": compared,
}


class Tree(HTMLParser):
    """Elements with the names of their attributes; code, data and words apart."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tree: list[Any] = []
        self.values: list[str] = []
        self.code: list[str] = []
        self.data: list[Any] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tree.append((tag, tuple(name for name, _ in attrs)))
        self.values += [f"{tag} {name}={value}" for name, value in attrs]
        if tag in {"script", "style"}:
            self._inside = dict(attrs).get("type") or tag

    def handle_endtag(self, tag: str) -> None:
        self.tree.append(f"/{tag}")
        self._inside = "" if tag in {"script", "style"} else self._inside

    def handle_comment(self, data: str) -> None:
        self.tree.append(f"comment {data}")

    def handle_data(self, data: str) -> None:
        if self._inside == "application/json":
            self.data.append(json.loads(data))
        else:
            (self.code if self._inside else self.words).append(data)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    made = {name: Tree(make(PLAIN)) for name, make in PAGES.items()}
    return made | {"index": Tree(listed(PLAIN, tmp_path_factory.mktemp("harmless")))}


def shown(text: str) -> str:
    """The text with characters that reverse its direction as U+FFFD."""
    return text.replace(TURNED, "\N{REPLACEMENT CHARACTER}")


def assert_only_the_names_differ(found: Tree, expected: Tree, text: str) -> None:
    assert found.tree == expected.tree
    assert found.code == expected.code
    name = shown(text)
    assert [value.replace(name, PLAIN) for value in found.values] == expected.values
    # The resolved strategy is shown as JSON, with its own escapes.
    words = "".join(found.words).replace(json.dumps(name, ensure_ascii=False)[1:-1], PLAIN)
    assert words.replace(name, PLAIN) == "".join(expected.words)
    assert json.dumps(found.data).replace(json.dumps(text)[1:-1], PLAIN) == json.dumps(
        expected.data
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_name_is_text_on_every_page_of_a_run(
    page: str, text: str, harmless: dict[str, Tree]
) -> None:
    html = PAGES[page](text)
    html.encode()
    found = Tree(html)

    assert "".join(found.words).count(shown(text)) >= 5
    assert_only_the_names_differ(found, harmless[page], text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text_in_the_index(
    text: str, harmless: dict[str, Tree], tmp_path: Path
) -> None:
    html = listed(text, tmp_path)
    html.encode()
    found, expected = Tree(html), harmless["index"]

    assert found.tree == expected.tree
    assert found.code == expected.code
    assert "".join(found.words).count(shown(text)) >= 3


@pytest.mark.parametrize("page", PAGES)
def test_a_name_of_ten_thousand_characters_breaks_nothing(
    page: str, harmless: dict[str, Tree]
) -> None:
    found = Tree(PAGES[page](LONG))

    assert found.tree == harmless[page].tree
    assert found.code == harmless[page].code


@pytest.mark.parametrize("page", [render_tearsheet, render_significance])
def test_a_path_that_is_not_utf8_is_shown_with_replacement_characters(
    page: Callable[[Run], str],
) -> None:
    path = "backtest run strategies/\udcff.yaml"
    run = changed(make_run(0), manifest={"strategy_name": path, "command": path})

    html = page(run)

    assert "strategies/\N{REPLACEMENT CHARACTER}.yaml" in html
    html.encode()


def test_the_data_of_a_chart_cannot_end_its_block() -> None:
    html = compared(HOSTILE["script"])

    assert "</script><script>alert" not in html
    labels = {line["label"] for line in Tree(html).data[0]["panels"][0]["lines"]}
    assert HOSTILE["script"] in labels


def test_folders_of_hostile_names_are_listed_linked_and_served(tmp_path: Path) -> None:
    for number, name in enumerate(("<img src=x>", "a&b=c;%2e%2e", "\udcff #?")):
        write_run(make_run(number), tmp_path / "made").parent.rename(tmp_path / name)
        page = tmp_path / name / IDS[number] / "significance.html"
        page.write_text(name.encode(errors="replace").decode(), encoding="utf-8")
    site = run_pages(tmp_path)

    index = site.respond("/runs").content.decode()

    assert "<img" not in index
    values = Tree(index).values
    links = [value.partition("=")[2] for value in values if value.startswith("a href=/runs/")]
    pages = [site.respond(link) for link in links if "significance" in link]
    assert {page.content.decode() for page in pages} == {"<img src=x>", "a&b=c;%2e%2e", "? #?"}
    ticks = [value.partition("=")[2] for value in values if value.startswith("input value=")]
    assert len(ticks) == 3
    # Tables cannot be read from a path that is no UTF-8; those of the others can.
    asked = urlencode([("run", tick) for tick in ticks[1:]])
    assert site.respond(f"/runs/compare?{asked}").status == 200
