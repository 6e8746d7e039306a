"""A new version beside the one that answers: for some of the clients, or as a shadow, until it is judged."""

from workbench.serve.rollout.settings import RolloutRule

__all__ = ["RolloutRule"]
