import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest

from workbench.convert.incoming.keras_file import read_description
from workbench.convert.incoming.keras_known import require_harmless
from workbench.core.errors import BadInputError, UntrustedModelError


def _check(*layers: dict[str, Any]) -> None:
    config = {"class_name": "Sequential", "module": "keras", "config": {"layers": list(layers)}}
    require_harmless(config, Path("model.keras"))


DENSE = {
    "module": "keras.layers",
    "class_name": "Dense",
    "registered_name": None,
    "config": {
        "activation": {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"},
        "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {}},
        "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}},
    },
}


def _op(name: str, function: str) -> dict[str, Any]:
    config = {"name": "op", "function": function}
    return {"module": "tf_keras.src.layers.core.tf_op_layer", "class_name": name, "config": config}


def test_keras_own_layers_pass() -> None:
    _check(DENSE, {"class_name": "Conv2D", "config": {"activation": "relu"}})
    _check({"module": "tf_keras.src.engine.functional", "class_name": "Functional", "registered_name": "Functional"})
    _check({"module": "keras.optimizers.schedules", "class_name": "ExponentialDecay", "config": {}})
    _check({"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": "mixed_float16"}})


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ({"class_name": "Lambda", "config": {"name": "sneaky"}}, "Lambda layer"),
        ({"module": "keras.layers", "class_name": "Dense", "config": {"activation": {"class_name": "__lambda__"}}},
         "Lambda"),
        ({"class_name": "RNN", "config": {"cell": {"class_name": "Lambda", "config": {"name": "deep"}}}}, "deep"),
        ({"module": "os", "class_name": "function", "config": "system"}, "os.system"),
        ({"module": "builtins", "class_name": "dict", "config": {}}, "builtins.dict"),
        ({"module": "keras.utils", "class_name": "get_file", "config": {}}, "keras.utils.get_file"),
        ({"module": "kerasx.layers", "class_name": "Dense", "config": {}}, "kerasx.layers.Dense"),
        ({"class_name": "Mine", "registered_name": "team>Mine", "config": {}}, "team>Mine"),
        ({"module": "keras.layers", "class_name": "Dense", "registered_name": "team>Mine", "config": {}}, "Dense"),
        (_op("TFOpLambda", "keras.utils.get_file"), r"TFOpLambda \(op\)"),
        (_op("TFOpLambda", "io.read_file"), r"tf_op_layer\.TFOpLambda \(op\)"),
        ({"class_name": "TFOpLambda", "config": {"name": "old", "function": "io.write_file"}}, r"TFOpLambda \(old\)"),
        (_op("ClassMethod", "io.gfile.GFile"), "ClassMethod"),
        (_op("InstanceMethod", "x"), "InstanceMethod"),
        (_op("InstanceProperty", "x"), "InstanceProperty"),
        (_op("SlicingOpLambda", "x"), "SlicingOpLambda"),
        (_op("OpLambda", "x"), "OpLambda"),
        ({"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
         "StringLookup"),
        ({"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/x"}}, "TFSMLayer"),
        ({"module": "keras.src.layers", "class_name": "Dense", "config": {}}, "keras.src.layers.Dense"),
        ({"module": "keras.layers.core", "class_name": "Dense", "config": {}}, "keras.layers.core.Dense"),
        ({"class_name": ["Dense"], "config": {}}, "Dense"),
        ({"module": 3, "class_name": "Dense", "config": {}}, "3.Dense"),
        ({"module": "keras.utils", "class_name": "function", "config": "get_file"}, "keras.utils.get_file"),
        ({"module": "builtins", "class_name": "function", "config": "exec"}, "builtins.exec"),
        ({"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "eval"}, "eval"),
        ({"module": "builtins", "class_name": "function", "config": {"a": 1}, "registered_name": None}, "builtins"),
        ({"class_name": "Dense", "config": {"activation": "get_file"}}, "an activation get_file"),
        ({"class_name": "GRU", "config": {"recurrent_activation": "get_file"}}, "an activation get_file"),
    ],
)  # fmt: skip
def test_code_is_found_wherever_it_hides(layer: dict[str, Any], named: str) -> None:
    with pytest.raises(UntrustedModelError, match=named):
        _check(DENSE, layer)


def _archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.json", text)
    return path


@pytest.mark.parametrize(
    "config", ["{", "[]x", "[1]", "null", "[" * 100_000], ids=["open", "junk", "list", "null", "deep"]
)
def test_a_description_that_is_none_is_one_sentence(config: str, tmp_path: Path) -> None:
    path = _archive(tmp_path / "m.keras", metadata=json.dumps({"keras_version": "2.21.0"}), config=config)
    with pytest.raises(BadInputError, match="must be a whole Keras model file"):
        read_description(path)


@pytest.mark.parametrize("name", ["../model.json", "assets/../../.bashrc", "/etc/passwd", "assets\\..\\..\\x"])
def test_a_member_that_leads_out_of_the_archive_is_refused(name: str, tmp_path: Path) -> None:
    path = _archive(tmp_path / "m.keras", metadata=json.dumps({"keras_version": "2"}), config="{}")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "text")
    with pytest.raises(UntrustedModelError, match=r"which no \.keras file has"):
        read_description(path)


def test_an_archive_without_a_description_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"config\.json"):
        read_description(_archive(tmp_path / "m.keras", metadata="{}"))


def test_a_claim_of_gigabytes_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2"}))
        archive.writestr("config.json", bytes(range(256)) * (65 * 2**12))
    with pytest.raises(BadInputError, match="claims 68157440 bytes"):
        read_description(path)


def _h5(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": []}})
        file.create_group("model_weights").create_dataset("kernel", data=[1.0])
        file["circle"] = file["/"]
    return path


def _point(path: Path, how: str, secret: Path) -> None:
    with h5py.File(path, "a") as file:
        group = file["model_weights"]
        if how == "external link":
            group["bias"] = h5py.ExternalLink(str(secret), "/")
        elif how == "soft link":
            group["bias"] = h5py.SoftLink("/model_weights/kernel")
        elif how == "external values":
            group.create_dataset("bias", (4,), "u1", external=[(str(secret), 0, 4)])
        else:
            layout = h5py.VirtualLayout((1,), "f4")
            layout[:] = h5py.VirtualSource(str(secret), "x", (1,))
            group.create_virtual_dataset("bias", layout)


POINTERS = ["external link", "soft link", "external values", "virtual"]


def test_a_plain_h5_is_read(tmp_path: Path) -> None:
    assert read_description(_h5(tmp_path / "m.h5")).kind == "h5"


@pytest.mark.parametrize("how", POINTERS)
@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_weights_that_lie_elsewhere_are_refused(how: str, kind: str, tmp_path: Path) -> None:
    path = _h5(tmp_path / "m.h5")
    _point(path, how, tmp_path / "secret")
    if kind == "keras":
        archive = _archive(tmp_path / "m.keras", metadata='{"keras_version": "2.21.0"}', config="{}")
        with zipfile.ZipFile(archive, "a") as opened:
            opened.write(path, "model.weights.h5")
        path = archive
    with pytest.raises(UntrustedModelError, match="/model_weights/bias"):
        read_description(path)
