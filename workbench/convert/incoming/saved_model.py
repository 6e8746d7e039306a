"""SavedModel directories, of Keras or not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.incoming.base import Arrival, Brought, Incoming
from workbench.convert.incoming.saved_model_file import (
    DEFAULT,
    FILE,
    Signature,
    parse,
    require_harmless,
    require_sound_values,
    signatures_of,
)
from workbench.convert.incoming.trial import answer_noise
from workbench.convert.incoming.values import require_finite
from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.core.artifact import Numeric

MODEL = "saved_model"
_LONGEST_REASON = 300
# Keras' own description can hold the code of Lambda layers, and TensorFlow Serving has no use for it.
_KERAS = "keras_metadata.pb"
_KEPT = (FILE, "fingerprint.pb", "variables", "assets")
_NUMBERS = ("float", "int", "uint", "bfloat", "bool")


class SavedModelIncoming(Incoming):
    """Its graph, variables and assets stay as they are; a signature other than the default one is exported anew."""

    described: ClassVar[str] = "a SavedModel directory"
    ending: ClassVar[str] = ""

    @classmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether it is a directory with a graph in it."""
        del start
        return (path / FILE).is_file()

    def examine(self, arrival: Arrival) -> tuple[Any, Signature]:
        """Return its graph and the signature that is asked for; only the protocol buffer is read."""
        meta = parse(arrival.path)
        signature = _chosen(meta, arrival)
        require_harmless(meta, arrival.path, trust=arrival.trust)
        require_sound_values(meta, arrival.path)
        return meta, signature

    def bring_in(self, arrival: Arrival) -> Brought:
        """Examine it, let TensorFlow load it, and keep it."""
        meta, signature = self.examine(arrival)
        call, loaded = _loaded(arrival, signature)
        target = arrival.target / MODEL
        lost = _keep(arrival.path, target)
        if signature.name != DEFAULT:
            shutil.rmtree(target)
            lost = (*lost, *_export(call, loaded, signature, target, signatures_of(meta)))
        numeric = _numeric_of(call)
        inputs, outputs = answer_noise(arrival, MODEL, "saved_model", numeric)
        return Brought(
            file=MODEL,
            format="saved_model",
            numeric=numeric,
            inputs=inputs,
            outputs=outputs,
            lost=lost,
            settings={
                "source": "saved_model",
                "tensorflow": meta.meta_info_def.tensorflow_version,
                "signature": signature.name,
                "signatures": sorted(signatures_of(meta)),
            },
        )


def _chosen(meta: Any, arrival: Arrival) -> Signature:
    found, wanted = signatures_of(meta), arrival.signature or DEFAULT
    if wanted not in found:
        raise BadInputError.of(
            str(arrival.path), rule=f"must have the signature {wanted}", got=sorted(found),
            hint="choose one with signature=…" if found else "save it with signatures=…",
        )  # fmt: skip
    signature = found[wanted]
    for side, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        if len(tensors) != 1:
            others = sorted(name for name, each in found.items() if len(each.inputs) == len(each.outputs) == 1)
            raise BadInputError.of(
                str(arrival.path), rule=f"must have one {side} in its signature {wanted}", got=sorted(tensors),
                hint=f"choose one with signature=…: {', '.join(others)}" if others else "save it with another one",
            )  # fmt: skip
        (tensor,) = tensors.values()
        if tensor.WhichOneof("encoding") != "name" or not _type_name(tensor.dtype).startswith(_NUMBERS):
            raise BadInputError.of(
                str(arrival.path), rule=f"must have numbers as {side} in its signature {wanted}",
                got=_type_name(tensor.dtype), hint="save it with a signature of plain tensors",
            )  # fmt: skip
    return signature


def _type_name(number: int) -> str:
    import tensorflow as tf

    try:
        return str(tf.dtypes.as_dtype(number).name)
    except TypeError:
        return f"type {number}"


def _loaded(arrival: Arrival, signature: Signature) -> tuple[Any, Any]:
    """Return the signature's function and what holds its variables."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(arrival.path))
        call = loaded.signatures[signature.name]
        for variable in call.variables:
            if variable.dtype.is_floating:
                require_finite(arrival.path, variable.name, variable.numpy())
    except BadInputError:
        raise
    except Exception as error:
        # TensorFlow raises whatever it meets; the traceback is in the run's log.
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise BadInputError.of(
            str(arrival.path), rule=f"must be a SavedModel that TensorFlow {tf.__version__} can load", got=reason
        ) from error
    return call, loaded


def _keep(source: Path, target: Path) -> tuple[str, ...]:
    """Copy what belongs to a SavedModel, and return what was left behind."""
    target.mkdir()
    lost = []
    for entry in sorted(source.iterdir()):
        if entry.name in _KEPT:
            (shutil.copytree if entry.is_dir() else shutil.copyfile)(entry, target / entry.name)
        else:
            lost.append("Keras' description of the layers" if entry.name == _KERAS else f"the file {entry.name}")
    return tuple(lost)


def _export(call: Any, loaded: Any, signature: Signature, target: Path, found: dict[str, Signature]) -> tuple[str, ...]:
    """Write a SavedModel whose `serving_default` is another signature, and return what was left behind."""
    import tensorflow as tf

    (name,) = signature.inputs
    spec = call.structured_input_signature[1][name]
    serve = tf.function(lambda given: call(**{name: given}), input_signature=[spec])
    module = tf.Module()
    module.loaded, module.serve = loaded, serve
    tf.saved_model.save(module, str(target), signatures={DEFAULT: serve.get_concrete_function()})
    return tuple(f"the signature {each}" for each in sorted(found) if each != signature.name)


def _numeric_of(call: Any) -> Numeric:
    halves = sum(variable.dtype.name in ("float16", "bfloat16") for variable in call.variables)
    return "float16" if 2 * halves > len(call.variables) else "float32"
