from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from engine.core.book_names import name_benchmarks
from engine.reporting.book_styles import book_style, get_book_styles, ordered_book_styles
from tests.reporting.page import changed

if TYPE_CHECKING:
    from engine.runs.run import Run


def test_the_strategy_is_first_whatever_the_order_of_the_columns(run: Run) -> None:
    reversed_run = dataclasses.replace(run, returns=run.returns[list(run.returns.columns)[::-1]])
    assert [book.key for book in get_book_styles(reversed_run)][:2] == ["strategy", "persistence"]


def test_books_of_one_kind_share_a_colour_and_differ_in_dashes() -> None:
    first, second = book_style("ma_crossover"), book_style("ma_crossover_2")
    assert (second.label, second.hue) == ("MA crossover 2", first.hue)
    assert first.dash != second.dash


def test_every_kind_has_its_own_colour(run: Run) -> None:
    assert len({book.hue for book in get_book_styles(run)}) == 6


def test_a_benchmark_shows_its_parameters(run: Run) -> None:
    details = {book.key: book.detail for book in get_book_styles(run)}
    assert details["ma_crossover"] == "fast 20, side long only, slow 100"
    assert details["buy_and_hold"] == ""


def test_the_order_does_not_depend_on_the_order_in_a_json_file() -> None:
    keys = ["ridge", "buy_and_hold", "strategy", "unknown"]
    assert ordered_book_styles(keys) == ordered_book_styles(sorted(keys))
    assert ordered_book_styles(keys)[0].key == "strategy"


def test_five_benchmarks_of_one_kind_keep_their_parameters(run: Run) -> None:
    benchmarks = [{"kind": "ma_crossover", "fast": fast} for fast in (5, 10, 20, 50, 100)]
    names = name_benchmarks([str(benchmark["kind"]) for benchmark in benchmarks])
    five = changed(
        dataclasses.replace(
            run, returns=run.returns[["strategy"]].assign(**dict.fromkeys(names, 0))
        ),
        manifest={"strategy": run.manifest["strategy"] | {"opponents": benchmarks}},
    )
    books = get_book_styles(five)[1:]
    assert [book.detail for book in books] == [f"fast {n}" for n in (5, 10, 20, 50, 100)]
    assert [book.label for book in books][-1] == "MA crossover 5"


def test_a_kind_that_ends_in_a_number_keeps_its_name(run: Run) -> None:
    named = changed(
        dataclasses.replace(run, returns=run.returns[["strategy"]].assign(lstm_2=0.0)),
        manifest={"strategy": run.manifest["strategy"] | {"opponents": [{"kind": "lstm_2"}]}},
    )
    assert get_book_styles(named)[1].label == "lstm_2"
