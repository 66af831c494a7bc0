"""Operations of `keras.ops` as operations of a program: one function for each family."""

from __future__ import annotations

from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.inference.elementwise import ELEMENTWISE_ATTRIBUTES
from engine.models.inference.graph import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.models.inference.call import Call

    Translation = Callable[[Call], Value | list[Value]]


def elementwise(call: Call, kind: str) -> Value:
    """An operation on each element, with broadcasting within the rows."""
    call.require(not call.kwargs, f"the arguments {', '.join(call.kwargs)}")
    operands = [call.operand(argument) for argument in call.args]
    rank = len(call.shape)
    for operand in operands:
        within = operand.rank == rank if operand.shape[:1] == (None,) else _no_rows(operand, rank)
        call.require(within, "it broadcasts over the rows of a batch")
    names = ELEMENTWISE_ATTRIBUTES.get(kind, ())
    attributes: dict[str, Any] = {name: _scalar(getattr(call.layer, name)) for name in names}
    return call.add(kind, operands, **attributes)


def _no_rows(operand: Value, rank: int) -> bool:
    return operand.rank < rank or operand.shape[0] == 1


def _scalar(value: float | bool | None) -> float | bool | None:
    return value if value is None or isinstance(value, bool) else float(value)


def concatenate(call: Call) -> Value:
    """`concatenate`, as operation and as layer."""
    return _join(call, "concatenate", len(call.shape))


def softmax(call: Call) -> Value:
    """`softmax` over one axis, as operation and as layer."""
    axes = call.axes(call.layer.axis, call.x.rank)
    call.require(len(axes) == 1, "several axes")
    return call.add("softmax", [call.x], axis=axes[0])


def reshape(call: Call) -> Value:
    """Any other shape of each row: `reshape`, `expand_dims`, `squeeze` and flattening.

    A row may be divided into parts of equal size, such as one a symbol, which later layers read
    like rows; and parts joined again.
    """
    parts = _count_parts(call)
    if parts == call.x.parts:
        _require_rows_kept(call)
        return call.add("reshape", [call.x], sizes=list(call.shape[1:]))
    return call.graph.regroup(call.x, call.shape, parts, call.name)


def _count_parts(call: Call) -> int:
    """Parts of a row that the new shape stands for."""
    sizes = (*call.x.shape[1:], *call.shape[1:])
    known = call.x.shape[0] is None and call.shape[0] is None and None not in sizes
    if not known:
        return call.x.parts
    whole = call.x.parts * prod(size or 0 for size in call.x.shape[1:])
    each = prod(size or 0 for size in call.shape[1:])
    call.require(each > 0 and whole % each == 0, "it works across the rows of a batch")
    return whole // each


def _require_rows_kept(call: Call) -> None:
    sizes = [[size for size in shape[1:] if size] for shape in (call.x.shape, call.shape)]
    same = call.x.shape[0] is None and call.shape[0] is None and prod(sizes[0]) == prod(sizes[1])
    call.require(same, "it works across the rows of a batch")


def _join(call: Call, kind: str, rank: int) -> Value:
    parts = [call.operand(part) for part in call.args[0]]
    call.require(all(part.shape[:1] == (None,) for part in parts), "a constant among its parts")
    return call.add(kind, parts, axis=call.axis(call.layer.axis, rank))


def _stack(call: Call) -> Value:
    return _join(call, "stack", len(call.shape))


def _take(call: Call) -> Value:
    call.require(call.layer.axis is not None, "it works across the rows of a batch")
    call.require(not isinstance(call.args[1], Value), "indices that depend on the inputs")
    indices = np.asarray(call.args[1])
    axis = call.axis(call.layer.axis, call.x.rank)
    call.require(bool((indices >= 0).all()), "negative indices")
    call.require(bool((indices < (call.x.shape[axis] or 0)).all()), "indices outside of the axis")
    return call.add("take", [call.x], indices=indices.tolist(), axis=axis)


def _get_item(call: Call) -> Value:
    key = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    if any(item is Ellipsis for item in key):
        place = next(index for index, item in enumerate(key) if item is Ellipsis)
        given = sum(item is not None and item is not Ellipsis for item in key)
        full = (slice(None),) * (call.x.rank - given)
        key = (*key[:place], *full, *key[place + 1 :])
    call.require(key[:1] == (slice(None),), "it selects rows of a batch")
    return call.add("get_item", [call.x], key=[_key_item(call, item) for item in key])


def _key_item(call: Call, item: slice | int | None) -> int | list[int | None] | None:
    if isinstance(item, slice):
        return [item.start, item.stop, item.step]
    call.require(item is None or isinstance(item, int), "an index that is no whole number")
    return None if item is None else int(item)


def _reduce(function: str) -> Translation:
    def translate(call: Call) -> Value:
        layer = call.layer
        call.require(getattr(layer, "initial", None) is None, "an initial value")
        axes = call.axes(layer.axis, call.x.rank)
        keepdims = bool(layer.keepdims)
        return call.add("reduce", [call.x], function=function, axis=axes, keepdims=keepdims)

    return translate


def relu(call: Call) -> Value:
    """`relu` with its options, as layer and as activation that is called."""
    given = {name: getattr(call.layer, name) for name in RELU_OPTIONS}
    options: dict[str, Any] = {name: _scalar(value) for name, value in given.items()}
    return call.add("relu", [call.x], **options)


RELU_OPTIONS = ("negative_slope", "max_value", "threshold")


def _cast(call: Call) -> Value:
    return call.add("cast", [call.x], dtype=call.layer.dtype)


def _cumsum(call: Call) -> Value:
    (axis,) = call.axes(call.layer.axis, call.x.rank)
    return call.add("cumsum", [call.x], axis=axis)


def _flip(call: Call) -> Value:
    return call.add("flip", [call.x], axis=call.axes(call.layer.axis, call.x.rank))


def _split(call: Call) -> list[Value]:
    axis, first, parts = call.axis(call.layer.axis, call.x.rank), 0, []
    for shape in call.shapes:
        end = first + (shape[axis] or 0)
        key = [[None, None, None]] * axis + [[first, end, None]]
        parts.append(call.add("get_item", [call.x], shape, key=key))
        first = end
    return parts


def _transpose(axes_of: Callable[[Call, list[int]], list[int]]) -> Translation:
    def translate(call: Call) -> Value:
        axes = axes_of(call, list(range(call.x.rank)))
        call.require(axes[0] == 0, "it works across the rows of a batch")
        return call.add("transpose", [call.x], axes=axes)

    return translate


def _given_axes(call: Call, axes: list[int]) -> list[int]:
    given = call.layer.axes
    return axes[::-1] if given is None else [axis % len(axes) for axis in given]


def _swapped_axes(call: Call, axes: list[int]) -> list[int]:
    one, two = call.layer.axis1, call.layer.axis2
    axes[one], axes[two] = axes[two], axes[one]
    return axes


def _moved_axes(call: Call, axes: list[int]) -> list[int]:
    return list(np.moveaxis(np.empty(axes), call.layer.source, call.layer.destination).shape)


def _matmul(call: Call) -> Value:
    left, right = (call.operand(argument) for argument in call.args)
    call.require(left.shape[0] is None and left.rank >= 2, "a constant on the left")
    if right.shape[:1] != (None,):
        call.require(right.rank == 2, "a constant that is no matrix")
        return call.add("matmul", [left, right])
    call.require(left.rank == right.rank and left.rank > 2, "it works across the rows of a batch")
    return call.add("batch_matmul", [left, right])


def _pad(call: Call) -> Value:
    layer = call.layer
    widths = [list(map(int, width)) for width in layer.pad_width]
    widths = widths * call.x.rank if len(widths) == 1 else widths
    call.require(layer.mode == "constant", f"the mode {layer.mode}")
    call.require(widths[0] == [0, 0], "it adds rows to a batch")
    constants = [*call.args[1:], *call.kwargs.values()]
    value = float(next((c for c in constants if c is not None), 0))
    return call.add("pad", [call.x], widths=widths, value=value)


OP_TRANSLATIONS: Mapping[str, Translation] = MappingProxyType(
    {
        "Amax": _reduce("max"),
        "Amin": _reduce("min"),
        "Cast": _cast,
        "Concatenate": concatenate,
        "Cumsum": _cumsum,
        "ExpandDims": reshape,
        "Flip": _flip,
        "GetItem": _get_item,
        "Matmul": _matmul,
        "Max": _reduce("max"),
        "Mean": _reduce("mean"),
        "Min": _reduce("min"),
        "Moveaxis": _transpose(_moved_axes),
        "Pad": _pad,
        "Prod": _reduce("prod"),
        "ReLU": relu,
        "Reshape": reshape,
        "Softmax": softmax,
        "Split": _split,
        "Squeeze": reshape,
        "Stack": _stack,
        "Std": _reduce("std"),
        "Sum": _reduce("sum"),
        "Swapaxes": _transpose(_swapped_axes),
        "Take": _take,
        "Transpose": _transpose(_given_axes),
        "Var": _reduce("var"),
    }
)
"""Class of `keras.ops` that is not elementwise -> its translation."""
