"""The keys of a strategy file, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

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
from engine.core.part_origin import is_built_in
from engine.core.renamed_keys import RENAMED_STRATEGY_KEYS
from engine.core.types import Spec
from engine.data import DataSpec
from engine.data.rates import RatesSpec, drop_rate_files
from engine.evaluation import EvaluationSpec
from engine.features.base import Indicator
from engine.features.config import Feature, LogReturn, Resolutions, TargetSpec
from engine.features.cross_section import own_feature
from engine.models import (
    Forecaster,
    Model,
    Persistence,
    Ridge,
    TrainingSpec,
    TunedForecaster,
    TuningSpec,
)
from engine.models.deployment import DeploySpec
from engine.models.scopes import Scope
from engine.models.tuning.search_space import TrialConfig, find_space_errors
from engine.portfolio import PortfolioSpec
from engine.signals.config import (
    BuyAndHold,
    FixedSizing,
    FixedThreshold,
    MeanReversion,
    MovingAverageCrossover,
    Signal,
    Sizing,
)
from engine.signals.decision_levels import DecisionSpec
from engine.simulation.config import AnyCosts, Costs, Execution
from engine.splits.config import PathsSpec, Scaling, StandardScaling, WindowSpec
from engine.strategy.benchmarks import Benchmark, include_holding
from engine.strategy.compute import Compute
from engine.strategy.dataset_groups import write_out_groups
from engine.strategy.section_rules import SECTION_RULES, check_section
from engine.trials.config import TrialsSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.data import Market
    from engine.portfolio import TradingCalendar
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.costs import TradingCosts


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
        max_weight: Largest weight, absolute, of all symbols together. Above 1 is leverage, which
            needs `costs.financing_bps_per_year` and `execution.maintenance_margin`.
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
    max_weight: float = Field(default=1.0, gt=0, le=10)
    capital: float | None = Field(
        default=None, gt=0, le=1e15, exclude_if=lambda capital: capital is None
    )
    # Validated where they are left out too: `max_weight` may need what they do not have.
    costs: AnyCosts = Field(default=Costs(), validate_default=True)
    execution: Execution = Field(default=Execution(), validate_default=True)
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

    @field_validator(*SECTION_RULES)
    @classmethod
    def _check_section(cls, value: object, info: ValidationInfo) -> object:
        return check_section(value, info)

    def bind_costs(self, market: Market) -> TradingCosts:
        """The costs with their rates on a market, for a book that begins with `capital`.

        Raises:
            ContractError: The rates of a user's model break its contract.
            UsageError: They are of money or units, and there is no capital.
        """
        bound = self.costs.bind(self._bars_of_costs(market))
        if isinstance(bound, Costs):
            return bound
        if market.has_absences:
            present = market.present.to_numpy()
            bound = replace(bound, rates=bound.rates.at_absences(present))
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

    def cost_rates(self, market: Market) -> CostRates:
        """What the model of the costs computes on a market, see `CostModel.compute_rates`."""
        if not market.has_absences:
            return self.costs.compute_rates(market)
        rates = self.costs.compute_rates(self._bars_of_costs(market))
        return rates.at_absences(market.present.to_numpy())

    def _bars_of_costs(self, market: Market) -> Market:
        """The bars that the costs are computed on: of a panel those of every symbol."""
        if not market.has_absences:
            return market
        return market.carried if is_built_in(type(self.costs)) else market.since_listing

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

    def decision_spec(
        self, periods_per_year: float, calendar: TradingCalendar | None = None
    ) -> DecisionSpec:
        """How the forecasts of a book with a model become target weights, for `engine.decide`.

        Args:
            periods_per_year: Bars per year of the dataset.
            calendar: Of its bars, as `TradingCalendar.of_market(market)`; only a portfolio that is
                rebalanced at the end of a week or month needs it.
        """
        return DecisionSpec(
            self.signal,
            self.sizing,
            max_weight=self.max_weight,
            round_trip_cost=self.costs.round_trip_cost,
            periods_per_year=periods_per_year,
            portfolio=self.portfolio,
            horizon=self.target.horizon,
            calendar=calendar,
        )

    @property
    def benchmark_weight(self) -> float:
        """Largest weight of the rules: `max_weight`, without leverage that no size can reach."""
        if self.max_weight <= 1.0 or self.portfolio.volatility_target is not None:
            return self.max_weight
        return min(self.max_weight, max(1.0, self.sizing.largest))

    @property
    def is_panel(self) -> bool:
        """Whether it keeps every timestamp of its symbols, and not those alone that all have.

        A book does whose rows hold features and returns of one symbol's own bars, or whose joint
        network leaves out who is absent; scalings over the last rows would cross the gaps there.
        """
        return (
            self.data.is_book
            and self.inputs == "target"
            and (self.scope != "joint" or not self.scaling.warmup)
            and not self.resolutions
            and all(isinstance(own_feature(feature), Indicator) for feature in self.features)
        )

    @property
    def rebalancings(self) -> tuple[object, ...]:
        """When the strategy and the benchmarks that have their own say rebalance."""
        own = (getattr(benchmark, "rebalance", None) for benchmark in self.benchmarks)
        return (self.portfolio.rebalance, *own)

    @property
    def has_optima(self) -> bool:
        """Whether the weights of a book are an optimum, which takes long to find."""
        rules = (getattr(benchmark, "is_optimised", False) for benchmark in self.benchmarks)
        return self.portfolio.allocation.is_optimised or any(rules)

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions that shape this strategy's numbers, and not every strategy's."""
        parts = (*self.forecasters().values(), *self.benchmarks, self.portfolio)
        return tuple(sorted({name for part in parts for name in getattr(part, "libraries", ())}))

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
        DatasetNotFoundError: It names groups of a dataset that there is not.
        UsageError: The dataset has no such groups.
        DataError: The groups cannot be read.
    """
    spec = load_config(path, Strategy, overrides, notify)
    spec = spec.model_copy(update={"rates": spec.rates.beside(path.parent)})
    groups = write_out_groups(spec.data, spec.portfolio, spec.model)
    return spec.model_copy(update=groups) if groups else spec
