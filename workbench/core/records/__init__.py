"""Frozen facts that stages write and figures draw.

A plot is a function from data to one of these, and a function from it to a picture; tests look at the record.
"""

from workbench.core.records.base import Record, read_record
from workbench.core.records.damage import ClassChange, Damage, Flip, LayerError
from workbench.core.records.drill import DrillMoment, DrillReport
from workbench.core.records.evaluation import (
    CalibrationBin,
    ClassScore,
    Evaluation,
    GateLine,
    Latency,
    Parity,
    Proportion,
    Verdict,
)
from workbench.core.records.files import Inventory, Sizes, TensorFacts
from workbench.core.records.graph_diff import (
    Fusion,
    GraphDiff,
    GraphFacts,
    NodeChange,
    NodeFacts,
    NodeMatch,
    WeightChange,
    WeightFacts,
)
from workbench.core.records.hard_set import HardSample
from workbench.core.records.load import LatencyHistogram, LoadResult
from workbench.core.records.loop import LoopEvent, LoopReport
from workbench.core.records.monitor import (
    AlarmEvent,
    ClassShare,
    DriftReport,
    DriftTest,
    FeatureDrift,
    MonitorReport,
)
from workbench.core.records.package import ModelCard, PackageCheck, PackageFault
from workbench.core.records.preview import EstimatedAccuracy, PreviewAnswer, Sensitivity, SensitivityCell
from workbench.core.records.requests import LoggedRequest
from workbench.core.records.retrain import RetrainReport
from workbench.core.records.road import Published, RoadReport, ServingStats, Variant
from workbench.core.records.rollout import RolloutReport, RolloutSide
from workbench.core.records.store import Override, StoreChange, StoredVersion
from workbench.core.records.sweep import (
    Constraint,
    Estimate,
    Noise,
    PointSeconds,
    Repeated,
    Spread,
    SweepPoint,
    Verification,
)
from workbench.core.records.training import EpochPoint, LearningCurve

__all__ = [
    "AlarmEvent",
    "CalibrationBin",
    "ClassChange",
    "ClassScore",
    "ClassShare",
    "Constraint",
    "Damage",
    "DriftReport",
    "DriftTest",
    "DrillMoment",
    "DrillReport",
    "EpochPoint",
    "Estimate",
    "EstimatedAccuracy",
    "Evaluation",
    "FeatureDrift",
    "Flip",
    "Fusion",
    "GateLine",
    "GraphDiff",
    "GraphFacts",
    "HardSample",
    "Inventory",
    "Latency",
    "LatencyHistogram",
    "LayerError",
    "LearningCurve",
    "LoadResult",
    "LoggedRequest",
    "LoopEvent",
    "LoopReport",
    "ModelCard",
    "MonitorReport",
    "NodeChange",
    "NodeFacts",
    "NodeMatch",
    "Noise",
    "Override",
    "PackageCheck",
    "PackageFault",
    "Parity",
    "PointSeconds",
    "PreviewAnswer",
    "Proportion",
    "Published",
    "Record",
    "Repeated",
    "RetrainReport",
    "RoadReport",
    "RolloutReport",
    "RolloutSide",
    "Sensitivity",
    "SensitivityCell",
    "ServingStats",
    "Sizes",
    "Spread",
    "StoreChange",
    "StoredVersion",
    "SweepPoint",
    "TensorFacts",
    "Variant",
    "Verdict",
    "Verification",
    "WeightChange",
    "WeightFacts",
    "read_record",
]
