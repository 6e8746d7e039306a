"""The model store: whole versions or none, labels that move only to what was tried, a history of every change."""

from workbench.serve.store.gates import check_may_be
from workbench.serve.store.labels import LABELS, check_label
from workbench.serve.store.store import Store

__all__ = ["LABELS", "Store", "check_label", "check_may_be"]
