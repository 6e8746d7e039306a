"""`run.yaml`: what it says, what it may not say, and how the sentence reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.errors import BadInputError, WorkbenchError
from workbench.evaluate.gate import Gate
from workbench.pipeline.config import RunConfig, read_config, run_schema
from workbench.pipeline.publishing import PublishSettings
from workbench.pipeline.settings import RoadSettings
from workbench.pipeline.yaml_file import read_yaml

WHOLE = """\
# Trains on every push.
road:
  dataset: digits
  epochs: 3
  sparsity: .5   # half
gate:
  min_accuracy: 9.5e-1
  max_drop: null
publish:
  name: digits
  model: tflite/int8
  labels: [canary, "2024"]
  by: no
"""


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "run.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(BadInputError) as caught:
        read_config(written(folder, text))
    return str(caught.value)


def test_a_whole_file_says_what_python_says(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, WHOLE)) == RunConfig(
        road=RoadSettings(dataset="digits", epochs=3, sparsity=0.5),
        gate=Gate(min_accuracy=0.95),
        publish=PublishSettings(name="digits", model="tflite/int8", labels=("canary", "2024"), by="no"),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "road:\n", "road: {}\ngate: ~\n"])
def test_what_is_left_out_is_as_ever(tmp_path: Path, text: str) -> None:
    assert read_config(written(tmp_path, text)) == RunConfig() == read_config()


def test_what_it_prints_is_what_it_reads(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, WHOLE))
    assert read_config(written(tmp_path, config.to_yaml())) == config
    assert read_config(written(tmp_path, RunConfig().to_yaml())) == RunConfig()


def test_flags_win_over_the_file_one_by_one(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, WHOLE), road={"epochs": 9}, gate={"max_bytes": 1}, publish={"name": "other"})
    assert (found.road.epochs, found.road.sparsity) == (9, 0.5)
    assert found.gate == Gate(min_accuracy=0.95, max_bytes=1)
    assert found.publish is not None
    assert (found.publish.name, found.publish.model) == ("other", "tflite/int8")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("road:\n  epocs: 3\n", "run.yaml, line 2: road.epocs is not a setting of a run; did you mean road.epochs?"),
        ("epochs: 3\n", "line 1: epochs is not a setting of a run; did you mean road.epochs?"),
        ("road:\n  min_accuracy: 1\n", "did you mean gate.min_accuracy?"),
        ("gates:\n  min_accuracy: 1\n", "line 1: gates is not a setting of a run; did you mean gate?"),
        ("qqq: 1\n", "choose from: gate, publish, road"),
        ("road:\n\n  epochs: 501\n", "run.yaml, line 3: road.epochs must be at most 500, got 501;"),
        ("road:\n  epochs: three\n", "line 2: road.epochs must be a valid integer"),
        ("publish: {labels: [ok, n-o], name: a}\n", "line 1: publish: label must be made of letters, digits and _"),
        ("publish:\n  model: onnx\n  name: a\n", "line 2: publish.model must be 'smallest', 'onnx/float32'"),
        ("publish:\n  labels: [a]\n", "line 1: publish: name is missing from PublishSettings"),
        ("road: 3\n", "line 1: road must hold settings by name, got 3; for instance dataset: …"),
        ("- road\n", "run.yaml must hold settings by name (key: value)"),
        ("road:\n  seed: 1\n  seed: 2\n", "line 3, must say road.seed once (it is in line 2 already)"),
        ("road:\n  epochs: [1\n", "must be YAML"),
        ("road: &a\n  seed: 1\ngate: *a\n", "must not repeat a part by its name"),
        ("road: &a\n  seed: *a\n", "must not repeat a part by its name"),
        ("road:\n  dataset: !!python/object:os.system x\n", "line 2, must not use tags"),
        ("? [a, b]\n: 1\n", "must have plain words as keys"),
        ("a: 1\n---\nb: 1\n", "must be YAML"),
        ("[" * 5000, "must not be nested so deeply"),
        (b"\xff\xfe\x00", "must be text in UTF-8"),
        (b"road:\n  dataset: a\x00b\n", "must be YAML"),
        ("#" * (1 << 20) + "\n", "must be at most 1 MiB"),
    ],
)  # fmt: skip
def test_a_sentence_says_what_is_wrong_and_where(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"config must be a file that can be read, got '.*none.yaml'"):
        read_config(tmp_path / "none.yaml")


def test_what_a_flag_said_is_not_looked_for_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"^epochs must be at most 500, got 777"):
        read_config(written(tmp_path, WHOLE), road={"epochs": 777})


def test_the_path_of_a_dataset_begins_at_the_file(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, "road: {dataset: data/own.csv}\n"))
    assert found.road.dataset == str(tmp_path / "data" / "own.csv")
    assert read_config(written(tmp_path, "road: {dataset: digits}\n")).road.dataset == "digits"


def test_the_schema_is_that_of_the_settings() -> None:
    schema = json.loads(json.dumps(run_schema()))
    assert set(schema["properties"]) == {"road", "gate", "publish"}
    road = schema["$defs"]["RoadSettings"]
    assert road["properties"].keys() == RoadSettings.model_fields.keys()
    assert road["properties"]["sparsity"]["exclusiveMaximum"] == 1
    assert all(part["additionalProperties"] is False for part in (schema, *schema["$defs"].values()))


@pytest.mark.parametrize("text", ["", WHOLE, RunConfig().to_yaml()])
def test_what_is_read_holds_to_the_schema(tmp_path: Path, text: str) -> None:
    schema = json.loads(json.dumps(run_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    values = json.loads(json.dumps(read_yaml(written(tmp_path, text)).values))
    jsonschema.validate(values, schema, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError, match="epocs"):
        jsonschema.validate({"road": {"epocs": 3}}, schema, cls=jsonschema.Draft202012Validator)


def test_the_file_in_the_documents_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "do" / "run-config.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert examples
    for text in examples:
        assert read_config(written(tmp_path, text)).publish is not None
    for name in ("road", "gate", "publish", *PublishSettings.model_fields):
        assert name in page


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def said(file: Path) -> str:
    """What a file is refused with; empty where it is taken."""
    try:
        read_config(file)
    except WorkbenchError as error:
        return str(error)
    return ""


@given(ANY)
def test_no_yaml_is_met_with_a_traceback(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    text = yaml.safe_dump({"road": {"dataset": value}, "gate": value}, allow_unicode=True)
    assert "\n" not in said(written(tmp_path_factory.getbasetemp(), text))


@given(st.binary(max_size=60))
def test_no_bytes_are_met_with_a_traceback(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    assert "\n" not in said(written(tmp_path_factory.getbasetemp(), raw))
