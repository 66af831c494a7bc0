"""docs/limits.md has every bound of `engine.core.limits`, with its value."""

from __future__ import annotations

import re

from engine.core import limits
from tests.docs.blocks import ROOT

PAGE = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")


def test_the_table_has_every_bound_with_its_value() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)", PAGE, re.MULTILINE)
    bounds = {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}
    assert {name: int(text.replace(",", "")) for name, text in rows} == bounds
