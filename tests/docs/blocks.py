"""Blocks of code in the pages, by language."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

WALKED = [
    ROOT / "docs" / name for name in ("tutorial.md", "how-to/own-data.md", "how-to/nightly.md")
]
"""Pages whose commands are run as they are, by `test_walkthroughs`."""

OWN_PARTS = (
    *("dlinear", "last_week", "overnight_gap", "fractional_kelly", "breakout"),
    "volatility_slippage",
)
"""Modules, and kinds, that the pages define; `test_own_code` installs them as a package."""


def named(page: Path) -> str:
    """A page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def uses_own_part(text: str) -> bool:
    """Whether a block names a module or a kind that the pages define."""
    return any(name in text for name in OWN_PARTS)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in their order."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
