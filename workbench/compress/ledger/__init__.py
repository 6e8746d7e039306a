"""Why is a model not smaller, not faster?

The verb is imported when it is first used: methods are looked for among all modules of `workbench.compress`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.compress.ledger.account import ledger

__all__ = ["ledger"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from workbench.compress.ledger import account

    return getattr(account, name)
