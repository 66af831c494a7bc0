"""Lists the figures that the pages of a run show and that stand in none of its documents.

    .venv/bin/python scripts/page_figures.py RUN_DIR [--digits N] [--json]

A figure is a number with a decimal point and four digits or more (`--digits`), outside of charts.
It stands in a document where a number of a JSON document of the run, of a sentence in one or of a
stored table, such as the fills, rounds to it: as it is, as a percentage or in basis points. Many
numbers are stored, so that a figure may stand there by chance: `found_if_altered` is the share of
the figures that stand in a JSON document after 3 is added to their last digit.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

PAGES = ("tearsheet.html", "significance.html")
DOCUMENTS = ("metrics", "analysis", "significance", "certificate", "manifest")
FACTORS = (1.0, 100.0, 1e4)
"""As it is, in per cent, in basis points."""

DIGITS = 4

NUMBER = re.compile(r"(?<![\w.,/-])[-+\u2212]?\d[\d,]*\.\d+(?![\w.])")
UNSEEN = ("script", "style", "svg", "title")


class _Text(HTMLParser):
    """The text of a page outside of its charts."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._unseen = 0

    @override
    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def shown_figures(page: str, digits: int = DIGITS) -> list[str]:
    """The figures of a page with so many digits or more, in their order."""
    text = _Text()
    text.feed(page)
    return [
        number
        for number in NUMBER.findall(" | ".join(text.parts))
        if len(re.sub(r"\D", "", number).lstrip("0")) >= digits
    ]


def numbers_of(value: object) -> Iterator[float]:
    """All numbers of a JSON value, also those within its sentences."""
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from numbers_of(each)
    elif isinstance(value, str):
        yield from map(_parse, NUMBER.findall(value))
    elif isinstance(value, int | float):
        yield float(value)


def numbers_of_documents(run: Path) -> Numbers:
    """The absolute numbers of the JSON documents of a run, ascending."""
    found: list[float] = []
    for name in DOCUMENTS:
        file = run / f"{name}.json"
        if file.exists():
            found += numbers_of(json.loads(file.read_text(encoding="utf-8")))
    return _ascending(np.array(found))


def numbers_of_tables(run: Path) -> Numbers:
    """The absolute numbers of the stored tables of a run, ascending."""
    tables = [pd.read_parquet(file) for file in sorted(run.glob("*.parquet"))]
    columns = [table.select_dtypes("number").to_numpy(np.float64).ravel() for table in tables]
    return _ascending(np.concatenate(columns or [np.zeros(0)]))


def _ascending(numbers: Numbers) -> Numbers:
    return np.unique(np.abs(numbers[np.isfinite(numbers)]))


def is_stored(figure: str, stored: Numbers, altered: int = 0) -> bool:
    """Whether a stored number rounds to a figure, to whose last digit a number may be added."""
    unit = 10.0 ** -len(figure.partition(".")[2])
    shown, half = abs(_parse(figure)) + altered * unit, 0.5000001 * unit
    for factor in FACTORS:
        place = stored.searchsorted((shown - half) / factor)
        if place < len(stored) and stored[place] * factor <= shown + half:
            return True
    return False


def _parse(number: str) -> float:
    return float(number.replace(",", "").replace("\u2212", "-"))


def figures_without_document(run: Path, digits: int = DIGITS) -> dict[str, Any]:
    """Of each page the number of its figures, and those that stand in no document."""
    documents, tables = numbers_of_documents(run), numbers_of_tables(run)
    counted = {}
    for name in PAGES:
        if not (run / name).exists():
            continue
        figures = shown_figures((run / name).read_text(encoding="utf-8"), digits)
        of_tables = [each for each in figures if not is_stored(each, documents)]
        by_chance = [each for each in figures if is_stored(each, documents, altered=3)]
        counted[name] = {
            "figures": len(figures),
            "in_a_table_alone": sum(is_stored(each, tables) for each in of_tables),
            "in_no_document": [each for each in of_tables if not is_stored(each, tables)],
            "found_if_altered": round(len(by_chance) / max(1, len(figures)), 3),
        }
    return counted


def main() -> None:
    """Prints a line a page, or one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--digits", type=int, default=DIGITS)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    counted = figures_without_document(given.run, given.digits)
    if given.json:
        sys.stdout.write(json.dumps(counted, indent=2) + "\n")
        return
    for name, page in counted.items():
        sys.stdout.write(f"{name}\n")
        for measure, value in page.items():
            shown = f"{len(value)} {value}" if isinstance(value, list) else value
            sys.stdout.write(f"    {measure:20} {shown}\n")


if __name__ == "__main__":
    main()
