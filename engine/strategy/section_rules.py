"""What the sections of a strategy require of each other.

A rule takes the section that it judges and, by their names, the sections before it that it needs.
It returns what would have to be written instead, or None where the sections go together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from engine.core.part_origin import iterate_specs
from engine.models.networks.base import Network
from engine.models.scopes import Scope, find_loss_fault, find_model_fault
from engine.models.training.losses import quantile_levels
from engine.signals.config import (
    CostMultipleThreshold,
    FixedSizing,
    FixedThreshold,
    IntervalSizing,
)

if TYPE_CHECKING:
    from pydantic import ValidationInfo

    from engine.data import DataSpec
    from engine.features.config import TargetSpec
    from engine.models import Forecaster, TrainingSpec, TuningSpec
    from engine.models.deployment import DeploySpec
    from engine.portfolio import PortfolioSpec
    from engine.signals.config import Signal, Sizing
    from engine.simulation.config import CostModel, Execution

Section = TypeVar("Section")

SectionRule: TypeAlias = Callable[..., str | None]


def check_section(section: Section, info: ValidationInfo) -> Section:
    """Applies the rules of a section in their order; the first that finds a fault refuses it.

    A rule is left out where a section that it needs has errors of its own. It needs those that its
    parameters without a default name.

    Args:
        section: As validated by its own type.
        info: With the name of the section, and the valid ones before it.

    Raises:
        ValueError: With what would have to be written instead.
    """
    for rule in SECTION_RULES[str(info.field_name)]:
        needed, optional = _sections_of(rule)
        if needed <= info.data.keys():
            known = {name: info.data[name] for name in needed | (optional & info.data.keys())}
            if fault := rule(section, **known):
                raise ValueError(fault)
    return section


@cache
def _sections_of(rule: SectionRule) -> tuple[frozenset[str], frozenset[str]]:
    """The sections that a rule needs, and those that it has a default for."""
    _, *others = inspect.signature(rule).parameters.values()
    needed = frozenset(each.name for each in others if each.default is each.empty)
    return needed, frozenset(each.name for each in others) - needed


def _find_comparison_fault(target: TargetSpec, data: DataSpec) -> str | None:
    if not target.compares_symbols:
        return None
    if data.targets is None:
        return (
            f"`data.targets` with several symbols for `transform: {target.transform}`, which "
            "relates the return of a symbol to those of the others"
        )
    if target.strategy == "recursive":
        return (
            f"`strategy` direct or multi_output for `transform: {target.transform}`: only raw "
            "returns can be compounded over several bars"
        )
    return None


def _find_joint_horizons_fault(model: Forecaster, target: TargetSpec) -> str | None:
    if target.strategy == "direct" or model.multi_output:
        return None
    return (
        f"a network for `target.strategy: {target.strategy}`; {model.kind} forecasts one "
        "horizon a fit, which is `target.strategy: direct`"
    )


def _find_scope_fault(
    scope: Scope,
    data: DataSpec,
    target: TargetSpec,
    inputs: Literal["all", "target"] = "target",
) -> str | None:
    if scope == "per_symbol":
        return None
    if data.targets is None:
        return f"`data.targets` with the symbols that a {scope} model is fitted on"
    if inputs == "all":
        return (
            "`inputs: target` for a pooled model, which sees the features of one symbol at a "
            "time; with `inputs: all` each row would hold those of every symbol"
            if scope == "pooled"
            else "`inputs: target` for a joint model, which sees those of all target symbols"
        )
    if target.strategy == "recursive":
        return f"`target.strategy` direct or multi_output for a {scope} model"
    return None


def _find_scope_model_fault(scope: Scope, model: Forecaster) -> str | None:
    return find_model_fault(scope, model)


def _find_recursive_loss_fault(training: TrainingSpec, target: TargetSpec) -> str | None:
    if target.strategy != "recursive":
        return None
    loss = training.loss.kind
    reasons = {
        "quantile": "iterating medians gives no distribution over several bars",
        "sharpe": "its forecasts have no size that could be compounded over several bars",
    }
    if loss not in reasons:
        return None
    return (
        f"another loss than {loss} for `target.strategy: recursive`: {reasons[loss]}; "
        "`direct` and `multi_output` take it"
    )


def _find_scope_loss_fault(training: TrainingSpec, scope: Scope) -> str | None:
    return find_loss_fault(scope, training.loss)


def _find_rank_loss_fault(training: TrainingSpec, target: TargetSpec) -> str | None:
    if target.transform != "rank" or training.loss.kind != "sharpe":
        return None
    return (
        "another loss than sharpe for `target.transform: rank`: it is a ratio of returns, "
        "and ranks are none"
    )


def _find_warm_start_fault(training: TrainingSpec, model: Forecaster) -> str | None:
    if not training.warm_start or model.stochastic:
        return None
    return (
        f"no warm_start, or a network: {model.kind} is not trained from random weights, "
        "so that nothing would start warm"
    )


def _find_tuning_fault(tune: TuningSpec | None, scope: Scope) -> str | None:
    return None if tune is None else _find_offer_fault("tune", scope)


def _find_deployed_scope_fault(deploy: DeploySpec | None, scope: Scope) -> str | None:
    return None if deploy is None else _find_offer_fault("deploy", scope)


def _find_offer_fault(section: str, scope: Scope) -> str | None:
    if scope == "per_symbol":
        return None
    return f"no {section} of a {scope} model: it is not offered yet"


def _find_deployment_fault(
    deploy: DeploySpec | None, model: Forecaster, training: TrainingSpec, target: TargetSpec
) -> str | None:
    if deploy is None:
        return None
    if not model.costly:
        return f"no deploy, or a network: {model.kind} is fitted in seconds and served as it is"
    networks = [part for part in iterate_specs(model) if isinstance(part, Network)]
    if deploy.compresses and deploy.distil is None and not networks:
        return f"a network for `prune` and `precision`; {model.kind} has no weight matrices"
    if deploy.distil is None:
        return None
    return _find_distillation_fault(deploy, model, training, target)


def _find_distillation_fault(
    deploy: DeploySpec, model: Forecaster, training: TrainingSpec, target: TargetSpec
) -> str | None:
    student = deploy.student_of(model)
    if student is not None and student.lookback > model.lookback:
        return (
            f"a lookback of at most {model.lookback} for `distil`, that of the model; "
            f"it is {student.lookback}"
        )
    if quantile_levels(training.loss):
        return (
            "no `distil` with the loss quantile: a distilled network learns the forecasts, not "
            "their quantiles"
        )
    if target.strategy == "recursive":
        return (
            "no `distil` with `target.strategy: recursive`, whose model forecasts its inputs too"
        )
    return None


def _find_interval_fault(sizing: Sizing, model: Forecaster, training: TrainingSpec) -> str | None:
    if not isinstance(sizing, IntervalSizing):
        return None
    levels = quantile_levels(training.loss)
    if not {sizing.low, sizing.high} <= set(levels):
        found = (
            f"has the levels {', '.join(map(str, levels))}"
            if levels
            else f"is {training.loss.kind}"
        )
        return (
            "`training.loss: {kind: quantile}` with the levels "
            f"{sizing.low} and {sizing.high}, for an interval to size by; the loss {found}"
        )
    if not model.multi_output:
        return (
            f"a network, which forecasts quantiles, for an interval to size by; {model.kind} "
            "forecasts none"
        )
    return None


def _find_rank_fault(portfolio: PortfolioSpec, target: TargetSpec) -> str | None:
    if target.transform != "rank" or portfolio.allocation.by_rank:
        return None
    return (
        "an allocation that compares forecasts, such as long_short or top_k, for "
        "`target.transform: rank`: a rank is no return that a threshold of "
        f"{portfolio.allocation.kind} could be compared with"
    )


def _find_one_symbol_fault(portfolio: PortfolioSpec, data: DataSpec) -> str | None:
    if portfolio.is_equal_share or data.targets is not None:
        return None
    return (
        f"`data.targets` with several symbols, or no portfolio: one symbol has the whole "
        f"book; allocation is {portfolio.allocation.kind}"
    )


def _find_ranked_signal_fault(
    portfolio: PortfolioSpec, signal: Signal | None = None, sizing: Sizing | None = None
) -> str | None:
    decides = signal != FixedThreshold() or not isinstance(sizing, FixedSizing)
    if not portfolio.allocation.by_rank or not decides:
        return None
    return (
        f"no `signal` and a fixed `sizing`: {portfolio.allocation.kind} compares forecasts with "
        "each other, and no threshold decides"
    )


def _find_capital_fault(costs: CostModel, capital: float | None) -> str | None:
    if not costs.needs_capital or capital is not None:
        return None
    return (
        "`capital: 100000` or another beside these costs, the money that the book begins "
        "with: a minimum, a tier, an impact or a share of the volume is of money or units"
    )


def _find_typical_cost_fault(costs: CostModel, signal: Signal) -> str | None:
    if not isinstance(signal, CostMultipleThreshold) or costs.states_typical_cost:
        return None
    return (
        "`typical_bps` in these costs: `signal: {kind: cost_multiple}` counts in what a "
        "fill costs, and they are not in basis points alone"
    )


def _find_loan_fault(costs: CostModel, max_weight: float) -> str | None:
    if max_weight <= 1 or costs.loan_per_year is not None:
        return None
    return (
        "`financing_bps_per_year` in these costs, or `max_weight` of at most 1: more than "
        "the equity is bought with borrowed cash, which somebody has to lend at a rate"
    )


def _find_margin_fault(execution: Execution, max_weight: float) -> str | None:
    margin = execution.maintenance_margin
    if max_weight <= 1 or (margin is not None and margin * max_weight < 1):
        return None
    return (
        f"`maintenance_margin` above 0 and below {1 / max_weight:.3g}, or `max_weight` of at "
        f"most 1: a book of {max_weight:g} times its equity has a ratio of {1 / max_weight:.3g}, "
        "and its lender closes it before it owes more than it has"
    )


SECTION_RULES: Mapping[str, tuple[SectionRule, ...]] = {
    "target": (_find_comparison_fault,),
    "model": (_find_joint_horizons_fault,),
    "scope": (_find_scope_model_fault, _find_scope_fault),
    "training": (
        _find_recursive_loss_fault,
        _find_scope_loss_fault,
        _find_rank_loss_fault,
        _find_warm_start_fault,
    ),
    "tune": (_find_tuning_fault,),
    "deploy": (_find_deployed_scope_fault, _find_deployment_fault),
    "sizing": (_find_interval_fault,),
    "portfolio": (_find_rank_fault, _find_one_symbol_fault, _find_ranked_signal_fault),
    "costs": (_find_capital_fault, _find_typical_cost_fault, _find_loan_fault),
    "execution": (_find_margin_fault,),
}
"""Section -> its rules, in the order in which they are applied."""
