"""The strategy: one YAML file, composed of each stage's own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AliasChoices,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from engine.config import load_config
from engine.core.book_names import STRATEGY_BOOK, name_benchmarks
from engine.core.errors import UsageError
from engine.core.installed_kinds import BENCHMARKS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.core.part_origin import is_built_in, iterate_specs
from engine.core.renamed_keys import RENAMED_STRATEGY_KEYS
from engine.core.types import Spec
from engine.data import DataSpec
from engine.data.rates import RatesSpec, drop_rate_files
from engine.evaluation import EvaluationSpec
from engine.features.config import Feature, LogReturn, Resolutions, TargetSpec
from engine.models import (
    AlwaysUp,
    Backend,
    Drift,
    Forecaster,
    GradientBoosting,
    Model,
    Persistence,
    Ridge,
    TrainingSpec,
    TunedForecaster,
    TuningSpec,
)
from engine.models.deployment import DeploySpec
from engine.models.networks.base import Network
from engine.models.scopes import Scope, find_loss_fault, find_model_fault
from engine.models.training.losses import quantile_levels
from engine.models.tuning.search_space import TrialConfig, find_space_errors
from engine.portfolio import PortfolioSpec
from engine.signals.benchmarks import BenchmarkRule
from engine.signals.config import (
    BuyAndHold,
    CostMultipleThreshold,
    FixedSizing,
    FixedThreshold,
    IntervalSizing,
    MeanReversion,
    MovingAverageCrossover,
    Signal,
    Sizing,
)
from engine.signals.decision_levels import DecisionSpec
from engine.simulation.config import AnyCosts, CostModel, Costs, Execution
from engine.splits.config import PathsSpec, Scaling, StandardScaling, WindowSpec
from engine.trials.config import TrialsSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data import Market
    from engine.simulation.costs import TradingCosts

BENCHMARK_KINDS = OpenKinds(
    BENCHMARKS_GROUP,
    (BenchmarkRule, Forecaster),
    (
        BuyAndHold,
        MovingAverageCrossover,
        MeanReversion,
        GradientBoosting,
        Ridge,
        Persistence,
        Drift,
        AlwaysUp,
    ),
)

Benchmark: TypeAlias = Annotated[BenchmarkRule | Forecaster, BENCHMARK_KINDS]
"""A rule or a model that a strategy is compared with: the engine's, an installed one, a user's."""


def include_holding(benchmarks: tuple[Benchmark, ...]) -> tuple[Benchmark, ...]:
    """The benchmarks with buy and hold among them, added as the last where it is missing.

    Without it a strategy that does no more than hold its target would pass for one with skill.
    """
    holds = any(isinstance(benchmark, BuyAndHold) for benchmark in benchmarks)
    return benchmarks if holds else (*benchmarks, BuyAndHold())


class Compute(Spec):
    """Where the refits run; nothing here changes a rule of the strategy.

    Attributes:
        backend: What Keras computes with; `jax` needs the extra of that name.
        workers: Processes to train in; `auto` is one a core.
        executor: `local` processes, or the workers of a `ray` cluster (extra of that name).
        ray_address: Of a running cluster; left out, Ray is started here for the run.
        gpus_per_fit: Share of a GPU that a fit on the cluster takes.
    """

    backend: Backend = "tensorflow"
    workers: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    executor: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    gpus_per_fit: float = Field(default=0.0, ge=0, le=8)

    @model_validator(mode="after")
    def _require_ray_for_gpus(self) -> Compute:
        if self.executor == "local" and (self.gpus_per_fit or self.ray_address):
            raise ValueError("ray_address and gpus_per_fit need `executor: ray`")
        return self


class Strategy(Spec):
    """A whole strategy, from bars to verdict.

    Attributes:
        name: Of the folder under `reports/`.
        description: For the reader of the report.
        data: Which bars.
        features: What the model sees of each symbol, in this order.
        inputs: `all` symbols of the dataset feed the model, or the `target` alone.
        resolutions: Coarser intervals whose features feed the model as well, from bars complete
            at each close.
        scaling: Of the features, fitted on train rows.
        target: What is forecast.
        windows: Walk-forward.
        model: Who forecasts.
        scope: A model for each symbol (`per_symbol`), one that is fitted on the rows of all
            target symbols (`pooled`), each scaled by its own train rows, or one network that sees
            all target symbols of a bar and forecasts each (`joint`).
        training: How networks are trained.
        deploy: How the fitted model of each window is made smaller before it forecasts; `null`
            leaves it as it is.
        tune: What of `model` and `training` each window chooses anew, on its train rows alone.
        seeds: Fits a window, each from its own seed; their mean is the forecast.
        seed: Where all randomness of the run starts.
        on_failure: A fit that failed twice ends the run; `skip` leaves it out, holds nothing in a
            window of which no fit is left, and the report says so.
        signal: Predicted return to in or out.
        sizing: How much.
        portfolio: How several target symbols share the book, and when it is rebalanced.
        max_weight: Largest weight, absolute; above 1 needs leverage no simulation here gives.
        capital: Money that the book begins with, in the currency of the prices; needed where costs
            are money or units, as a minimum an order or a share of the volume is.
        costs: Fees, slippage, borrow.
        execution: When and at which price a decision is filled.
        rates: Risk-free rate of every Sharpe and Sortino ratio, and the yield on cash; 0 each.
        benchmarks: What the strategy is compared with: rules and cheap models. Buy and hold is
            always one of them: where it is not named, it is added as the last.
        evaluation: How the books are judged.
        trials: Tries that the trial ledger cannot know.
        paths: Further walk-forward schedules that begin later, and paths of cross-validation.
        compute: Where the refits run.
    """

    # What earlier versions had not is left out of what is written where it decides nothing, so
    # that an earlier strategy keeps its identity here and in the ledger.
    model_config = ConfigDict(defer_build=True)
    renamed_keys: ClassVar[Mapping[str, str]] = RENAMED_STRATEGY_KEYS

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$")
    description: str = ""
    data: DataSpec
    features: tuple[Feature, ...] = Field(default=(LogReturn(),), min_length=1)
    inputs: Literal["all", "target"] = "all"
    resolutions: Resolutions = ()
    scaling: Scaling = StandardScaling()
    target: TargetSpec = TargetSpec()
    windows: WindowSpec = WindowSpec()
    model: Model
    scope: Scope = Field(
        default="per_symbol",
        validate_default=True,
        exclude_if=lambda scope: scope == "per_symbol",
    )
    training: TrainingSpec = TrainingSpec()
    tune: TuningSpec | None = None
    deploy: DeploySpec | None = None
    seeds: int = Field(default=1, ge=1, le=100)
    seed: int = Field(default=0, ge=0, lt=2**32)
    on_failure: Literal["fail", "skip"] = "fail"
    signal: Signal = FixedThreshold()
    sizing: Sizing = FixedSizing()
    portfolio: PortfolioSpec = Field(
        default=PortfolioSpec(),
        validate_default=True,
        exclude_if=lambda portfolio: portfolio.is_equal_share,
    )
    max_weight: float = Field(default=1.0, gt=0, le=1)
    capital: float | None = Field(
        default=None, gt=0, le=1e15, exclude_if=lambda capital: capital is None
    )
    costs: AnyCosts = Costs()
    execution: Execution = Execution()
    rates: RatesSpec = RatesSpec()
    benchmarks: tuple[Benchmark, ...] = Field(
        default=(
            BuyAndHold(),
            MovingAverageCrossover(),
            MeanReversion(),
            Ridge(),
            Persistence(),
        ),
        validation_alias=AliasChoices("benchmarks", "opponents"),
    )
    evaluation: EvaluationSpec = EvaluationSpec()
    paths: PathsSpec = PathsSpec()
    trials: TrialsSpec = TrialsSpec()
    compute: Compute = Compute()

    @field_validator("benchmarks")
    @classmethod
    def _include_holding(cls, benchmarks: tuple[Benchmark, ...]) -> tuple[Benchmark, ...]:
        return include_holding(benchmarks)

    @field_validator("costs")
    @classmethod
    def _check_capital(cls, costs: CostModel, info: ValidationInfo) -> CostModel:
        if costs.needs_capital and info.data.get("capital", 1.0) is None:
            raise ValueError(
                "`capital: 100000` or another beside these costs, the money that the book begins "
                "with: a minimum, a tier, an impact or a share of the volume is of money or units"
            )
        signal = info.data.get("signal")
        if isinstance(signal, CostMultipleThreshold) and not costs.states_typical_cost:
            raise ValueError(
                "`typical_bps` in these costs: `signal: {kind: cost_multiple}` counts in what a "
                "fill costs, and they are not in basis points alone"
            )
        return costs

    @field_validator("target")
    @classmethod
    def _check_compared(cls, target: TargetSpec, info: ValidationInfo) -> TargetSpec:
        data = info.data.get("data")
        if not target.compares_symbols or data is None:
            return target
        if data.targets is None:
            raise ValueError(
                f"`data.targets` with several symbols for `transform: {target.transform}`, which "
                "relates the return of a symbol to those of the others"
            )
        if target.strategy == "recursive":
            raise ValueError(
                f"`strategy` direct or multi_output for `transform: {target.transform}`: only raw "
                "returns can be compounded over several bars"
            )
        return target

    @field_validator("model")
    @classmethod
    def _check_joint_horizons(cls, model: Model, info: ValidationInfo) -> Model:
        target = info.data.get("target")
        if (
            isinstance(target, TargetSpec)
            and target.strategy != "direct"
            and not model.multi_output
        ):
            raise ValueError(
                f"a network for `target.strategy: {target.strategy}`; {model.kind} forecasts one "
                "horizon a fit, which is `target.strategy: direct`"
            )
        return model

    @field_validator("training")
    @classmethod
    def _check_recursive_loss(cls, training: TrainingSpec, info: ValidationInfo) -> TrainingSpec:
        target, loss = info.data.get("target"), training.loss.kind
        if isinstance(target, TargetSpec) and target.strategy == "recursive":
            reasons = {
                "quantile": "iterating medians gives no distribution over several bars",
                "sharpe": "its forecasts have no size that could be compounded over several bars",
            }
            if loss in reasons:
                raise ValueError(
                    f"another loss than {loss} for `target.strategy: recursive`: {reasons[loss]}; "
                    "`direct` and `multi_output` take it"
                )
        return training

    @field_validator("sizing")
    @classmethod
    def _check_interval_quantiles(cls, sizing: Sizing, info: ValidationInfo) -> Sizing:
        model, training = info.data.get("model"), info.data.get("training")
        if not isinstance(sizing, IntervalSizing) or model is None or training is None:
            return sizing
        levels = quantile_levels(training.loss)
        if not {sizing.low, sizing.high} <= set(levels):
            found = (
                f"has the levels {', '.join(map(str, levels))}"
                if levels
                else f"is {training.loss.kind}"
            )
            raise ValueError(
                "`training.loss: {kind: quantile}` with the levels "
                f"{sizing.low} and {sizing.high}, for an interval to size by; the loss {found}"
            )
        if not model.multi_output:
            raise ValueError(
                f"a network, which forecasts quantiles, for an interval to size by; {model.kind} "
                "forecasts none"
            )
        return sizing

    @field_validator("portfolio")
    @classmethod
    def _check_ranks(cls, portfolio: PortfolioSpec, info: ValidationInfo) -> PortfolioSpec:
        signal, sizing, data = (info.data.get(name) for name in ("signal", "sizing", "data"))
        kind, target = portfolio.allocation.kind, info.data.get("target")
        if target is not None and target.transform == "rank" and not portfolio.allocation.by_rank:
            raise ValueError(
                "an allocation that compares forecasts, such as long_short or top_k, for "
                f"`target.transform: rank`: a rank is no return that a threshold of {kind} could "
                "be compared with"
            )
        if not portfolio.is_equal_share and data is not None and data.targets is None:
            raise ValueError(
                f"`data.targets` with several symbols, or no portfolio: one symbol has the whole "
                f"book; allocation is {kind}"
            )
        if portfolio.allocation.by_rank and (
            signal != FixedThreshold() or not isinstance(sizing, FixedSizing)
        ):
            raise ValueError(
                f"no `signal` and a fixed `sizing`: {kind} compares forecasts with each other, "
                "and no threshold decides"
            )
        return portfolio

    @field_validator("scope")
    @classmethod
    def _check_scope(cls, scope: Scope, info: ValidationInfo) -> Scope:
        data, inputs, target, model = (
            info.data.get(name) for name in ("data", "inputs", "target", "model")
        )
        if model is not None and (fault := find_model_fault(scope, model)):
            raise ValueError(fault)
        if scope == "per_symbol" or data is None or target is None:
            return scope
        if data.targets is None:
            raise ValueError(f"`data.targets` with the symbols that a {scope} model is fitted on")
        if inputs == "all":
            raise ValueError(
                "`inputs: target` for a pooled model, which sees the features of one symbol at a "
                "time; with `inputs: all` each row would hold those of every symbol"
                if scope == "pooled"
                else "`inputs: target` for a joint model, which sees those of all target symbols"
            )
        if target.strategy == "recursive":
            raise ValueError(f"`target.strategy` direct or multi_output for a {scope} model")
        return scope

    @field_validator("training")
    @classmethod
    def _check_loss(cls, training: TrainingSpec, info: ValidationInfo) -> TrainingSpec:
        target, scope = info.data.get("target"), info.data.get("scope", "per_symbol")
        if fault := find_loss_fault(scope, training.loss):
            raise ValueError(fault)
        is_rank = isinstance(target, TargetSpec) and target.transform == "rank"
        if is_rank and training.loss.kind == "sharpe":
            raise ValueError(
                "another loss than sharpe for `target.transform: rank`: it is a ratio of returns, "
                "and ranks are none"
            )
        return training

    @field_validator("tune", "deploy")
    @classmethod
    def _check_pooled_choice(cls, chosen: object, info: ValidationInfo) -> object:
        scope = info.data.get("scope", "per_symbol")
        if chosen is not None and scope != "per_symbol":
            raise ValueError(f"no {info.field_name} of a {scope} model: it is not offered yet")
        return chosen

    @field_validator("training")
    @classmethod
    def _check_warm_start(cls, training: TrainingSpec, info: ValidationInfo) -> TrainingSpec:
        model = info.data.get("model")
        if training.warm_start and model is not None and not model.stochastic:
            raise ValueError(
                f"no warm_start, or a network: {model.kind} is not trained from random weights, "
                "so that nothing would start warm"
            )
        return training

    @field_validator("deploy")
    @classmethod
    def _check_deployment(
        cls, deploy: DeploySpec | None, info: ValidationInfo
    ) -> DeploySpec | None:
        model, training, target = (info.data.get(n) for n in ("model", "training", "target"))
        if deploy is None or model is None or training is None or target is None:
            return deploy
        if not model.costly:
            raise ValueError(
                f"no deploy, or a network: {model.kind} is fitted in seconds and served as it is"
            )
        networks = [part for part in iterate_specs(model) if isinstance(part, Network)]
        if deploy.compresses and deploy.distil is None and not networks:
            raise ValueError(
                f"a network for `prune` and `precision`; {model.kind} has no weight matrices"
            )
        if deploy.distil is not None:
            _check_distillation(deploy, model, training, target)
        return deploy

    def bind_costs(self, market: Market) -> TradingCosts:
        """The costs with their rates on a market, for a book that begins with `capital`.

        Raises:
            ContractError: The rates of a user's model break its contract.
            UsageError: They are of money or units, and there is no capital.
        """
        bound = self.costs.bind(market)
        if isinstance(bound, Costs):
            return bound
        if self.capital is None:
            if bound.rates.needs_capital:
                raise UsageError(
                    "these costs need the money that the book begins with",
                    expected="`capital: 100000` or another beside costs with a minimum, tiers, an "
                    "impact or a limit, which are money or units",
                    found="no capital",
                    where=f"capital, for costs of kind {self.costs.kind}",
                    fix="write `capital`; in the model, `needs_capital` that returns True says so "
                    "when the file is read",
                )
            return bound
        return bound.with_capital(self.capital)

    def books(self) -> dict[str, Model | Benchmark]:
        """Every book by name, `strategy` first; a second benchmark of a kind is `kind_2`."""
        names = name_benchmarks(benchmark.kind for benchmark in self.benchmarks)
        return {STRATEGY_BOOK: self.model, **dict(zip(names, self.benchmarks, strict=True))}

    def forecasters(self) -> dict[str, Forecaster]:
        """The books that a model decides."""
        tuned = (
            {}
            if self.tune is None
            else {STRATEGY_BOOK: TunedForecaster(model=self.model, tune=self.tune)}
        )
        books = {name: b for name, b in self.books().items() if isinstance(b, Forecaster)}
        return {**books, **tuned}

    def decision_spec(self, periods_per_year: float) -> DecisionSpec:
        """How the forecasts of a book with a model become target weights, for `engine.decide`.

        Args:
            periods_per_year: Bars per year of the dataset.
        """
        return DecisionSpec(
            self.signal,
            self.sizing,
            max_weight=self.max_weight,
            round_trip_cost=self.costs.round_trip_cost,
            periods_per_year=periods_per_year,
            portfolio=self.portfolio,
        )

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions that shape this strategy's numbers, and not every strategy's."""
        return tuple(sorted({n for model in self.forecasters().values() for n in model.libraries}))

    @model_validator(mode="after")
    def _check_search_space(self) -> Strategy:
        if self.tune is None:
            return self
        values = {name: getattr(self, name) for name in type(self).model_fields}

        def validate(trial: TrialConfig) -> Strategy:
            chosen = {"model": trial.model, "training": trial.training, "tune": None}
            return Strategy.model_validate(values | chosen)

        if wrong := find_space_errors(self.model, self.training, self.tune, validate):
            raise ValidationError.from_exception_data("Strategy", wrong)
        return self

    def identity(self) -> dict[str, Any]:
        """What decides the results: everything but where the refits run and files are.

        Rates of 0, no deployment and the keys of no `paths.groups` are left out: they decide
        nothing, and earlier strategies had none. So is `capital` beside the engine's own costs
        where nothing that they charge depends on it.
        """
        tree = self.model_dump(mode="json")
        tree |= {"data": self.data.identity(), "paths": self.paths.identity()}
        if self.deploy is None:
            tree.pop("deploy")
        if is_built_in(type(self.costs)) and not self.costs.needs_capital:
            tree.pop("capital", None)
        for where in ("workers", "executor", "ray_address"):
            tree["compute"].pop(where)
        rates = tree.pop("rates")
        return tree if self.rates == RatesSpec() else tree | {"rates": drop_rate_files(rates)}


def _check_distillation(
    deploy: DeploySpec, model: Forecaster, training: TrainingSpec, target: TargetSpec
) -> None:
    student = deploy.student_of(model)
    if student is not None and student.lookback > model.lookback:
        raise ValueError(
            f"a lookback of at most {model.lookback} for `distil`, that of the model; "
            f"it is {student.lookback}"
        )
    if quantile_levels(training.loss):
        raise ValueError(
            "no `distil` with the loss quantile: a distilled network learns the forecasts, not "
            "their quantiles"
        )
    if target.strategy == "recursive":
        raise ValueError(
            "no `distil` with `target.strategy: recursive`, whose model forecasts its inputs too"
        )


def load_strategy(
    path: Path,
    overrides: Mapping[str, object] | None = None,
    notify: Callable[[str], None] | None = None,
) -> Strategy:
    """Reads a strategy file.

    Args:
        path: The file. Paths in it, as of `rates.risk_free.file`, are relative to its folder.
        overrides: Dotted path to the value that replaces the file's.
        notify: Receives a line where the file or an override uses the earlier name of a key.

    Raises:
        StrategyError: With every mistake in it.
    """
    spec = load_config(path, Strategy, overrides, notify)
    return spec.model_copy(update={"rates": spec.rates.beside(path.parent)})
