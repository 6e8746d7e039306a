"""Bring a model into another format, and prove on real samples that it still answers the same.

Calling the package converts: `workbench.convert(artifact, "onnx", dataset=data)`.
"""

from workbench.core.verbs import callable_package

callable_package(__name__, "workbench.convert.run:convert")
