"""ModelServerConfig: read, written, and compared with protocol buffers' own reader and writer."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import BadInputError
from workbench.serve.config.model_config import All, Latest, ModelConfig, Specific
from workbench.serve.config.model_server import TYPE, read_models, write_models
from workbench.serve.config.tokens import TextProtoError
from workbench.serve.grpc.messages import message

DOCS = """
# The example of TensorFlow Serving's guide, with all it shows in one file.
model_config_list {
  config {
    name: 'my_first_model'
    base_path: '/tmp/my_first_model/'
    model_platform: 'tensorflow'
    model_version_policy {
      specific {
        versions: 42
        versions: 43
      }
    }
    version_labels {
      key: 'stable'
      value: 43
    }
    version_labels {
      key: 'canary'
      value: 42
    }
  }
  config: {
    name: "my_second" "_model",
    base_path: "/tmp/my_second_model/",
    model_platform: "tensorflow",
    model_version_policy: {all: {}},
    logging_config { sampling_config { sampling_rate: 0.5 } }
  },
  config < name: 'third' base_path: '/tmp/third' model_type: TENSORFLOW
    model_version_policy { latest { num_versions: 2 } } >
  config { name: 'fourth' base_path: '/tmp/fourth' model_platform: 'tensorflow' model_version_policy { latest {} } }
}
"""

versions = st.integers(0, 2**63 - 1)
names = st.from_regex(r"[^/:\x00-\x1f\x7f\ud800-\udfff]{1,20}", fullmatch=True)
policies = st.one_of(
    st.builds(Latest, num_versions=st.integers(1, 1 << 31)),
    st.just(All()),
    st.builds(Specific, versions=st.lists(versions, max_size=4).map(tuple)),
)
configs = st.lists(
    st.builds(
        ModelConfig,
        name=names,
        base_path=st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: "/" + text),
        policy=policies,
        labels=st.dictionaries(names, versions, max_size=3),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
)


def one(fields: str) -> str:
    return f"model_config_list {{ config {{ {fields} }} }}"


def test_the_guide() -> None:
    assert read_models(DOCS) == [
        ModelConfig(
            name="my_first_model", base_path="/tmp/my_first_model/", policy=Specific(versions=(42, 43)),
            labels={"stable": 43, "canary": 42},
        ),
        ModelConfig(name="my_second_model", base_path="/tmp/my_second_model/", policy=All()),
        ModelConfig(name="third", base_path="/tmp/third", policy=Latest(num_versions=2)),
        ModelConfig(name="fourth", base_path="/tmp/fourth"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing", "model_config_list {}", "model_config_list: < >"])
def test_nothing_to_serve(text: str) -> None:
    assert read_models(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (one("name: 'm' base_path: 'x' model_platform: 'tensorflow'"),
         "Expected model m to have an absolute path or URI; got base_path()=x"),
        (one("name: 'm' base_path: 'gs://x' model_platform: 'tensorflow'"),
         "Expected model m to have a folder of this machine; got base_path()=gs://x"),
        (one("name: 'm' base_path: '/x'"),
         "Illegal setting neither ModelServerConfig::model_type (deprecated) nor model_platform."),
        (one("name: 'm' base_path: '/x' model_platform: 'tensorflow' model_type: TENSORFLOW"),
         "Illegal setting both ModelServerConfig::model_type (deprecated) and model_platform."),
        (one("name: 'm' base_path: '/x' model_platform: 'caffe'"), "Model m requests unsupported platform caffe"),
        (one("name: 'm' base_path: '/x' model_type: OTHER"), "Model m requests unsupported platform OTHER"),
        ("model_config_list { " + 2 * "config { name: 'm' base_path: '/x' model_platform: 'tensorflow' } " + "}",
         "Illegal to list model m multiple times in config list"),
        ("custom_model_config {}", "ModelServer does not yet support custom model config."),
    ],
)  # fmt: skip
def test_what_the_original_refuses(text: str, words: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_models(text)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model_config_list { config { nmae: 'm' } }",
         'Message type "tensorflow.serving.ModelConfig" has no field named "nmae"'),
        ("improper model config file", "must be a ':' or '{', got 'model'"),
        (one("model_version_policy { latest {} all {} }"),
         "model_version_policy must be one of latest, all and specific, got several"),
        (one("model_version_policy { specific { versions: 'one' } }"), "versions must be a whole number, got 'one'"),
        (one("name: m"), "name must be a string in quotes, got 'm'"),
        (one("name: 'a' name: 'b'"), 'Non-repeated field "name" is specified multiple times'),
    ],
)  # fmt: skip
def test_what_is_no_such_message(text: str, reason: str) -> None:
    with pytest.raises(TextProtoError) as caught:
        read_models(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("fields", ["name: ''", "name: 'a/b'", "name: 'a\\nb'", "version_labels { key: 'a/b' }"])
def test_names_that_no_request_could_carry(fields: str) -> None:
    rest = "base_path: '/x' model_platform: 'tensorflow'" + ("" if fields.startswith("name") else " name: 'm'")
    with pytest.raises(BadInputError, match="must match pattern"):
        read_models(one(f"{fields} {rest}"))


@given(configs)
def test_what_is_written_is_read(found: list[ModelConfig]) -> None:
    assert read_models(write_models(found)) == found


@given(configs)
@settings(max_examples=50)
def test_the_original_reads_what_we_write(found: list[ModelConfig]) -> None:
    read = text_format.Parse(write_models(found), message(TYPE)()).model_config_list.config
    assert [(each.name, each.base_path, dict(each.version_labels)) for each in read] == [
        (each.name, each.base_path, each.labels) for each in found
    ]


@given(
    configs,
    st.fixed_dictionaries(
        {key: st.booleans() for key in ("as_one_line", "as_utf8", "use_short_repeated_primitives", "pointy_brackets")}
    ),
)
@settings(max_examples=50)
def test_we_read_what_the_original_writes(found: list[ModelConfig], style: dict[str, Any]) -> None:
    written = text_format.MessageToString(text_format.Parse(write_models(found), message(TYPE)()), **style)
    assert read_models(written) == found


@given(st.data())
@settings(max_examples=200)
def test_what_we_accept_the_original_accepts(data: st.DataObject) -> None:
    """A file with one sign taken out or changed: ours may be stricter, never laxer."""
    plain = "\n".join(line for line in DOCS.splitlines() if "logging_config" not in line)
    at = data.draw(st.integers(0, len(plain) - 1))
    text = (
        plain[:at]
        + data.draw(st.sampled_from(["", " ", "'", "{", "}", ":", ",", "1", "x", "-", "#", "\\"]))
        + plain[at + 1 :]
    )
    try:
        read_models(text)
    except BadInputError:
        return
    text_format.Parse(text, message(TYPE)())
