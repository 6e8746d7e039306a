"""The live slider: what a setting costs and buys, measured at once and without fine-tuning.

The names are imported when they are first used: methods are looked for among all modules of `workbench.compress`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.compress.preview.settings import PreviewSettings
    from workbench.compress.preview.slider import Preview, open_preview

__all__ = ["Preview", "PreviewSettings", "open_preview"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from workbench.compress.preview import slider

    return getattr(slider, name)
