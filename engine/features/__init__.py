"""Features known at the close of each bar, and (in one module) the forecast target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.features.base import FeatureSpec, Indicator
    from engine.features.build import FeatureMatrix, build_features
    from engine.features.config import (
        Beta,
        BollingerPercent,
        BollingerWidth,
        CalendarFeature,
        Correlation,
        Feature,
        FractionalDifference,
        GarmanKlass,
        HighLowRange,
        LogReturn,
        Macd,
        Obv,
        Parkinson,
        RelativeStrength,
        Resolutions,
        RogersSatchell,
        Rsi,
        SimpleReturn,
        SpreadZscore,
        TargetSpec,
        TrendRegime,
        TurnOfMonth,
        Volatility,
        VolatilityRegime,
        VolumeZscore,
        Vwap,
        YangZhang,
    )
    from engine.features.cross_asset import CrossAsset
    from engine.features.resolutions import CoarseFeatures, build_coarse_features
    from engine.features.stream import FeatureStream, StreamedFeatures
    from engine.features.stream_state import StreamState
    from engine.features.summary import FeatureSummary, coarse_bars_known_at, summarise_features
    from engine.features.target import forward_returns

__all__ = [
    "Beta",
    "BollingerPercent",
    "BollingerWidth",
    "CalendarFeature",
    "CoarseFeatures",
    "Correlation",
    "CrossAsset",
    "Feature",
    "FeatureMatrix",
    "FeatureSpec",
    "FeatureStream",
    "FeatureSummary",
    "FractionalDifference",
    "GarmanKlass",
    "HighLowRange",
    "Indicator",
    "LogReturn",
    "Macd",
    "Obv",
    "Parkinson",
    "RelativeStrength",
    "Resolutions",
    "RogersSatchell",
    "Rsi",
    "SimpleReturn",
    "SpreadZscore",
    "StreamState",
    "StreamedFeatures",
    "TargetSpec",
    "TrendRegime",
    "TurnOfMonth",
    "Volatility",
    "VolatilityRegime",
    "VolumeZscore",
    "Vwap",
    "YangZhang",
    "build_coarse_features",
    "build_features",
    "coarse_bars_known_at",
    "forward_returns",
    "summarise_features",
]

_EXPORTS = {
    "Beta": "config",
    "BollingerPercent": "config",
    "BollingerWidth": "config",
    "CalendarFeature": "config",
    "CoarseFeatures": "resolutions",
    "Correlation": "config",
    "CrossAsset": "cross_asset",
    "Feature": "config",
    "FeatureMatrix": "build",
    "FeatureSpec": "base",
    "FeatureStream": "stream",
    "FeatureSummary": "summary",
    "FractionalDifference": "config",
    "GarmanKlass": "config",
    "HighLowRange": "config",
    "Indicator": "base",
    "LogReturn": "config",
    "Macd": "config",
    "Obv": "config",
    "Parkinson": "config",
    "RelativeStrength": "config",
    "Resolutions": "config",
    "RogersSatchell": "config",
    "Rsi": "config",
    "SimpleReturn": "config",
    "SpreadZscore": "config",
    "StreamState": "stream_state",
    "StreamedFeatures": "stream",
    "TargetSpec": "config",
    "TrendRegime": "config",
    "TurnOfMonth": "config",
    "Volatility": "config",
    "VolatilityRegime": "config",
    "VolumeZscore": "config",
    "Vwap": "config",
    "YangZhang": "config",
    "build_coarse_features": "resolutions",
    "build_features": "build",
    "coarse_bars_known_at": "summary",
    "forward_returns": "target",
    "summarise_features": "summary",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
