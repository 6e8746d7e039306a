"""Pack model files without loss: tensors entropy-coded, the rest deflated, byte for byte the same when unpacked."""

from workbench.evaluate.packing.container import Packer, format_of, pack, unpack

__all__ = ["Packer", "format_of", "pack", "unpack"]
