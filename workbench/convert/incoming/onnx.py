"""ONNX models of any maker."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.convert.incoming import onnx_external, onnx_wire
from workbench.convert.incoming.base import Arrival, Brought, Incoming
from workbench.convert.incoming.onnx_model import (
    numeric_of,
    parse,
    require_known,
    require_one_in_one_out,
    require_sound_values,
)
from workbench.convert.incoming.trial import answer_noise
from workbench.core.errors import BadInputError
from workbench.datasets.dataset import safe_name

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "model.onnx"
# What ONNX Runtime puts before its reasons: its own name and code, and where in its source that was.
_PREFIX = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : |/\S+\.(?:cc|h):\d+ [^\n]*?\) (?=[A-Z])")


class OnnxIncoming(Incoming):
    """Stays as it is, byte for byte; data that lies in other files is put into the one."""

    described: ClassVar[str] = "an .onnx file"
    ending: ClassVar[str] = ".onnx"

    @classmethod
    def matches(cls, path: Path, start: bytes) -> bool:
        """Say whether its outermost fields are those of an ONNX model with a graph."""
        return bool(start) and onnx_wire.is_model(path)

    @classmethod
    def takes(cls, model: Any) -> bool:
        """Say whether an object is a parsed model."""
        return type(model).__name__ == "ModelProto" and type(model).__module__.startswith("onnx")

    @classmethod
    def save(cls, model: Any, folder: Path, example: Any = None) -> Path:
        """Write it out; data that lies in other files is not found from there."""
        del example
        file = folder / f"{safe_name(model.graph.name or 'model')}.onnx"
        try:
            file.write_bytes(model.SerializeToString())
        except Exception as error:
            # protobuf's own kinds: what is larger than 2 GiB has no bytes.
            raise BadInputError.of("model", rule="must be one that can be saved", got=_reason(error)) from error
        return file

    @classmethod
    def companions(cls, path: Path) -> tuple[str, ...]:
        """Return the files that hold its external data."""
        return onnx_wire.external_locations(path)

    def examine(self, arrival: Arrival) -> Any:
        """Return the parsed model and whether it had external data, after the checker and the engine have seen it."""
        path = arrival.path
        model = parse(path)
        require_known(model, path)
        require_one_in_one_out(model, path)
        merged = onnx_external.merge(model, path)
        require_sound_values(model, path)
        _require_valid(model, path)
        _require_runnable(model, path)
        return model, merged

    def bring_in(self, arrival: Arrival) -> Brought:
        """Examine it and keep the file."""
        model, merged = self.examine(arrival)
        target = arrival.target / MODEL
        if merged:
            target.write_bytes(model.SerializeToString())
        else:
            shutil.copyfile(arrival.path, target)
        numeric = numeric_of(model)
        inputs, outputs = answer_noise(arrival, MODEL, "onnx", numeric)
        opsets = {each.domain or "ai.onnx": each.version for each in model.opset_import}
        producer = " ".join(filter(None, (model.producer_name, model.producer_version)))
        return Brought(
            file=MODEL,
            format="onnx",
            numeric=numeric,
            inputs=inputs,
            outputs=outputs,
            settings={"source": "onnx", "producer": producer, "opsets": opsets, "external_data": merged},
        )


def _require_valid(model: Any, path: Path) -> None:
    import onnx

    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        # The checker raises its own kinds, shape inference others, and protobuf a third for what is too large.
        raise BadInputError.of(str(path), rule="must be valid ONNX", got=_reason(error)) from error


def _require_runnable(model: Any, path: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        version = onnxruntime.__version__
        raise BadInputError.of(
            str(path), rule=f"must be a model that ONNX Runtime {version} can run", got=_reason(error)
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(_PREFIX.sub("", str(error)).split()) or type(error).__name__
