"""Count the parameters of a convolution."""

from __future__ import annotations

from typing import Any

from workbench.core.language import _
from workbench.lessons.base import Exercise

_WINDOW, _CHANNELS, _FILTERS = 3 * 3, 64, 64


class ParametersOfAConvolution(Exercise):
    """3x3 windows, 64 channels in, 64 filters."""

    def fault(self, answer: Any) -> str:
        """Return what is wrong with the count."""
        if isinstance(answer, bool) or not isinstance(answer, int):
            return _("Give one whole number.")
        told = {
            (_WINDOW * _CHANNELS + 1) * _FILTERS: "",
            _WINDOW * _CHANNELS * _FILTERS: _("Each filter has one number more that is added to its sum."),
            _WINDOW * _CHANNELS: _("That is what one filter is multiplied with; there are more filters."),
            _WINDOW * _FILTERS: _("A window goes through all channels that come in."),
            (_WINDOW + 1) * _FILTERS: _("A window goes through all channels that come in."),
        }
        return told.get(answer, _("Think of one filter first: how many inputs does it see at a place?"))
