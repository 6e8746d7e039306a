"""Pack model files without loss: tensors entropy-coded, the rest deflated, byte for byte the same when unpacked."""

from workbench.evaluate.packing.container import Packer, pack, unpack
from workbench.evaluate.packing.frame import format_of

__all__ = ["Packer", "format_of", "pack", "unpack"]
