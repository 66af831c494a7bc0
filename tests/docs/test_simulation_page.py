"""The code of docs/simulation.md runs as it is printed."""

from __future__ import annotations

from runpy import run_path
from typing import TYPE_CHECKING

from tests.docs.blocks import ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path


def test_the_account_of_the_page_is_stepped_over_its_bars(tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(ROOT / "docs" / "simulation.md", "python")))
    left = run_path(str(script))
    assert [(order.symbol, order.target_weight) for order in left["orders"]] == [("A", 0.0)]
    assert left["account"].units["A"] > 0
