"""Checks the links of README, CHANGELOG and docs/ as a code host follows them.

A link within the repository has to lead to a file, and its anchor to a heading there. Addresses of
other hosts are held to their form alone: no network is asked whether anybody is there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^()\s<>]+(?:\([^()\s]*\))?)>?(?:\s+\"[^\"]*\")?\s*\)")
PICTURE = re.compile(r"\b(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def pages(root: Path = ROOT) -> list[Path]:
    """Every page whose links are checked."""
    return [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").rglob("*.md"))]


def links(page: str) -> Iterator[str]:
    """Targets of links and pictures in Markdown, those in code left out."""
    prose = CODE.sub("", FENCE.sub("", page))
    yield from LINK.findall(prose)
    yield from PICTURE.findall(prose)


def anchors(page: str) -> set[str]:
    """What a link may name after `#`; equal headings are numbered."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        numbered = (f"{slug}-{number}" for number in range(1, 100))
        found.add(slug if slug not in found else next(n for n in numbered if n not in found))
    return found


def fault(target: str, page: Path, root: Path = ROOT) -> str:
    """What is wrong with a link of a page; nothing if it leads somewhere."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        well_formed = parts.scheme == "https" and HOST.fullmatch(parts.netloc)
        return "" if well_formed else "not https:// and a host"
    file = (page.parent / parts.path).resolve() if parts.path else page
    if not file.is_relative_to(root) or not file.exists():
        return "no such file"
    if parts.fragment and file.suffix != ".md":
        return "an anchor in a file that is no Markdown"
    if parts.fragment and parts.fragment not in anchors(file.read_text(encoding="utf-8")):
        return "no such heading"
    return ""


def faults(root: Path = ROOT) -> list[str]:
    """A line a link that leads nowhere."""
    return [
        f"{page.relative_to(root)}: {target}: {wrong}"
        for page in pages(root)
        for target in links(page.read_text(encoding="utf-8"))
        if (wrong := fault(target, page, root))
    ]


def main() -> None:
    """Tells every fault on stderr, and fails if there is one."""
    found = faults()
    sys.stderr.writelines(f"{line}\n" for line in found)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
