"""Datasets: prepared once as plain `.npy` files in the workspace, memory-mapped by everyone.

A unit of this kind is a dataset that people name (`digits`, `mnist`, `fashion_mnist`): one file with one public
class on `base.DatasetSource`. Data of one's own comes as an `.npz` file, a folder of class folders, or arrays.
"""

from workbench.datasets.dataset import Dataset
from workbench.datasets.load import DefaultDataset, default_dataset, load_dataset

__all__ = ["Dataset", "DefaultDataset", "default_dataset", "load_dataset"]
