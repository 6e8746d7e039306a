"""Which layers of a model tfmot can prune, and pruning some of them, each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.compress.reached import kernels_of, wrapped_layers
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

# How often masks are computed anew on the way; more often costs time and changes nothing.
_UPDATES = 40
# Weights of a kernel by which its level may be missed: tfmot rounds, and leaves at least one.
_ROUNDING = 1.5


def prunable_kernels(model: Any) -> dict[str, list[NDArray[Any]]]:
    """Return the weights that tfmot prunes by layer, in the model's order.

    Raises:
        BadInputError: There is none.
    """
    from tensorflow_model_optimization.python.core.sparsity.keras.prune_registry import PruneRegistry

    found = {}
    for layer in model.layers:
        if not PruneRegistry.supports(layer) or not layer.trainable_weights:
            continue
        # It adds a method to the layer and changes nothing else; a layer of another copy stays as it is.
        weights = PruneRegistry.make_prunable(layer).get_prunable_weights()
        if weights:
            found[layer.name] = [weight.numpy() for weight in weights]
    if not found:
        raise BadInputError.of(
            "model", rule="must have a layer with weights to prune", got=[type(each).__name__ for each in model.layers],
            hint="leave pruning out for this model",
        )  # fmt: skip
    return found


def sizes(kernels: Mapping[str, list[NDArray[Any]]]) -> dict[str, list[int]]:
    """Return how many weights each kernel has, by layer."""
    return {name: [array.size for array in arrays] for name, arrays in kernels.items()}


def lacks_zeros(facts: Mapping[str, Any], level: float, prunable: list[int]) -> bool:
    """Say whether a layer has fewer zeros than its level asks for.

    Args:
        facts: `elements` and `sparsity` of all its kernels.
        level: Share of the weights that can be pruned.
        prunable: Sizes of the kernels that can be: of a SeparableConv2D only one of two.
    """
    least = level * sum(prunable) - _ROUNDING * len(prunable)
    return bool(facts["sparsity"] * facts["elements"] < least)


def with_own_kernels(model: Any, prunable: Iterable[str]) -> dict[str, str]:
    """Name the layers that have kernels but cannot be pruned, with the reason."""
    kinds = {layer.name: type(layer).__name__ for layer in model.layers}
    return {name: f"tfmot does not prune a {kinds[name]}" for name in kernels_of(model).keys() - set(prunable)}


def require_known(parameter: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse names of layers that the model does not have.

    Raises:
        BadInputError: Naming the layers that it has.
    """
    if unknown := sorted(set(names) - set(known)):
        raise BadInputError.of(
            parameter, rule=f"must name layers that can be pruned ({', '.join(known)})", got=unknown[0]
        )


def prune_layers(model: Any, wrappers: dict[str, Callable[[Any], Any]]) -> Any:
    """Return a model in which some layers have a pruning wrapper; the others stay the very same.

    Args:
        model: Fresh; its layers end up in the result.
        wrappers: What makes the wrapper of a layer, by its name.
    """
    import tf_keras

    def each(layer: Any) -> Any:
        wrap = wrappers.get(layer.name)
        return wrap(layer) if wrap is not None else layer

    wrapped = tf_keras.models.clone_model(model, clone_function=each)
    taken = wrapped_layers(wrapped)
    for layer in wrapped.layers:
        if layer.name in taken:
            _rank_equals(layer.pruning_obj)
    return wrapped


def _rank_equals(pruning: Any) -> None:
    """Let tfmot keep exactly as many weights as its schedule says; of equal ones, those that come first.

    By itself it keeps all that are equal to its threshold: of weights that share few values, far too many.
    """
    import tensorflow as tf

    def update(weights: Any) -> tuple[Any, Any]:
        sparsity = pruning._pruning_schedule(pruning._step_fn())[1]  # noqa: SLF001 - as tfmot's own
        magnitudes = tf.reshape(tf.abs(weights), [-1])
        size = tf.size(magnitudes)
        kept = tf.cast(tf.maximum(tf.round(tf.cast(size, tf.float32) * (1 - sparsity)), 1), tf.int32)
        values, places = tf.math.top_k(magnitudes, k=size)
        mask = tf.scatter_nd(places[:kept, None], tf.ones([kept], weights.dtype), [size])
        return values[kept - 1], tf.reshape(mask, tf.shape(weights))

    pruning._update_mask = update  # noqa: SLF001 - tfmot has no public way to it


def gradually(sparsity: float, steps: int, *, initial: float = 0.5, ramp: float = 0.5, at_once: bool = False) -> Any:
    """Return tfmot's schedule that reaches a sparsity.

    Args:
        sparsity: To reach.
        steps: Of the whole fine-tuning.
        initial: Where a growing one begins, capped at `sparsity`.
        ramp: Share of the steps after which it is reached.
        at_once: From the first step on, instead of cubically.
    """
    from tensorflow_model_optimization.sparsity import keras

    end = max(1, round(ramp * steps))
    frequency = max(1, end // _UPDATES)
    # The schedule acts at steps 0, frequency, 2 × frequency, …: its last one must be among them.
    end -= end % frequency
    if at_once:
        return keras.ConstantSparsity(sparsity, begin_step=0, frequency=frequency)
    return keras.PolynomialDecay(min(initial, sparsity), sparsity, 0, end, frequency=frequency)


def stripped(model: Any) -> Any:
    """Mask the weights once more and take the wrappers off.

    The last step's gradients have moved masked weights; a run resumed after it has nothing else to mask them.
    """
    from tensorflow_model_optimization.sparsity import keras as sparsity

    wrapped = wrapped_layers(model)
    for layer in model.layers:
        if layer.name in wrapped:
            layer.pruning_obj.weight_mask_op()
    return sparsity.strip_pruning(model)
