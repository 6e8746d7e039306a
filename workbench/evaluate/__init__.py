"""Measure a model: how right it is, how sure one may be of that, how big, how fast, and whether that is enough.

Calling the package evaluates an artifact on a dataset: `workbench.evaluate(artifact, dataset)`.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.evaluate.score:evaluate")
