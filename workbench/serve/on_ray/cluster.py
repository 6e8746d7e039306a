"""The Ray cluster: joined where there is one, else one of this machine alone."""

from __future__ import annotations

from typing import Any

from workbench.core.errors import BadInputError


def connect(address: str | None = None) -> Any:
    """Return the connected `ray` module.

    Args:
        address: A cluster's address; None joins the one this process is in, or that the environment names
            (`RAY_ADDRESS`), or starts one on this machine.

    Raises:
        BadInputError: Ray is not installed, or nothing answers at the address.
    """
    try:
        import ray
    except ImportError:
        raise BadInputError.of(
            "engine", rule="must be one whose packages are installed", got="ray",
            hint="run `pip install 'lastmile-workbench[ray]'`",
        ) from None  # fmt: skip
    if ray.is_initialized():
        return ray
    try:
        ray.init(address=address, include_dashboard=False, log_to_driver=False, logging_level="warning")
    except ConnectionError as error:
        raise BadInputError.of("address", rule="must be of a running Ray cluster", got=f"{address} ({error})") from None
    return ray
