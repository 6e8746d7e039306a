"""Packages that are verbs too.

`workbench.serve` is a package and `workbench.serve(artifact)` is the verb people type. Python binds the package's
name over any function of the same name, so the package itself is made callable.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def callable_package(package: str, verb: str) -> None:
    """Make calling a package call one function of it, which is imported at the first call.

    Args:
        package: The package's `__name__`.
        verb: Import path of the function, `module:function`.
    """
    module_name, function = verb.split(":")

    class Verb(ModuleType):
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return getattr(importlib.import_module(module_name), function)(*args, **kwargs)

    sys.modules[package].__class__ = Verb
