"""The commands of some pages are run, and print what the pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.documentation.walkthrough import differs, printed, rewritten, steps
from tests.docs.blocks import WALKED, named

if TYPE_CHECKING:
    from pathlib import Path

ANEW = "what commands print is written anew by scripts/documentation/walkthrough.py"

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
def test_a_page_shows_what_its_commands_print(page: Path, tmp_path: Path) -> None:
    for step in steps(page.read_text(encoding="utf-8")):
        if step.run:
            output = printed(step, tmp_path)
            wrong = "" if step.shown is None else differs(step.shown, output)
            assert not wrong, f"{step.command}{wrong}\n{ANEW} {named(page)}"


def test_blocks_are_run_in_one_folder_and_compared_where_something_is_shown(tmp_path) -> None:
    skipped, silent, shown, failing = steps(PAGE)

    assert not skipped.run
    assert silent.shown is None
    assert printed(silent, tmp_path) == ""
    assert differs(shown.shown, printed(shown, tmp_path)) == ""
    assert differs(failing.shown, printed(failing, tmp_path)) == ""


def test_a_block_that_ends_otherwise_than_it_says_is_told(tmp_path) -> None:
    failing = steps(PAGE.replace("exit code 3", "exit code 2"))[-1]
    with pytest.raises(AssertionError, match="ended with 3, not 2"):
        printed(failing, tmp_path)


@pytest.mark.parametrize(
    ("shown", "output", "alike"),
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
def test_ids_dates_and_last_digits_may_differ_and_nothing_else(shown, output, alike) -> None:
    assert (differs(shown, output) == "") is alike


def test_a_page_can_be_written_anew(tmp_path) -> None:
    stale = PAGE.replace("one\n...", "1\n...").replace("why\n```", "how\n```")
    assert rewritten(stale, tmp_path) == PAGE
