"""What differs between two models: nodes, attributes, shapes and weights."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from workbench.core.records.base import Record


class NodeFacts(Record):
    """One node of a graph.

    Attributes:
        name: Its name in the file.
        operator: In the file's own words: `Conv`, `CONV_2D`, `Conv2D`.
        kind: What it is in every format: `conv2d`, `dense`, …; `other` where nothing here knows it.
        operations: All that it calculates, in order, e.g. `conv2d, bias, relu`.
    """

    name: str
    operator: str
    kind: str
    operations: tuple[str, ...] = ()


class NodeChange(Record):
    """One thing that differs between two nodes.

    Attributes:
        what: `strides`, `padding`, `activation`, `operator`, `output dtype`, …
        before: Its value in the one; None where it has none.
        after: In the other.
    """

    what: str
    before: Any = None
    after: Any = None


class NodeMatch(Record):
    """A node of each graph that are the same.

    Attributes:
        before: In the one.
        after: In the other.
        changes: What differs, not counting weights; empty where nothing does.
    """

    before: NodeFacts
    after: NodeFacts
    changes: tuple[NodeChange, ...] = ()

    @property
    def renamed(self) -> bool:
        """Whether only its name tells them apart."""
        return self.before.name != self.after.name


class Fusion(Record):
    """Nodes that together are the same: several that became one, or one that became several.

    Attributes:
        before: In the one graph, in order.
        after: In the other.
        changes: What differs, not counting weights.
        why: Why, where that is not plain to see.
    """

    before: tuple[NodeFacts, ...]
    after: tuple[NodeFacts, ...]
    changes: tuple[NodeChange, ...] = ()
    why: str = ""


class WeightFacts(Record):
    """One stored constant.

    Attributes:
        name: What the file calls it.
        shape: As the file stores it.
        dtype: As the file stores it.
        bits: Bits an element.
        bytes: Of all elements.
        elements: How many.
        zeros: How many of them mean zero.
        distinct: How many different values are stored.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bits: int
    bytes: int
    elements: int
    zeros: int
    distinct: int

    @property
    def sparsity(self) -> float:
        """Share of zeros, in [0, 1]."""
        return self.zeros / self.elements if self.elements else 0.0


class WeightChange(Record):
    """A constant that a node calculates with, in both graphs.

    Attributes:
        node: The node's name, in the graph before where it is there.
        role: `kernel`, `bias`, `gamma`, …
        before: As stored in the one; None where it was added.
        after: In the other; None where it was removed.
        identical: Whether both mean the same numbers, whatever their layout and type.
        largest: Largest absolute difference of what they mean, layouts undone, quantised ones scaled back, batch
            normalization applied where it was folded; None where they cannot be compared.
        mean: Mean absolute difference.
        cause: What the difference comes from, in words; empty where nothing explains it.
    """

    node: str
    role: str
    before: WeightFacts | None
    after: WeightFacts | None
    identical: bool
    largest: float | None = None
    mean: float | None = None
    cause: str = ""

    @property
    def label(self) -> str:
        """Node and role, e.g. `dense/kernel`."""
        return f"{self.node}/{self.role}"


class GraphFacts(Record):
    """One of two models that are compared.

    Attributes:
        name: Of the artifact.
        label: Format and numeric type, e.g. `onnx/int8`.
        sha256: Of its file.
        file_bytes: Bytes on disk.
        nodes: Count of its nodes.
        parameters: Elements of its weights, each stored one counted once.
        weight_bytes: Bytes of these.
        bits: Bits a parameter, on average.
        sparsity: Share of zeros among its kernels' weights.
    """

    name: str
    label: str
    sha256: str
    file_bytes: int
    nodes: int
    parameters: int
    weight_bytes: int
    bits: float
    sparsity: float


class GraphDiff(Record):
    """What differs between two models.

    Attributes:
        before: The one.
        after: The other.
        identical: Whether they calculate the same with the same numbers; names may differ.
        interface: What differs in the model's inputs and outputs.
        matched: Nodes that are one for one the same, with what changed in them.
        added: Nodes that only the other has.
        removed: Nodes that only the one has.
        fused: Nodes that became one, or one that became several.
        weights: Every weight of both.
        notes: What could not be compared.
    """

    before: GraphFacts
    after: GraphFacts
    identical: bool
    interface: tuple[NodeChange, ...] = ()
    matched: tuple[NodeMatch, ...] = ()
    added: tuple[NodeFacts, ...] = ()
    removed: tuple[NodeFacts, ...] = ()
    fused: tuple[Fusion, ...] = ()
    weights: tuple[WeightChange, ...] = ()
    notes: tuple[str, ...] = Field(default=())

    @property
    def changed(self) -> tuple[NodeMatch, ...]:
        """The matched nodes in which something changed."""
        return tuple(match for match in self.matched if match.changes)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The difference in plain words, what matters most first."""
        from workbench.core.records.graph_words import sentences

        return sentences(self)

    def summary(self) -> str:
        """Return the sentences, a line each."""
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return (
            f"GraphDiff({self.before.label} to {self.after.label}: {len(self.matched)} nodes matched, "
            f"{len(self.changed)} changed, {len(self.added)} added, {len(self.removed)} removed, "
            f"{len(self.fused)} fused, identical={self.identical})"
        )

    __str__ = __repr__
