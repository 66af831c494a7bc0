"""Lists of names in sentences."""

import pytest

from engine.core.name_lists import join_names


@pytest.mark.parametrize(
    ("names", "max_names", "text"),
    [
        ("A", None, "A"),
        ("AB", None, "A and B"),
        ("ABCDE", None, "A, B, C, D and E"),
        ("ABC", 3, "A, B and C"),
        ("ABCDE", 3, "A, B and 3 others"),
    ],
)
def test_names_are_joined_with_commas_and_one_and(
    names: str, max_names: int | None, text: str
) -> None:
    assert join_names(list(names), max_names) == text
