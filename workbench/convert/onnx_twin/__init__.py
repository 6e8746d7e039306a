"""An ONNX graph rebuilt as a tf_keras model of plain layers: the way from ONNX to TFLite, SavedModel and compression.

It knows the operators that networks like ours become when tf2onnx, Keras 3 or torch exports them, and names the first
one that it does not know.
"""

from workbench.convert.onnx_twin.twin import keras_twin, unknown_operator

__all__ = ["keras_twin", "unknown_operator"]
