"""Values that a user's program keeps as JSON: what is wrong with one is said in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.core.errors import UsageError
from engine.signals.decision import DecisionState, TargetPosition
from engine.signals.orders import Order
from engine.simulation.account import Account, BarPrices, Holding

if TYPE_CHECKING:
    from engine.core.persistent_value import PersistentValue

DAY = "2024-01-02T00:00:00Z"
ORDER = {"symbol": "A", "target_weight": 0.5, "decided_on": DAY}
VALUES: list[PersistentValue] = [
    BarPrices.model_validate_json(
        f'{{"timestamp": "{DAY}", "open": {{"A": 1}}, "close": {{"A": 2}}}}'
    ),
    Order.model_validate(ORDER),
    TargetPosition(position=-1, size=0.1),
    DecisionState(decided_on=None, positions={"A": TargetPosition(position=1, size=0.3)}),
    Account(orders=(Order.model_validate(ORDER),), holdings=(Holding(symbol="A", close=0.1),)),
]
EVERY_VALUE = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@EVERY_VALUE
def test_a_value_survives_its_json(value: PersistentValue) -> None:
    assert type(value).model_validate_json(value.model_dump_json()) == value


@EVERY_VALUE
def test_a_value_of_checked_fields_is_the_one_that_was_checked(value: PersistentValue) -> None:
    built = type(value).of_checked(**dict(reversed(vars(value).items())))
    assert built == value
    assert built.model_dump_json() == value.model_dump_json()


def test_a_field_without_a_default_cannot_be_left_out() -> None:
    with pytest.raises(TypeError, match="Holding needs close, symbol"):
        Holding.of_checked(symbol="A")
    assert Holding.of_checked(close=0.5, symbol="A") == Holding(symbol="A", close=0.5)


def test_other_values_leave_the_first_value_as_it_was() -> None:
    account = Account(equity=1.5)
    changed = account.with_values(equity=2.5, ruined=True)
    assert changed == Account(equity=2.5, ruined=True)
    assert account == Account(equity=1.5)
    assert Account.model_validate_json(changed.model_dump_json()) == changed


@EVERY_VALUE
@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", "3", "null", '{"unknown": 1}', '{"timestamp": '], ids=repr
)
def test_another_text_is_an_error_that_names_the_value(value: PersistentValue, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        type(value).model_validate_json(text)
    error = caught.value
    assert error.problem == f"these values make no {type(value).__name__}"
    assert error.expected
    assert "model_dump_json" in error.fix
    assert len(str(error)) < 1_000
    assert "pydantic" not in str(error)


@EVERY_VALUE
def test_a_text_that_was_cut_off_is_an_error(value: PersistentValue) -> None:
    text = value.model_dump_json()
    for length in range(len(text)):
        with pytest.raises(UsageError):
            type(value).model_validate_json(text[:length])


@pytest.mark.parametrize(
    ("make", "values", "said"),
    [
        (BarPrices, {"timestamp": "2024-01-02", "open": {}, "close": {}}, "timestamp: "),
        (BarPrices, {"timestamp": DAY, "open": {"A": "one"}, "close": {}}, "open.A: "),
        (BarPrices, {"timestamp": DAY, "open": {}}, "close: field required"),
        (Order, {**ORDER, "target_weight": float("nan")}, "target_weight: "),
        (Order, {**ORDER, "due_in_bars": -1}, "due_in_bars: "),
        (Order, {**ORDER, "decided_on": "2024-01-02T00:00:00"}, "decided_on: "),
        (TargetPosition, {"position": 2}, "position: "),
        (TargetPosition, {"position": 0.5}, "position: "),
        (TargetPosition, {"size": float("inf")}, "size: "),
        (DecisionState, {"positions": {"A": 1}}, "valid dictionary"),
        (Account, {"holdings": [{"symbol": "A"}]}, "close: "),
    ],
)
def test_a_wrong_value_is_named_with_what_was_found(
    make: type[PersistentValue], values: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        make(**values)
    assert said in caught.value.expected
    assert make.__name__ in caught.value.where
    assert caught.value.found
    assert caught.value.exit_code == 2


def test_of_many_mistakes_the_first_five_are_shown() -> None:
    prices = {f"S{number}": "one" for number in range(40)}
    with pytest.raises(UsageError) as caught:
        BarPrices.model_validate({"timestamp": DAY, "open": prices, "close": {}})
    assert caught.value.expected.endswith("and 35 more")
    assert len(str(caught.value).splitlines()) <= 20
