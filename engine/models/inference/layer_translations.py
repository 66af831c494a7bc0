"""Keras layers as operations of a program, for inference: one function for each class."""

from __future__ import annotations

from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.models.inference.activations import activate
from engine.models.inference.op_translations import (
    concatenate,
    relu,
    reshape,
    softmax,
)
from engine.models.inference.recurrent_translations import bidirectional, recurrent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.models.inference.call import Call
    from engine.models.inference.graph import Value
    from engine.models.keras_types import KerasLayer


def _identity(call: Call) -> Value:
    return call.x


def _weights(call: Call) -> list[Any]:
    layer = call.layer
    adapted = getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None)
    call.require(not adapted, "LoRA or quantization")
    return [layer.kernel, layer.bias] if layer.use_bias else [layer.kernel]


def _dense(call: Call) -> Value:
    product = call.add("dense", [call.x], weights=_weights(call))
    return activate(call, product, call.layer.activation)


def _conv1d(call: Call) -> Value:
    layer, steps = call.layer, call.x.shape[1]
    call.require(layer.groups == 1, "groups")
    call.require(layer.data_format == "channels_last", "channels first")
    (taps,), (stride,), (dilation,) = layer.kernel_size, layer.strides, layer.dilation_rate
    span = (taps - 1) * dilation + 1
    call.graph.note_size((call.shape[1], taps, call.x.shape[2]))
    convolved = call.add(
        "conv1d",
        [call.x],
        weights=_weights(call),
        stride=stride,
        dilation=dilation,
        padding=_padding(layer.padding, steps, span, stride),
    )
    return activate(call, convolved, layer.activation)


def _padding(padding: str, steps: int | None, span: int, stride: int) -> list[int]:
    if padding == "causal":
        return [span - 1, 0]
    if padding == "valid" or steps is None:
        return [0, 0]
    total = max((-(-steps // stride) - 1) * stride + span - steps, 0)
    return [total // 2, total - total // 2]


def _pool(call: Call) -> Value:
    layer = call.layer
    call.require(layer.data_format == "channels_last", "channels first")
    (size,), (stride,) = layer.pool_size, layer.strides
    padding = _padding(layer.padding, call.x.shape[1], size, stride)
    return call.add(f"{layer.pool_mode}_pool", [call.x], size=size, stride=stride, padding=padding)


def _global_pool(call: Call) -> Value:
    layer = call.layer
    call.require(layer.data_format == "channels_last", "channels first")
    function = "max" if "Max" in type(layer).__name__ else "mean"
    return call.add("reduce", [call.x], function=function, axis=[1], keepdims=layer.keepdims)


def _batch_normalization(call: Call) -> Value:
    layer, axis = call.layer, call.axis(call.layer.axis, call.x.rank)
    weights = [layer.moving_mean, layer.moving_variance]
    normal = call.add(
        "batch_normalization", [call.x], weights=weights, axis=axis, epsilon=layer.epsilon
    )
    return _scale_and_shift(call, normal, [axis])


def _layer_normalization(call: Call) -> Value:
    layer = call.layer
    call.require(not layer.rms_scaling, "rms_scaling")
    axes = call.axes(layer.axis, call.x.rank)
    normal = call.add("layer_normalization", [call.x], axis=axes, epsilon=layer.epsilon)
    return _scale_and_shift(call, normal, axes)


def _scale_and_shift(call: Call, x: Value, axes: list[int]) -> Value:
    shape = [size if axis in axes and size else 1 for axis, size in enumerate(x.shape)]
    if call.layer.scale:
        x = call.add("multiply", [x, call.graph.variable(call.layer.gamma, shape)])
    if call.layer.center:
        x = call.add("add", [x, call.graph.variable(call.layer.beta, shape)])
    return x


def _multi_head_attention(call: Call) -> Value:
    layer = call.layer
    arguments = {**dict(zip(("query", "value", "key"), call.args, strict=False)), **call.kwargs}
    causal = bool(arguments.pop("use_causal_mask", False))
    query, value = call.values([arguments.pop("query"), arguments.pop("value")])
    key = arguments.pop("key", None) or value
    call.require(not any(map(bool, arguments.values())), "masks or attention scores")
    # Keras has no public name for these options.
    plain = not layer._use_gate and layer._sliding_window is None and layer._output_shape is None
    call.require(plain and query.rank == 3, "its options")
    heads = [
        _project(call, x, projection)
        for x, projection in (
            (query, layer.query_dense),
            (key, layer.key_dense),
            (value, layer.value_dense),
        )
    ]
    call.graph.note_size((layer.num_heads, query.shape[1], value.shape[1]))
    attended = call.add(
        "attention",
        heads,
        (*query.shape[:2], heads[2].shape[2]),
        heads=layer.num_heads,
        causal=causal,
    )
    return _project(call, attended, layer.output_dense)


def _embedding(call: Call) -> Value:
    call.require(not call.layer.mask_zero, "a mask")
    return call.add("embedding", [call.x], weights=[call.layer.embeddings])


def _symbol_dense(call: Call) -> Value:
    """A kernel for each element of the first axis of a row, as `build_heads` has them."""
    layer = call.layer
    own = layer.equation.replace(" ", "") == "bsd,sdo->bso"
    call.require(own and layer.bias_axes in {None, "so"}, "its equation")
    weights = [layer.kernel] if layer.bias is None else [layer.kernel, layer.bias]
    product = call.add("symbol_dense", [call.x], weights=weights)
    return activate(call, product, layer.activation)


def _project(call: Call, x: Value, projection: KerasLayer) -> Value:
    weights = [w for w in (projection.kernel, projection.bias) if w is not None]
    columns = prod(projection.kernel.shape) // (x.shape[-1] or 1)
    return call.add("dense", [x], (*x.shape[:-1], columns), weights)


def _leaky_relu(call: Call) -> Value:
    return call.add("leaky_relu", [call.x], negative_slope=float(call.layer.negative_slope))


def _elu(call: Call) -> Value:
    return call.add("elu", [call.x], alpha=float(call.layer.alpha))


def _activation(call: Call) -> Value:
    return activate(call, call.x, call.layer.activation)


def _merge(kind: str) -> Callable[[Call], Value]:
    def translate(call: Call) -> Value:
        first, *others = call.values(call.args[0])
        call.require(all(x.rank == first.rank for x in others), "inputs of several ranks")
        merged = first
        for other in others:
            merged = call.add(kind, [merged, other])
        return merged

    return translate


def _average(call: Call) -> Value:
    total = _merge("add")(call)
    return call.add("divide", [total, call.operand(float(len(call.args[0])))])


def _permute(call: Call) -> Value:
    return call.add("transpose", [call.x], axes=[0, *call.layer.dims])


def _repeat_vector(call: Call) -> Value:
    columns = call.x.shape[1]
    steps = call.add("reshape", [call.x], (None, 1, columns), sizes=[1, columns])
    return call.add("repeat", [steps], repeats=call.layer.n, axis=1)


def _cropping1d(call: Call) -> Value:
    first, last = call.layer.cropping
    steps = call.x.shape[1] or 0
    key = [[None, None, None], [first, steps - last, None]]
    return call.add("get_item", [call.x], key=key)


def _zero_padding1d(call: Call) -> Value:
    call.require(call.layer.data_format == "channels_last", "channels first")
    return call.add("pad", [call.x], widths=[[0, 0], list(call.layer.padding), [0, 0]], value=0.0)


LAYER_TRANSLATIONS: Mapping[str, Callable[[Call], Value]] = MappingProxyType(
    {
        "Activation": _activation,
        "ActivityRegularization": _identity,
        "Add": _merge("add"),
        "AlphaDropout": _identity,
        "Average": _average,
        "AveragePooling1D": _pool,
        "BatchNormalization": _batch_normalization,
        "Bidirectional": bidirectional,
        "Concatenate": concatenate,
        "Conv1D": _conv1d,
        "Cropping1D": _cropping1d,
        "Dense": _dense,
        "Dropout": _identity,
        "ELU": _elu,
        "EinsumDense": _symbol_dense,
        "Embedding": _embedding,
        "Flatten": reshape,
        "GRU": recurrent,
        "GaussianDropout": _identity,
        "GaussianNoise": _identity,
        "GlobalAveragePooling1D": _global_pool,
        "GlobalMaxPooling1D": _global_pool,
        "Identity": _identity,
        "LSTM": recurrent,
        "LayerNormalization": _layer_normalization,
        "LeakyReLU": _leaky_relu,
        "MaxPooling1D": _pool,
        "Maximum": _merge("maximum"),
        "Minimum": _merge("minimum"),
        "MultiHeadAttention": _multi_head_attention,
        "Multiply": _merge("multiply"),
        "Permute": _permute,
        "ReLU": relu,
        "RepeatVector": _repeat_vector,
        "Reshape": reshape,
        "Softmax": softmax,
        "SpatialDropout1D": _identity,
        "Subtract": _merge("subtract"),
        "ZeroPadding1D": _zero_padding1d,
    }
)
"""Class of `keras.layers` -> its translation."""

ACCEPTED_ARGUMENTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "BatchNormalization": frozenset({"mask"}),  # of the batch's statistics, in training only
        "MultiHeadAttention": frozenset({"value", "key", "use_causal_mask"}),
    }
)
"""Class of `keras.layers` -> arguments by name that its translation reads, or may ignore."""
