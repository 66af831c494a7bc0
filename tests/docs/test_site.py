"""scripts/docs builds the whole site, and all links are valid."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from engine.reporting.tearsheet import render_tearsheet
from scripts.documentation.links import anchors, check_link, find_broken_links, find_links
from scripts.documentation.picture import EQUITY_CHART, HEADLINES, MAX_BYTES
from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from engine.runs.run import Run

if TYPE_CHECKING:
    from pathlib import Path


def test_the_readme_and_the_pages_have_no_broken_link() -> None:
    assert find_broken_links() == []


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("docs/here.md", ""),
        ("docs/here.md#a-heading-with-code", ""),
        ("docs/here.md#twice-1", ""),
        ("#top", ""),
        ("https://example.org/a#b", ""),
        ("docs/gone.md", "no such file"),
        ("docs/here.md#in-a-block", "no such heading"),
        ("../outside.md", "no such file"),
        ("docs/picture.png#x", "an anchor in a file that is not Markdown"),
        ("http://example.org", "not an address with https:// and a host name"),
        ("https://localhost/a", "not an address with https:// and a host name"),
    ],
)
def test_links_are_checked_by_the_rules_of_a_code_host(
    tmp_path: Path, target: str, error: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "picture.png").touch()
    (tmp_path / "docs" / "here.md").write_text(
        "# A heading with `code`\n## Twice\n## Twice\n```sh\n# In a block\n```\n"
    )
    page = tmp_path / "README.md"
    page.write_text("# Top\n")
    assert check_link(target, page, tmp_path) == error


def test_the_pictures_of_the_readme_exist_and_are_small() -> None:
    links = find_links((ROOT / "README.md").read_text())
    pictures = [link for link in links if link.endswith("png")]
    assert sorted(pictures) == ["docs/images/tearsheet-dark.png", "docs/images/tearsheet.png"]
    assert [name for name in pictures if (ROOT / name).stat().st_size > MAX_BYTES] == []


def test_a_tearsheet_has_the_elements_of_the_picture(run: Run) -> None:
    page = render_tearsheet(run)
    assert f'class="{HEADLINES[1:]}"' in page
    assert f'id="{EQUITY_CHART[1:]}"' in page


def test_links_in_code_are_ignored() -> None:
    page = 'see [a](b.md "title") and `[c](d.md)`\n```md\n[e](f.md)\n```\n<img src="g.png">\n'
    assert list(find_links(page)) == ["b.md", "g.png"]
    assert anchors("# [A link](x.md) & more\n") == {"a-link--more"}


@pytest.fixture(scope="module")
def site() -> Path:
    done = subprocess.run([ROOT / "scripts" / "docs"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ROOT / done.stdout.split()[-1].removesuffix("/index.html")


def shown(page: Path) -> str:
    """What a reader reads."""
    text = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
    return text.replace("&#39;", "'").replace("&quot;", '"').replace("&lt;", "<")


@pytest.mark.slow
class TestSite:
    def test_every_page_is_built(self, site: Path) -> None:
        pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
        pages |= {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.ipynb")}
        assert [page for page in pages if not (site / page.with_suffix(".html")).is_file()] == []

    def test_keys_and_commands_are_in_it(self, site: Path) -> None:
        assert "model.attention_lstm" in shown(site / "reference" / "strategy.html")
        assert "sources.ccxt" in shown(site / "reference" / "dataset.html")
        assert "--keep-bytes SIZE" in shown(site / "reference" / "commands.html")

    def test_the_notebook_was_executed_and_shows_its_output(self, site: Path) -> None:
        text = shown(site / "notebook" / "python-api.html")
        assert "'grade': 'none'" in text
        assert "UsageError, exit code 2" in text
        assert "'certificate.json'" in text
        assert "Traceback" not in text

    def test_no_page_loads_anything_from_a_network(self, site: Path) -> None:
        asked = re.compile(r"<(?:script|link|img|source|iframe)[^>]+(?:src|href)=\"(?:https?:)?//")
        assert [page for page in site.rglob("*.html") if asked.search(page.read_text())] == []

    def test_formulas_are_drawn_without_a_script(self, site: Path) -> None:
        text = (site / "evaluation.html").read_text(encoding="utf-8")
        assert text.count("<math ") > 50
        assert "mathjax.js" not in text.lower()


@pytest.mark.slow
def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    import sys

    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("*.md", "*.ipynb"))
    (docs / "index.md").write_text("# A page\n\nSee [another](gone.md#there).\n")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "-b", "html", docs, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "gone.md" in done.stderr
