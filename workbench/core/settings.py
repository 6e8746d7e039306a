"""A setting is declared once.

`Settings` is a frozen pydantic model. Validation, panel forms, sweep axes, command-line flags, JSON schema
and documentation are all read from the same declaration through `describe`.
"""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticUndefined

from workbench.core.errors import BadInputError
from workbench.core.settings_doc import with_settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


class Settings(BaseModel):
    """Base of every declared group of settings: frozen, closed, one sentence on bad input."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _one_sentence(type(self), error) from None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """List the settings in the docstring: what is declared once is documented once."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.__doc__ = with_settings(cls.__dict__.get("__doc__"), cls.model_fields)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        """Build from untyped values (JSON, flags, form).

        Raises:
            BadInputError: A value breaks its declared rule.
        """
        if not isinstance(values, dict):
            raise BadInputError.of(cls.__name__, rule="must be an object of settings", got=values)
        return cls(**values)

    def replace(self, **changes: Any) -> Self:
        """Return a validated copy with some values changed."""
        return type(self)(**{**self.model_dump(), **changes})


Kind = Literal["int", "float", "bool", "choice", "text"]


@dataclass(frozen=True)
class FieldSpec:
    """What a form, a flag or a sweep axis needs to know of one setting."""

    name: str
    kind: Kind
    default: Any
    description: str
    low: float | None
    high: float | None
    choices: tuple[Any, ...]
    optional: bool


def describe(settings: type[BaseModel]) -> tuple[FieldSpec, ...]:
    """Read the declared fields of a settings class, in order; nested groups are left to their own form."""
    specs = (_spec(name, info) for name, info in settings.model_fields.items())
    return tuple(spec for spec in specs if spec is not None)


def _spec(name: str, info: FieldInfo) -> FieldSpec | None:
    annotation, optional = _without_none(info.annotation)
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    kind = "choice" if choices else _KINDS.get(annotation)
    if kind is None:
        return None
    default = None if info.default is PydanticUndefined else info.default
    return FieldSpec(
        name=name,
        kind=kind,
        default=default,
        description=info.description or "",
        low=_bound(info, "ge", "gt"),
        high=_bound(info, "le", "lt"),
        choices=choices,
        optional=optional,
    )


_KINDS: dict[Any, Kind] = {int: "int", float: "float", bool: "bool", str: "text"}


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _bound(info: FieldInfo, *names: str) -> float | None:
    for constraint in info.metadata:
        for name in names:
            value = getattr(constraint, name, None)
            if value is not None:
                return float(value)
    return None


def _one_sentence(settings: type[BaseModel], error: ValidationError) -> BadInputError:
    first = error.errors()[0]
    parameter = ".".join(str(part) for part in first["loc"]) or settings.__name__
    if first["type"] == "extra_forbidden":
        known = ", ".join(settings.model_fields)
        return BadInputError(f"{parameter} is not a setting of {settings.__name__}; choose from: {known}.")
    if first["type"] == "missing":
        return BadInputError(f"{parameter} is missing from {settings.__name__}; give it a value.")
    info = settings.model_fields.get(str(first["loc"][0])) if first["loc"] else None
    hint = f"it means: {info.description}" if info is not None and info.description else ""
    return BadInputError.of(parameter, rule=_rule(first["msg"]), got=first["input"], hint=hint.rstrip("."))


_PLAIN = {
    "must be less than or equal to ": "must be at most ",
    "must be greater than or equal to ": "must be at least ",
    "must be less than ": "must be below ",
    "must be greater than ": "must be above ",
}


def _rule(message: str) -> str:
    # pydantic begins with the kind of value ("Input should be …", "String should match …"), ours with "must".
    rule = re.sub(r"^\w+ should ", "must ", message.removeprefix("Value error, "))
    if not rule.startswith("must"):
        rule = f"must be {rule[:1].lower()}{rule[1:]}"
    for said, plain in _PLAIN.items():
        if rule.startswith(said):
            return plain + rule.removeprefix(said)
    return rule
