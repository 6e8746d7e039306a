"""Train: a dataset, an architecture and a recipe become a model, in a job that can be watched and resumed.

`workbench.train(...)` calls `workbench.train.fit.train`.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.train.fit:train")
