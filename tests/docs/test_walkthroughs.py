"""Commands of some pages are run; their output is the one that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.documentation.walkthrough import (
    describe_difference,
    parse_steps,
    run_step,
    update_page,
)
from tests.docs.blocks import WALKED, named

if TYPE_CHECKING:
    from pathlib import Path

HINT = "to update the page: python scripts/documentation/walkthrough.py"

PAGE = """Some text.

<!-- not run -->
```sh
exit 9
```

```sh
echo one > kept
```

```sh
cat kept; echo 1.234; echo two; echo three
```

```text
one
...
three
```

<!-- exit code 3 -->
```sh
echo why >&2; exit 3
```

```text
why
```
"""


@pytest.mark.slow
@pytest.mark.parametrize("page", WALKED, ids=named)
def test_a_page_shows_the_output_of_its_commands(page: Path, tmp_path: Path) -> None:
    for step in parse_steps(page.read_text(encoding="utf-8")):
        if step.is_run:
            output, expected = run_step(step, tmp_path), step.expected_output
            difference = "" if expected is None else describe_difference(expected, output)
            assert not difference, f"{step.command}{difference}\n{HINT} {named(page)}"


def test_blocks_run_in_one_folder_and_are_compared_with_their_expected_output(tmp_path) -> None:
    skipped, silent, printing, failing = parse_steps(PAGE)

    assert not skipped.is_run
    assert silent.expected_output is None
    assert run_step(silent, tmp_path) == ""
    assert describe_difference(printing.expected_output, run_step(printing, tmp_path)) == ""
    assert describe_difference(failing.expected_output, run_step(failing, tmp_path)) == ""


def test_an_unexpected_exit_code_is_an_error(tmp_path) -> None:
    failing = parse_steps(PAGE.replace("exit code 3", "exit code 2"))[-1]
    with pytest.raises(AssertionError, match="exit code 3, expected 2"):
        run_step(failing, tmp_path)


@pytest.mark.parametrize(
    ("expected", "output", "is_equal"),
    [
        ("Sharpe 2.93 a year", "Sharpe 2.93 a year", True),
        ("Sharpe 2.93 a year", "Sharpe 2.94 a year", True),
        ("Sharpe 2.93 a year", "Sharpe 2.39 a year", False),
        ("return +2,146.3", "return +2,150.1", True),
        ("reports/moon/737ac66316bb/a", "reports/moon/0123456789ab/a", True),
        ("1 2026-11-28 finished", "1 2027-01-02 finished", True),
        ("from 2022-05-26", "from 2022-06-26", False),
        ("Evidence: strong", "Evidence: none", False),
        ("a b\nc", "a\nb c", True),
        ("a\nb", "a", False),
        ("a", "a\nb", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nb\nc", False),
    ],
)
def test_only_ids_dates_and_last_digits_may_differ(expected, output, is_equal) -> None:
    assert (describe_difference(expected, output) == "") is is_equal


def test_a_difference_is_described_with_the_words_around_it() -> None:
    expected, output = "a b c d e f g h i j k", "a b c d e X g h i j k"
    assert describe_difference(expected, output) == (
        "expected: b c d e f g h i j\nfound:    b c d e X g h i j"
    )


def test_outdated_outputs_of_a_page_are_replaced(tmp_path) -> None:
    stale = PAGE.replace("one\n...", "1\n...").replace("why\n```", "how\n```")
    assert update_page(stale, tmp_path) == PAGE
