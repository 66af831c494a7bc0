"""What the paper did, as one frozen specification: the data, the split, the networks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from engine.core.types import Spec
from engine.models import (
    Adam,
    CnnLstm,
    EarlyStopping,
    Micdl,
    MseLoss,
    PlateauSchedule,
    TrainingSpec,
)

if TYPE_CHECKING:
    from engine.models import Forecaster

ScalingMode = Literal["train", "refit-on-test"]

UNREACHED_CLIP_NORM = 1e9
"""A global norm that no gradient reaches: the paper's authors do not clip."""


class SplitDays(NamedTuple):
    """Days of the training, validation and testing part, as positions from 0."""

    training: range
    validation: range
    testing: range


class PaperNetwork(Spec):
    """A network of the paper.

    Attributes:
        name: As the paper prints it.
        network: Its layers; each lag sets the lookback.
        inputs: `own`: the differences of the coin that is forecast; `all`: those of every coin,
            which a MICDL reads through a branch each.
    """

    name: str
    network: Annotated[CnnLstm | Micdl, Field(discriminator="kind")]
    inputs: Literal["own", "all"]

    def with_lookback(self, lag: int) -> Forecaster:
        """The network that sees the last `lag` differences."""
        return self.network.model_copy(update={"lookback": lag})


class PaperProtocol(Spec):
    """Livieris, Kiriakidou, Stavroyiannis & Pintelas (2021), Electronics 10(3) 287.

    First differences of daily closes are forecast one day ahead; the predicted price is the
    actual price of the day before plus the predicted difference. The split and the training are
    those of the first author's published code, which is the code of a companion paper; the text
    of this one gives the layers.

    Attributes:
        coins: In the paper's order; all are inputs of MICDL.
        first: Day of the first close.
        last: Day of the last close.
        validation_from: First day of the validation part.
        test_from: First day of the testing part.
        lags: Differences that a network sees.
        contenders: The networks.
        training: Adam on the mean squared error, 20 epochs, batches of 8, the weights of the
            epoch with the lowest validation loss, stopped after 10 epochs in vain, learning rate
            x 0.75 after 5.
        scaling: `train`: zero mean and unit variance of the training part's differences, for all
            parts. `refit-on-test`: of each part's own, as the published code has it; it leaks,
            because the mean and deviation of the whole testing part shape its first forecast.
        seed: Of all random draws; each coin, network, lag and run has a seed of its own by name.
    """

    coins: tuple[str, ...] = ("BTC", "ETH", "XRP")
    first: date = date(2017, 1, 1)
    last: date = date(2020, 10, 31)
    validation_from: date = date(2020, 2, 28)
    test_from: date = date(2020, 6, 1)
    lags: tuple[int, ...] = (7, 14)
    contenders: tuple[PaperNetwork, ...] = (
        PaperNetwork(name="Model1", network=CnnLstm(preset="model1"), inputs="own"),
        PaperNetwork(name="Model2", network=CnnLstm(preset="model2"), inputs="own"),
        PaperNetwork(name="MICDL", network=Micdl(), inputs="all"),
    )
    training: TrainingSpec = TrainingSpec(
        epochs=20,
        batch_size=8,
        loss=MseLoss(),
        optimizer=Adam(learning_rate=1e-3),
        schedule=PlateauSchedule(factor=0.75, patience=5),
        clip_norm=UNREACHED_CLIP_NORM,
        early_stopping=EarlyStopping(patience=10),
    )
    scaling: ScalingMode = "train"
    seed: int = 2021

    @property
    def n_days(self) -> int:
        """Closes of each coin."""
        return (self.last - self.first).days + 1

    @property
    def split(self) -> SplitDays:
        """Which days are trained on, watched and forecast."""
        validation = (self.validation_from - self.first).days
        test = (self.test_from - self.first).days
        return SplitDays(range(validation), range(validation, test), range(test, self.n_days))
