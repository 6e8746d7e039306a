"""A whole run as a file: `run.yaml` says what to do, what must hold and where the result goes.

Its schema is the settings that Python and the flags have too; nothing is declared a second time.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]
from pydantic import Field

from workbench.core.errors import BadInputError
from workbench.core.settings import Settings
from workbench.datasets.base import SOURCES
from workbench.evaluate.gate import Gate
from workbench.pipeline.publishing import PublishSettings
from workbench.pipeline.settings import RoadSettings
from workbench.pipeline.yaml_file import YamlFile, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECTIONS: dict[str, type[Settings]] = {"road": RoadSettings, "gate": Gate, "publish": PublishSettings}


class RunConfig(Settings):
    """What `workbench run --config run.yaml` reads."""

    road: RoadSettings = Field(default_factory=RoadSettings, description="what to do on the way")
    gate: Gate | None = Field(None, description="what must hold; what the dataset declares where it is left out")
    publish: PublishSettings | None = Field(
        None, description="where what passed goes; nothing is published where it is left out"
    )

    def to_yaml(self) -> str:
        """Return the configuration as a file that gives it back; what nobody asked for is left out."""
        text: str = yaml.safe_dump(
            self.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True, width=120
        )
        return text


def run_schema() -> dict[str, Any]:
    """Return the JSON schema of `run.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **RunConfig.model_json_schema(),
        "title": "run.yaml",
        "description": "What `workbench run --config run.yaml` does.",
    }


def read_config(file: Path | str | None = None, **over: Mapping[str, Any]) -> RunConfig:
    """Read a run's configuration.

    Args:
        file: A YAML file with the sections `road`, `gate` and `publish`; None is an empty one. The path of a dataset
            in it is seen from the file's own folder.
        **over: Values a section that win over the file's, such as the flags of a command line.

    Raises:
        BadInputError: The file is no YAML, a key is none of ours (the nearest is named), or a value breaks its rule;
            the line and the path of the key are named.
    """
    read = YamlFile("run", {}, {}) if file is None else read_yaml(Path(file))
    _require_known(read)
    sections = {name: _section(read, name) for name in read.values}
    if file is not None:
        _find_dataset(sections.get("road"), Path(file).absolute().parent)
    for name, values in over.items():
        if values:
            sections[name] = {**(sections.get(name) or {}), **values}
    parsed = {name: _parsed(name, values, read, over) for name, values in sections.items() if values is not None}
    return RunConfig(**parsed)


def _section(read: YamlFile, name: str) -> dict[str, Any] | None:
    values = read.values[name]
    if values is None or isinstance(values, dict):
        # A heading with nothing below it is what it says: nothing.
        return values or None
    raise BadInputError.of(f"{read.place(name)}: {name}", rule="must hold settings by name", got=values,
                           hint=f"for instance {next(iter(_SECTIONS[name].model_fields))}: …")  # fmt: skip


def _parsed(name: str, values: dict[str, Any], read: YamlFile, over: Mapping[str, Mapping[str, Any]]) -> Settings:
    try:
        return _SECTIONS[name].parse(values)
    except BadInputError as error:
        # The sentence begins with the setting's name; what a flag said is not to be looked for in the file.
        key = str(error).partition(" ")[0].partition("[")[0].partition(".")[0]
        if key in over.get(name, {}) or name not in read.lines:
            raise
        if f"{name}.{key}" in read.lines:
            raise BadInputError(f"{read.place(f'{name}.{key}')}: {name}.{error}") from None
        raise BadInputError(f"{read.place(name)}: {name}: {error}") from None


def _require_known(read: YamlFile) -> None:
    known = set(_known())
    for path in _paths(read.values):
        if path not in known:
            raise BadInputError(
                f"{read.place(path)}: {path} is not a setting of a run; {_meant(path, sorted(known))} "
                "(`workbench run --print-schema` lists all)."
            )


def _known() -> Iterator[str]:
    for name, section in _SECTIONS.items():
        yield name
        yield from (f"{name}.{key}" for key in section.model_fields)


def _paths(values: Mapping[str, Any]) -> Iterator[str]:
    for name, below in values.items():
        yield name
        if isinstance(below, dict) and name in _SECTIONS:
            yield from (f"{name}.{key}" for key in below)


def _meant(path: str, known: list[str]) -> str:
    key = path.rpartition(".")[2]
    elsewhere = [each for each in known if each.rpartition(".")[2] == key]
    inside = [each for each in known if each.rpartition(".")[0] == path.rpartition(".")[0]]
    near = elsewhere or difflib.get_close_matches(path, inside, 1) or difflib.get_close_matches(path, known, 1, 0.5)
    if not near:
        leaves = {each.rpartition(".")[2]: each for each in known}
        near = [leaves[each] for each in difflib.get_close_matches(key, leaves, 1)]
    return f"did you mean {near[0]}?" if near else f"choose from: {', '.join(inside)}"


def _find_dataset(road: dict[str, Any] | None, folder: Path) -> None:
    """Have a file mean the same from wherever it is run: a path in it begins at its folder."""
    said = (road or {}).get("dataset")
    if road is not None and isinstance(said, str) and said not in SOURCES.names():
        road["dataset"] = str(folder / Path(said).expanduser())
