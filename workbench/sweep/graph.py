"""The jobs behind points: what several points share is one node, so it is asked for once.

Points that differ in their quantization alone share the float32 file too: each is then quantised from that file without
TensorFlow, and no graph is traced and converted twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.workspace import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.compress.base import Method
    from workbench.core.artifact import Artifact
    from workbench.sweep.plan import Plan

_QUANTIZES, _TRAINED_FOR_IT = "post_training", "quantization_aware_training"
NodeKind = Literal["train", "step", "trajectory", "snapshot", "deploy"]


@dataclass(eq=False)
class Node:
    """One piece of work, and what became of it.

    Attributes:
        kind: What it is: `trajectory` is one gradual pruning, `snapshot` a moment of it, `deploy` a conversion.
        before: What must be made first; None where it starts from the sweep's own parent.
        plan: A plan that needs it.
        step: The method of a step.
        quantises: It starts from a float32 file that other points share.
        after: What waits for it.
        plans: Points whose last piece it is.
        artifact: What it made.
        snapshots: What a trajectory made, by sparsity.
        seconds: What it cost and no point has taken over yet.
    """

    kind: NodeKind
    before: Node | None
    plan: Plan
    step: Method | None = None
    quantises: bool = False
    after: list[Node] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    artifact: Artifact | None = None
    snapshots: dict[float, Artifact] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def depth(self) -> int:
        """How many pieces come before it."""
        return 0 if self.before is None else self.before.depth + 1

    @property
    def trains(self) -> bool:
        """Whether its seconds are training."""
        return self.kind in ("train", "trajectory") or (
            self.step is not None and self.kind == "step" and not self.step.final
        )

    def path(self) -> list[Node]:
        """Return the pieces up to this one, first to last."""
        return [*(self.before.path() if self.before is not None else []), self]

    def waiting(self) -> Iterator[Plan]:
        """Give all points that need it."""
        yield from self.plans
        for node in self.after:
            yield from node.waiting()


def graph(plans: Iterable[Plan]) -> list[Node]:
    """Return every node, each after what it needs; refused plans have none."""
    nodes: dict[str, Node] = {}

    def reach(before: Node | None, kind: NodeKind, what: Any, plan: Plan, step: Method | None = None) -> Node:
        key = digest([id(before) if before is not None else None, kind, what])
        if key not in nodes:
            nodes[key] = Node(kind, before, plan, step)
            if before is not None:
                before.after.append(nodes[key])
        return nodes[key]

    wanted = [plan for plan in plans if not plan.refused]
    alike = Counter(_float_source(plan) for plan in wanted)
    for plan in wanted:
        node = reach(None, "train", plan.train, plan) if plan.train is not None else None
        for number, step in enumerate(plan.steps):
            settings = step.model_dump(mode="json")
            if number == 0 and plan.along:
                kin = {name: value for name, value in settings.items() if name != "sparsity"}
                node = reach(node, "trajectory", [kin, plan.along], plan, step)
                node = reach(node, "snapshot", settings["sparsity"], plan, step)
            elif step is plan.steps[-1] and (source := _float_source(plan)) and alike[source] > 1:
                whole = _float32(step)
                node = reach(node, "step", [whole.name, whole.model_dump(mode="json")], plan, whole)
                if step != whole:
                    node = reach(node, "step", [step.name, settings], plan, step)
                    node.quantises = True
            else:
                node = reach(node, "step", [step.name, settings], plan, step)
        if not plan.steps or not plan.steps[-1].final:
            node = reach(node, "deploy", plan.deploy, plan)
        assert node is not None
        node.plans.append(plan)
    return list(nodes.values())


def _float_source(plan: Plan) -> str:
    """Name the float32 file that a point's last step can start from; "" where there is none."""
    if not plan.steps or (last := plan.steps[-1]).name != _QUANTIZES:
        return ""
    trained_for_it = any(step.name == _TRAINED_FOR_IT for step in plan.steps)
    settings = last.model_dump(mode="json")
    # Only TensorFlow's own converter makes files that take uint8.
    if trained_for_it or settings["io"] == "uint8":
        return ""
    before = [[step.name, step.model_dump(mode="json")] for step in plan.steps[:-1]]
    return digest([plan.train, before, plan.along, settings["format"]])


def _float32(step: Method) -> Method:
    return type(step).parse({"format": step.model_dump()["format"], "numeric": "float32"})
