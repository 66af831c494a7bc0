from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from engine.reporting.book_styles import book_style, get_book_styles, ordered_book_styles

if TYPE_CHECKING:
    from engine.runs.run import Run


def test_the_strategy_comes_first_wherever_its_column_stands(run: Run) -> None:
    turned = dataclasses.replace(run, returns=run.returns[list(run.returns.columns)[::-1]])
    assert [found.key for found in get_book_styles(turned)][:2] == ["strategy", "persistence"]


def test_books_of_one_kind_share_a_colour_and_differ_in_dashes() -> None:
    first, second = book_style("ma_crossover"), book_style("ma_crossover_2")
    assert (second.label, second.hue) == ("MA crossover 2", first.hue)
    assert first.dash != second.dash


def test_every_kind_has_a_colour_of_its_own(run: Run) -> None:
    assert len({found.hue for found in get_book_styles(run)}) == 6


def test_an_opponent_tells_its_parameters(run: Run) -> None:
    details = {found.key: found.detail for found in get_book_styles(run)}
    assert details["ma_crossover"] == "fast 20, side long only, slow 100"
    assert details["buy_and_hold"] == ""


def test_the_key_of_an_earlier_manifest_tells_the_parameters_as_well(run: Run) -> None:
    strategy = dict(run.manifest["strategy"])
    benchmarks = strategy.pop("opponents", None) or strategy.pop("benchmarks")
    told = [
        {
            found.key: found.detail
            for found in get_book_styles(
                dataclasses.replace(
                    run, manifest={**run.manifest, "strategy": {**strategy, key: benchmarks}}
                )
            )
        }
        for key in ("benchmarks", "opponents")
    ]
    assert told[0] == told[1]
    assert told[0]["ma_crossover"]


def test_the_order_does_not_depend_on_the_order_of_a_json_file() -> None:
    keys = ["ridge", "buy_and_hold", "strategy", "unknown"]
    assert ordered_book_styles(keys) == ordered_book_styles(sorted(keys))
    assert ordered_book_styles(keys)[0].key == "strategy"
