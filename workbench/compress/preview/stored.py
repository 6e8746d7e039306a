"""A model file with some of its tensors replaced, and how long it is packed, without writing it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from workbench.evaluate.packing import Packer


class Stored:
    """One such file."""

    def __init__(self, packer: Packer, tensors: Mapping[str, np.ndarray]) -> None:
        """Take the tensors; nothing is computed yet.

        Args:
            packer: Of the original file.
            tensors: Those that are replaced, by name.
        """
        self._packer = packer
        self._tensors = tensors

    @cached_property
    def data(self) -> bytes:
        """The file, byte for byte what writing it would give."""
        return self._packer.file(self._tensors)

    def packed(self, gzipped: Callable[[], int]) -> int:
        """Return its exact length in the packed container.

        Args:
            gzipped: Returns its `gzip_length`, which is found out anyway.
        """
        return self._packer.size(self._tensors, gzipped)
