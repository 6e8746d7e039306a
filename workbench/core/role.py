"""Who is at the page: an operator, or a viewer, who looks and changes nothing.

The role of a process is in its environment, where whoever started it put it. Nothing that a page sends can change it.
"""

from __future__ import annotations

import os

from workbench.core.errors import BadInputError

VARIABLE, OPERATOR, VIEWER = "WORKBENCH_ROLE", "operator", "viewer"


def may_act() -> bool:
    """Say whether this process may write, start jobs and control servers; a role nobody knows may not."""
    return os.environ.get(VARIABLE, OPERATOR) == OPERATOR


def require_operator() -> None:
    """Refuse a viewer.

    Raises:
        BadInputError: This process is a viewer's.
    """
    if not may_act():
        raise BadInputError.of(
            "this page", rule="must be an operator's to do that", got="a page for viewing",
            hint="ask whoever shares it for the operator's address",
        )  # fmt: skip
