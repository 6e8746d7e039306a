"""Weight clustering: the weights of a kernel share a few values, which are fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from workbench.compress.fine_tuning import FineTuned, Wrapped
from workbench.compress.prunable import require_known
from workbench.compress.reached import kernels_of
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from workbench.compress.base import Trait


class _Clusterable(NamedTuple):
    """Weights and output channels of a layer's smallest kernel, and how many of its kernels are clustered."""

    elements: int
    channels: int
    kernels: int


class WeightClustering(FineTuned):
    """Han et al., "Deep Compression" (2016), section 3, with TensorFlow Model Optimization."""

    made: ClassVar[str] = "clustered"
    gives: ClassVar[frozenset[Trait]] = frozenset({"clusters"})

    clusters: int = Field(
        16,
        ge=2,
        le=256,
        description="distinct values that a kernel's weights share; a zero that is kept is one of them",
    )
    centroid_init: Literal["linear", "density", "random", "kmeans++"] = Field(
        "linear", description="where the shared values begin: evenly over the range, by the weights' density, …"
    )
    per_channel: bool = Field(
        default=False, description="each output channel of a Conv2D has values of its own; other layers as a whole"
    )
    preserve_sparsity: bool = Field(
        default=True, description="where a layer has zeros, zero is one of the values and zeros stay zeros"
    )
    skip: tuple[str, ...] = Field((), description="names of layers that are left as they are")

    @property
    def label(self) -> str:
        """What it does, for the curve."""
        return f"clustering to {self.clusters} values"

    def objection(self, present: frozenset[Trait]) -> str | None:
        """Zeros that are not kept become one of the shared values."""
        if "sparsity" in present and not self.preserve_sparsity:
            return "must have preserve_sparsity=True after pruning, or the zeros are lost"
        return None

    def wrap(self, model: Any, steps: int) -> Wrapped:
        """Wrap the layers that have more weights than clusters and name the others."""
        import tf_keras

        del steps
        clusterable = _clusterable(model)
        require_known("skip", self.skip, clusterable)
        convolutions = [layer.name for layer in model.layers if isinstance(layer, tf_keras.layers.Conv2D)]
        if self.per_channel and not set(convolutions) & clusterable.keys():
            raise BadInputError.of(
                "per_channel", rule="must be off for a model without Conv2D layers", got=True,
                hint="dense kernels are clustered as a whole",
            )  # fmt: skip
        left = _left_out(model, clusterable, self.skip)
        kernels = kernels_of(model)
        # What tfmot would leave alone, and what it fails on: a channel with fewer weights than values, or none.
        by_channel = [
            name for name in convolutions if self.per_channel and name in clusterable and self._fits(kernels[name][0])
        ]
        for name, each in clusterable.items():
            if name not in left and each.elements <= self.clusters:
                left[name] = f"it has {each.elements} weights to share {self.clusters} values"
        limits = {
            name: self.clusters * (each.channels if name in by_channel else 1)
            for name, each in clusterable.items()
            if name not in left
        }
        if not limits:
            raise BadInputError.of("clusters", rule="must leave a layer to cluster", got=self.clusters)
        sparse = {name for name in limits if self.preserve_sparsity and any((k == 0).any() for k in kernels[name])}
        # Of a SeparableConv2D tfmot clusters one kernel of two.
        facts = {
            "clusters_asked": self.clusters,
            "limits": limits,
            "by_channel": by_channel,
            "partly_clustered": [name for name in limits if clusterable[name].kernels < len(kernels[name])],
            "not_clustered": left,
        }
        notes = [f"{name} is not clustered: {why}." for name, why in left.items()]
        whole = [name for name in convolutions if self.per_channel and name in limits and name not in by_channel]
        notes += [f"{name} is clustered as a whole: its channels have too few weights." for name in whole]
        if by_channel:
            notes.append(
                f"Each output channel of {', '.join(by_channel)} shares {self.clusters} values of its own: the whole "
                "kernel, which `unique` counts, has more."
            )
        return Wrapped(self._wrapped(model, limits, by_channel, sparse), (), facts, tuple(notes))

    def strip(self, model: Any) -> Any:
        """Put the shared values into plain layers."""
        from tensorflow_model_optimization.clustering import keras as clustering

        return clustering.strip_clustering(model)

    def shortfalls(self, layers: Mapping[str, Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[str]:
        """Count each layer's distinct values; zero may come on top."""
        return [
            f"{name} must have at most {limit + 1} distinct values, got {layers[name]['unique']}."
            for name, limit in metrics["limits"].items()
            if name not in metrics["partly_clustered"] and layers[name]["unique"] > limit + 1
        ]

    def _fits(self, kernel: NDArray[Any]) -> bool:
        """Say whether each output channel has weights enough for values of its own."""
        channels = kernel.reshape(-1, kernel.shape[-1])
        return len(channels) > self.clusters and bool((channels != 0).any(axis=0).all())

    def _wrapped(self, model: Any, taken: Collection[str], by_channel: Collection[str], sparse: Collection[str]) -> Any:
        import tf_keras
        from tensorflow_model_optimization.clustering import keras as clustering

        begins = {
            "linear": clustering.CentroidInitialization.LINEAR,
            "density": clustering.CentroidInitialization.DENSITY_BASED,
            "random": clustering.CentroidInitialization.RANDOM,
            "kmeans++": clustering.CentroidInitialization.KMEANS_PLUS_PLUS,
        }

        def each(layer: Any) -> Any:
            if layer.name not in taken:
                return layer
            preserve = layer.name in sparse
            return clustering.cluster_weights(
                layer,
                # With zeros kept, tfmot needs room for zero, a negative and a positive value.
                number_of_clusters=max(self.clusters, 3) if preserve else self.clusters,
                cluster_centroids_init=begins[self.centroid_init],
                preserve_sparsity=preserve,
                cluster_per_channel=layer.name in by_channel,
            )

        return tf_keras.models.clone_model(model, clone_function=each)


def _clusterable(model: Any) -> dict[str, _Clusterable]:
    """Return the layers that tfmot clusters, by name.

    Raises:
        BadInputError: There is none.
    """
    from tensorflow_model_optimization.python.core.clustering.keras.clustering_registry import ClusteringRegistry

    found = {}
    for layer in model.layers:
        if not ClusteringRegistry.supports(layer) or not layer.trainable_weights:
            continue
        # It adds a method to the layer and changes nothing else.
        weights = ClusteringRegistry.make_clusterable(layer).get_clusterable_weights()
        if weights:
            smallest = min((int(w.shape.num_elements()), int(w.shape[-1])) for _, w in weights)
            found[layer.name] = _Clusterable(*smallest, kernels=len(weights))
    if not found:
        raise BadInputError.of(
            "model", rule="must have a layer with weights to cluster",
            got=[type(each).__name__ for each in model.layers], hint="leave clustering out for this model",
        )  # fmt: skip
    return found


def _left_out(model: Any, clusterable: Collection[str], skip: tuple[str, ...]) -> dict[str, str]:
    kinds = {layer.name: type(layer).__name__ for layer in model.layers}
    left = {name: f"tfmot does not cluster a {kinds[name]}" for name in kernels_of(model) if name not in clusterable}
    return left | dict.fromkeys(skip, "skipped, as asked")
