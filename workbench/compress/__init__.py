"""Make a model smaller, and say what was reached rather than what was asked.

Calling the package compresses: `workbench.compress(artifact, MagnitudePruning(sparsity=0.8), data)`.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.compress.run:compress")
