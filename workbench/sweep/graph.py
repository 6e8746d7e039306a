"""The jobs behind points: what several points share is one node, so it is asked for once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from workbench.core.workspace import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workbench.compress.base import Method
    from workbench.core.artifact import Artifact
    from workbench.sweep.plan import Plan

NodeKind = Literal["train", "step", "trajectory", "snapshot", "deploy"]


@dataclass(eq=False)
class Node:
    """One piece of work, and what became of it.

    Attributes:
        kind: What it is: `trajectory` is one gradual pruning, `snapshot` a moment of it, `deploy` a conversion.
        before: What must be made first; None where it starts from the sweep's own parent.
        plan: A plan that needs it.
        step: The method of a step.
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

    for plan in plans:
        if plan.refused:
            continue
        node = reach(None, "train", plan.train, plan) if plan.train is not None else None
        for number, step in enumerate(plan.steps):
            settings = step.model_dump(mode="json")
            if number == 0 and plan.along:
                kin = {name: value for name, value in settings.items() if name != "sparsity"}
                node = reach(node, "trajectory", [kin, plan.along], plan, step)
                node = reach(node, "snapshot", settings["sparsity"], plan, step)
            else:
                node = reach(node, "step", [step.name, settings], plan, step)
        if not plan.steps or not plan.steps[-1].final:
            node = reach(node, "deploy", plan.deploy, plan)
        assert node is not None
        node.plans.append(plan)
    return list(nodes.values())
