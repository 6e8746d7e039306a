"""Models of Keras 3 and tf_keras: `.keras` archives, legacy `.h5` files and live ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.convert.incoming.base import Arrival, Brought, Incoming
from workbench.convert.incoming.keras_file import ModelFile, is_archive, is_hdf5, read_description
from workbench.convert.incoming.keras_known import require_harmless
from workbench.convert.keras3 import require_one_in_one_out, twin_of
from workbench.core.errors import BadInputError, WorkbenchError
from workbench.datasets.dataset import safe_name
from workbench.evaluate.parity import Tolerance, parity, require_parity
from workbench.evaluate.runtimes.base import TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workbench.core.records import Parity

MODEL = "model.keras"
_SAMPLES = 64
_LONGEST_REASON = 300


class KerasIncoming(Incoming):
    """Becomes a `tf_keras` artifact, which is what compression takes; Keras 3 is rebuilt as its twin and compared."""

    described: ClassVar[str] = "a .keras or .h5 file"
    ending: ClassVar[str] = ".keras"

    @classmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether it is HDF5, or a ZIP archive with a member that only `.keras` files have."""
        return is_hdf5(start) or is_archive(path, start)

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Say whether an object can save itself as Keras models do."""
        foreign = any(each.__module__.split(".")[0] == "torch" for each in type(model).__mro__)
        return callable(getattr(model, "save", None)) and not foreign

    @classmethod
    def save(cls, model: Any, folder: Path, example: Any = None) -> Path:
        """Have the model's own Keras write it."""
        del example
        name = safe_name(str(getattr(model, "name", "")) or "model")
        file = folder / f"{name}.keras"
        try:
            model.save(file)
        except Exception as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            raise BadInputError.of("model", rule="must be one that can be saved", got=f"{name} ({reason})") from error
        return file

    def bring_in(self, arrival: Arrival) -> Brought:
        """Load it in its own Keras, without code that came with it, and save it as tf_keras."""
        from workbench.train.saving import save_model

        description = read_description(arrival.path)
        if not arrival.trust:
            require_harmless(description.config, arrival.path)
        model, compared = _load(arrival, description)
        require_one_in_one_out(model)
        save_model(model, arrival.target / MODEL)
        return Brought(
            file=MODEL,
            format="tf_keras",
            numeric="float32",
            inputs=_specs(model.inputs),
            outputs=_specs(model.outputs),
            lost=("optimizer state", "training configuration"),
            settings={"source": description.kind, "keras": description.version},
            metrics={
                "parameters": int(model.count_params()),
                "parity": compared.to_json() if compared else None,
            },
        )


def _load(arrival: Arrival, description: ModelFile) -> tuple[Any, Parity | None]:
    """Return the model as tf_keras, and the comparison where it had to be rebuilt."""
    modern = not description.version.startswith(("1.", "2"))
    # Keras goes by the name's ending, even where it is an archive's.
    path = arrival.path.rename(arrival.path.with_suffix(f".{description.kind}"))
    try:
        if modern:
            import keras as library
        else:
            import tf_keras as library
        loaded = library.models.load_model(path, compile=False, safe_mode=not arrival.trust)
    except WorkbenchError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            str(arrival.path), rule=f"must be a model that Keras {description.version} can load", got=reason
        ) from error
    return _rebuilt(loaded, description) if modern else (loaded, None)


def _rebuilt(model: Any, description: ModelFile) -> tuple[Any, Parity]:
    twin = twin_of(model)
    # There is no dataset yet, so both answer the same noise in the range of an image.
    noise = np.random.default_rng(0).random((_SAMPLES, *model.input_shape[1:]), dtype=np.float32)
    compared = parity(
        np.asarray(model(noise, training=False)),
        np.asarray(twin(noise, training=False)),
        source=f"{description.kind}/float32",
        target="tf_keras/float32",
        tolerance=Tolerance.default("float32"),
    )
    return twin, require_parity(compared)


def _specs(tensors: Iterable[Any]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(
            name=tensor.name.split(":")[0],
            dtype=getattr(tensor.dtype, "name", str(tensor.dtype)),
            shape=tuple(-1 if axis is None else int(axis) for axis in tensor.shape),
        )
        for tensor in tensors
    )
