"""A server that a TensorFlow Serving client cannot tell from the real one, in a child process.

`workbench.serve(artifact, name="mnist")` starts it; the package itself is the verb.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.serve.sandbox:serve")
