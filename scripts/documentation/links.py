"""Checks the links of README, CHANGELOG and docs/ by the rules of a code host.

A link within the repository must point to an existing file, and its anchor to a heading of that
file. For a link to another host only the form of the address is checked, without network access.
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


def list_pages(root: Path = ROOT) -> list[Path]:
    """All pages that are checked."""
    return [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").rglob("*.md"))]


def find_links(page: str) -> Iterator[str]:
    """Targets of links and pictures in Markdown, except in code."""
    prose = CODE.sub("", FENCE.sub("", page))
    yield from LINK.findall(prose)
    yield from PICTURE.findall(prose)


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings; equal headings are numbered."""
    slugs: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        numbered = (f"{slug}-{number}" for number in range(1, 100))
        slugs.add(slug if slug not in slugs else next(n for n in numbered if n not in slugs))
    return slugs


def check_link(target: str, page: Path, root: Path = ROOT) -> str:
    """The error of one link of a page; empty if the link is valid."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        well_formed = parts.scheme == "https" and HOST.fullmatch(parts.netloc)
        return "" if well_formed else "not an address with https:// and a host name"
    file = (page.parent / parts.path).resolve() if parts.path else page
    if not file.is_relative_to(root) or not file.exists():
        return "no such file"
    if parts.fragment and file.suffix != ".md":
        return "an anchor in a file that is not Markdown"
    if parts.fragment and parts.fragment not in anchors(file.read_text(encoding="utf-8")):
        return "no such heading"
    return ""


def find_broken_links(root: Path = ROOT) -> list[str]:
    """One line for each broken link: page, target and error."""
    return [
        f"{page.relative_to(root)}: {target}: {error}"
        for page in list_pages(root)
        for target in find_links(page.read_text(encoding="utf-8"))
        if (error := check_link(target, page, root))
    ]


def main() -> None:
    """Prints the broken links to stderr; the exit code is 1 if there is one."""
    broken = find_broken_links()
    sys.stderr.writelines(f"{line}\n" for line in broken)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
