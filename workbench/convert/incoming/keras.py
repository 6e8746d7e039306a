"""Models of Keras 3 and tf_keras: `.keras` archives, legacy `.h5` files and live ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from workbench.convert.incoming.base import Arrival, Brought, Incoming
from workbench.convert.incoming.keras_file import ModelFile, is_archive, is_hdf5, read_description
from workbench.convert.incoming.keras_known import objects_in, require_code, require_harmless
from workbench.convert.incoming.trial import answer_noise, noise_for
from workbench.convert.keras3 import require_one_in_one_out, twin_of
from workbench.core.errors import BadInputError, ParityError, WorkbenchError
from workbench.datasets.dataset import safe_name
from workbench.evaluate.parity import Tolerance, parity, require_parity
from workbench.evaluate.runtimes.base import TensorSpec
from workbench.train.saving import save_model, save_undated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workbench.core.records import Parity

MODEL = "model.keras"
_SAMPLES = 64
_LONGEST_REASON = 300
# How both Keras begin to say it.
_NO_CLASS = "Could not locate class", "Unknown layer"
_ONLY_FOR_TRAINING = ("_regularizer", "_constraint")


class KerasIncoming(Incoming):
    """Becomes `tf_keras`, which is what compression takes: Keras 3 is rebuilt as its twin; without one it stays."""

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

    def examine(self, arrival: Arrival) -> ModelFile:
        """Return what it says of itself, after its values were read and its layers looked at."""
        description = read_description(arrival.path)
        if not arrival.trust:
            require_harmless(description.config, arrival.path)
        return description

    def bring_in(self, arrival: Arrival) -> Brought:
        """Load it in its own Keras, without code that came with it, and save it as tf_keras where that is possible."""
        description = self.examine(arrival)
        model = _load(arrival, description)
        require_one_in_one_out(model)
        if not description.modern:
            return _as_tf_keras(arrival, description, model)
        try:
            twin, compared = _rebuilt(model, description)
        except (BadInputError, ParityError) as error:
            return _as_it_is(arrival, description, model, str(error).rstrip("."))
        learning = ("regularizers and constraints of layers",) if _has_rules_for_learning(description) else ()
        return _as_tf_keras(arrival, description, twin, compared, learning)


def _load(arrival: Arrival, description: ModelFile) -> Any:
    # Keras goes by the name's ending, even where it is an archive's.
    path = arrival.path.rename(arrival.path.with_suffix(f".{description.kind}"))
    try:
        if description.modern:
            import keras as library
        else:
            import tf_keras as library
        return library.models.load_model(path, compile=False, safe_mode=not arrival.trust)
    except WorkbenchError:
        raise
    except Exception as error:
        if any(said in str(error) for said in _NO_CLASS):
            require_code(description.config, arrival.path)
        # Keras puts its own words and the whole configuration before the reason.
        reason = " ".join(str(error).rpartition("Exception encountered: ")[2].split()) or type(error).__name__
        raise BadInputError.of(
            str(arrival.path), rule=f"must be a model that Keras {description.version} can load", got=reason
        ) from error


def _rebuilt(model: Any, description: ModelFile) -> tuple[Any, Parity]:
    """Return the twin and how it answers noise in the range of an image, for there is no dataset yet.

    Raises:
        BadInputError: A layer has no twin, or the input's shape is not known.
        ParityError: It answers otherwise.
    """
    twin = twin_of(model)
    (spec,) = _specs(model.inputs)
    noise = noise_for(spec, _SAMPLES).astype(spec.dtype)
    compared = parity(
        np.asarray(model(noise, training=False)),
        np.asarray(twin(noise, training=False)),
        source=f"{description.kind}/float32",
        target="tf_keras/float32",
        # Outputs this close are the same ones; labels would be lots drawn between classes that noise leaves equal.
        tolerance=Tolerance(max_abs=Tolerance.default("float32").max_abs, min_agreement=0),
    )
    return twin, require_parity(compared)


def _as_tf_keras(
    arrival: Arrival,
    description: ModelFile,
    model: Any,
    compared: Parity | None = None,
    lost: tuple[str, ...] = (),
) -> Brought:
    save_model(model, arrival.target / MODEL)
    return Brought(
        file=MODEL,
        format="tf_keras",
        numeric="float32",
        inputs=_specs(model.inputs),
        outputs=_specs(model.outputs),
        lost=(*description.training, *lost),
        settings=_origin(description),
        metrics={"parameters": int(model.count_params()), "parity": compared.to_json() if compared else None},
    )


def _as_it_is(arrival: Arrival, description: ModelFile, model: Any, reason: str) -> Brought:
    arrival.note(f"It stays a Keras 3 model, which conversions take and compression methods do not: {reason}.")
    save_undated(model, arrival.target / MODEL)
    inputs, outputs = answer_noise(arrival, MODEL, "keras", "float32")
    return Brought(
        file=MODEL,
        format="keras",
        numeric="float32",
        inputs=inputs,
        outputs=outputs,
        lost=(*description.training, f"compression, whose methods take tf_keras models only: {reason}"),
        settings=_origin(description),
        metrics={"parameters": int(model.count_params()), "parity": None},
    )


def _origin(description: ModelFile) -> dict[str, Any]:
    return {"source": description.kind, "keras": description.version}


def _has_rules_for_learning(description: ModelFile) -> bool:
    return any(
        value is not None and key.endswith(_ONLY_FOR_TRAINING)
        for each in objects_in(description.config)
        for key, value in each.items()
    )


def _specs(tensors: Iterable[Any]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(
            name=tensor.name.split(":")[0],
            dtype=getattr(tensor.dtype, "name", str(tensor.dtype)),
            shape=tuple(-1 if axis is None else int(axis) for axis in tensor.shape),
        )
        for tensor in tensors
    )
