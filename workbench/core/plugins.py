"""One unit, one file, one public class, found by its file name.

A *kind* is a package (`workbench.datasets`, `workbench.train.architectures`, …) whose `base.py` holds the
abstract class. Every other module of the package that defines a subclass of it is a unit, and its name is the
file's name. Outsiders add units through the entry point group `lastmile_workbench.<kind>`; they are looked for once
a process, and one that is broken is left out of the names and says why where it is asked for.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Generic, TypeGuard, TypeVar

from workbench.core.errors import BadInputError, WorkbenchError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """All units of one kind.

    Attributes:
        kind: What a unit is called in messages and in the entry point group, e.g. `datasets`; a Python name.
        package: Import path of the folder that holds the units.
        base: The abstract class that a unit's public class extends.
    """

    kind: str
    package: str
    base: type[T]

    def __post_init__(self) -> None:
        """Refuse a kind that could not be the end of an entry point group.

        Raises:
            BadInputError: It could not.
        """
        if not self.kind.isidentifier():
            raise BadInputError.of("kind", rule="must be a Python name", got=self.kind)

    def names(self) -> tuple[str, ...]:
        """Return the names of all units that can be used, ours first, each group in alphabetical order."""
        ours = self._ours()
        return (*sorted(ours), *sorted(self._outside.keys() - ours.keys()))

    def get(self, name: str) -> type[T]:
        """Return the class of a unit.

        Raises:
            BadInputError: There is none of that name, or the plugin of that name is broken.
        """
        if not isinstance(name, str):
            raise BadInputError.of(self._one, rule=f"must be one of {', '.join(self.names())}", got=name)
        ours = self._ours()
        if name in ours:
            return ours[name]
        if name in self._outside:
            return self._outside[name]
        if name in self._points:
            return self._loaded(self._points[name])
        raise BadInputError.of(self._one, rule=f"must be one of {', '.join(self.names())}", got=name)

    @property
    def _one(self) -> str:
        return self.kind.removesuffix("s").replace("_", " ")

    def _ours(self) -> dict[str, type[T]]:
        package = importlib.import_module(self.package)
        found = {}
        for info in pkgutil.iter_modules(package.__path__):
            unit = self._public_class(f"{self.package}.{info.name}")
            if unit is not None:
                found[info.name] = unit
        return found

    def _public_class(self, module_name: str) -> type[T] | None:
        module = importlib.import_module(module_name)
        public = {
            name: value
            for name, value in vars(module).items()
            if not name.startswith("_") and inspect.isclass(value) and value.__module__ == module_name
        }
        unit = next((value for value in public.values() if self._is_unit(value)), None)
        if unit is not None and len(public) > 1:
            raise BadInputError.of(
                module_name, rule="must have one public class, since it is a unit", got=", ".join(public),
                hint="give each a file of its own",
            )  # fmt: skip
        return unit

    def _is_unit(self, value: object) -> TypeGuard[type[T]]:
        return (
            inspect.isclass(value)
            and issubclass(value, self.base)
            and value is not self.base
            and not inspect.isabstract(value)
        )

    @cached_property
    def _points(self) -> dict[str, EntryPoint]:
        # To ask means to read the metadata of every installed package, some 10 ms.
        return {point.name: point for point in entry_points(group=f"lastmile_workbench.{self.kind}")}

    @cached_property
    def _outside(self) -> dict[str, type[T]]:
        found = {}
        for name, point in self._points.items():
            try:
                found[name] = self._loaded(point)
            except WorkbenchError:
                continue  # said where it is asked for: one bad package must not cost the others
        return found

    def _loaded(self, point: EntryPoint) -> type[T]:
        try:
            unit: type[T] = point.load()
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise self._broken(point, reason) from error
        if not self._is_unit(unit):
            raise self._broken(point, f"{point.value} is no usable {self.base.__name__}")
        return unit

    def _broken(self, point: EntryPoint, reason: str) -> BadInputError:
        package = f" of {point.dist.name}" if point.dist is not None else ""
        return BadInputError(
            f"The {self._one} {point.name}{package} cannot be loaded ({reason}); repair or uninstall that plugin."
        )
