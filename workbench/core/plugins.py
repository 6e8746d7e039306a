"""One unit, one file, one public class, found by its file name.

A *kind* is a package (`workbench.datasets`, `workbench.train.architectures`, …) whose `base.py` holds the
abstract class. Every other module of the package that defines a subclass of it is a unit, and its name is the
file's name. Outsiders add units through the entry point group `lastmile_workbench.<kind>`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from workbench.core.errors import BadInputError

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """All units of one kind.

    Attributes:
        kind: What a unit is called in messages and in the entry point group, e.g. `datasets`.
        package: Import path of the folder that holds the units.
        base: The abstract class that a unit's public class extends.
    """

    kind: str
    package: str
    base: type[T]

    def names(self) -> tuple[str, ...]:
        """Return the names of all units, ours first, each group in alphabetical order."""
        return (*sorted(self._ours()), *sorted(self._outside()))

    def get(self, name: str) -> type[T]:
        """Return the class of a unit.

        Raises:
            BadInputError: There is none of that name.
        """
        ours = self._ours()
        if name in ours:
            return ours[name]
        outside = self._outside()
        if name in outside:
            return outside[name]
        raise BadInputError.of(self.kind.removesuffix("s"), rule=f"must be one of {', '.join(self.names())}", got=name)

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
        for name, value in vars(module).items():
            if (
                not name.startswith("_")
                and inspect.isclass(value)
                and issubclass(value, self.base)
                and not inspect.isabstract(value)
                and value is not self.base
                and value.__module__ == module_name
            ):
                return value
        return None

    def _outside(self) -> dict[str, type[T]]:
        return {point.name: point.load() for point in entry_points(group=f"lastmile_workbench.{self.kind}")}
