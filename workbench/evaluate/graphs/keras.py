"""Graphs of `.keras` archives of Keras 3."""

from __future__ import annotations

from workbench.evaluate.graphs.tf_keras import TfKerasGraph


class KerasGraph(TfKerasGraph):
    """Reads `.keras` with h5py: Keras 3 lays its archive out as tf_keras does."""
