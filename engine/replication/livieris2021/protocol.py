"""The protocol of the paper as a frozen specification: data, split, networks, training."""

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
"""A global norm that no gradient reaches: the authors do not clip gradients."""


class SplitDays(NamedTuple):
    """Days of the training, validation and testing part, as positions from 0."""

    training: range
    validation: range
    testing: range


class PaperNetwork(Spec):
    """A network of the paper.

    Attributes:
        name: Name in the paper.
        network: The layers; each lag sets the lookback.
        inputs: `own`: the differences of the coin that is forecast; `all`: those of every coin,
            each of which has its own branch in a MICDL.
    """

    name: str
    network: Annotated[CnnLstm | Micdl, Field(discriminator="kind")]
    inputs: Literal["own", "all"]

    def with_lookback(self, lag: int) -> Forecaster:
        """The network with the last `lag` differences as input."""
        return self.network.model_copy(update={"lookback": lag})


class PaperProtocol(Spec):
    """Livieris, Kiriakidou, Stavroyiannis & Pintelas (2021), Electronics 10(3) 287.

    First differences of daily closes are forecast one day ahead; the predicted price is the
    actual price of the day before plus the predicted difference. The split and the training are
    those of the first author's published code, which belongs to a companion paper; the text of
    this paper gives the layers.

    Attributes:
        coins: In the order of the paper; all are inputs of MICDL.
        first: Day of the first close.
        last: Day of the last close.
        validation_from: First day of the validation part.
        test_from: First day of the testing part.
        lags: Numbers of differences that a network has as input.
        contenders: The networks.
        training: Adam on the mean squared error, 20 epochs, batches of 8, the weights of the
            epoch with the lowest validation loss, early stopping with patience 10, learning rate
            x 0.75 after 5 epochs without improvement.
        scaling: `train`: zero mean and unit variance of the training part's differences, for all
            parts. `refit-on-test`: those of each part, as in the published code; this leaks:
            the first forecast depends on the mean and deviation of the whole testing part.
        seed: Seed of all random draws; each coin, network, lag and run has a derived seed.
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
        """Number of closes of each coin."""
        return (self.last - self.first).days + 1

    @property
    def split(self) -> SplitDays:
        """The days of the three parts."""
        validation = (self.validation_from - self.first).days
        test = (self.test_from - self.first).days
        return SplitDays(range(validation), range(validation, test), range(test, self.n_days))
