"""`--model_config_file`: tensorflow.serving.ModelServerConfig, read and written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.core.errors import BadInputError
from workbench.serve.config.fields import Fields
from workbench.serve.config.model_config import All, Latest, ModelConfig, Specific
from workbench.serve.config.text_proto import parse
from workbench.serve.config.tokens import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPE = "tensorflow.serving.ModelServerConfig"

_PLATFORM = "tensorflow"
_MODEL_TYPES = {"0": "", "MODEL_TYPE_UNSPECIFIED": "", "1": "TENSORFLOW"}
_POLICY = "tensorflow.serving.FileSystemStoragePathSourceConfig.ServableVersionPolicy"


def read_models(text: str) -> list[ModelConfig]:
    """Read the models a server shall hold.

    Request logging (`logging_config`) is read over: it does not change what is served.

    Args:
        text: The file.

    Raises:
        TextProtoError: It is no such message; the line and the column are named.
        BadInputError: It asks for what cannot be, in TensorFlow Serving's words where it has some.
    """
    top = Fields(parse(text), TYPE)
    custom = top.ignore(["custom_model_config"])
    models = top.message("model_config_list", "tensorflow.serving.ModelConfigList")
    top.end()
    read = [] if models is None else [_read(one) for one in models.messages("config", "tensorflow.serving.ModelConfig")]
    if models is not None:
        models.end()
    if custom:
        raise BadInputError("ModelServer does not yet support custom model config.")
    # Only a file that is whole is asked whether it makes sense, as in the original.
    for name, times in Counter(one.name for one in read).items():
        if times > 1:
            raise BadInputError(f"Illegal to list model {name} multiple times in config list")
    return [one.checked() for one in read]


def write_models(configs: Sequence[ModelConfig]) -> str:
    """Return the file for the same models that the original `tensorflow_model_server` takes."""
    return "model_config_list {\n" + "".join(map(_written, configs)) + "}\n"


@dataclass(frozen=True)
class _Read:
    # One model as it is written.
    name: str
    base_path: str
    platform: str
    model_type: str
    policy: Latest | All | Specific
    labels: dict[str, int]

    def checked(self) -> ModelConfig:
        if self.platform and self.model_type:
            raise BadInputError("Illegal setting both ModelServerConfig::model_type (deprecated) and model_platform.")
        if not self.platform and not self.model_type:
            raise BadInputError(
                "Illegal setting neither ModelServerConfig::model_type (deprecated) nor model_platform."
            )
        if _PLATFORM not in (self.platform, self.model_type.lower()):
            raise BadInputError(f"Model {self.name} requests unsupported platform {self.platform or self.model_type}")
        if not self.base_path.startswith("/"):
            kind = "a folder of this machine" if "://" in self.base_path else "an absolute path or URI"
            raise BadInputError(f"Expected model {self.name} to have {kind}; got base_path()={self.base_path}")
        return ModelConfig(name=self.name, base_path=self.base_path, policy=self.policy, labels=self.labels)


def _read(fields: Fields) -> _Read:
    model_type = fields.choice("model_type")
    found = _Read(
        name=fields.text("name"),
        base_path=fields.text("base_path"),
        platform=fields.text("model_platform"),
        model_type=_MODEL_TYPES.get(model_type, model_type),
        policy=_policy(fields.message("model_version_policy", _POLICY)),
        labels=dict(_label(one) for one in fields.messages("version_labels", f"{TYPE}.VersionLabels")),
    )
    fields.ignore(["logging_config"])
    fields.end()
    return found


def _policy(fields: Fields | None) -> Latest | All | Specific:
    if fields is None:
        return Latest()
    chosen: list[Latest | All | Specific] = []
    if (latest := fields.message("latest", f"{_POLICY}.Latest")) is not None:
        chosen.append(Latest(num_versions=max(latest.integer("num_versions") or 1, 1)))
        latest.end()
    if (every := fields.message("all", f"{_POLICY}.All")) is not None:
        chosen.append(All())
        every.end()
    if (specific := fields.message("specific", f"{_POLICY}.Specific")) is not None:
        chosen.append(Specific(versions=tuple(specific.integers("versions"))))
        specific.end()
    fields.end()
    if len(chosen) > 1:
        raise fields.error("model_version_policy must be one of latest, all and specific, got several")
    return chosen[0] if chosen else Latest()


def _label(fields: Fields) -> tuple[str, int]:
    label, version = fields.text("key"), fields.integer("value") or 0
    fields.end()
    return label, version


def _written(config: ModelConfig) -> str:
    lines = [
        f"name: {quoted(config.name)}",
        f"base_path: {quoted(config.base_path)}",
        f'model_platform: "{_PLATFORM}"',
        f"model_version_policy {{ {_written_policy(config.policy)} }}",
        *(
            f"version_labels {{ key: {quoted(label)} value: {version} }}"
            for label, version in sorted(config.labels.items())
        ),
    ]
    return "  config {\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def _written_policy(policy: Latest | All | Specific) -> str:
    if isinstance(policy, Latest):
        return f"latest {{ num_versions: {policy.num_versions} }}"
    if isinstance(policy, All):
        return "all {}"
    return f"specific {{ {''.join(f'versions: {version} ' for version in policy.versions)}}}"
