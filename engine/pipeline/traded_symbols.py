"""Which symbols of a market a strategy trades, and which feed its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data import Market
    from engine.strategy import Strategy


def resolve_targets(spec: Strategy, market: Market) -> tuple[str, ...]:
    """The symbols that are traded, in the order of the market.

    Raises:
        UsageError: One is not in the dataset.
    """
    targets = spec.data.targets
    if targets is None:
        return (_resolve_target(spec, market),)
    if targets == "all":
        return market.symbols
    missing = [symbol for symbol in targets if symbol not in market.symbols]
    known = tuple(symbol for symbol in market.symbols if symbol in targets)
    if missing and not market.provenance["offline"]:
        raise UsageError(
            "a target is not in the dataset",
            expected=f"symbols of {', '.join(market.symbols)}",
            found=", ".join(missing),
            where="data.targets",
            fix=f"leave {', '.join(missing)} out, or add it to the dataset",
        )
    # A list of one symbol is the run of that `target`, offline too.
    return known or (market.symbols if len(targets) > 1 else market.symbols[:1])


def _resolve_target(spec: Strategy, market: Market) -> str:
    target = spec.data.target
    if target in market.symbols:
        return target
    null = [symbol for symbol in market.symbols[1:] if symbol.lower() == "null"]
    if target is None and null:  # YAML reads an unquoted `target: NULL` as no target
        raise UsageError(
            "the target is not given, and the dataset has a symbol that YAML reads as nothing",
            expected=f"one of {', '.join(market.symbols)}",
            found="no target",
            where="data.target",
            fix=f'write `target: "{null[0]}"` in quotes, or `target: {market.symbols[0]}`',
        )
    if target is None or market.provenance["offline"]:
        return market.symbols[0]
    raise UsageError(
        "the target is not in the dataset",
        expected=f"one of {', '.join(market.symbols)}",
        found=target,
        where="data.target",
        fix=f"choose one of them, or add {target} to the dataset",
    )


def has_own_inputs(spec: Strategy, targets: Sequence[str]) -> bool:
    """Whether the model of a symbol sees fewer features than there are: its own alone."""
    return spec.inputs == "target" and len(targets) > 1


def input_symbols(spec: Strategy, market: Market) -> tuple[str, ...]:
    """The symbols whose features feed the models: all of the market, or those that are traded."""
    return market.symbols if spec.inputs == "all" else resolve_targets(spec, market)
