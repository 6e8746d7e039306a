"""A model in one archive with all that serving it elsewhere takes, and the check that nobody changed it on the way.

`workbench.package(artifact, name="digits")` writes it; the package itself is the verb.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.package.bundle:package")
