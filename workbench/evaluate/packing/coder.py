"""A byte string of parameters and one entropy-coded stack of symbols, written and read in step.

The stack is that of asymmetric numeral systems (Duda et al., 2015, "The use of asymmetric numeral systems as an
accurate replacement for Huffman coding"): what is pushed last comes out first, so the writer keeps its symbols until
the end. All probabilities are made from integers that the file holds, by single IEEE operations on floats (never by
a sum, whose order may differ between machines), so that every machine decodes alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD = np.dtype("<u4")
_LONGEST_VARINT = 9


class DamagedError(ValueError):
    """The packed bytes contradict themselves; never leaves the package."""


@dataclass
class PackWriter:
    """Takes parameters at once and symbols at the end.

    Attributes:
        plan: The parameters.
        turns: How often a reader has to work out probabilities anew.
    """

    plan: bytearray = field(default_factory=bytearray)
    turns: int = 0
    _pushed: list[tuple[NDArray[np.int32], Any, tuple[Any, ...]]] = field(default_factory=list)

    def varint(self, value: int) -> None:
        """Write a number of any size, seven bits a byte."""
        self.plan += varint(value)

    def counts(self, counts: NDArray[np.int64], *, wide: bool) -> None:
        """Write scaled counts: a byte each where wide, else half a byte."""
        if wide:
            self.plan += counts.astype(np.uint8).tobytes()
            return
        halves = np.zeros(len(counts) + len(counts) % 2, np.uint8)
        halves[: len(counts)] = counts
        self.plan += (halves[::2] | halves[1::2] << 4).tobytes()

    def choices(self, symbols: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
        """Push symbols whose probabilities are their counts' shares."""
        self._pushed.append((symbols, _categorical(counts), ()))

    def choices_each(self, symbols: NDArray[np.int32], weights: NDArray[np.float32]) -> None:
        """Push symbols, each with a row of weights of its own."""
        import constriction

        self._pushed.append((symbols, constriction.stream.model.Categorical(perfect=False), (weights,)))

    def bits(self, bits: NDArray[np.int32], share: float | NDArray[np.float64]) -> None:
        """Push bits that are 1 with the given probability, one for all or one each."""
        model, parameters = _bernoulli(share)
        self._pushed.append((bits, model, parameters))

    def coded(self) -> bytes:
        """Return the stack's bytes; the zero bytes at its end go without saying."""
        import constriction

        stack = constriction.stream.stack.AnsCoder()
        for symbols, model, parameters in reversed(self._pushed):
            stack.encode_reverse(symbols, model, *parameters)
        return bytes(stack.get_compressed().astype(_WORD).tobytes().rstrip(b"\0"))


class PackReader:
    """Gives back what a `PackWriter` took, in the same order; every length is checked before anything is made."""

    def __init__(self, plan: bytes, coded: bytes, turns: int) -> None:
        import constriction

        self._plan, self._at, self._turns = plan, 0, turns
        words = np.frombuffer(coded + bytes(-len(coded) % 4), _WORD).astype(np.uint32)
        if len(words) and not words[-1]:
            raise DamagedError("the coded part ends in zeros")
        self._stack = constriction.stream.stack.AnsCoder(words)

    def varint(self) -> int:
        """Read a number."""
        value, self._at = read_varint(self._plan, self._at)
        return value

    def raw(self, size: int) -> bytes:
        """Read bytes."""
        if size > len(self._plan) - self._at:
            raise DamagedError("the parameters end too early")
        self._at += size
        return self._plan[self._at - size : self._at]

    def counts(self, length: int, *, wide: bool) -> NDArray[np.int64]:
        """Read scaled counts."""
        stored = np.frombuffer(self.raw(length if wide else (length + 1) // 2), np.uint8)
        if not wide:
            stored = np.stack([stored & 15, stored >> 4], axis=1).ravel()[:length]
        if not stored.all():
            raise DamagedError("a symbol that never occurs is listed")
        return stored.astype(np.int64)

    def choices(self, amount: int, counts: NDArray[np.int64]) -> NDArray[np.int32]:
        """Pop symbols."""
        symbols: NDArray[np.int32] = self._stack.decode(_categorical(counts), amount)
        return symbols

    def choices_each(self, weights: NDArray[np.float32]) -> NDArray[np.int32]:
        """Pop a symbol for each row of weights."""
        import constriction

        symbols: NDArray[np.int32] = self._stack.decode(constriction.stream.model.Categorical(perfect=False), weights)
        return symbols

    def bits(self, amount: int, share: float | NDArray[np.float64]) -> NDArray[np.int32]:
        """Pop bits."""
        model, parameters = _bernoulli(share)
        bits: NDArray[np.int32] = self._stack.decode(model, *(parameters or (amount,)))
        return bits

    def take_turns(self, turns: int) -> None:
        """Refuse a file that takes longer than its length allows."""
        self._turns -= turns
        if self._turns < 0:
            raise DamagedError("it takes too many turns")

    def finish(self) -> None:
        """Refuse parameters that nothing read."""
        if self._at != len(self._plan):
            raise DamagedError("there are more parameters than tensors")


def _categorical(counts: NDArray[np.int64]) -> Any:
    import constriction

    return constriction.stream.model.Categorical(counts.astype(np.float32), perfect=False)


def _bernoulli(share: float | NDArray[np.float64]) -> tuple[Any, tuple[Any, ...]]:
    import constriction

    family = constriction.stream.model.Bernoulli
    if isinstance(share, float):
        return family(share, perfect=False), ()
    return family(perfect=False), (share,)


def varint(value: int) -> bytes:
    """Return a number as base-128 digits, the lowest first."""
    digits = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - the high bit says that more follow
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def read_varint(data: bytes, at: int, longest: int = _LONGEST_VARINT) -> tuple[int, int]:
    """Return a number and where the next byte is.

    Args:
        data: Holds it.
        at: Where it begins.
        longest: Bytes that it may have; nine hold 63 bits.

    Raises:
        DamagedError: The data ends in it, or it is longer.
    """
    value = 0
    for place, byte in enumerate(data[at : at + longest]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004
            return value, at + place + 1
    raise DamagedError("a number does not end")
