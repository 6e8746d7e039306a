"""Lastmile Workbench: from a trained network to a server that answers, measured.

The public names are imported when they are first used: `import workbench` alone loads no framework, no plotly
and no widgets.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

# onnxruntime reports to its maker's servers unless told otherwise before its first import, here and in our children.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"

_PUBLIC = {
    # data
    "load_dataset": "workbench.datasets",
    "default_dataset": "workbench.datasets",
    "Dataset": "workbench.datasets",
    # verbs: each is the package of the same name, which can be called
    "train": "workbench",
    "evaluate": "workbench",
    "convert": "workbench",
    "compress": "workbench",
    "serve": "workbench",
    # what verbs are given and give back
    "Artifact": "workbench.core.artifact",
    "Gate": "workbench.evaluate.gate",
    # compression: methods, chains of them, and the slider
    "Recipe": "workbench.compress.recipe",
    "MagnitudePruning": "workbench.compress.magnitude_pruning",
    "StructuredPruning": "workbench.compress.structured_pruning",
    "WeightClustering": "workbench.compress.weight_clustering",
    "PruningAndSharing": "workbench.compress.pruning_and_sharing",
    "LowRankFactorisation": "workbench.compress.low_rank",
    "QuantizationAwareTraining": "workbench.compress.quantization_aware_training",
    "PostTrainingQuantization": "workbench.compress.post_training",
    "prune_along": "workbench.compress.trajectory",
    "open_preview": "workbench.compress.preview",
    "PreviewSettings": "workbench.compress.preview.settings",
    "estimated": "workbench.compress.preview.estimate",
    "sensitivity": "workbench.compress.preview.sensitivity",
    "damage": "workbench.compress.damage",
    "ledger": "workbench.compress.ledger",
    "measure_sizes": "workbench.evaluate.sizes",
    "unpack": "workbench.evaluate.unpacking",
    # sweeps and searches
    "sweep": "workbench",
    "Space": "workbench.sweep.space",
    "Choice": "workbench.sweep.space",
    "Range": "workbench.sweep.axes",
    "attach_sweep": "workbench.sweep.run",
    "search": "workbench.sweep.search",
    "attach_search": "workbench.sweep.search",
    "WorkbenchClassifier": "workbench.train.estimator",
    "gradients": "workbench.train.gradients",
    "Layer": "workbench.train.gradients",
    "Workspace": "workbench.core.workspace",
    "WorkbenchError": "workbench.core.errors",
    # the rest of the road
    "adopt": "workbench.convert.adopt",
    "routes": "workbench.convert.routes",
    "try_routes": "workbench.convert.routes",
    "convert_along": "workbench.convert.routes",
    "diff": "workbench.evaluate.diff",
    "doctor": "workbench.pipeline.doctor",
    "attach": "workbench.jobs",
    # tutorials
    "check": "workbench.lessons",
    "figure": "workbench.lessons",
    "pace": "workbench.lessons",
    "question": "workbench.lessons",
    # serving
    "client": "workbench.serve.client",
    "Retries": "workbench.serve.client",
    "load": "workbench.serve.load",
    "Batching": "workbench.serve.batching",
    "Limits": "workbench.serve.limits",
    "Security": "workbench.serve.security",
    "new_key": "workbench.serve.security",
    "RolloutRule": "workbench.serve.rollout",
    "attach_server": "workbench.serve.sandbox",
    "ServeSettings": "workbench.serve.settings",
    "serve_on_ray": "workbench.serve.on_ray.application",
    "serve_on_nodes": "workbench.serve.on_ray.nodes",
    "Replicas": "workbench.serve.on_ray.settings",
    "jobs": "workbench",
    # monitoring
    "health": "workbench.monitor.health",
    "Monitor": "workbench.monitor.watch",
    "MonitorSettings": "workbench.monitor.settings",
    "Reference": "workbench.monitor.drift",
    "DriftSettings": "workbench.monitor.drift",
    "Rule": "workbench.monitor.alarms",
    "LogTarget": "workbench.monitor.alarms",
    "WebhookTarget": "workbench.monitor.alarms",
    "CommandTarget": "workbench.monitor.alarms",
    "CallbackTarget": "workbench.monitor.alarms",
    "label": "workbench.monitor.labels",
    "drill": "workbench.pipeline.drill.verb",
    "DrillSettings": "workbench.pipeline.drill.settings",
    "Store": "workbench.serve.store",
    # packages
    "package": "workbench",
    "verify": "workbench.package.verify",
    "Override": "workbench.core.records",
    "run": "workbench.pipeline.road",
    "RoadSettings": "workbench.pipeline.road",
    "RunConfig": "workbench.pipeline.config",
    "read_config": "workbench.pipeline.config",
    "PublishSettings": "workbench.pipeline.publishing",
    "hard_set": "workbench.pipeline.hard_set",
    "retrain": "workbench.pipeline.retrain",
    "RetrainSettings": "workbench.pipeline.retrain",
    "RetrainBudget": "workbench.pipeline.budget",
    "Loop": "workbench.pipeline.loop",
    "ReactionSettings": "workbench.pipeline.reactions",
    # faces
    "DataPanel": "workbench.panels.data",
    "set_language": "workbench.core.language",
    "TrainPanel": "workbench.panels.train",
    "EvaluatePanel": "workbench.panels.evaluate",
    "CompressPanel": "workbench.panels.compress",
    "SweepPanel": "workbench.panels.sweep",
    "ConvertPanel": "workbench.panels.convert",
    "StepperPanel": "workbench.panels.stepper",
    "DrawPanel": "workbench.panels.draw",
    "ServePanel": "workbench.panels.serve",
    "MonitorPanel": "workbench.panels.monitor",
}
__all__ = [*_PUBLIC]  # noqa: PLE0604 - names come from the one table above


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    try:
        home = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}") from None
    if home == __name__:
        return importlib.import_module(f"workbench.{name}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
