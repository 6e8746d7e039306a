"""How many bits a weight needs that is mostly zero."""

from __future__ import annotations

import math
from typing import Any

from workbench.core.language import _
from workbench.lessons.base import Exercise

_ZEROS, _VALUES = 0.8, 16
_RIGHT = -_ZEROS * math.log2(_ZEROS) - (1 - _ZEROS) * math.log2((1 - _ZEROS) / _VALUES)
_CLOSE = 0.01
_OF_THE_OTHERS = -(1 - _ZEROS) * math.log2((1 - _ZEROS) / _VALUES)
_OF_ONE_OTHER = -_ZEROS * math.log2(_ZEROS) - (1 - _ZEROS) / _VALUES * math.log2((1 - _ZEROS) / _VALUES)


class BitsOfAWeight(Exercise):
    """The entropy of 80 % zeros and 16 values that are equally frequent."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the number of bits."""
        bits = float(answer)
        told = {
            math.log2(_VALUES + 1): _("That is what 17 values take that are all alike in frequency; these are not."),
            math.log2(_VALUES): _("That is what 16 values take where there is no zero beside them."),
            _OF_THE_OTHERS: _("The zeros take a share of the bits too, a small one."),
            _OF_ONE_OTHER: _("There are 16 values beside the zero; each adds to the sum."),
            -_RIGHT: _("It has the wrong sign: the logarithm of a share is negative."),
            _RIGHT * math.log(2): _("That is with the natural logarithm; bits are counted with base 2."),
        }
        for wrong, why in told.items():
            if abs(bits - wrong) < _CLOSE:
                return why
        if abs(bits - _RIGHT) < _CLOSE:
            return ""
        return _("{bits} is not the sum of -p * log2(p) over the zero and 16 values that share the rest.").format(
            bits=f"{bits:.3f}"
        )
