"""Read a small YAML file for what a person meant: plain values, no code, no second thoughts.

Words such as `no` and dates stay text, and `1e-3` is a number: what YAML 1.1 makes of them surprises people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from workbench.core.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 1 << 20
_NOTHING = {"", "~", "null", "Null", "NULL"}
_TRUTHS = {"true": True, "false": False}
_WHOLE = re.compile(r"[-+]?[0-9][0-9_]{0,30}")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_STANDARD = "tag:yaml.org,2002:"
_TAGS = {_STANDARD + kind for kind in ("str", "map", "seq")}


@dataclass(frozen=True)
class YamlFile:
    """What a file says, and where it says it.

    Attributes:
        name: Of the file, for sentences.
        values: Its mapping; lists are tuples.
        lines: Line number (from 1) by the dotted path of a key.
    """

    name: str
    values: dict[str, Any]
    lines: dict[str, int]

    def place(self, path: str) -> str:
        """Return a key's place for a sentence: the file, and the line where it is known."""
        return f"{self.name}, line {self.lines[path]}" if path in self.lines else self.name


def read_yaml(file: Path) -> YamlFile:
    """Read a file that holds one mapping.

    Raises:
        BadInputError: It cannot be read, is too large, is no YAML, says a key twice, or uses tags or aliases; the line
            is named where there is one.
    """
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadInputError.of("config", rule="must be a file that can be read", got=str(file),
                               hint=f"the system says: {error.strerror or error}") from error  # fmt: skip
    if len(raw) > _MOST_BYTES:
        raise BadInputError.of(file.name, rule=f"must be at most {_MOST_BYTES >> 20} MiB", got="more")
    reader = _Reader(file.name)
    values = reader.read(raw)
    if not isinstance(values, dict):
        raise BadInputError.of(file.name, rule="must hold settings by name (key: value)", got=values)
    return YamlFile(file.name, values, reader.lines)


class _Reader:
    def __init__(self, name: str) -> None:
        self.lines: dict[str, int] = {}
        self._name = name
        self._seen: set[int] = set()

    def read(self, raw: bytes) -> Any:
        try:
            node = yaml.compose(raw.decode("utf-8-sig"), Loader=yaml.BaseLoader)
            return {} if node is None else self._value(node, "")
        except UnicodeDecodeError as error:
            raise BadInputError.of(self._name, rule="must be text in UTF-8", got=str(error)) from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            where = f"{self._name}, line {mark.line + 1}," if mark else self._name
            raise BadInputError.of(where, rule="must be YAML", got=error.problem or "something else") from error
        except yaml.YAMLError as error:
            raise BadInputError.of(self._name, rule="must be YAML", got=str(error).splitlines()[0]) from error
        except RecursionError:
            raise BadInputError.of(self._name, rule="must not be nested so deeply", got="too many levels") from None

    def _value(self, node: yaml.Node, path: str) -> Any:
        if node.tag not in _TAGS:
            raise self._refused(node, "must not use tags", node.tag)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self._seen:
            raise self._refused(node, "must not repeat a part by its name (&name, *name)", path)
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._value(each, f"{path}[{index}]") for index, each in enumerate(node.value))
        return self._mapping(node, path)

    def _mapping(self, node: yaml.Node, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._refused(key, "must have plain words as keys", path or "a list or mapping")
            below = f"{path}.{key.value}" if path else key.value
            if key.value in found:
                rule = f"must say {below} once (it is in line {self.lines[below]} already)"
                raise self._refused(key, rule, key.value)
            self.lines[below] = key.start_mark.line + 1
            found[key.value] = self._value(value, below)
        return found

    def _refused(self, node: yaml.Node, rule: str, got: str) -> BadInputError:
        return BadInputError.of(f"{self._name}, line {node.start_mark.line + 1},", rule=rule, got=got)


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style is not None:  # quoted, or a block of text
        return text
    if text in _NOTHING:
        return None
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
