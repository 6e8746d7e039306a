"""Sweeps: a space of settings becomes measured points and their frontier.

Calling the package sweeps: `workbench.sweep(Space(chain=…, axes=…), artifact, "digits")`.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.sweep.run:sweep")
