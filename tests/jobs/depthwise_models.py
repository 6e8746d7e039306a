"""A stage that writes a depthwise CNN with batch norm, whose statistics are those of no new layer."""

from workbench.jobs import StageContext


def write(context: StageContext) -> str:
    """Write the model, returns its path."""
    import numpy as np
    import tf_keras

    layers = tf_keras.layers
    tf_keras.utils.set_random_seed(0)
    model = tf_keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem"),
            layers.BatchNormalization(name="stem_norm"),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise"),
            layers.BatchNormalization(name="depthwise_norm"),
            layers.ReLU(),
            layers.Conv2D(16, 1, name="pointwise"),
            layers.BatchNormalization(name="pointwise_norm"),
            layers.ReLU(),
            layers.SeparableConv2D(12, 3, activation="relu", name="separable"),
            layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu", name="multiplied"),
            layers.BatchNormalization(name="late_norm"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )
    draw = np.random.default_rng(0)
    for layer in model.layers:
        if "norm" in layer.name:
            layer.set_weights([draw.uniform(0.5, 1.5, value.shape) for value in layer.get_weights()])
    path = context.result / "depthwise.keras"
    model.save(path)
    return str(path)
