"""The networks of the matrix, trained for a moment on digits and saved as people would have them.

Run as a program in a process of its own, for it imports Keras 3, tf_keras and, where it is there, torch:
`python matrix_models.py FOLDER [NAME …]`, all of them where none is named. It writes `<name>.keras` for each, for some
also `<name>.tf_keras.keras` and `<name>.h5`, for torch `<name>.pt2`, and the arrays that they answer as `<data>.npz`.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np

# Which arrays each network was made for.
DATA = {
    "mlp": "images", "docs_cnn": "images", "lenet5": "images", "depthwise_bn": "images", "residual": "images",
    "dropout_gap": "images", "conv1d": "sequences", "lstm": "sequences", "attention": "sequences",
    "binary": "halves", "logits": "images", "batch_of_one": "images",
    "torch_cnn": "images", "torch_mlp": "images",
}  # fmt: skip
# These come in as files of the older Keras as well.
OLD_ONES = ("mlp", "docs_cnn", "residual")
TORCH = ("torch_cnn", "torch_mlp")
_EPOCHS = 12


def arrays() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the digits as images (N, 8, 8, 1), as sequences of rows (N, 8, 8), and as two halves of the classes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = (found.images / 16).astype(np.float32)[..., None]
    labels = found.target.astype(np.int64)
    return {
        "images": (images, labels),
        "sequences": (images[..., 0], labels),
        "halves": (images, (labels >= 5).astype(np.int64)),
    }


def network(name: str, keras: Any) -> Any:
    """Build a network with the layers of Keras 3 or tf_keras."""
    layers = keras.layers
    shape = (8, 8) if DATA[name] == "sequences" else (8, 8, 1)
    given = keras.Input(shape, batch_size=1 if name == "batch_of_one" else None)
    features = BODIES[name](given, layers)
    units, activation = HEADS.get(name, (10, "softmax"))
    return keras.Model(given, layers.Dense(units, activation=activation)(features))


def _mlp(x: Any, layers: Any) -> Any:
    return layers.Dense(32, activation="relu")(layers.Flatten()(x))


def _docs_cnn(x: Any, layers: Any) -> Any:
    x = layers.MaxPooling2D(2)(layers.Conv2D(16, 3, activation="relu")(x))
    return layers.Flatten()(layers.Conv2D(16, 3, activation="relu")(x))


def _lenet5(x: Any, layers: Any) -> Any:
    x = layers.AveragePooling2D(2)(layers.Conv2D(6, 5, padding="same", activation="tanh")(x))
    x = layers.AveragePooling2D(2)(layers.Conv2D(16, 3, padding="same", activation="tanh")(x))
    return layers.Dense(84, activation="tanh")(layers.Dense(120, activation="tanh")(layers.Flatten()(x)))


def _depthwise_bn(x: Any, layers: Any) -> Any:
    x = layers.ReLU(max_value=6)(layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same")(x)))
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(32, 1, use_bias=False)(x)))
    return layers.GlobalAveragePooling2D()(x)


def _residual(x: Any, layers: Any) -> Any:
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x))
    return layers.Flatten()(layers.MaxPooling2D(2)(layers.Activation("relu")(layers.Add()([x, y]))))


def _dropout_gap(x: Any, layers: Any) -> Any:
    x = layers.Dropout(0.2)(layers.Conv2D(32, 3, padding="same", activation="relu")(x))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(32, 3, activation="relu")(x))
    return layers.Dropout(0.2)(x)


def _conv1d(x: Any, layers: Any) -> Any:
    return layers.Flatten()(layers.MaxPooling1D(2)(layers.Conv1D(32, 3, padding="same", activation="relu")(x)))


def _lstm(x: Any, layers: Any) -> Any:
    return layers.LSTM(24)(x)


def _attention(x: Any, layers: Any) -> Any:
    x = layers.Dense(16)(x)
    return layers.Flatten()(layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)])))


BODIES = {
    "mlp": _mlp, "docs_cnn": _docs_cnn, "lenet5": _lenet5, "depthwise_bn": _depthwise_bn, "residual": _residual,
    "dropout_gap": _dropout_gap, "conv1d": _conv1d, "lstm": _lstm, "attention": _attention, "binary": _residual,
    "logits": _residual, "batch_of_one": _mlp,
}  # fmt: skip
HEADS = {"binary": (1, "sigmoid"), "logits": (10, None)}


def train(model: Any, name: str, keras: Any, data: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Teach it enough that its answers are no accident."""
    x, y = data[DATA[name]]
    cut = len(x) * 4 // 5
    kind = keras.losses.BinaryCrossentropy if name == "binary" else keras.losses.SparseCategoricalCrossentropy
    size = 1 if name == "batch_of_one" else 32
    model.compile(keras.optimizers.Adam(3e-3), kind(from_logits=name == "logits"))
    model.fit(x[:cut], y[:cut], batch_size=size, epochs=1 if size == 1 else _EPOCHS, verbose=0)


def save_torch(folder: Path, data: dict[str, tuple[np.ndarray, np.ndarray]], names: list[str]) -> None:
    """Write networks of torch, which take channels first."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    x, y = data["images"]
    cut = len(x) * 4 // 5
    inputs, labels = torch.tensor(x[:cut]).permute(0, 3, 1, 2).contiguous(), torch.tensor(y[:cut])
    cnn = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3), nn.ReLU(),
        nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    mlp = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    for name, module in (("torch_cnn", cnn), ("torch_mlp", mlp)):
        if name not in names:
            continue
        optimizer = torch.optim.Adam(module.parameters(), 3e-3)
        for _ in range(_EPOCHS):
            for start in range(0, cut, 64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(module(inputs[start : start + 64]), labels[start : start + 64]).backward()
                optimizer.step()
        batch = {0: torch.export.Dim("batch")}
        program = torch.export.export(module.eval(), (inputs[:2],), dynamic_shapes=(batch,))
        torch.export.save(program, folder / f"{name}.pt2")


def main(folder: Path, names: list[str]) -> None:
    """Write the networks of these names."""
    import keras
    import tf_keras

    keras.utils.set_random_seed(0)  # of tf_keras too: both draw their seeds from `random`
    data = arrays()
    for name, (x, y) in data.items():
        np.savez(folder / f"{name}.npz", x=x, y=y)
    for name in (each for each in names if each not in TORCH):
        model = network(name, keras)
        train(model, name, keras, data)
        model.save(folder / f"{name}.keras")
        if name in OLD_ONES:
            old = network(name, tf_keras)
            train(old, name, tf_keras, data)
            old.save(folder / f"{name}.tf_keras.keras")
            old.save(folder / f"{name}.h5")
    if importlib.util.find_spec("torch"):
        save_torch(folder, data, names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(DATA))
