"""Weights of a `.keras` archive of Keras 3."""

from __future__ import annotations

from workbench.evaluate.tensors.tf_keras import TfKerasTensors


class KerasTensors(TfKerasTensors):
    """Reads `.keras` with h5py: Keras 3 lays its archive out as tf_keras does."""
