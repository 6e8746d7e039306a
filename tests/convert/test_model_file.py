import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from workbench.convert.model_file import ModelFile, read_description, require_harmless
from workbench.core.errors import BadInputError, UntrustedModelError


def _check(*layers: dict[str, Any]) -> None:
    config = {"class_name": "Sequential", "module": "keras", "config": {"layers": list(layers)}}
    require_harmless(ModelFile("keras", "3.15.1", config), Path("model.keras"))


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


def test_keras_own_layers_pass() -> None:
    _check(DENSE, {"class_name": "Conv2D", "config": {}})


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ({"class_name": "Lambda", "config": {"name": "sneaky"}}, "Lambda layer"),
        ({"module": "keras.layers", "class_name": "Dense", "config": {"activation": {"class_name": "__lambda__"}}},
         "Lambda"),
        ({"class_name": "Wrapper", "config": {"layer": {"class_name": "Lambda", "config": {"name": "deep"}}}}, "deep"),
        ({"module": "os", "class_name": "function", "config": "system"}, "os.function"),
        ({"module": "builtins", "class_name": "dict", "config": {}}, "builtins.dict"),
        ({"module": "keras.utils", "class_name": "get_file", "config": {}}, "keras.utils.get_file"),
        ({"module": "kerasx.layers", "class_name": "Dense", "config": {}}, "kerasx.layers.Dense"),
        ({"class_name": "Mine", "registered_name": "team>Mine", "config": {}}, "team>Mine"),
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


def test_an_archive_without_a_description_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"config\.json"):
        read_description(_archive(tmp_path / "m.keras", metadata="{}"))


def test_a_claim_of_gigabytes_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2"}))
        archive.writestr("config.json", b" " * (65 * 2**20))
    with pytest.raises(BadInputError, match="claims 68157440 bytes"):
        read_description(path)
